//! Calls as they were counted, for a while, in the kernel. Data only.

use serde::{Deserialize, Serialize};

/// What was counted between two looks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// How long it was counted, in seconds.
    pub seconds: f64,
    /// Calls of still more processes, for which there was no room.
    pub uncounted: u64,
    /// The calls, by who made which.
    pub counts: Vec<Counted>,
}

/// How often a process of a cgroup made a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The cgroup's id.
    pub cgroup: u64,
    /// The process.
    pub pid: u32,
    /// Its name; `None`: it was gone before anybody asked.
    pub comm: Option<String>,
    /// The call.
    pub syscall: String,
    /// Calls that have ended.
    pub calls: u64,
    /// Those of them that failed.
    pub errors: u64,
    /// From their starts to their ends, together, in nanoseconds.
    pub time_ns: u64,
    /// The longest since the counting began, in nanoseconds.
    pub longest_ns: u64,
}
