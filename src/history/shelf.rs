//! What is kept of one ring: the position up to which it was read, packed blocks, and copies that wait for the packer.

use std::{
    borrow::Cow,
    collections::VecDeque,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

use super::{
    Names, Shared, Written,
    keep::Wanted,
    kept::{Kept, Made, unthinned},
    lock,
    walk::{oldest_first, whole},
};
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
    /// Why they are missing.
    pub why: Missing,
}

/// Why records are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The copier came too late.
    Copier,
    /// The copier was there, and the packer had no time for more.
    Packer,
    /// They had to go, and nobody had the time to look for what matters among them.
    Thinner,
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
    /// The same for what is kept longer; it stands before the others, in blocks of its own.
    pub part_from: Option<u64>,
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
    /// Those of them that older history takes.
    kept: AtomicUsize,
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
    /// What is left of what was given up.
    kept: Kept,
    blocks: VecDeque<Block>,
    copies: VecDeque<Copy>,
    /// Bytes of `copies`.
    waiting: usize,
    /// Records of these two.
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
    pub(super) kept: isize,
    pub(super) calls: i64,
    pub(super) missed: u64,
    pub(super) unthinned: u64,
}

/// What a shelf holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// How many records.
    pub records: u64,
    /// From when on they are all there, gaps not minded; `None`: from the beginning.
    pub complete_from: Option<u64>,
    /// The same for what is kept longer.
    pub part_from: Option<u64>,
}

/// What becomes of what is given up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate<'a> {
    /// What is wanted of it is kept.
    Thinned(&'a Wanted),
    /// The same, but there is no time for it.
    Unthinned,
    /// All of it goes.
    Gone,
}

/// What is oldest of what is complete.
#[derive(Clone, Debug)]
enum Oldest {
    Block(Block),
    Copy(Copy),
}

impl Shared {
    pub(super) fn settle(&self, change: Change) {
        // Two's complement: adding what is negative takes away.
        self.waiting.fetch_add(change.waiting.cast_unsigned(), Relaxed);
        self.packed.fetch_add(change.packed.cast_unsigned(), Relaxed);
        self.kept.fetch_add(change.kept.cast_unsigned(), Relaxed);
        self.unthinned.fetch_add(change.unthinned, Relaxed);
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
            kept: Kept::default(),
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
        let (used, kept, queued) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
        Arc::new(Self { slot, ring, used, kept, queued, state: Mutex::new(state) })
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

    /// Bytes of older history on it.
    pub(super) fn kept(&self) -> usize {
        self.kept.load(Relaxed)
    }

    /// What it and its ring hold. Nothing is copied unless the ring was overwritten, and nothing kept of that unless it may
    /// be; `written`: what was counted.
    pub(super) fn held(&self, written: &dyn Written, may_keep: bool) -> (Held, Change) {
        let mut state = lock(&self.state);
        let mut change = Change::default();
        let unread = state.read.behind(self.ring.position());
        let is_overwritten = unread > (self.ring.size() - wire::SAMPLE_MOST) as u64;
        if is_overwritten && may_keep {
            change = self.copy_into(&mut state, written);
        }
        let (tail, complete_from) = if is_overwritten && !may_keep {
            let (_, oldest, records) = oldest_first(&self.ring.snapshot(Some(state.read), wire::SAMPLE_MOST), None);
            (records, oldest)
        } else {
            let tail = written.records(self.slot, self.ring.cpu()).saturating_sub(state.counted);
            (if state.sealed { 0 } else { tail }, None)
        };
        let held = Held {
            records: state.records + state.kept.records() + tail,
            complete_from: state.complete_from().max(complete_from),
            part_from: state.kept.from(),
        };
        (held, change)
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

    /// Takes over what is left of an older ring of its CPU, to which nothing is written any more: it stands before all that
    /// it holds itself. False: too much of it waits for the packer still.
    pub(super) fn take_over(&self, older: &Self, written: &dyn Written) -> (bool, Change) {
        // Whoever began to write before the ring was replaced has written by now.
        let mut change = older.copy(written);
        let mut old = lock(&older.state);
        if old.waiting >= ENOUGH {
            return (false, change);
        }
        if !old.copies.is_empty() {
            let Some(packed) = older.packed(&old.copies) else { return (false, change) };
            let count = old.copies.len();
            change += older.replace_copies(&mut old, count, packed);
        }
        let mut state = lock(&self.state);
        if state.given_up.is_some() || state.kept.memory() > 0 {
            // It had to give up what is newer than all of that.
            drop(old);
            change += older.clear(0);
            return (true, change);
        }
        let State { kept, blocks, records, given_up, gaps, names, .. } = &mut *old;
        state.kept = std::mem::take(kept);
        blocks.append(&mut state.blocks);
        gaps.append(&mut state.gaps);
        (state.blocks, state.gaps) = (std::mem::take(blocks), std::mem::take(gaps));
        state.given_up = given_up.take();
        state.records += std::mem::take(records);
        state.names.extend(std::mem::take(names));
        self.used.fetch_add(older.used.swap(0, Relaxed), Relaxed);
        self.kept.fetch_add(older.kept.swap(0, Relaxed), Relaxed);
        (true, change)
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
            let missing = if state.sealed { 0 } else { before.saturating_sub(state.counted + found) };
            state.counted += missing;
            let newest = state.newest();
            let to = copies.first().and_then(|copy| Record::parse(&copy.bytes)).map(|record| record.time());
            let to = to.or(newest).unwrap_or_default();
            let why = if state.left_out { Missing::Packer } else { Missing::Copier };
            let gap = |from| Gap { from, to, records: missing, why };
            if let Some(from) = newest.filter(|_| state.records > 0) {
                state.gaps.push_back(gap(from));
            } else {
                let from = state.given_up.replace(to).unwrap_or(0);
                change += self.in_kept(state, |kept| kept.miss(gap(from)));
            }
            change.missed += missing;
        } else if quiet && !state.sealed {
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
        change.waiting += bytes.cast_signed();
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
        let Some(packed) = self.packed(&copies) else { return (false, Change::default()) };
        let mut state = lock(&self.state);
        if state.owner != owner || state.copies.len() < count || !Arc::ptr_eq(&state.copies[0].bytes, &copies[0].bytes)
        {
            // Thrown away meanwhile.
            return (true, Change::default());
        }
        (true, self.replace_copies(&mut state, count, packed))
    }

    /// A block of these copies, and what it names.
    fn packed<'a>(&self, copies: impl IntoIterator<Item = &'a Copy>) -> Option<(Block, Names)> {
        let plain = copies.into_iter().map(|copy| &*copy.bytes).collect::<Vec<_>>().concat();
        let mut names = Names::default();
        names.see(&plain);
        match Block::of(Some(self.ring.cpu()), 0, plain).pack() {
            Ok(block) => Some((block, names)),
            Err(error) => {
                tracing::warn!(%error, "records are kept unpacked");
                None
            }
        }
    }

    /// The copies that have waited longest make room for the block that was made of them.
    fn replace_copies(&self, state: &mut State, count: usize, (block, names): (Block, Names)) -> Change {
        let length: usize = state.copies.drain(..count).map(|copy| copy.bytes.len()).sum();
        state.waiting -= length;
        let packed = kept(&block);
        let calls = i64::from(block.calls);
        state.blocks.push_back(block);
        state.names.extend(names);
        self.used.fetch_add(packed.wrapping_sub(length), Relaxed);
        Change { waiting: -length.cast_signed(), packed: packed.cast_signed(), calls, ..Change::default() }
    }

    /// The time of the newest record in what would be given up next; `None`: there is nothing.
    pub(super) fn oldest(&self) -> Option<u64> {
        let state = lock(&self.state);
        let copies = || state.copies.front().map(|copy| copy.to);
        state.blocks.front().map(|block| block.to).or_else(copies)
    }

    /// Gives up the oldest of what is complete.
    pub(super) fn give_up(&self, fate: Fate<'_>) -> Change {
        let (owner, oldest, thinner) = {
            let state = lock(&self.state);
            let Some(oldest) = state.first() else { return Change::default() };
            (state.owner, oldest, state.kept.thinner())
        };
        let made = match fate {
            Fate::Thinned(wanted) => oldest.plain().ok().map(|bytes| thinner.thin(wanted, self.ring.cpu(), &bytes)),
            Fate::Unthinned | Fate::Gone => None,
        };
        let mut state = lock(&self.state);
        if state.owner != owner || !state.first().is_some_and(|first| first.is(&oldest)) {
            // Thrown away meanwhile.
            return Change::default();
        }
        let was_wanted = !matches!(fate, Fate::Gone) && made.is_none();
        let mut change = self.replace(&mut state, &oldest, made);
        if was_wanted {
            change.unthinned = oldest.records();
        }
        change
    }

    /// What is oldest makes room for what was made of it.
    fn replace(&self, state: &mut State, oldest: &Oldest, made: Option<Made>) -> Change {
        let mut change = Change::default();
        let (from, to, records) = match oldest {
            Oldest::Block(block) => {
                state.blocks.pop_front();
                change.packed = -kept(block).cast_signed();
                change.calls = -i64::from(block.calls);
                (block.first, block.to, u64::from(block.records))
            }
            Oldest::Copy(copy) => {
                state.copies.pop_front();
                change.waiting = -copy.bytes.len().cast_signed();
                state.waiting -= copy.bytes.len();
                let first = Record::parse(&copy.bytes).map_or(copy.to, |record| record.time());
                (first, copy.to, copy.records)
            }
        };
        self.used.fetch_add((change.packed + change.waiting).cast_unsigned(), Relaxed);
        state.records -= records;
        state.given_up = state.given_up.max(Some(to));
        let mut gaps = Vec::new();
        while let Some(gap) = state.gaps.front().copied().filter(|gap| gap.from <= to) {
            state.gaps.pop_front();
            state.given_up = state.given_up.max(Some(gap.to));
            gaps.push(gap);
        }
        change += self.in_kept(state, |kept| {
            match made {
                Some(made) => kept.add(made),
                None => kept.miss(unthinned(from, to, records)),
            }
            gaps.into_iter().for_each(|gap| kept.miss(gap));
        });
        change
    }

    /// The time of the newest record in what of older history would be given up next; `None`: there is nothing.
    pub(super) fn oldest_kept(&self) -> Option<u64> {
        lock(&self.state).kept.oldest()
    }

    /// Gives up the oldest of older history.
    pub(super) fn give_up_kept(&self) -> Change {
        let mut state = lock(&self.state);
        self.in_kept(&mut state, Kept::give_up)
    }

    fn in_kept(&self, state: &mut State, make: impl FnOnce(&mut Kept)) -> Change {
        let before = state.kept.memory();
        make(&mut state.kept);
        let more = state.kept.memory().wrapping_sub(before);
        self.used.fetch_add(more, Relaxed);
        self.kept.fetch_add(more, Relaxed);
        Change { kept: more.cast_signed(), ..Change::default() }
    }

    /// Throws away all that it holds; what is written from now on is somebody else's.
    pub(super) fn clear(&self, counted: u64) -> Change {
        let mut state = lock(&self.state);
        let packed: usize = state.blocks.iter().map(kept).sum();
        let calls: i64 = state.blocks.iter().map(|block| i64::from(block.calls)).sum();
        let (waiting, older) = (state.waiting, state.kept.memory());
        *state = State {
            read: self.ring.position(),
            counted,
            owner: state.owner + 1,
            kept: Kept::default(),
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
        self.kept.store(0, Relaxed);
        Change {
            waiting: -waiting.cast_signed(),
            packed: -packed.cast_signed(),
            kept: -older.cast_signed(),
            calls: -calls,
            ..Change::default()
        }
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
        let alone = !keep && state.records + state.kept.records() == 0;
        if tail.wrapped() && !alone {
            change = self.copy_into(&mut state, written);
            tail = self.ring.snapshot(Some(state.read), wire::SAMPLE_MOST);
        }
        let wrapped = tail.wrapped();
        let tail = copies(&tail);
        let oldest = tail.first().and_then(|copy| Record::parse(&copy.bytes)).map(|record| record.time());
        let (complete_from, part_from) =
            if wrapped && alone { (oldest, oldest) } else { (state.given_up, state.kept.from()) };
        let cpu = Some(self.ring.cpu());
        let plain = |copy: &Copy| Block::of(cpu, 0, copy.bytes.to_vec());
        let records = state.records + state.kept.records() + tail.iter().map(|copy| copy.records).sum::<u64>();
        let older = state.kept.blocks().chain(&state.blocks).cloned();
        let taken = Taken {
            blocks: older.chain(state.copies.iter().chain(&tail).map(plain)).collect(),
            records,
            complete_from,
            part_from,
            gaps: state.kept.gaps().chain(state.gaps.iter().copied()).collect(),
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

impl std::ops::AddAssign for Change {
    fn add_assign(&mut self, other: Self) {
        let Self { waiting, packed, kept, calls, missed, unthinned } = other;
        self.waiting += waiting;
        self.packed += packed;
        self.kept += kept;
        self.calls += calls;
        self.missed += missed;
        self.unthinned += unthinned;
    }
}

impl Oldest {
    fn plain(&self) -> io::Result<Cow<'_, [u8]>> {
        match self {
            Self::Block(block) => block.plain(),
            Self::Copy(copy) => Ok(Cow::Borrowed(&copy.bytes)),
        }
    }

    fn records(&self) -> u64 {
        match self {
            Self::Block(block) => block.records.into(),
            Self::Copy(copy) => copy.records,
        }
    }

    /// Whether it is the same, not only alike.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Block(Block { body: Body::Packed { bytes: one, .. }, .. }), Self::Block(other)) => {
                matches!(&other.body, Body::Packed { bytes, .. } if Arc::ptr_eq(one, bytes))
            }
            (Self::Copy(one), Self::Copy(other)) => Arc::ptr_eq(&one.bytes, &other.bytes),
            _ => false,
        }
    }
}

impl State {
    /// What is complete and oldest.
    fn first(&self) -> Option<Oldest> {
        let copy = || self.copies.front().cloned().map(Oldest::Copy);
        self.blocks.front().cloned().map(Oldest::Block).or_else(copy)
    }

    fn newest(&self) -> Option<u64> {
        self.copies.back().map(|copy| copy.to).or_else(|| self.blocks.back().map(|block| block.to))
    }

    fn complete_from(&self) -> Option<u64> {
        self.given_up.max(self.gaps.back().map(|gap| gap.to))
    }
}

/// A block's bytes, with what it says of itself.
pub(super) fn kept(block: &Block) -> usize {
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
