//! What is left of a ring's older history: blocks of what matters, and from when on that is all there.

use std::{borrow::Cow, collections::VecDeque, io};

use super::{
    Gap, Missing,
    home::{Home, Part},
    journal::Copy,
    keep::Wanted,
    queue::{Noted, Queue},
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
    /// Oldest first.
    pub(super) blocks: Queue<Block>,
    /// What is newer than these, and not packed yet.
    pub(super) open: Noted<Option<Copy>>,
    /// What belongs to records that will be thinned next.
    pub(super) carried: Noted<Vec<u8>>,
    records: u64,
    /// What mattered until then is not all there any more.
    given_up: Option<u64>,
    pub(super) gaps: Noted<VecDeque<Gap>>,
    /// Bytes of all.
    used: usize,
}

/// What thinning has made, to be put in its place.
#[derive(Debug)]
pub(super) struct Thinner {
    carried: Vec<u8>,
    open: Option<Copy>,
}

/// The same, done.
#[derive(Debug)]
pub(super) struct Made {
    carried: Vec<u8>,
    open: Option<Copy>,
    block: Option<Block>,
}

impl Kept {
    /// That which another process has left.
    pub(super) fn found(
        blocks: Queue<Block>,
        open: Option<Copy>,
        carried: Vec<u8>,
        given_up: Option<u64>,
        gaps: VecDeque<Gap>,
    ) -> Self {
        let records =
            blocks.iter().map(|block| u64::from(block.records)).chain(open.iter().map(|open| open.records)).sum();
        let used = blocks.iter().map(kept).chain(open.iter().map(size_of_open)).sum::<usize>() + carried.len();
        let (open, carried, gaps) = (Noted::new(open), Noted::new(carried), Noted::new(gaps));
        Self { blocks, open, carried, records, given_up, gaps, used }
    }

    /// What is needed to thin what comes next.
    pub(super) fn thinner(&self) -> Thinner {
        Thinner { carried: self.carried.clone(), open: self.open.clone() }
    }

    /// Puts what was thinned in its place.
    pub(super) fn add(&mut self, made: Made) {
        self.set_open(made.open);
        if let Some(block) = made.block {
            self.used += kept(&block);
            self.records += u64::from(block.records);
            self.blocks.push(block);
        }
        self.carry(made.carried);
    }

    fn set_open(&mut self, open: Option<Copy>) {
        let size = |open: &Option<Copy>| open.as_ref().map_or((0, 0), |open| (size_of_open(open), open.records));
        let ((less, fewer), (more, others)) = (size(&self.open), size(&open));
        (self.used, self.records) = (self.used + more - less, self.records + others - fewer);
        if self.open.is_some() || open.is_some() {
            *self.open = open;
        }
    }

    fn carry(&mut self, carried: Vec<u8>) {
        self.used = self.used + carried.len() - self.carried.len();
        if *self.carried != carried {
            *self.carried = carried;
        }
    }

    /// What was there is gone, and nothing of it is kept.
    pub(super) fn miss(&mut self, gap: Gap) {
        self.carry(Vec::new());
        let open = self.open.as_ref().map(|open| open.to);
        let Some(last) = open.or_else(|| self.blocks.back().map(|block| block.to)) else {
            // Nothing stands before it.
            self.gaps.clear();
            self.given_up = self.given_up.max(Some(gap.to));
            return;
        };
        match self.gaps.back_mut() {
            Some(before) if before.to >= last && before.why == gap.why => {
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
        let open = self.open.as_ref().map(|open| open.to);
        self.blocks.front().map(|block| block.to).or(open)
    }

    /// Gives up the oldest; before that which is not packed goes, it is packed.
    pub(super) fn give_up(&mut self, home: &Home, cpu: u32) {
        if self.blocks.is_empty()
            && let Some(open) = self.open.clone()
        {
            let packed = plain(&open, cpu).and_then(|block| home.pack(Part::Kept, block));
            self.set_open(None);
            match packed {
                Ok(block) => return self.add(Made { carried: self.carried.clone(), open: None, block: Some(block) }),
                Err(error) => {
                    tracing::warn!(%error, "older history is lost");
                    self.given_up = self.given_up.max(Some(open.to));
                }
            }
        }
        self.give_up_oldest();
    }

    fn give_up_oldest(&mut self) -> bool {
        let Some(block) = self.blocks.pop_front() else { return false };
        self.used -= kept(&block);
        self.records -= u64::from(block.records);
        self.given_up = self.given_up.max(Some(block.to));
        let open = self.open.as_ref().map(|open| open.first);
        let next = self.blocks.front().map(|block| block.first).or(open);
        // What is missing before what is left is told with what is given up.
        while self.gaps.front().is_some_and(|gap| gap.from <= block.to || next.is_none_or(|next| gap.to <= next)) {
            let gap = self.gaps.pop_front();
            self.given_up = self.given_up.max(gap.map(|gap| gap.to));
        }
        true
    }

    /// Oldest first.
    pub(super) fn blocks(&self, cpu: u32) -> impl Iterator<Item = Block> {
        let open = self.open.iter().filter_map(move |open| {
            let lost = |error: &io::Error| tracing::warn!(%error, "older history is lost");
            plain(open, cpu).inspect_err(lost).ok()
        });
        self.blocks.iter().cloned().chain(open)
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
    pub(super) fn thin(self, wanted: &Wanted, cpu: u32, home: &Home, bytes: &[u8]) -> io::Result<Made> {
        let Self { carried, open } = self;
        let Thinned { bytes, carried } = thin(wanted, &carried, bytes);
        if bytes.is_empty() {
            return Ok(Made { carried, open, block: None });
        }
        let mut all = open.map(|open| open.bytes.read().map(Cow::into_owned)).transpose()?.unwrap_or_default();
        all.extend(bytes);
        let block = Block { thinned: true, ..Block::of(Some(cpu), 0, all) };
        if let Body::Plain(plain) = &block.body
            && plain.len() < ENOUGH
        {
            let (bytes, records) = (home.put(Part::Kept, plain), block.records.into());
            let open = Copy { bytes, records, first: block.first, to: block.to };
            return Ok(Made { carried, open: Some(open), block: None });
        }
        Ok(Made { carried, open: None, block: Some(home.pack(Part::Kept, block)?) })
    }
}

fn plain(open: &Copy, cpu: u32) -> io::Result<Block> {
    Ok(Block { thinned: true, ..Block::of(Some(cpu), 0, open.bytes.read()?.into_owned()) })
}

fn size_of_open(open: &Copy) -> usize {
    open.bytes.len() + size_of::<Block>()
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
            kept.add(Made { carried: vec![0; length], open: None, block: None });
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
            kept.add(Made { carried: Vec::new(), open: None, block: Some(block(time)) });
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
