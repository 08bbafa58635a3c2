//! What is kept of a slot and in its rings, and how far back each CPU's reach.

use std::collections::BTreeSet;

use super::slot::Slot;
use crate::{
    history::{Gap, History, Names, Walked, head, oldest_until},
    model::{Block, Body, Reach},
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
    /// Records that were left out for their time.
    pub(super) later: u64,
    /// What there was until then is not all there any more, on some CPU.
    pub(super) given_up: Option<u64>,
    /// The same of what is kept longer.
    pub(super) part_from: Option<u64>,
    /// What is missing in between.
    pub(super) gaps: Vec<Gap>,
    /// What packed records name.
    pub(super) names: Names,
}

impl Copied {
    /// Copies the rings, with what was kept of them, as far as all of them are complete, which is until the time when
    /// the first CPU was made to send what it had: what others wrote later may lack what they wrote before. Of shared
    /// ones only what is some cgroups'.
    pub(super) fn of(slot: &Slot, only: Option<&BTreeSet<u64>>, kept: Option<&History>, until: u64) -> Self {
        let mut history = Self::default();
        if only.is_none() {
            for (cpu, taken, cut) in slot.histories(kept) {
                history.records += taken.records;
                history.given_up = history.given_up.max(taken.complete_from).max(cut);
                history.part_from = history.part_from.max(taken.part_from).max(cut);
                history.reach(Reach { cpu, from: taken.whole_from().or(cut) });
                history.gaps.extend(taken.gaps);
                history.names.extend(taken.names);
                for block in taken.blocks {
                    let (block, later) = cut_off(block, until);
                    history.records = history.records.saturating_sub(later);
                    history.later += later;
                    history.blocks.push(block);
                }
            }
            return history;
        }
        for (snapshot, cut) in slot.in_rings() {
            let Walked { bytes, oldest, count, later } = oldest_until(&snapshot, only, until);
            history.records += count;
            history.later += later;
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

/// A block without what was written after a time, and how much that was. What was packed is older.
fn cut_off(block: Block, until: u64) -> (Block, u64) {
    let Body::Plain(bytes) = &block.body else { return (block, 0) };
    let (kept, count) = head(bytes, until);
    if kept.len() == bytes.len() {
        return (block, 0);
    }
    let later = u64::from(block.records).saturating_sub(count);
    (Block::of(block.cpu, block.whose, kept.to_vec()), later)
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
