//! What is left of a ring's older history: blocks of what matters, and from when on that is all there.

use std::collections::VecDeque;

use super::{
    Gap, Missing,
    keep::Wanted,
    shelf::kept,
    thin::{Thinned, thin},
};
use crate::model::{Block, Body};

/// Where thinned records are packed, bytes: a block is put together of many that were thinned.
const ENOUGH: usize = 32 << 10;
/// No more gaps are told apart.
const GAPS_MOST: usize = 64;

/// Older history.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Oldest first; the last one may be unpacked still.
    blocks: VecDeque<Block>,
    /// What belongs to records that will be thinned next.
    carried: Vec<u8>,
    records: u64,
    /// What mattered until then is not all there any more.
    given_up: Option<u64>,
    gaps: VecDeque<Gap>,
    /// Bytes of all.
    used: usize,
}

/// What thinning has made, to be put in its place.
#[derive(Debug)]
pub(super) struct Thinner {
    carried: Vec<u8>,
    /// The last block as it was, to which it is added.
    open: Option<Block>,
}

/// The same, done.
#[derive(Debug)]
pub(super) struct Made {
    carried: Vec<u8>,
    replaces: bool,
    block: Option<Block>,
}

impl Kept {
    /// What is needed to thin what comes next.
    pub(super) fn thinner(&self) -> Thinner {
        let open = self.blocks.back().filter(|block| matches!(block.body, Body::Plain(_)));
        Thinner { carried: self.carried.clone(), open: open.cloned() }
    }

    /// Puts what was thinned in its place.
    pub(super) fn add(&mut self, made: Made) {
        if made.replaces
            && let Some(open) = self.blocks.pop_back()
        {
            self.forget(&open);
        }
        if let Some(block) = made.block {
            self.used += kept(&block);
            self.records += u64::from(block.records);
            self.blocks.push_back(block);
        }
        self.used = self.used + made.carried.len() - self.carried.len();
        self.carried = made.carried;
    }

    /// What was there is gone, and nothing of it is kept.
    pub(super) fn miss(&mut self, gap: Gap) {
        self.used -= self.carried.len();
        self.carried = Vec::new();
        let Some(last) = self.blocks.back() else {
            // Nothing stands before it.
            self.gaps.clear();
            self.given_up = self.given_up.max(Some(gap.to));
            return;
        };
        match self.gaps.back_mut() {
            Some(before) if before.to >= last.to && before.why == gap.why => {
                before.to = before.to.max(gap.to);
                before.records = before.records.saturating_add(gap.records);
            }
            _ => self.gaps.push_back(gap),
        }
        if self.gaps.len() > GAPS_MOST {
            self.join_gaps();
        }
    }

    /// The two gaps that have the least between them are told as one: what is there between them stays.
    fn join_gaps(&mut self) {
        let between = |n: &usize| self.gaps[n + 1].from.saturating_sub(self.gaps[*n].to);
        let Some(n) = (0..self.gaps.len().saturating_sub(1)).min_by_key(between) else { return };
        if let Some(later) = self.gaps.remove(n + 1) {
            let one = &mut self.gaps[n];
            one.to = one.to.max(later.to);
            one.records = one.records.saturating_add(later.records);
        }
    }

    /// The time of the newest record in what would be given up next; `None`: there is nothing.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.blocks.front().map(|block| block.to)
    }

    /// Gives up the oldest; before the only block goes, it is packed.
    pub(super) fn give_up(&mut self) {
        if self.blocks.len() == 1
            && let Some(only) = self.blocks.front_mut()
            && matches!(only.body, Body::Plain(_))
            && let Ok(packed) = only.clone().pack()
        {
            self.used = self.used + kept(&packed) - kept(only);
            *only = packed;
            return;
        }
        self.give_up_oldest();
    }

    fn give_up_oldest(&mut self) -> bool {
        let Some(block) = self.blocks.pop_front() else { return false };
        self.forget(&block);
        self.given_up = self.given_up.max(Some(block.to));
        let next = self.blocks.front().map(|block| block.first);
        // What is missing before what is left is told with what is given up.
        while self.gaps.front().is_some_and(|gap| gap.from <= block.to || next.is_none_or(|next| gap.to <= next)) {
            let gap = self.gaps.pop_front();
            self.given_up = self.given_up.max(gap.map(|gap| gap.to));
        }
        true
    }

    fn forget(&mut self, block: &Block) {
        self.used -= kept(block);
        self.records -= u64::from(block.records);
    }

    /// Oldest first.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter()
    }

    /// What is missing between them, oldest first.
    pub(super) fn gaps(&self) -> impl Iterator<Item = Gap> {
        self.gaps.iter().copied()
    }

    /// How many records they are.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// From when on all that matters is there, but for the gaps; `None`: from the beginning.
    pub(super) fn from(&self) -> Option<u64> {
        self.given_up
    }

    /// Bytes of all of it.
    pub(super) fn memory(&self) -> usize {
        self.used
    }
}

impl Thinner {
    /// Thins these records of a CPU.
    pub(super) fn thin(self, wanted: &Wanted, cpu: u32, bytes: &[u8]) -> Made {
        let Thinned { bytes, carried } = thin(wanted, &self.carried, bytes);
        if bytes.is_empty() {
            return Made { carried, replaces: false, block: None };
        }
        let mut all = match &self.open {
            Some(Block { body: Body::Plain(before), .. }) => before.clone(),
            _ => Vec::new(),
        };
        all.extend(bytes);
        let block = Block { thinned: true, ..Block::of(Some(cpu), 0, all) };
        let block = if block.plain_length() >= ENOUGH { block.clone().pack().unwrap_or(block) } else { block };
        Made { carried, replaces: self.open.is_some(), block: Some(block) }
    }
}

/// A gap of what could not be thinned.
pub(super) fn unthinned(from: u64, to: u64, records: u64) -> Gap {
    Gap { from, to, records, why: Missing::Thinner }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_carried_counts_while_it_is() {
        let mut kept = Kept::default();
        for length in [100, 40, 40] {
            kept.add(Made { carried: vec![0; length], replaces: false, block: None });
            assert_eq!(kept.memory(), length);
        }
        kept.miss(unthinned(1, 2, 3));
        assert_eq!((kept.memory(), kept.from()), (0, Some(2)));
    }

    #[test]
    fn many_gaps_become_fewer_and_no_record_goes_for_it() {
        let mut kept = Kept::default();
        let block = |time| Block { from: time, first: time, to: time, records: 1, thinned: true, ..Block::default() };
        for n in 0..500 {
            // Two of them stand near each other, time after time.
            let time = 100 * n + if n % 2 == 0 { 0 } else { 80 };
            kept.add(Made { carried: Vec::new(), replaces: false, block: Some(block(time)) });
            kept.miss(unthinned(time + 1, time + 10, 3));
        }
        let gaps: Vec<Gap> = kept.gaps().collect();
        assert_eq!(gaps.len(), GAPS_MOST);
        assert_eq!(gaps.iter().map(|gap| gap.records).sum::<u64>(), 1500, "each is counted still");
        assert!(gaps.windows(2).all(|pair| pair[0].to <= pair[1].from), "{gaps:?}");
        assert_eq!((gaps[0].from, gaps[GAPS_MOST - 1].to), (1, 100 * 499 + 90));
        assert_eq!((kept.records(), kept.from()), (500, None));
        // What goes takes what is missing before the next with it.
        while kept.give_up_oldest() {}
        assert_eq!((kept.records(), kept.memory(), kept.gaps().count()), (0, 0, 0));
        assert_eq!(kept.from(), Some(100 * 499 + 90));
    }
}
