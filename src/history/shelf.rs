//! What is kept of one ring: the position up to which it was read, packed blocks, and copies that wait for the packer.

use std::{
    borrow::Cow,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

use serde::{Deserialize, Serialize};

use super::{
    Names, Shared, Written,
    home::{Home, Part},
    journal::{Copy, Found, Journal, Key},
    keep::Wanted,
    kept::{Kept, Made, unthinned},
    lock,
    queue::Queue,
    state::{Locked, Oldest, State},
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    key: Key,
    ring: Ring,
    home: Home,
    /// Bytes on it, packed and not.
    used: AtomicUsize,
    /// Those of them that older history takes.
    kept: AtomicUsize,
    /// Whether the packer is to look at it.
    pub(super) queued: AtomicBool,
    state: Mutex<State>,
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
    /// until then. Nothing outlives the process.
    pub fn new(slot: u32, ring: Ring, since: Position, counted: u64) -> Arc<Self> {
        let key = Key { slot, cpu: ring.cpu(), serial: 0 };
        Self::of(key, ring, Home::default(), None, Found::nothing(since, counted))
    }

    /// A shelf with what was found of it, which is written down in the journal.
    pub(super) fn of(key: Key, ring: Ring, home: Home, journal: Option<Journal>, found: Found) -> Arc<Self> {
        let state = State::of(journal, found);
        let (used, kept) = (AtomicUsize::new(state.used()), AtomicUsize::new(state.kept.memory()));
        let (queued, state) = (AtomicBool::new(false), Mutex::new(state));
        let shelf = Arc::new(Self { key, ring, home, used, kept, queued, state });
        // What is not yet written down is.
        drop(shelf.edit());
        shelf
    }

    fn edit(&self) -> Locked<'_> {
        Locked::of(&self.state)
    }

    /// Whose it is.
    pub fn slot(&self) -> u32 {
        self.key.slot
    }

    /// Where its present owner's part of the ring begins.
    pub fn since(&self) -> Position {
        lock(&self.state).marks.since
    }

    /// Bytes of the ring that were not copied yet.
    pub(super) fn unread(&self) -> u64 {
        lock(&self.state).marks.read.behind(self.ring.position())
    }

    /// What it holds, for whom has not counted it yet.
    pub(super) fn all(&self) -> Change {
        let state = lock(&self.state);
        let packed = state.packed();
        Change {
            waiting: state.waiting.cast_signed(),
            packed: packed.cast_signed(),
            kept: state.kept.memory().cast_signed(),
            calls: state.blocks.iter().map(|block| i64::from(block.calls)).sum(),
            ..Change::default()
        }
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
        let mut state = self.edit();
        let mut change = Change::default();
        let unread = state.marks.read.behind(self.ring.position());
        let is_overwritten = unread > (self.ring.size() - wire::SAMPLE_MOST) as u64;
        if is_overwritten && may_keep {
            change = self.copy_into(&mut state, written);
        }
        let (tail, complete_from) = if is_overwritten && !may_keep {
            let (_, oldest, records) =
                oldest_first(&self.ring.snapshot(Some(state.marks.read), wire::SAMPLE_MOST), None);
            (records, oldest)
        } else {
            let tail = written.records(self.key.slot, self.ring.cpu()).saturating_sub(state.marks.counted);
            (if state.marks.sealed { 0 } else { tail }, None)
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
        self.copy_into(&mut self.edit(), written)
    }

    /// Copies what is new in the ring, to which nothing will be written any more.
    pub(super) fn seal(&self, written: &dyn Written) -> Change {
        let mut state = self.edit();
        let change = self.copy_into(&mut state, written);
        state.marks.sealed = true;
        change
    }

    /// Takes over what is left of an older ring of its CPU, to which nothing is written any more: it stands before all that
    /// it holds itself. False: too much of it waits for the packer still.
    pub(super) fn take_over(&self, older: &Self, written: &dyn Written) -> (bool, Change) {
        // Whoever began to write before the ring was replaced has written by now.
        let mut change = older.copy(written);
        let mut old = older.edit();
        if old.waiting >= ENOUGH {
            return (false, change);
        }
        if !old.copies.is_empty() {
            let Some(packed) = older.packed(old.copies.iter()) else { return (false, change) };
            let count = old.copies.len();
            change += older.replace_copies(&mut old, count, packed);
        }
        let mut state = self.edit();
        state.marks.took = Some(older.key.serial);
        if state.marks.given_up.is_some() || state.kept.memory() > 0 {
            // It had to give up what is newer than all of that.
            drop((state, old));
            change += older.clear(0);
            return (true, change);
        }
        state.kept = std::mem::take(&mut old.kept);
        let blocks = [&old.blocks, &state.blocks].into_iter().flat_map(Queue::iter).cloned().collect();
        state.blocks = blocks;
        let gaps = old.gaps.iter().chain(state.gaps.iter()).copied().collect();
        *state.gaps = gaps;
        state.marks.given_up = old.marks.given_up;
        state.records += old.records;
        state.names.extend(std::mem::take(&mut old.names));
        state.anew = true;
        self.used.fetch_add(older.used.swap(0, Relaxed), Relaxed);
        self.kept.fetch_add(older.kept.swap(0, Relaxed), Relaxed);
        // What it has taken over is written down before it is forgotten there.
        drop(state);
        old.empty();
        (true, change)
    }

    /// What is new stays in the ring, since too much waits for the packer.
    pub(super) fn leave_out(&self) {
        lock(&self.state).left_out = true;
    }

    fn copy_into(&self, state: &mut State, written: &dyn Written) -> Change {
        let count = || written.records(self.key.slot, self.ring.cpu());
        let before = count();
        let snapshot = self.ring.snapshot(Some(state.marks.read), wire::SAMPLE_MOST);
        let quiet = before == count();
        let mut change = Change::default();
        let copies: Vec<Copy> = copies(&snapshot, &self.home);
        let found: u64 = copies.iter().map(|copy| copy.records).sum();
        if snapshot.wrapped() {
            let missing = if state.marks.sealed { 0 } else { before.saturating_sub(state.marks.counted + found) };
            state.marks.counted += missing;
            let newest = state.newest();
            let to = copies.first().map(|copy| copy.first).or(newest).unwrap_or_default();
            let why = if state.left_out { Missing::Packer } else { Missing::Copier };
            let gap = |from| Gap { from, to, records: missing, why };
            if let Some(from) = newest.filter(|_| state.records > 0) {
                state.gaps.push_back(gap(from));
            } else {
                let from = state.marks.given_up.replace(to).unwrap_or(0);
                change += self.in_kept(state, |kept| kept.miss(gap(from)));
            }
            change.missed += missing;
        } else if quiet && !state.marks.sealed {
            // The count of a gap was as exact as the kernel side's counters are while it writes.
            let exact = before.saturating_sub(found);
            if let Some(gap) = state.gaps.back_mut() {
                gap.records = gap.records.saturating_add(exact).saturating_sub(state.marks.counted);
            }
            state.marks.counted = exact;
        }
        state.left_out = false;
        state.marks.read = snapshot.position();
        state.marks.counted += found;
        state.records += found;
        let bytes: usize = copies.iter().map(|copy| copy.bytes.len()).sum();
        state.waiting += bytes;
        copies.into_iter().for_each(|copy| state.copies.push(copy));
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
        let mut state = self.edit();
        let is_there = || state.copies.front().is_some_and(|first| first.bytes.is(&copies[0].bytes));
        if state.owner != owner || state.copies.len() < count || !is_there() {
            // Thrown away meanwhile.
            return (true, Change::default());
        }
        (true, self.replace_copies(&mut state, count, packed))
    }

    /// A block of these copies, and what it names.
    fn packed<'a>(&self, copies: impl IntoIterator<Item = &'a Copy>) -> Option<(Block, Names)> {
        let mut names = Names::default();
        let packed = copies
            .into_iter()
            .map(|copy| copy.bytes.read())
            .collect::<io::Result<Vec<_>>>()
            .map(|plain| plain.concat())
            .inspect(|plain| names.see(plain))
            .and_then(|plain| self.home.pack(Part::Blocks, Block::of(Some(self.ring.cpu()), 0, plain)));
        match packed {
            Ok(block) => Some((block, names)),
            Err(error) => {
                tracing::warn!(%error, "records are kept unpacked");
                None
            }
        }
    }

    /// The copies that have waited longest make room for the block that was made of them.
    fn replace_copies(&self, state: &mut State, count: usize, (block, names): (Block, Names)) -> Change {
        let length: usize = (0..count).filter_map(|_| state.copies.pop_front()).map(|copy| copy.bytes.len()).sum();
        state.waiting -= length;
        let packed = kept(&block);
        let calls = i64::from(block.calls);
        state.blocks.push(block);
        if !state.names.has_all(&names) {
            state.names.extend(names);
        }
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
            Fate::Thinned(wanted) => {
                let thin = |bytes: Cow<'_, [u8]>| thinner.thin(wanted, self.ring.cpu(), &self.home, &bytes);
                oldest.plain().and_then(thin).inspect_err(|error| tracing::warn!(%error, "history is lost")).ok()
            }
            Fate::Unthinned | Fate::Gone => None,
        };
        let mut state = self.edit();
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
                (copy.first, copy.to, copy.records)
            }
        };
        self.used.fetch_add((change.packed + change.waiting).cast_unsigned(), Relaxed);
        state.records -= records;
        state.marks.given_up = state.marks.given_up.max(Some(to));
        let mut gaps = Vec::new();
        while let Some(gap) = state.gaps.front().copied().filter(|gap| gap.from <= to) {
            state.gaps.pop_front();
            state.marks.given_up = state.marks.given_up.max(Some(gap.to));
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
        let mut state = self.edit();
        self.in_kept(&mut state, |kept| kept.give_up(&self.home, self.ring.cpu()))
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
        let mut state = self.edit();
        let packed = state.packed();
        let calls: i64 = state.blocks.iter().map(|block| i64::from(block.calls)).sum();
        let (waiting, older) = (state.waiting, state.kept.memory());
        state.begin(self.ring.position(), counted);
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
        let mut state = self.edit();
        let mut change = Change::default();
        let mut tail = self.ring.snapshot(Some(state.marks.read), wire::SAMPLE_MOST);
        let alone = !keep && state.records + state.kept.records() == 0;
        if tail.wrapped() && !alone {
            change = self.copy_into(&mut state, written);
            tail = self.ring.snapshot(Some(state.marks.read), wire::SAMPLE_MOST);
        }
        let wrapped = tail.wrapped();
        let tail = copies(&tail, &Home::default());
        let oldest = tail.first().map(|copy| copy.first);
        let (complete_from, part_from) =
            if wrapped && alone { (oldest, oldest) } else { (state.marks.given_up, state.kept.from()) };
        let cpu = Some(self.ring.cpu());
        let lost = |error: &io::Error| tracing::warn!(%error, "history is lost");
        let plain = |copy: &Copy| {
            let bytes = copy.bytes.read().inspect_err(lost).ok()?;
            Some(Block::of(cpu, 0, bytes.into_owned()))
        };
        let records = state.records + state.kept.records() + tail.iter().map(|copy| copy.records).sum::<u64>();
        let older = state.kept.blocks(self.ring.cpu()).chain(state.blocks.iter().cloned());
        let taken = Taken {
            blocks: older.chain(state.copies.iter().chain(&tail).filter_map(plain)).collect(),
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

/// A block's bytes, with what it says of itself.
pub(super) fn kept(block: &Block) -> usize {
    let bytes = match &block.body {
        Body::Packed { bytes, .. } => bytes.len(),
        Body::Stored(stored) => stored.packed as usize,
        Body::Plain(bytes) => bytes.len(),
    };
    bytes + size_of::<Block>()
}

/// A snapshot's records, oldest first, cut where there are many.
fn copies(snapshot: &Snapshot, home: &Home) -> Vec<Copy> {
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
        // Times only grow in a ring.
        let first = Record::parse(&bytes).map_or(0, |record| record.time());
        let to = run.first().and_then(|(sample, _)| wire::records(sample).last()).map_or(first, |record| record.time());
        let records = run.iter().map(|(_, count)| count).sum();
        copies.push(Copy { bytes: home.put(Part::Copies, &bytes), records, first, to });
    }
    copies
}
