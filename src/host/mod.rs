//! Looks into other processes: their threads, descriptors, networks, the memory that their calls in flight
//! point to, and into the kernel's log for those that the OOM killer chose.
//!
//! Promise: whoever asks never waits for what is looked at. A process's memory may be a file of a server that does
//! not answer, and so may be what its descriptors stand for: who reads that sleeps until the server wills, and
//! cannot be ended. So a helper process looks (`serve`), one question at a time; one that does not answer within
//! its time is left behind and another goes on with the next question. What has not been seen by then is unknown,
//! and is counted by kind. Helpers that are left behind are bounded, all of them and by user, and a process that
//! keeps one is not looked at again meanwhile.
//!
//! It knows /proc and calls' rows; nothing of tracks, rings and dumps.

mod answer;
mod asking;
mod files;
mod helpers;
mod lines;
mod look;
mod memory;
mod message;
mod network;
mod oom;
mod pieces;
mod sockets;
mod threads;
mod unix;
mod waits;
mod walk;

pub use answer::serve;
pub use helpers::{helped_by, left_behind};
pub use lines::stack_lines;
pub use look::{How, Known, Look, Wanted, Whose};
pub use network::interfaces;
pub use oom::{oom_kills, readable as oom_kills_are_known};
pub use threads::{Status, stat, thread};
