//! The head of every netlink message.

use crate::decode::memory::Memory;

/// struct nlmsghdr.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) length: u32,
    pub(super) kind: u16,
    pub(super) flags: u16,
    pub(super) sequence: u32,
    pub(super) pid: i32,
}

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut memory = Memory::new(bytes, 0, 8);
        let (length, kind, flags) = (memory.u32(), memory.u16(), memory.u16());
        Self { length, kind, flags, sequence: memory.u32(), pid: memory.i32() }
    }

    pub(super) fn length(&self) -> usize {
        usize::try_from(self.length).unwrap_or(usize::MAX)
    }
}
