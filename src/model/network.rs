//! Network namespaces other than the recorder's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A network namespace, and what its interfaces are called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its number: the inode of /proc/PID/ns/net.
    pub number: u32,
    /// The number was another one's before this time, CLOCK_BOOTTIME nanoseconds, for all that is known.
    pub since: u64,
    /// The names, by their numbers.
    pub interfaces: BTreeMap<u32, String>,
}
