//! What a slot's rings hold, and how far back each CPU's reach.

use std::collections::BTreeSet;

use super::{slot::Slot, walk::oldest_first};
use crate::model::{Block, Reach};

/// A copy of a slot's rings.
#[derive(Debug, Default)]
pub(super) struct History {
    /// One for each ring, in the order in which they were made.
    pub(super) blocks: Vec<Block>,
    /// How many records they hold.
    pub(super) records: u64,
    /// One for each CPU.
    pub(super) reaches: Vec<Reach>,
}

impl History {
    /// Copies the rings; of shared ones only what is some cgroups'.
    pub(super) fn of(slot: &Slot, only: Option<&BTreeSet<u64>>) -> Self {
        let mut history = Self::default();
        for (snapshot, cut) in slot.histories() {
            let (bytes, oldest, count) = oldest_first(&snapshot, only);
            history.records += count;
            history.blocks.push(Block::of(Some(snapshot.cpu()), 0, bytes));
            let from = if snapshot.wrapped() || cut.is_some() { oldest.or(cut) } else { None };
            history.reach(Reach { cpu: snapshot.cpu(), from });
        }
        history
    }

    /// From when on all CPUs are complete; `None`: since the recording began.
    pub(super) fn complete_from(&self) -> Option<u64> {
        self.reaches.iter().filter_map(|reach| reach.from).max()
    }

    /// A CPU's newer ring goes on where the older one ended, unless something between them is gone.
    fn reach(&mut self, newer: Reach) {
        match self.reaches.iter_mut().find(|older| older.cpu == newer.cpu) {
            Some(older) => older.from = newer.from.or(older.from),
            None => self.reaches.push(newer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_behind_an_older_ring_ends_what_it_reaches() {
        let mut history = History::default();
        for (cpu, from) in [(0, None), (1, Some(10)), (1, None)] {
            history.reach(Reach { cpu, from });
        }
        assert_eq!(history.complete_from(), Some(10), "the newer ring holds all since the older one ended");
        history.reach(Reach { cpu: 1, from: Some(50) });
        assert_eq!(history.reaches, [Reach { cpu: 0, from: None }, Reach { cpu: 1, from: Some(50) }]);
    }
}
