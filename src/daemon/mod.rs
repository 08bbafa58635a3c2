//! `traceloop serve`: everything recorded, always; dumps that are made by themselves and stored.
//!
//! One task owns the recorder (`run`): requests of clients, news from the kernel and from systemd, signals
//! and the second's tidying all come to it. What takes long (packing, the disk) is done beside it. Idle,
//! it wakes once a second.

mod calls;
mod choosing;
mod config;
mod counting;
mod describe;
mod dumps;
mod evidence;
mod exec;
mod following;
mod metrics;
mod names;
mod notify;
mod requests;
mod rule;
mod run;
mod share;
mod stored;
mod trigger;
#[cfg(test)]
mod trigger_tests;
mod undumped;

pub use config::{CONFIG, Config, Storage};
pub use run::serve;
pub use stored::Stored;
