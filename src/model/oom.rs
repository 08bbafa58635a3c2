//! Whom the kernel's OOM killer chose, and for want of which memory. Data only: `host` reads it, `summary` says it.

use serde::{Deserialize, Serialize};

/// A process that the OOM killer chose, as the kernel's log has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OomKill {
    /// The process.
    pub pid: u32,
    /// Its name.
    pub comm: String,
    /// Which memory ran out.
    pub memory: Memory,
}

/// Which memory ran out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Memory {
    /// The machine's.
    Machine,
    /// That of the NUMA nodes that whoever wanted more may use.
    Nodes,
    /// What a cgroup may use.
    Cgroup {
        /// As a path from the root of its hierarchy; `None`: the log does not name it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<String>,
        /// How much that is, bytes; `None`: the log does not say so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u64>,
        /// Whether that limits memory and swap together.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        with_swap: bool,
    },
}
