//! What everything above works with: events as we understood them, and a dump's identity and window.

mod dump;
mod event;
mod files;
mod names;

pub use dump::{Block, Cause, Dump, Loss, Process, Reach, Recording, Window};
pub use event::{Argument, Call, Comm, Event, Exit, Outcome, Signal, Value, What};
pub use files::{File, Files};
pub use names::{errno_name, signal_name};
