//! traceloop: a flight recorder for system calls.
//!
//! The kernel side (bpf/) writes one record a call into the perf rings of the caller's cgroup; rings
//! overwrite, so the last minutes are always there. This side loads it (`kernel`), reads rings
//! (`ring`), understands records (`wire`, `syscall`, `decode`) and writes them down (`render`,
//! `store`). `recorder` decides what is recorded and when a dump is made; `cli` is the user's hands.
//!
//! A call's journey: bpf/dispatch.h -> bpf/write.h -> the ring -> `ring::Snapshot` -> `wire::Record`
//! -> `decode::Decoder` -> `model::Event` -> `render` -> one line.

pub mod cgroup;
pub mod cli;
pub mod control;
pub mod daemon;
pub mod decode;
mod directory;
pub mod history;
pub mod host;
pub mod identity;
pub mod keeper;
pub mod kernel;
pub mod model;
pub mod profile;
pub mod recorder;
pub mod redact;
pub mod render;
pub mod ring;
pub mod select;
mod skel;
pub mod store;
pub mod summary;
pub mod symbol;
pub mod syscall;
pub mod systemd;
pub mod wire;
