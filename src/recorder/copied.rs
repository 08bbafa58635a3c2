//! What is kept of a slot and in its rings, and how far back each CPU's reach.

use std::collections::BTreeSet;

use super::slot::Slot;
use crate::{
    history::{Gap, History, Names, oldest_first},
    model::{Block, Reach},
};

/// A copy of a slot's rings.
#[derive(Debug, Default)]
pub(super) struct Copied {
    /// Of each ring, in the order in which they were made; its oldest first.
    pub(super) blocks: Vec<Block>,
    /// How many records they hold.
    pub(super) records: u64,
    /// One for each CPU.
    pub(super) reaches: Vec<Reach>,
    /// What there was until then is not all there any more, on some CPU.
    pub(super) given_up: Option<u64>,
    /// What is missing in between.
    pub(super) gaps: Vec<Gap>,
    /// What packed records name.
    pub(super) names: Names,
}

impl Copied {
    /// Copies the rings, with what was kept of them; of shared ones only what is some cgroups'.
    pub(super) fn of(slot: &Slot, only: Option<&BTreeSet<u64>>, kept: Option<&History>) -> Self {
        let mut history = Self::default();
        if only.is_none() {
            for (cpu, taken, cut) in slot.histories(kept) {
                history.records += taken.records;
                history.given_up = history.given_up.max(taken.complete_from).max(cut);
                history.reach(Reach { cpu, from: taken.whole_from().or(cut) });
                history.gaps.extend(taken.gaps);
                history.names.extend(taken.names);
                history.blocks.extend(taken.blocks);
            }
            return history;
        }
        for (snapshot, cut) in slot.in_rings() {
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
        let mut history = Copied::default();
        for (cpu, from) in [(0, None), (1, Some(10)), (1, None)] {
            history.reach(Reach { cpu, from });
        }
        assert_eq!(history.complete_from(), Some(10), "the newer ring holds all since the older one ended");
        history.reach(Reach { cpu: 1, from: Some(50) });
        assert_eq!(history.reaches, [Reach { cpu: 0, from: None }, Reach { cpu: 1, from: Some(50) }]);
    }
}
