//! What everything above works with: events as we understood them, and a dump's identity and window.

mod block;
mod cause;
mod dump;
mod event;
mod files;
mod identity;
mod last_words;
mod names;
mod network;
mod plain;
mod quantity;
mod reading;
mod stack;
mod stacks;
mod strace;
mod summary;
mod uring;
mod wait;

pub use block::{Block, Body, Seen, Stored};
pub use cause::Cause;
pub use dump::{Completeness, Dump, Each, Loss, Process, Reach, Recording, Stretch, Window};
pub use event::{Argument, Call, Comm, Event, Exit, Gap, Outcome, Sent, Signal, Value, What, Why};
pub use files::{File, Files, REDACTED};
pub use identity::{Container, Identity, Pod};
pub use last_words::{Counts, Ended, LastCall, LastWords};
pub use names::{errno_name, signal_name};
pub use network::Network;
pub use plain::{Plain, acts, plain, plain_lines};
pub use quantity::{duration, size};
pub use reading::{Counted, Reading};
pub use stack::{Frame, Module, Stack, Symbol};
pub use stacks::Stacks;
pub use strace::StraceForm;
pub use summary::Summary;
pub use uring::{Field, Step, Uring};
pub use wait::{Stuck, Wait, WaitsOn};
