//! The layout of a dump file. Numbers are little-endian.
//!
//! ```text
//! "traceloop\0" version:u16 block*
//! block = head data:[u8; packed]
//! head = kind:u8 flags:u8 whose:u16 cpu:u32 plain:u32 packed:u32
//!        from:u64 first:u64 to:u64 records:u32 ended:u32 failed:u32
//!        kinds:u32 calls:[u64; 8] threads:[u64; 2] sum:u32 crc:u32
//! ```
//! `data` is zstd, of the records' columns where a `c` stands before it (see `model::columns`), and `sum` its CRC32C;
//! `crc` is that of the head before it, so that a file can be looked through by its heads alone. The first block is the
//! header (JSON); records follow as the kernel wrote them, each block with the place of its cgroup among the header's
//! `identities` (`whose`), its times, how many records, ended and failed calls it has, what they are about (see
//! `model::Seen`), and whether it was thinned (flag 1). The last block is an end mark without data. Blocks stand in any
//! order.
//!
//! Versions 1 to 3 stay readable. They have no columns; heads of 1 and 2 end with `packed` and one `crc` of head and
//! data; of version 1, `whose` is 0.

use crate::model::{Block, Seen};

/// The first bytes of every dump file.
pub(super) const MAGIC: &[u8; 10] = b"traceloop\0";
/// The version that is written; older ones stay readable.
pub(super) const VERSION: u16 = 4;
/// The last version whose heads say nothing of the records.
pub(super) const VERSION_OF_BARE_HEADS: u16 = 2;
/// Bytes of a head.
pub(super) const BLOCK_HEAD: usize = 144;
/// Bytes of a head in older versions.
pub(super) const BARE_HEAD: usize = 20;
/// No end mark is longer, bytes.
pub(super) const END_MOST: usize = 192;
/// A block of calls in flight has this for its CPU.
pub(super) const NO_CPU: u32 = u32::MAX;
/// The flag of a block that was thinned.
const THINNED: u8 = 1;

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Header = 1,
    Records = 2,
    End = 3,
}

impl Kind {
    pub(super) fn of(byte: u8) -> Option<Self> {
        [Self::Header, Self::Records, Self::End].into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// What stands before a block's data.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) plain: u32,
    pub(super) packed: u32,
    /// What it says of its records, without them; `None`: an older version's says nothing but whose they are.
    pub(super) about: Block,
    /// The CRC32C of the data; `None`: of an older version, which has one of head and data.
    pub(super) sum: Option<u32>,
}

impl Head {
    /// The head's bytes.
    pub(super) fn bytes(&self, sum: u32) -> [u8; BLOCK_HEAD] {
        let about = &self.about;
        let mut bytes = Vec::with_capacity(BLOCK_HEAD);
        bytes.extend([self.kind as u8, if about.thinned { THINNED } else { 0 }]);
        bytes.extend(about.whose.to_le_bytes());
        bytes.extend([about.cpu.unwrap_or(NO_CPU), self.plain, self.packed].map(u32::to_le_bytes).as_flattened());
        bytes.extend([about.from, about.first, about.to].map(u64::to_le_bytes).as_flattened());
        let counts = [about.records, about.calls, about.failed, about.seen.kinds];
        bytes.extend(counts.map(u32::to_le_bytes).as_flattened());
        about.seen.calls.iter().chain(&about.seen.threads).for_each(|bits| bytes.extend(bits.to_le_bytes()));
        bytes.extend(sum.to_le_bytes());
        let own = crc32c::crc32c(&bytes);
        bytes.extend(own.to_le_bytes());
        let mut head = [0; BLOCK_HEAD];
        head.copy_from_slice(&bytes);
        head
    }

    /// A head, if its bytes are one.
    pub(super) fn parse(bytes: &[u8; BLOCK_HEAD]) -> Option<Self> {
        let (before, crc) = bytes.split_at(BLOCK_HEAD - 4);
        if crc32c::crc32c(before).to_le_bytes() != crc {
            return None;
        }
        let bare = Self::parse_bare(bytes.first_chunk()?)?;
        let mut seen = Seen { kinds: word(bytes, 52)?, ..Seen::default() };
        for (bits, at) in seen.calls.iter_mut().chain(&mut seen.threads).zip((56..).step_by(8)) {
            *bits = long(bytes, at)?;
        }
        let about = Block {
            from: long(bytes, 16)?,
            first: long(bytes, 24)?,
            to: long(bytes, 32)?,
            records: word(bytes, 40)?,
            calls: word(bytes, 44)?,
            failed: word(bytes, 48)?,
            thinned: bytes[1] & THINNED != 0,
            seen,
            ..bare.about
        };
        Some(Self { about, sum: word(bytes, 136), ..bare })
    }

    /// An older version's head.
    pub(super) fn parse_bare(bytes: &[u8; BARE_HEAD]) -> Option<Self> {
        let cpu = word(bytes, 4).filter(|cpu| *cpu != NO_CPU);
        let about = Block { cpu, whose: u16::from_le_bytes([bytes[2], bytes[3]]), ..Block::default() };
        Some(Self { kind: Kind::of(bytes[0])?, plain: word(bytes, 8)?, packed: word(bytes, 12)?, about, sum: None })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|raw| u32::from_le_bytes(*raw))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|raw| u64::from_le_bytes(*raw))
}

/// Whether an older head's sum is right for it and these data.
pub(super) fn bare_sum_fits(bytes: &[u8; BARE_HEAD], data: &[u8]) -> bool {
    let (before, crc) = bytes.split_at(BARE_HEAD - 4);
    crc32c::crc32c_append(crc32c::crc32c(before), data).to_le_bytes() == crc
}

/// Whether these bytes are an end mark, and nothing else.
pub(super) fn is_end(bytes: &[u8]) -> bool {
    let is_mark = |head: &Head, data: &[u8]| head.kind == Kind::End && usize::try_from(head.packed) == Ok(data.len());
    if let Some((start, data)) = bytes.split_first_chunk::<BLOCK_HEAD>()
        && Head::parse(start).is_some_and(|head| is_mark(&head, data) && head.sum == Some(crc32c::crc32c(data)))
    {
        return true;
    }
    let Some((start, data)) = bytes.split_first_chunk::<BARE_HEAD>() else { return false };
    bare_sum_fits(start, data) && Head::parse_bare(start).is_some_and(|head| is_mark(&head, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_comes_back_as_it_was() {
        let seen = Seen { calls: [1, 2, 3, 4, 5, 6, 7, 8], threads: [9, 10], kinds: 11 };
        let about = Block {
            cpu: Some(3),
            whose: 2,
            from: 1,
            first: 2,
            to: u64::MAX,
            records: 5,
            calls: 4,
            failed: 3,
            thinned: true,
            seen,
            ..Block::default()
        };
        let head = Head { kind: Kind::Records, plain: 100, packed: 50, about, sum: None };
        let mut bytes = head.bytes(77);
        let back = Head::parse(&bytes).unwrap();
        assert_eq!(back.bytes(77), bytes);
        assert_eq!((back.about.seen, back.about.to, back.sum), (seen, u64::MAX, Some(77)));
        bytes[40] ^= 1;
        assert!(Head::parse(&bytes).is_none());
    }
}
