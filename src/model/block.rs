//! Records of one ring, packed or not, and what is known of them without unpacking: whoever looks for a time, a call
//! or a thread reads the blocks that may have it, and no others.
//!
//! What a block says of itself is taken from its records where it is made (`Block::of`), and travels with it: into
//! the memory of the daemon, over the socket, to the disk. In a file from elsewhere it may be wrong: a reader takes it
//! as a hint of where to look, never as a promise that lets it go without a check of what it then finds.

use std::{borrow::Cow, cell::RefCell, fs::File, io, os::unix::fs::FileExt, sync::Arc};

use serde::{Deserialize, Serialize};
use zstd::bulk::Compressor;

use super::columns;
use crate::wire::{self, Kind, Record};

/// Packed records begin so where they are packed by columns: no frame of zstd does.
const COLUMNS: &[u8] = b"c";

/// Records of one ring, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The ring's CPU; `None`: the calls in flight, as they were seen at the dump.
    pub cpu: Option<u32>,
    /// Whose they are, by the place in the dump's `identities`.
    pub whose: u16,
    /// When the first of its calls began, or the first of its other records was made; CLOCK_BOOTTIME nanoseconds.
    pub from: u64,
    /// The time of its oldest record.
    pub first: u64,
    /// The time of its newest.
    pub to: u64,
    /// How many they are.
    pub records: u32,
    /// How many of them are calls that have ended.
    pub calls: u32,
    /// How many of these failed.
    pub failed: u32,
    /// Whether only what matters was kept: others that were between its records are gone.
    pub thinned: bool,
    /// What its records are about.
    pub seen: Seen,
    /// The records.
    pub body: Body,
}

/// A block's records, one behind the other.
#[derive(Clone, Debug)]
pub enum Body {
    /// As the kernel wrote them.
    Plain(Vec<u8>),
    /// Packed by zstd, as they stand on the disk.
    Packed {
        /// How many bytes they are unpacked.
        plain: u32,
        /// The packed bytes.
        bytes: Arc<[u8]>,
    },
    /// The same, in a file from which they have not been read.
    Stored(Stored),
}

/// Something in a file that stays where it is for as long as this is held.
pub trait Place: std::fmt::Debug + Send + Sync {
    /// The file.
    fn file(&self) -> &File;
}

impl Place for File {
    fn file(&self) -> &File {
        self
    }
}

/// Where a block's packed bytes stand.
#[derive(Clone, Debug)]
pub struct Stored {
    /// In which file.
    pub place: Arc<dyn Place>,
    /// Where in it they begin.
    pub at: u64,
    /// How many they are.
    pub packed: u32,
    /// How many bytes they are unpacked.
    pub plain: u32,
    /// Their CRC32C.
    pub sum: u32,
}

impl Default for Body {
    fn default() -> Self {
        Self::Plain(Vec::new())
    }
}

/// What records are about: which calls, which threads, which kinds of records. It may name more than there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// A bit for each number of a call; the last one stands for those above it, and for all of another ABI.
    pub calls: [u64; 8],
    /// A bit for some of all threads each.
    pub threads: [u64; 2],
    /// A bit for each kind of record.
    pub kinds: u32,
}

impl Seen {
    /// Anything.
    pub const ANY: Self = Self { calls: [u64::MAX; 8], threads: [u64::MAX; 2], kinds: u32::MAX };
    /// The bit of the calls that have none of their own.
    const OTHERS: usize = 511;

    fn see(&mut self, record: &Record<'_>) {
        self.kinds |= Self::kind(record.kind());
        self.see_thread(record.tid());
        if let Some(call) = record.call() {
            let own = usize::try_from(call.nr()).ok().filter(|nr| !call.compat() && *nr < Self::OTHERS);
            let bit = own.unwrap_or(Self::OTHERS);
            self.calls[bit / 64] |= 1 << (bit % 64);
        } else if let Some(signal) = record.signal() {
            self.see_thread(signal.target());
        } else if let Some(task) = record.task() {
            self.see_thread(task.former());
            self.see_thread(task.parent());
        }
    }

    fn see_thread(&mut self, tid: u32) {
        let bit = Self::thread(tid);
        self.threads[usize::from(bit / 64)] |= 1 << (bit % 64);
    }

    fn thread(tid: u32) -> u8 {
        (tid.wrapping_mul(0x9e37_79b1) >> 25).to_le_bytes()[0]
    }

    fn kind(kind: Kind) -> u32 {
        1 << (kind.0 & 31)
    }

    /// Whether there may be records of that kind.
    pub fn has_kind(&self, kind: Kind) -> bool {
        self.kinds & Self::kind(kind) != 0
    }

    /// Whether there may be records of that thread.
    pub fn has_thread(&self, tid: u32) -> bool {
        let bit = Self::thread(tid);
        self.threads[usize::from(bit / 64)] & 1 << (bit % 64) != 0
    }

    /// Whether there may be a call of which a native number is wanted, or one of another ABI.
    pub fn has_call(&self, wanted: impl Fn(u16) -> bool) -> bool {
        let mut bits = (0..).zip(0..Self::OTHERS).filter(|(_, bit)| self.calls[bit / 64] & 1 << (bit % 64) != 0);
        self.calls[7] >> 63 != 0 || bits.any(|(nr, _)| wanted(nr))
    }
}

impl Block {
    /// No block unpacks to more, bytes.
    pub const PLAIN_MOST: usize = 16 << 20;
    /// Where records are cut into blocks, bytes: they pack well, and one is unpacked in a fifth of a millisecond.
    pub const PLAIN: usize = 128 << 10;
    /// How well they are packed.
    pub const LEVEL: i32 = 1;

    /// A block of these records, oldest first; what is none ends it.
    pub fn of(cpu: Option<u32>, whose: u16, mut bytes: Vec<u8>) -> Self {
        let mut block = Self { cpu, whose, ..Self::default() };
        let mut length = 0;
        for record in wire::records(&bytes) {
            length += record.bytes().len();
            let time = record.time();
            let ended = record.call().filter(|_| record.kind() == Kind::RECORD_CALL);
            let began = time.saturating_sub(ended.and_then(|call| call.duration()).unwrap_or(0));
            if block.records == 0 {
                (block.from, block.first, block.to) = (began, time, time);
            }
            block.from = block.from.min(began);
            block.first = block.first.min(time);
            block.to = block.to.max(time);
            block.records += 1;
            block.calls += u32::from(ended.is_some());
            block.failed += u32::from(ended.is_some_and(|call| (-4095..0).contains(&call.ret())));
            block.seen.see(&record);
        }
        bytes.truncate(length);
        Self { body: Body::Plain(bytes), ..block }
    }

    /// The same, cut where there are many.
    pub fn cut(cpu: Option<u32>, whose: u16, bytes: &[u8]) -> impl Iterator<Item = Self> {
        runs(bytes).map(move |run| Self::of(cpu, whose, run.to_vec()))
    }

    /// How many bytes its records are.
    pub fn plain_length(&self) -> usize {
        match &self.body {
            Body::Plain(bytes) => bytes.len(),
            Body::Packed { plain, .. } | Body::Stored(Stored { plain, .. }) => {
                usize::try_from(*plain).unwrap_or(usize::MAX)
            }
        }
    }

    /// Its records.
    pub fn plain(&self) -> io::Result<Cow<'_, [u8]>> {
        match &self.body {
            Body::Plain(bytes) => Ok(Cow::Borrowed(bytes)),
            Body::Packed { bytes, .. } => unpack(bytes, self.plain_length()).map(Cow::Owned),
            Body::Stored(stored) => unpack(&stored.read()?, self.plain_length()).map(Cow::Owned),
        }
    }

    /// The same without its records.
    pub fn about(&self) -> Self {
        let Self { cpu, whose, from, first, to, records, calls, failed, thinned, seen, body: _ } = *self;
        Self { cpu, whose, from, first, to, records, calls, failed, thinned, seen, body: Body::default() }
    }

    /// Its records packed, as they are on the disk.
    pub fn packed(&self) -> io::Result<Cow<'_, [u8]>> {
        match &self.body {
            Body::Plain(bytes) => pack(bytes).map(Cow::Owned),
            Body::Packed { bytes, .. } => Ok(Cow::Borrowed(bytes)),
            Body::Stored(stored) => stored.read().map(Cow::Owned),
        }
    }

    /// The same block with its records packed.
    pub fn pack(self) -> io::Result<Self> {
        let bytes = self.packed()?.into();
        let plain = u32::try_from(self.plain_length()).map_err(io::Error::other)?;
        Ok(Self { body: Body::Packed { plain, bytes }, ..self })
    }
}

impl PartialEq for Block {
    /// Whether they hold the same records, however those are kept.
    fn eq(&self, other: &Self) -> bool {
        let of = |block: &Self| (block.cpu, block.whose, block.thinned, block.records, block.calls);
        of(self) == of(other) && matches!((self.plain(), other.plain()), (Ok(one), Ok(two)) if one == two)
    }
}

impl Stored {
    fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(self.packed).map_err(io::Error::other)?];
        self.place.file().read_exact_at(&mut bytes, self.at)?;
        if crc32c::crc32c(&bytes) != self.sum {
            return Err(io::Error::other("a checksum does not match"));
        }
        Ok(bytes)
    }
}

thread_local! {
    /// What zstd works with is as large as a block: whoever packs one packs others.
    static ZSTD: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// Records by columns where that saves something, packed.
fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let columns = columns::of(bytes);
    let packed = ZSTD.with_borrow_mut(|zstd| {
        let zstd = match zstd {
            Some(zstd) => zstd,
            None => zstd.insert(Compressor::new(Block::LEVEL)?),
        };
        zstd.compress(columns.as_deref().unwrap_or(bytes))
    })?;
    Ok(if columns.is_some() { [COLUMNS, &packed].concat() } else { packed })
}

fn unpack(bytes: &[u8], plain: usize) -> io::Result<Vec<u8>> {
    if plain > Block::PLAIN_MOST {
        return Err(io::Error::other("a block larger than any can be"));
    }
    let of_zstd = |bytes, most| {
        zstd::bulk::decompress(bytes, most).map_err(|error| io::Error::other(format!("cannot unpack a block: {error}")))
    };
    if let Some(packed) = bytes.strip_prefix(COLUMNS) {
        return columns::plain(&of_zstd(packed, columns::most(plain))?, plain);
    }
    let unpacked = of_zstd(bytes, plain)?;
    if unpacked.len() != plain {
        return Err(io::Error::other("a block of another size than it claims"));
    }
    Ok(unpacked)
}

/// Cuts records into runs of about a block's size, between records.
fn runs(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let mut length = 0;
        for record in wire::records(bytes) {
            length += record.bytes().len();
            if length >= Block::PLAIN {
                break;
            }
        }
        let (run, rest) = bytes.split_at(length);
        bytes = rest;
        (length > 0).then_some(run)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::inflight;

    fn call(tid: u32, nr: i32, began: u64, ended: u64) -> Vec<u8> {
        let call = inflight { tid, nr, entered: ended, ..Default::default() };
        let mut bytes = wire::in_flight_record(&call, 3, &[]);
        bytes[6..8].copy_from_slice(&[Kind::RECORD_CALL.0, 0]);
        bytes[24..32].copy_from_slice(&(ended - began).to_ne_bytes());
        bytes
    }

    #[test]
    fn a_block_knows_what_it_holds() {
        let bytes = [call(7, 1, 90, 100), call(8, 257, 20, 120), vec![0xff; 30]].concat();
        let block = Block::of(Some(1), 2, bytes.clone());
        assert_eq!((block.from, block.first, block.to), (20, 100, 120));
        assert_eq!((block.records, block.calls, block.plain_length()), (2, 2, bytes.len() - 30));
        assert!(block.seen.has_thread(7) && block.seen.has_thread(8) && block.seen.has_kind(Kind::RECORD_CALL));
        assert!(!block.seen.has_thread(9) && !block.seen.has_kind(Kind::RECORD_EXIT));
        assert!(block.seen.has_call(|nr| nr == 257) && !block.seen.has_call(|nr| nr == 2));
        let packed = block.clone().pack().unwrap();
        assert!(matches!(packed.body, Body::Packed { .. }) && packed == block);
    }

    #[test]
    fn many_records_are_cut_between_records() {
        let bytes = call(7, 1, 90, 100).repeat(5000);
        let blocks: Vec<_> = Block::cut(None, 0, &bytes).collect();
        assert_eq!(blocks.len(), bytes.len().div_ceil(Block::PLAIN));
        let all: Vec<u8> = blocks.iter().flat_map(|block| block.plain().unwrap().into_owned()).collect();
        assert_eq!(all, bytes);
    }

    #[test]
    fn what_was_packed_and_claims_another_size_is_refused() {
        let bytes: Arc<[u8]> = zstd::bulk::compress(&[7; 100], 1).unwrap().into();
        for plain in [99, 101, u32::MAX] {
            let block = Block { body: Body::Packed { plain, bytes: bytes.clone() }, ..Block::default() };
            assert!(block.plain().is_err(), "{plain}");
        }
    }
}
