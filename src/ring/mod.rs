//! Overwriting perf rings: open, map, snapshot. Knows bytes and perf's headers, not records.
//!
//! A ring is one perf event of type BPF_OUTPUT on one CPU with `write_backward`: the kernel writes
//! downwards and overwrites, `data_head` points at the newest sample. It is mapped read-only; a
//! reader never slows the writer and takes nothing from it.

mod batch;
mod event;
mod mapping;
mod paranoid;
mod snapshot;

pub use batch::Batch;
pub use event::online_cpus;
pub use mapping::Ring;
pub use paranoid::leaves_events_to_admins;
pub use snapshot::{Position, Snapshot};
