//! What container runtimes tell of a container: its name, image, labels and pod. Each runtime is asked
//! over its own socket, with a time-out and a limit of what is read; one that is down, slow or talks
//! nonsense costs the names only.

mod api;
mod cri;
#[cfg(test)]
pub(super) mod fakes;
mod names;
mod sources;
mod storage;

pub use sources::Runtimes;

pub(super) use names::Names;
pub(super) use sources::{Question, Source};
