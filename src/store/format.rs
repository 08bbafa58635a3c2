//! The layout of a dump file. Numbers are little-endian.
//!
//! ```text
//! "traceloop\0" version:u16 block*
//! block = kind:u8 pad:u8 whose:u16 cpu:u32 plain:u32 packed:u32 crc:u32 data:[u8; packed]
//! ```
//! `crc` is the CRC32C of the head before it and of `data`, `data` is zstd. The first block is the header
//! (JSON); records follow as the kernel wrote them, with the place of their cgroup among the header's `identities`
//! (`whose`, from version 2 on; 0 before). The last block is an end mark without data. A dump of one cgroup is written
//! as version 1, which older readers know.

/// The first bytes of every dump file.
pub(super) const MAGIC: &[u8; 10] = b"traceloop\0";
/// The version that is written of several cgroups; older ones stay readable.
pub(super) const VERSION: u16 = 2;
/// The version that is written of one cgroup.
pub(super) const VERSION_OF_ONE: u16 = 1;
/// Bytes before a block's data.
pub(super) const BLOCK_HEAD: usize = 20;
/// No block unpacks to more, bytes.
pub(super) const BLOCK_MOST: usize = 16 << 20;
/// No end mark is longer, bytes.
pub(super) const END_MOST: usize = 64;
/// A block of calls in flight has this for its CPU.
pub(super) const NO_CPU: u32 = u32::MAX;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) whose: u16,
    pub(super) cpu: u32,
    pub(super) plain: u32,
    pub(super) packed: u32,
}

impl Head {
    /// The head's bytes with the checksum of it and the data.
    pub(super) fn bytes(&self, data: &[u8]) -> [u8; BLOCK_HEAD] {
        let mut bytes = [0; BLOCK_HEAD];
        bytes[0] = self.kind as u8;
        bytes[2..4].copy_from_slice(&self.whose.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.cpu.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.plain.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.packed.to_le_bytes());
        let sum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..16]), data);
        bytes[16..20].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// A head, if its bytes can be one.
    pub(super) fn parse(bytes: &[u8; BLOCK_HEAD]) -> Option<Self> {
        let number = |at: usize| bytes.get(at..at + 4).and_then(|raw| raw.try_into().ok()).map(u32::from_le_bytes);
        let whose = u16::from_le_bytes([bytes[2], bytes[3]]);
        Some(Self { kind: Kind::of(bytes[0])?, whose, cpu: number(4)?, plain: number(8)?, packed: number(12)? })
    }
}

/// Whether these bytes are an end mark, and nothing else.
pub(super) fn is_end(bytes: &[u8]) -> bool {
    let Some((start, data)) = bytes.split_first_chunk::<BLOCK_HEAD>() else { return false };
    Head::parse(start).is_some_and(|head| {
        head.kind == Kind::End && usize::try_from(head.packed) == Ok(data.len()) && head.bytes(data) == *start
    })
}
