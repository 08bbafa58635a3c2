//! What is known of a shelf, written down as it changes in memory that outlives the process, so that another one finds
//! all of it: whenever a process is killed, what it has written last is there as a whole or not at all.
//!
//! Each shelf that holds something has a journal: entries behind one another, each saying what has changed since the one
//! before. One that has become long is written anew as a single entry elsewhere; which journal holds, the table says,
//! whose rows are changed by one write each. What entries name by its place is in `Memory`, and goes only when an entry
//! has said that it is gone.
//!
//! Knows what is to be found again, not what it means.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs::File,
    io,
    os::{fd::OwnedFd, unix::fs::FileExt},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::{
    Gap, Names, lock,
    memory::{Bytes, Memory, PAGE, memfd, punch},
    queue::Edit,
};
use crate::{
    model::{Block, Body, Seen, Stored},
    ring::Position,
};

/// What the file of journals begins with: a later layout has another.
const MAGIC: &[u8; 16] = b"traceloop hist 1";
/// Rows begin there.
const ROWS: u64 = PAGE;
const ROW: u64 = 32;
/// Journals begin there, each with so much room; holes cost nothing.
const JOURNALS: u64 = 1 << 32;
const ROOM: u64 = 1 << 28;
/// Before each entry: its length and its CRC32C.
const HEAD: usize = 8;
/// A shorter journal is not written anew, bytes.
const SHORT: u64 = 16 << 10;

/// Whose a journal is: a ring, by its slot, its CPU and its number there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) slot: u32,
    pub(super) cpu: u32,
    pub(super) serial: u32,
}

/// How far a ring was read, and what of it is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marks {
    /// Where its present owner's part begins.
    pub(super) since: Position,
    /// Up to here it was read.
    pub(super) read: Position,
    /// What the kernel side had counted there.
    pub(super) counted: u64,
    /// What was recorded until then is not all there any more.
    pub(super) given_up: Option<u64>,
    /// The same of what is kept longer.
    pub(super) kept_given_up: Option<u64>,
    /// Its CPU writes to another ring: what is counted is no longer its own.
    pub(super) sealed: bool,
    /// It has what the older rings of its CPU held, up to this one.
    pub(super) took: Option<u32>,
}

impl Marks {
    /// Of a ring of which what stands before `since` is nobody's; so many records were written until then.
    pub(super) fn begin(since: Position, counted: u64) -> Self {
        Self { since, read: since, counted, ..Self::default() }
    }
}

/// Records that were copied together, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) bytes: Bytes,
    pub(super) records: u64,
    /// The time of the oldest.
    pub(super) first: u64,
    /// The time of the newest.
    pub(super) to: u64,
}

/// What has changed on a shelf; `None`: nothing of that. As it is, or as it is written.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry<B = Block, C = Copy> {
    pub(super) marks: Marks,
    pub(super) blocks: Edit<B>,
    pub(super) copies: Edit<C>,
    pub(super) gaps: Option<VecDeque<Gap>>,
    pub(super) names: Option<Names>,
    pub(super) kept: Edit<B>,
    pub(super) open: Option<Option<C>>,
    pub(super) carried: Option<Vec<u8>>,
    pub(super) kept_gaps: Option<VecDeque<Gap>>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct WrittenBlock {
    at: u64,
    packed: u32,
    sum: u32,
    plain: u32,
    cpu: u32,
    from: u64,
    first: u64,
    to: u64,
    records: u32,
    calls: u32,
    failed: u32,
    thinned: bool,
    seen: Seen,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct WrittenCopy {
    at: u64,
    length: u64,
    sum: u32,
    records: u64,
    first: u64,
    to: u64,
}

/// All that a shelf's journal says.
#[derive(Debug)]
pub(super) struct Found<B = Block, C = Copy> {
    pub(super) marks: Marks,
    pub(super) blocks: VecDeque<B>,
    pub(super) copies: VecDeque<C>,
    pub(super) gaps: VecDeque<Gap>,
    pub(super) names: Names,
    pub(super) kept: VecDeque<B>,
    pub(super) open: Option<C>,
    pub(super) carried: Vec<u8>,
    pub(super) kept_gaps: VecDeque<Gap>,
}

impl<B, C> Default for Found<B, C> {
    fn default() -> Self {
        Self {
            marks: Marks::default(),
            blocks: VecDeque::new(),
            copies: VecDeque::new(),
            gaps: VecDeque::new(),
            names: Names::default(),
            kept: VecDeque::new(),
            open: None,
            carried: Vec::new(),
            kept_gaps: VecDeque::new(),
        }
    }
}

impl Found {
    /// Nothing: what is written from `since` on is yet to be read.
    pub(super) fn nothing(since: Position, counted: u64) -> Self {
        Self { marks: Marks::begin(since, counted), ..Self::default() }
    }
}

/// Memory that outlives the process, and what is written in it.
#[derive(Debug)]
pub(super) struct Vault {
    pub(super) memory: Arc<Memory>,
    journals: File,
    places: Mutex<Places>,
    /// Bytes of pages that journals take.
    used: AtomicU64,
    /// It was said that something cannot be written down.
    said: AtomicBool,
}

#[derive(Debug)]
struct Places {
    free: BTreeSet<u64>,
    rows: u64,
    next: u64,
}

/// A shelf's journal.
#[derive(Debug)]
pub(super) struct Journal {
    vault: Arc<Vault>,
    key: Key,
    place: Option<Standing>,
    /// Something could not be written down: until the shelf is empty nothing is.
    failed: bool,
}

#[derive(Debug)]
struct Standing {
    row: u64,
    /// Where it begins, and where the next entry goes.
    at: u64,
    end: u64,
    /// Bytes of its first entry, which says everything.
    whole: u64,
}

/// What a process has left of a shelf.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) found: Found,
    row: u64,
    at: u64,
    end: u64,
}

impl Vault {
    pub(super) fn new() -> io::Result<Arc<Self>> {
        let journals = memfd("traceloop-journals")?;
        journals.write_all_at(&[&MAGIC[..], &[0; 8]].concat(), 0)?;
        let places = Places { free: BTreeSet::new(), rows: 0, next: JOURNALS };
        Ok(Arc::new(Self::of(Memory::new()?, journals, places)))
    }

    fn of(memory: Arc<Memory>, journals: File, places: Places) -> Self {
        let (used, said) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { memory, journals, places: Mutex::new(places), used, said }
    }

    /// That which another process has left, by its descriptors, and what it says of each shelf. What of it nobody goes on
    /// with is given up by `sweep`.
    pub(super) fn left([memory, journals]: [OwnedFd; 2]) -> Result<(Arc<Self>, BTreeMap<Key, Left>)> {
        let journals = File::from(journals);
        let mut head = [0; 24];
        journals.read_exact_at(&mut head, 0).context("read the history that is held")?;
        ensure!(head.starts_with(MAGIC), "the history that is held is of another version of traceloop");
        let length = journals.metadata()?.len();
        let rows = number(&head[16..]).min((JOURNALS - ROWS) / ROW);
        let places = Places { free: BTreeSet::new(), rows, next: length.max(JOURNALS).next_multiple_of(ROOM) };
        let vault = Arc::new(Self::of(Memory::left(memory)?, journals, places));
        let mut left = BTreeMap::new();
        for row in 0..rows {
            let Some((key, at)) = vault.row(row)? else { continue };
            match vault.read(at) {
                Ok((found, end)) => drop(left.insert(key, Left { found, row, at, end })),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::warn!(?key, error, "what is left of a ring's history is lost");
                }
            }
        }
        Ok((vault, left))
    }

    /// The descriptors by which another process finds it.
    pub(super) fn descriptors(&self) -> io::Result<[OwnedFd; 2]> {
        Ok([self.memory.file().try_clone()?.into(), self.journals.try_clone()?.into()])
    }

    fn row(&self, row: u64) -> io::Result<Option<(Key, u64)>> {
        let mut bytes = [0; 20];
        self.journals.read_exact_at(&mut bytes, ROWS + row * ROW)?;
        let at = number(&bytes);
        let [slot, cpu, serial] =
            [8, 12, 16].map(|at| u32::from_le_bytes(bytes[at..].first_chunk().copied().unwrap_or_default()));
        Ok((at >= JOURNALS).then_some((Key { slot, cpu, serial }, at)))
    }

    /// Reads a journal, and where it ends.
    fn read(self: &Arc<Self>, at: u64) -> Result<(Found, u64)> {
        let mut all = Found::<WrittenBlock, WrittenCopy>::default();
        let mut end = at;
        let mut length = [0; HEAD];
        // The last entry may be one that was not written to its end.
        while end < at + ROOM && self.journals.read_exact_at(&mut length, end).is_ok() {
            let [length, sum] =
                [0, 4].map(|at| u32::from_le_bytes(length[at..].first_chunk().copied().unwrap_or_default()));
            if length == 0 || u64::from(length) > ROOM {
                break;
            }
            let mut bytes = vec![0; length as usize];
            if self.journals.read_exact_at(&mut bytes, end + HEAD as u64).is_err() || crc32c::crc32c(&bytes) != sum {
                break;
            }
            all.add(postcard::from_bytes(&bytes).context("understand what was written down")?)?;
            end += HEAD as u64 + u64::from(length);
        }
        Ok((all.found(&self.memory).context("what was written down is not there")?, end))
    }

    /// Nobody goes on with that.
    pub(super) fn strike(&self, left: &Left) -> io::Result<()> {
        self.set_row(left.row, Key::default(), 0)
    }

    /// Journals and bytes that nobody has gone on with are given up.
    pub(super) fn sweep(&self) -> io::Result<()> {
        let mut places = lock(&self.places);
        let mut standing = BTreeSet::new();
        for row in 0..places.rows {
            match self.row(row)? {
                Some((_, at)) if !places.free.contains(&row) => drop(standing.insert(at)),
                _ => drop(places.free.insert(row)),
            }
        }
        let mut from = JOURNALS;
        for at in standing.into_iter().chain([places.next]) {
            punch(&self.journals, from..at);
            from = at + ROOM;
        }
        self.memory.sweep();
        Ok(())
    }

    /// Bytes that are taken besides those of the records.
    pub(super) fn extra(&self) -> usize {
        self.memory.waste() + usize::try_from(self.used.load(Relaxed)).unwrap_or(usize::MAX)
    }

    /// Something cannot be kept as it should be.
    pub(super) fn fails(&self, error: &anyhow::Error) {
        if !self.said.swap(true, Relaxed) {
            let error = format!("{error:#}");
            tracing::warn!(error, "of some history only what rings hold outlives the daemon");
        }
    }

    fn claim(&self) -> u64 {
        let mut places = lock(&self.places);
        places.next += ROOM;
        places.next - ROOM
    }

    fn claim_row(&self) -> io::Result<u64> {
        let mut places = lock(&self.places);
        if let Some(row) = places.free.pop_first() {
            return Ok(row);
        }
        self.journals.write_all_at(&(places.rows + 1).to_le_bytes(), MAGIC.len() as u64)?;
        places.rows += 1;
        Ok(places.rows - 1)
    }

    fn set_row(&self, row: u64, key: Key, at: u64) -> io::Result<()> {
        let mut bytes = at.to_le_bytes().to_vec();
        bytes.extend([key.slot, key.cpu, key.serial].map(u32::to_le_bytes).as_flattened());
        self.journals.write_all_at(&bytes, ROWS + row * ROW)
    }
}

impl Journal {
    pub(super) fn new(vault: Arc<Vault>, key: Key) -> Self {
        Self { vault, key, place: None, failed: false }
    }

    /// Goes on with what another process has left.
    pub(super) fn go_on(vault: Arc<Vault>, key: Key, left: &Left) -> Self {
        let Left { row, at, end, .. } = *left;
        vault.used.fetch_add(pages(at, end), Relaxed);
        // Its last entry may be broken: the first thing is to write it anew.
        Self { vault, key, place: Some(Standing { row, at, end, whole: 0 }), failed: false }
    }

    /// Writes down what has changed, or all that there is (`true`).
    pub(super) fn write(&mut self, anew: bool, entry: impl FnOnce(bool) -> Entry) {
        if self.failed {
            return;
        }
        if let Err(error) = self.try_write(anew, entry) {
            self.forget();
            self.failed = true;
            self.vault.fails(&error);
        }
    }

    fn try_write(&mut self, anew: bool, entry: impl FnOnce(bool) -> Entry) -> Result<()> {
        let is_long = |place: &Standing| place.end - place.at > SHORT.max(2 * place.whole);
        let anew = anew || self.place.as_ref().is_none_or(is_long);
        let payload =
            postcard::to_stdvec(&entry(anew).written().context("its bytes are in memory that ends with the process")?)?;
        let length = u32::try_from(payload.len())?;
        let mut bytes = [length, crc32c::crc32c(&payload)].map(u32::to_le_bytes).as_flattened().to_vec();
        bytes.extend(payload);
        let length = bytes.len() as u64;
        let vault = &self.vault;
        if let Some(place) = self.place.as_mut().filter(|_| !anew) {
            ensure!(place.end + length <= place.at + ROOM, "a journal is too long");
            vault.journals.write_all_at(&bytes, place.end).context("write down what has changed")?;
            vault.used.fetch_add(pages(place.at, place.end + length) - pages(place.at, place.end), Relaxed);
            place.end += length;
            return Ok(());
        }
        ensure!(length <= ROOM, "a journal is too long");
        let at = vault.claim();
        vault.journals.write_all_at(&bytes, at).context("write down what there is")?;
        vault.used.fetch_add(pages(at, at + length), Relaxed);
        let row = match &self.place {
            Some(place) => place.row,
            None => vault.claim_row().context("write down what there is")?,
        };
        vault.set_row(row, self.key, at).context("write down where it is")?;
        let before = self.place.replace(Standing { row, at, end: at + length, whole: length });
        before.iter().for_each(|before| self.gives_back(before));
        Ok(())
    }

    fn gives_back(&self, place: &Standing) {
        let length = pages(place.at, place.end);
        punch(&self.vault.journals, place.at..place.at + length);
        self.vault.used.fetch_sub(length, Relaxed);
    }

    /// The shelf holds nothing any more.
    pub(super) fn forget(&mut self) {
        self.failed = false;
        let Some(place) = self.place.take() else { return };
        let key = Key::default();
        if let Err(error) = self.vault.set_row(place.row, key, 0) {
            tracing::warn!(%error, "what is gone stays written down");
            return;
        }
        self.gives_back(&place);
        lock(&self.vault.places).free.insert(place.row);
    }
}

/// Bytes of the pages between these.
fn pages(at: u64, end: u64) -> u64 {
    (end - at).next_multiple_of(PAGE)
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.first_chunk().copied().unwrap_or_default())
}

impl Entry {
    fn written(self) -> Option<Entry<WrittenBlock, WrittenCopy>> {
        let Self { marks, blocks, copies, gaps, names, kept, open, carried, kept_gaps } = self;
        Some(Entry {
            marks,
            blocks: blocks.map(|block| WrittenBlock::of(&block))?,
            copies: copies.map(|copy| WrittenCopy::of(&copy))?,
            gaps,
            names,
            kept: kept.map(|block| WrittenBlock::of(&block))?,
            open: match open {
                Some(Some(copy)) => Some(Some(WrittenCopy::of(&copy)?)),
                Some(None) => Some(None),
                None => None,
            },
            carried,
            kept_gaps,
        })
    }
}

impl Found<WrittenBlock, WrittenCopy> {
    fn add(&mut self, entry: Entry<WrittenBlock, WrittenCopy>) -> Result<()> {
        let Entry { marks, blocks, copies, gaps, names, kept, open, carried, kept_gaps } = entry;
        self.marks = marks;
        let fits = blocks.apply(&mut self.blocks) && copies.apply(&mut self.copies) && kept.apply(&mut self.kept);
        ensure!(fits, "what was written down does not fit together");
        self.open = open.unwrap_or(self.open);
        replace(&mut self.gaps, gaps);
        replace(&mut self.names, names);
        replace(&mut self.carried, carried);
        replace(&mut self.kept_gaps, kept_gaps);
        Ok(())
    }

    fn found(self, memory: &Arc<Memory>) -> Option<Found> {
        let Self { marks, blocks, copies, gaps, names, kept, open, carried, kept_gaps } = self;
        let all =
            |blocks: VecDeque<WrittenBlock>| -> Option<_> { blocks.iter().map(|block| block.found(memory)).collect() };
        Some(Found {
            marks,
            blocks: all(blocks)?,
            copies: copies.iter().map(|copy| copy.found(memory)).collect::<Option<_>>()?,
            gaps,
            names,
            kept: all(kept)?,
            open: match open {
                Some(copy) => Some(copy.found(memory)?),
                None => None,
            },
            carried,
            kept_gaps,
        })
    }
}

fn replace<T>(value: &mut T, news: Option<T>) {
    if let Some(news) = news {
        *value = news;
    }
}

impl WrittenBlock {
    fn of(block: &Block) -> Option<Self> {
        let Block { cpu, whose: _, from, first, to, records, calls, failed, thinned, seen, body } = block;
        let Body::Stored(Stored { place: _, at, packed, plain, sum }) = body else { return None };
        let (at, packed, sum, plain, cpu) = (*at, *packed, *sum, *plain, (*cpu)?);
        let (from, first, to, records, calls) = (*from, *first, *to, *records, *calls);
        let (failed, thinned, seen) = (*failed, *thinned, *seen);
        Some(Self { at, packed, sum, plain, cpu, from, first, to, records, calls, failed, thinned, seen })
    }

    fn found(&self, memory: &Arc<Memory>) -> Option<Block> {
        let Self { at, packed, sum, plain, cpu, from, first, to, records, calls, failed, thinned, seen } = *self;
        let place = memory.adopt(at, packed.into())?;
        let body = Body::Stored(Stored { place, at, packed, plain, sum });
        Some(Block { cpu: Some(cpu), whose: 0, from, first, to, records, calls, failed, thinned, seen, body })
    }
}

impl WrittenCopy {
    fn of(copy: &Copy) -> Option<Self> {
        let Bytes::Shared(extent, sum) = &copy.bytes else { return None };
        let (at, length, sum) = (extent.at(), extent.length(), *sum);
        Some(Self { at, length, sum, records: copy.records, first: copy.first, to: copy.to })
    }

    fn found(&self, memory: &Arc<Memory>) -> Option<Copy> {
        let Self { at, length, sum, records, first, to } = *self;
        Some(Copy { bytes: Bytes::Shared(memory.adopt(at, length)?, sum), records, first, to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(counted: u64) -> Entry {
        let none = || Edit { front: 0, new: Vec::new() };
        let (blocks, copies, kept) = (none(), Edit { front: 0, new: Vec::new() }, none());
        let marks = Marks { counted, ..Marks::default() };
        Entry { marks, blocks, copies, gaps: None, names: None, kept, open: None, carried: None, kept_gaps: None }
    }

    fn again(vault: &Vault) -> BTreeMap<Key, Left> {
        Vault::left(vault.descriptors().unwrap()).unwrap().1
    }

    /// Whoever is killed while he writes has written nothing; what stood there before holds.
    #[test]
    fn an_entry_is_there_as_a_whole_or_not_at_all() {
        let vault = Vault::new().unwrap();
        let key = Key { slot: 7, cpu: 1, serial: 2 };
        let mut journal = Journal::new(vault.clone(), key);
        assert!(again(&vault).is_empty());
        for counted in 1..5000 {
            journal.write(counted == 4000, |_| entry(counted));
            if counted % 500 == 0 {
                assert_eq!(again(&vault)[&key].found.marks.counted, counted);
            }
        }
        assert!(vault.used.load(Relaxed) <= 8 * PAGE, "it is written anew when it has become long");
        let end = again(&vault)[&key].end;
        for broken in [&[200, 0, 0, 0][..], &[8, 0, 0, 0, 1, 2, 3, 4, 5, 6], &[0xff; 40]] {
            vault.journals.write_all_at(broken, end).unwrap();
            let left = again(&vault);
            assert_eq!((left[&key].found.marks.counted, left[&key].end), (4999, end));
        }
        // The next one writes over it.
        journal.write(false, |_| entry(5000));
        assert_eq!(again(&vault)[&key].found.marks.counted, 5000);
        let mut other = Journal::new(vault.clone(), Key { slot: 8, ..key });
        other.write(false, |_| entry(1));
        assert_eq!(again(&vault).len(), 2);
        journal.forget();
        assert_eq!(again(&vault).keys().map(|key| key.slot).collect::<Vec<_>>(), [8]);
        assert_eq!(vault.used.load(Relaxed), PAGE);
    }

    #[test]
    fn what_is_of_another_version_or_no_journal_is_refused() {
        let vault = Vault::new().unwrap();
        let key = Key { slot: 7, cpu: 1, serial: 2 };
        Journal::new(vault.clone(), key).write(false, |_| entry(1));
        let (_, at) = vault.row(0).unwrap().unwrap();
        // Another's entry, with a sum that is right.
        let other = [0xff; 20];
        let head = [20, crc32c::crc32c(&other)].map(u32::to_le_bytes);
        vault.journals.write_all_at(&[head.as_flattened(), &other].concat(), at).unwrap();
        assert!(again(&vault).is_empty());
        vault.journals.write_all_at(b"traceloop hist 0", 0).unwrap();
        let refused = Vault::left(vault.descriptors().unwrap()).expect_err("another version");
        assert!(format!("{refused:#}").contains("another version"), "{refused:#}");
    }
}
