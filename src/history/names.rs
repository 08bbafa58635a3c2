//! What records name by numbers that only the recorder can look up: network namespaces, and files that stacks lead
//! through. It is gathered where records are packed, so that no dump has to unpack them for it.

use std::collections::BTreeSet;

use crate::wire::{self, Kind, Place};

/// Numbers that records name. There may be more than the records that are left name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Network namespaces.
    pub networks: BTreeSet<u32>,
    /// Files that stacks lead through.
    pub modules: BTreeSet<u16>,
}

impl Names {
    /// Takes in what these records name.
    pub fn see(&mut self, bytes: &[u8]) {
        for record in wire::records(bytes) {
            if record.kind() == Kind::RECORD_STACK {
                let stack = record.stack();
                let places = stack.iter().flat_map(|stack| stack.frames().chain(stack.caller()));
                self.modules.extend(places.filter_map(|place| match place {
                    Place::Module(number, _) => Some(number),
                    Place::Address(_) => None,
                }));
            } else if let Some(network) = record.call().and_then(|call| call.network()) {
                self.networks.insert(network);
            }
        }
    }

    /// Takes in what others have seen.
    pub fn extend(&mut self, others: Self) {
        self.networks.extend(others.networks);
        self.modules.extend(others.modules);
    }
}
