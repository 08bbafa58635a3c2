//! A small process that holds the recording while the daemon is away.
//!
//! Promise: what it was given goes on whatever becomes of the daemon. It holds the kernel side's maps,
//! programs and links, and each ring by a descriptor and a read-only mapping, without which the kernel
//! would throw the ring away; and the daemon's notes, in which it does not read. A new daemon takes all
//! of that over and finds no gap. When the daemon takes its leave for good, or none has been there for
//! long, the keeper ends, and the recording with it.
//!
//! While no daemon is there somebody may stand in for it, with what is held: what that is and does, the keeper
//! does not know.
//!
//! Nor does a keeper that is lost end anything: the daemon holds the same (`Line`), and has the next keeper hold it. It
//! never waits for a keeper that does not answer.
//!
//! Daemon and keeper talk over a unix socket of whole packets: a JSON message, and at most one descriptor.
//! It knows names, sizes and notes; what they mean is the recorder's affair.

mod client;
mod descriptors;
mod ledger;
mod line;
mod message;
mod serve;
mod start;

pub use client::{Held, Keeper};
pub use line::{Line, Place};
pub use serve::{Settings, serve};
pub use start::wait;
