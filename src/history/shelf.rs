//! What is kept of one ring: the position up to which it was read, packed blocks, and copies that wait for the packer.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

use super::{Names, Shared, Written, lock, walk::whole};
use crate::{
    model::{Block, Body},
    ring::{Position, Ring, Snapshot},
    wire::{self, Record},
};

/// So much is worth a block, bytes.
const ENOUGH: usize = Block::PLAIN * 3 / 4;
/// No more goes into one.
const MOST: usize = Block::PLAIN * 3 / 2;

/// Records of a ring that were overwritten before they were copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The time of the last record before it, CLOCK_BOOTTIME nanoseconds.
    pub from: u64,
    /// The time of the first one behind it.
    pub to: u64,
    /// How many there were.
    pub records: u64,
    /// Whether the copier was there, and the packer had no time for more.
    pub packer: bool,
}

/// What a shelf and its ring hold.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// Oldest first.
    pub blocks: Vec<Block>,
    /// How many records they are.
    pub records: u64,
    /// From when on they are all there, but for the gaps; `None`: from the beginning.
    pub complete_from: Option<u64>,
    /// What is missing between them, oldest first.
    pub gaps: Vec<Gap>,
    /// What the packed ones name.
    pub names: Names,
}

/// A ring and what is kept of it.
#[derive(Debug)]
pub struct Shelf {
    slot: u32,
    ring: Ring,
    /// Bytes on it, packed and not.
    used: AtomicUsize,
    /// Whether the packer is to look at it.
    pub(super) queued: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Up to here the ring was read.
    read: Position,
    /// What the kernel side had counted there.
    counted: u64,
    /// Changes when it is somebody else's.
    owner: u64,
    blocks: VecDeque<Block>,
    copies: VecDeque<Copy>,
    /// Bytes of `copies`.
    waiting: usize,
    /// Records of both.
    records: u64,
    /// What was recorded until then is not all there any more.
    given_up: Option<u64>,
    gaps: VecDeque<Gap>,
    /// What packed records name.
    names: Names,
    /// Its CPU writes to another ring: what is counted is no longer its own.
    sealed: bool,
    /// Copying was left out since the last copy: too much waited for the packer.
    left_out: bool,
}

/// Records that were copied together, oldest first.
#[derive(Clone, Debug)]
struct Copy {
    bytes: Arc<[u8]>,
    records: u64,
    /// The time of the newest.
    to: u64,
}

/// By how much what all shelves hold has changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change {
    pub(super) waiting: isize,
    pub(super) packed: isize,
    pub(super) calls: i64,
    pub(super) missed: u64,
}

impl Shared {
    pub(super) fn settle(&self, change: Change) {
        // Two's complement: adding what is negative takes away.
        self.waiting.fetch_add(change.waiting.cast_unsigned(), Relaxed);
        self.packed.fetch_add(change.packed.cast_unsigned(), Relaxed);
        self.calls.fetch_add(change.calls.cast_unsigned(), Relaxed);
        self.missed.fetch_add(change.missed, Relaxed);
    }
}

impl Shelf {
    /// A shelf for a ring of a slot's, of which what stands before `since` is nobody's; so many records were written
    /// until then.
    pub fn new(slot: u32, ring: Ring, since: Position, counted: u64) -> Arc<Self> {
        let state = State {
            read: since,
            counted,
            owner: 0,
            blocks: VecDeque::new(),
            copies: VecDeque::new(),
            waiting: 0,
            records: 0,
            given_up: None,
            gaps: VecDeque::new(),
            names: Names::default(),
            sealed: false,
            left_out: false,
        };
        let (used, queued) = (AtomicUsize::new(0), AtomicBool::new(false));
        Arc::new(Self { slot, ring, used, queued, state: Mutex::new(state) })
    }

    /// Whose it is.
    pub fn slot(&self) -> u32 {
        self.slot
    }

    /// Its ring.
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Bytes on it.
    pub fn memory(&self) -> usize {
        self.used.load(Relaxed)
    }

    /// How many records it and its ring hold, and from when on they are all there, gaps not minded. Nothing is copied
    /// unless the ring was overwritten; `written`: what was counted.
    pub(super) fn held(&self, written: &dyn Written) -> (u64, Option<u64>, Change) {
        let mut state = lock(&self.state);
        let mut change = Change::default();
        let unread = state.read.behind(self.ring.position());
        if unread > (self.ring.size() - wire::SAMPLE_MOST) as u64 {
            change = self.copy_into(&mut state, written);
        }
        let tail = written.records(self.slot, self.ring.cpu()).saturating_sub(state.counted);
        let tail = if state.sealed { 0 } else { tail };
        (state.records + tail, state.complete_from(), change)
    }

    /// Copies what is new in the ring.
    pub(super) fn copy(&self, written: &dyn Written) -> Change {
        self.copy_into(&mut lock(&self.state), written)
    }

    /// Copies what is new in the ring, to which nothing will be written any more.
    pub(super) fn seal(&self, written: &dyn Written) -> Change {
        let mut state = lock(&self.state);
        let change = self.copy_into(&mut state, written);
        state.sealed = true;
        change
    }

    /// What is new stays in the ring, since too much waits for the packer.
    pub(super) fn leave_out(&self) {
        lock(&self.state).left_out = true;
    }

    fn copy_into(&self, state: &mut State, written: &dyn Written) -> Change {
        let count = || written.records(self.slot, self.ring.cpu());
        let before = count();
        let snapshot = self.ring.snapshot(Some(state.read), wire::SAMPLE_MOST);
        let quiet = before == count();
        let mut change = Change::default();
        let copies = copies(&snapshot);
        let found: u64 = copies.iter().map(|copy| copy.records).sum();
        if snapshot.wrapped() {
            let missing = before.saturating_sub(state.counted + found);
            state.counted += missing;
            let newest = state.newest();
            let to = copies.first().and_then(|copy| Record::parse(&copy.bytes)).map(|record| record.time());
            let to = to.or(newest).unwrap_or_default();
            if let Some(from) = newest.filter(|_| state.records > 0) {
                state.gaps.push_back(Gap { from, to, records: missing, packer: state.left_out });
            } else {
                state.given_up = Some(to);
            }
            change.missed = missing;
        } else if quiet {
            // The count of a gap was as exact as the kernel side's counters are while it writes.
            let exact = before.saturating_sub(found);
            if let Some(gap) = state.gaps.back_mut() {
                gap.records = gap.records.saturating_add(exact).saturating_sub(state.counted);
            }
            state.counted = exact;
        }
        state.left_out = false;
        state.read = snapshot.position();
        state.counted += found;
        state.records += found;
        let bytes: usize = copies.iter().map(|copy| copy.bytes.len()).sum();
        state.waiting += bytes;
        state.copies.extend(copies);
        self.used.fetch_add(bytes, Relaxed);
        change.waiting = bytes.cast_signed();
        change
    }

    /// Whether there is enough for a block.
    pub(super) fn has_enough(&self) -> bool {
        lock(&self.state).waiting >= ENOUGH
    }

    /// Packs what has waited longest; false: there is not enough. The shelf is free meanwhile.
    pub(super) fn pack(&self) -> (bool, Change) {
        let (owner, count, copies) = {
            let state = lock(&self.state);
            if state.waiting < ENOUGH {
                return (false, Change::default());
            }
            let mut bytes = 0;
            let fits = |copy: &&Copy| {
                let first = bytes == 0;
                bytes += copy.bytes.len();
                first || bytes <= MOST
            };
            let copies: Vec<Copy> = state.copies.iter().take_while(fits).cloned().collect();
            (state.owner, copies.len(), copies)
        };
        let plain: Vec<u8> = copies.iter().flat_map(|copy| copy.bytes.iter().copied()).collect();
        let length = plain.len();
        let mut names = Names::default();
        names.see(&plain);
        let block = match Block::of(Some(self.ring.cpu()), 0, plain).pack() {
            Ok(block) => block,
            Err(error) => {
                tracing::warn!(%error, "records are kept unpacked");
                return (false, Change::default());
            }
        };
        let mut state = lock(&self.state);
        if state.owner != owner || state.copies.len() < count || !Arc::ptr_eq(&state.copies[0].bytes, &copies[0].bytes)
        {
            // Thrown away meanwhile.
            return (true, Change::default());
        }
        state.copies.drain(..count);
        state.waiting -= length;
        let packed = kept(&block);
        let calls = i64::from(block.calls);
        state.blocks.push_back(block);
        state.names.extend(names);
        self.used.fetch_add(packed.wrapping_sub(length), Relaxed);
        (true, Change { waiting: -length.cast_signed(), packed: packed.cast_signed(), calls, missed: 0 })
    }

    /// The time of the newest record in what would be given up next; `None`: there is nothing.
    pub(super) fn oldest(&self) -> Option<u64> {
        let state = lock(&self.state);
        let copies = || state.copies.front().map(|copy| copy.to);
        state.blocks.front().map(|block| block.to).or_else(copies)
    }

    /// Gives up the oldest of what it holds.
    pub(super) fn give_up(&self) -> Change {
        let mut state = lock(&self.state);
        let mut change = Change::default();
        let (to, records) = if let Some(block) = state.blocks.pop_front() {
            change.packed = -kept(&block).cast_signed();
            change.calls = -i64::from(block.calls);
            (block.to, u64::from(block.records))
        } else if let Some(copy) = state.copies.pop_front() {
            change.waiting = -copy.bytes.len().cast_signed();
            state.waiting -= copy.bytes.len();
            (copy.to, copy.records)
        } else {
            return change;
        };
        state.records -= records;
        state.given_up = state.given_up.max(Some(to));
        while state.gaps.front().is_some_and(|gap| gap.from <= to) {
            let gap = state.gaps.pop_front();
            state.given_up = state.given_up.max(gap.map(|gap| gap.to));
        }
        self.used.fetch_add((change.packed + change.waiting).cast_unsigned(), Relaxed);
        change
    }

    /// Throws away all that it holds; what is written from now on is somebody else's.
    pub(super) fn clear(&self, counted: u64) -> Change {
        let mut state = lock(&self.state);
        let packed: usize = state.blocks.iter().map(kept).sum();
        let calls: i64 = state.blocks.iter().map(|block| i64::from(block.calls)).sum();
        let waiting = state.waiting;
        *state = State {
            read: self.ring.position(),
            counted,
            owner: state.owner + 1,
            blocks: VecDeque::new(),
            copies: VecDeque::new(),
            waiting: 0,
            records: 0,
            given_up: None,
            gaps: VecDeque::new(),
            names: Names::default(),
            sealed: false,
            left_out: false,
        };
        self.used.store(0, Relaxed);
        Change { waiting: -waiting.cast_signed(), packed: -packed.cast_signed(), calls: -calls, missed: 0 }
    }

    /// All that its ring holds, of a recording that is over: nobody counts any more what was overwritten.
    pub fn take_uncounted(&self) -> Taken {
        self.take(&Uncounted, false).0
    }

    /// All that it and its ring hold.
    /// Unless it is to keep something, what there is besides is the ring's alone.
    pub(super) fn take(&self, written: &dyn Written, keep: bool) -> (Taken, Change) {
        let mut state = lock(&self.state);
        let mut change = Change::default();
        let mut tail = self.ring.snapshot(Some(state.read), wire::SAMPLE_MOST);
        let alone = !keep && state.records == 0;
        if tail.wrapped() && !alone {
            change = self.copy_into(&mut state, written);
            tail = self.ring.snapshot(Some(state.read), wire::SAMPLE_MOST);
        }
        let wrapped = tail.wrapped();
        let tail = copies(&tail);
        let oldest = tail.first().and_then(|copy| Record::parse(&copy.bytes)).map(|record| record.time());
        let given_up = if wrapped && alone { oldest } else { state.given_up };
        let cpu = Some(self.ring.cpu());
        let plain = |copy: &Copy| Block::of(cpu, 0, copy.bytes.to_vec());
        let records = state.records + tail.iter().map(|copy| copy.records).sum::<u64>();
        let blocks = state.blocks.iter().cloned().chain(state.copies.iter().chain(&tail).map(plain)).collect();
        let taken = Taken {
            blocks,
            records,
            complete_from: given_up,
            gaps: state.gaps.iter().copied().collect(),
            names: state.names.clone(),
        };
        (taken, change)
    }
}

/// Nothing is known.
struct Uncounted;

impl Written for Uncounted {
    fn records(&self, _: u32, _: u32) -> u64 {
        0
    }
}

impl Taken {
    /// From when on all of its records are there, gaps and all; `None`: from the beginning.
    pub fn whole_from(&self) -> Option<u64> {
        self.complete_from.max(self.gaps.last().map(|gap| gap.to))
    }
}

impl State {
    fn newest(&self) -> Option<u64> {
        self.copies.back().map(|copy| copy.to).or_else(|| self.blocks.back().map(|block| block.to))
    }

    fn complete_from(&self) -> Option<u64> {
        self.given_up.max(self.gaps.back().map(|gap| gap.to))
    }
}

/// A block's bytes, with what it says of itself.
fn kept(block: &Block) -> usize {
    let bytes = if let Body::Packed { bytes, .. } = &block.body { bytes.len() } else { block.plain_length() };
    bytes + size_of::<Block>()
}

/// A snapshot's records, oldest first, cut where there are many.
fn copies(snapshot: &Snapshot) -> Vec<Copy> {
    let samples: Vec<(&[u8], u64)> = snapshot.samples().map_while(whole).collect();
    let mut copies = Vec::new();
    let mut rest = samples.as_slice();
    while !rest.is_empty() {
        let mut length = 0;
        let fits = |(sample, _): &&(&[u8], u64)| {
            let more = length < Block::PLAIN;
            length += sample.len();
            more
        };
        let (left, run) = rest.split_at(rest.len() - rest.iter().rev().take_while(fits).count());
        rest = left;
        let mut bytes = Vec::with_capacity(run.iter().map(|(sample, _)| sample.len()).sum());
        run.iter().rev().for_each(|(sample, _)| bytes.extend_from_slice(sample));
        let to = run.first().and_then(|(sample, _)| wire::records(sample).last()).map_or(0, |record| record.time());
        copies.push(Copy { bytes: bytes.into(), records: run.iter().map(|(_, count)| count).sum(), to });
    }
    copies
}
