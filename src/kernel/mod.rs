//! The kernel side: loads the programs, hands out slots, tells what is in flight and what was lost.
//!
//! Promise: once `Kernel::load` and `Kernel::assign` have returned, every call of the cgroup reaches
//! the slot's rings or is counted as lost. Knows maps and programs; knows nothing of dumps.

mod attach;
mod capability;
mod counts;
mod execs;
mod features;
mod flush;
mod followed;
mod halves;
mod handover;
mod heed;
mod held;
mod inflight;
mod kept;
mod load;
mod losses;
mod mapped;
mod network;
mod notices;
mod own;
mod pids;
mod profiles;
mod row;
mod slots;
mod stacks;
mod unsent;
mod uring;
mod writers;

pub use attach::{Attach, preempts_programs};
pub use capability::Capabilities;
pub use counts::{Count, CountKey};
pub use features::{Feature, Features};
pub use halves::{Halves, Tallies};
pub use handover::fingerprint;
pub use heed::{CallRule, End};
pub use held::{Held, flush_held};
pub use inflight::{InFlight, line};
pub use load::{Kernel, LastEnd, Options, Shared};
pub use losses::Figures;
pub use network::{of as network_of, own as own_network};
pub use notices::{Asker, RawNotice, RawWhat};
pub use own::Seen;
pub use pids::sees_all_pids;
pub use slots::Assignment;
pub use stacks::can_take_stacks;
pub use unsent::Unsent;
pub use uring::{Completes, Submits, Uring};

/// What the kernel side could not do.
pub type Counters = crate::skel::types::counters;

/// The key of the only entry of an array.
const WHEN_FIRST: [u8; 4] = [0; 4];
