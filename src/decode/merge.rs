//! The records of many blocks in the order of their times: block by block, as they are reached.
//!
//! No more is unpacked at once than the blocks of one moment: of each ring one, or two. What a block's head says of
//! its times decides when it is reached; records of a block that is reached too late, since its head is wrong, come out
//! late, and none is left out for it.

use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use crate::{
    model::Block,
    wire::{self, Record},
};

/// No more bytes of records are unpacked at once: rings that write at the same time do not come near it.
const OPEN_MOST: usize = 1 << 30;

/// Where a record stands: its block, and where in its records it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) block: u32,
    pub(super) at: u32,
}

/// Whose a record is, and which CPU wrote it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) whose: u16,
    pub(super) cpu: Option<u32>,
}

impl Origin {
    pub(super) fn of(block: &Block) -> Self {
        Self { whose: block.whose, cpu: block.cpu }
    }
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Next<'r> {
    Record(Place, Record<'r>),
    /// What stands in a block, or behind these of its records, cannot be read.
    Damaged(u32, String),
}

/// The records of blocks, in the order of their times.
#[derive(Debug)]
pub(super) struct Merge<'a> {
    blocks: &'a [Block],
    /// Those that are not reached, the next one last.
    closed: Vec<u32>,
    /// Those that were reached and not wanted, while it may still turn out that they are.
    left: Vec<u32>,
    opened: HashMap<u32, Opened<'a>>,
    next: BinaryHeap<Reverse<(u64, Place)>>,
    /// The block of the record that was given last.
    given: Option<u32>,
    unpacked: usize,
    damaged: Vec<(u32, String)>,
}

#[derive(Debug)]
struct Opened<'a> {
    bytes: Cow<'a, [u8]>,
    /// The times of its records and where they stand, the next one last.
    rest: Vec<(u64, u32)>,
}

impl<'a> Merge<'a> {
    /// Of these blocks, by their numbers.
    pub(super) fn of(blocks: &'a [Block], mut numbers: Vec<u32>) -> Self {
        numbers.sort_unstable_by_key(|number| Reverse((blocks[*number as usize].first, *number)));
        Self {
            blocks,
            closed: numbers,
            left: Vec::new(),
            opened: HashMap::new(),
            next: BinaryHeap::new(),
            given: None,
            unpacked: 0,
            damaged: Vec::new(),
        }
    }

    /// The next one. A block that is reached is asked for once: `opens` says whether its records are wanted.
    pub(super) fn next(&mut self, mut opens: impl FnMut(&Block) -> bool) -> Option<Next<'_>> {
        if let Some(given) = self.given.take() {
            self.queue(given);
        }
        loop {
            let time = self.next.peek().map(|Reverse((time, _))| *time);
            let reached = |number: &u32| time.is_none_or(|time| self.blocks[*number as usize].first <= time);
            let Some(number) = self.closed.pop_if(|number| reached(number)) else { break };
            if opens(&self.blocks[number as usize]) {
                self.open(number, None);
            } else {
                self.left.push(number);
            }
        }
        if let Some((number, what)) = self.damaged.pop() {
            return Some(Next::Damaged(number, what));
        }
        let Reverse((_, place)) = self.next.pop()?;
        self.given = Some(place.block);
        let bytes = self.opened.get(&place.block)?.bytes.get(place.at as usize..)?;
        Some(Next::Record(place, Record::parse(bytes)?))
    }

    /// More is wanted since this record: blocks of its time that were not are asked for again. Of those that are wanted
    /// now, what stands behind it comes.
    pub(super) fn reconsider(&mut self, (time, place): (u64, Place), mut opens: impl FnMut(&Block) -> bool) {
        let blocks = self.blocks;
        self.left.retain(|number| blocks[*number as usize].to >= time);
        let wanted: Vec<u32> = self.left.extract_if(.., |number| opens(&blocks[*number as usize])).collect();
        wanted.into_iter().for_each(|number| self.open(number, Some((time, place))));
    }

    /// Makes a block's records known; only those behind a record, if there is one.
    fn open(&mut self, number: u32, behind: Option<(u64, Place)>) {
        let block = &self.blocks[number as usize];
        if self.unpacked.saturating_add(block.plain_length()) > OPEN_MOST {
            return self.damaged.push((number, "there is no room for so many blocks of one time".to_owned()));
        }
        let bytes = match block.plain() {
            Ok(bytes) => bytes,
            Err(error) => return self.damaged.push((number, error.to_string())),
        };
        let mut at = 0_u32;
        let mut rest = Vec::with_capacity(block.records.min(1 << 16) as usize);
        for record in wire::records(&bytes) {
            if behind.is_none_or(|behind| (record.time(), Place { block: number, at }) > behind) {
                rest.push((record.time(), at));
            }
            at = at.saturating_add(u32::try_from(record.bytes().len()).unwrap_or(u32::MAX));
        }
        if (at as usize) < bytes.len() {
            self.damaged.push((number, "what is no record stands in it".to_owned()));
        }
        if !rest.is_sorted_by_key(|(time, _)| *time) {
            rest.sort_by_key(|(time, _)| *time);
        }
        rest.reverse();
        self.unpacked += bytes.len();
        self.opened.insert(number, Opened { bytes, rest });
        self.queue(number);
    }

    /// Queues a block's next record; one that has none is done with.
    fn queue(&mut self, number: u32) {
        let Some(opened) = self.opened.get_mut(&number) else { return };
        match opened.rest.pop() {
            Some((time, at)) => self.next.push(Reverse((time, Place { block: number, at }))),
            None => {
                self.unpacked -= opened.bytes.len();
                self.opened.remove(&number);
            }
        }
    }
}
