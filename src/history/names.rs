//! What records name by numbers that only the recorder can look up: network namespaces, files that stacks lead through,
//! and processes that were killed. It is gathered where records are packed, so that no dump has to unpack them for it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::wire::{self, Kind};

/// Numbers that records name. There may be more than the records that are left name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// Network namespaces.
    pub networks: BTreeSet<u32>,
    /// Files that stacks lead through.
    pub modules: BTreeSet<u16>,
    /// Processes of which a thread ended by SIGKILL.
    pub killed: BTreeSet<u32>,
}

impl Names {
    /// Takes in what these records name.
    pub fn see(&mut self, bytes: &[u8]) {
        for record in wire::records(bytes) {
            if record.kind() == Kind::RECORD_STACK {
                self.modules.extend(record.stack().iter().flat_map(|stack| stack.modules()));
            } else if record.kind() == Kind::RECORD_EXIT {
                let killed = record.task().filter(|task| task.code() & 0x7f == libc::SIGKILL.unsigned_abs());
                self.killed.extend(killed.map(|task| task.tgid()));
            } else if let Some(network) = record.call().and_then(|call| call.network()) {
                self.networks.insert(network);
            }
        }
    }

    /// Whether it has all that others have seen.
    pub(super) fn has_all(&self, others: &Self) -> bool {
        let Self { networks, modules, killed } = others;
        networks.is_subset(&self.networks) && modules.is_subset(&self.modules) && killed.is_subset(&self.killed)
    }

    /// Takes in what others have seen.
    pub fn extend(&mut self, others: Self) {
        self.networks.extend(others.networks);
        self.modules.extend(others.modules);
        self.killed.extend(others.killed);
    }
}
