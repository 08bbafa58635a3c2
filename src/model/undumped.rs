//! Lives of units and containers that ended badly and have no dump. Data only.

use serde::{Deserialize, Serialize};

/// A life that has no dump, for a limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Undumped {
    /// Its cgroup's id.
    pub cgroup_id: u64,
    /// When its recording began, seconds since 1970.
    pub began: f64,
    /// When it ended, seconds since 1970.
    pub ended: f64,
    /// How: `SIGSEGV`, `exited with 1`, `failed: timeout`.
    pub how: String,
    /// The same in a sentence, with the process.
    pub cause: String,
    /// The limit, as the configuration calls it.
    pub limit: String,
}
