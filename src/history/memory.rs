//! Memory that outlives the process: a memfd that somebody else holds, too.
//!
//! Promise: what is put there stays where it was put until the last who has its extent lets go; then its pages go back to
//! the kernel. Nothing is ever put where something else stood: places only grow, and a file that is mostly holes costs what
//! it holds. Pages are whole, so what stands side by side should go together: each stream has places of its own. What
//! another process has left stays as it is, whatever becomes of what was adopted of it, until it is swept.
//!
//! Knows bytes; what they are is the journal's.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs::File,
    io,
    ops::Range,
    os::{fd::OwnedFd, unix::fs::FileExt},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use nix::{
    errno::Errno,
    fcntl::{FallocateFlags, fallocate},
    sys::{
        memfd::{MFdFlags, memfd_create},
        resource::{RLIM_INFINITY, Resource, getrlimit},
    },
};

use super::lock;
use crate::model::Place;

pub(super) const PAGE: u64 = 4096;
/// So much of the places is a stream's alone, bytes; what is not written costs nothing.
const CHUNK: u64 = 1 << 20;
/// From `linux/memfd.h`, since Linux 6.3: `vm.memfd_noexec=2` wants it.
const MFD_NOEXEC_SEAL: libc::c_uint = 8;

/// An empty memfd. A limit on the size of files would count holes.
pub(super) fn memfd(name: &str) -> io::Result<File> {
    let (limit, _) = getrlimit(Resource::RLIMIT_FSIZE)?;
    if limit != RLIM_INFINITY {
        return Err(io::Error::other("the size of files is limited (LimitFSIZE=, ulimit -f)"));
    }
    let flags = MFdFlags::MFD_CLOEXEC;
    let made = memfd_create(name, flags | MFdFlags::from_bits_retain(MFD_NOEXEC_SEAL));
    Ok(match made {
        Err(Errno::EINVAL) => memfd_create(name, flags)?,
        made => made?,
    }
    .into())
}

/// Gives pages back to the kernel.
pub(super) fn punch(file: &File, pages: Range<u64>) {
    if pages.is_empty() {
        return;
    }
    let [at, length] = [pages.start, pages.end - pages.start].map(u64::cast_signed);
    let how = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
    if let Err(error) = fallocate(file, how, at, length) {
        tracing::warn!(%error, "memory of the history is not given back");
    }
}

/// The memory.
#[derive(Debug)]
pub(super) struct Memory {
    file: File,
    taken: Mutex<Taken>,
    /// What nobody has is given back.
    owned: AtomicBool,
}

#[derive(Debug, Default)]
struct Taken {
    /// Lengths of what stands there, by where.
    extents: BTreeMap<u64, u64>,
    /// Behind everything.
    next: u64,
    bytes: u64,
    pages: u64,
}

/// Bytes that stand there.
#[derive(Debug)]
pub(super) struct Extent {
    memory: Arc<Memory>,
    at: u64,
    length: u64,
}

/// Where the next bytes of a kind go.
#[derive(Debug, Default)]
pub(super) struct Stream(Mutex<Range<u64>>);

/// Bytes that are kept, where they can be.
#[derive(Clone, Debug)]
pub(super) enum Bytes {
    /// In the process's own memory.
    Own(Arc<[u8]>),
    /// In memory that outlives it, with their CRC32C.
    Shared(Arc<Extent>, u32),
}

impl Memory {
    pub(super) fn new() -> io::Result<Arc<Self>> {
        Ok(Self::of(memfd("traceloop-history")?, 0, true))
    }

    /// That which another process has left.
    pub(super) fn left(fd: OwnedFd) -> io::Result<Arc<Self>> {
        let file = File::from(fd);
        let next = file.metadata()?.len().next_multiple_of(CHUNK);
        Ok(Self::of(file, next, false))
    }

    fn of(file: File, next: u64, owned: bool) -> Arc<Self> {
        let taken = Mutex::new(Taken { next, ..Taken::default() });
        Arc::new(Self { file, taken, owned: AtomicBool::new(owned) })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Puts bytes at the end of a stream.
    pub(super) fn put(self: &Arc<Self>, stream: &Stream, bytes: &[u8]) -> io::Result<Arc<Extent>> {
        let length = bytes.len() as u64;
        let at = {
            let mut rest = lock(&stream.0);
            if rest.end - rest.start < length {
                let mut taken = lock(&self.taken);
                *rest = taken.next..taken.next + length.next_multiple_of(CHUNK);
                taken.next = rest.end;
            }
            let at = rest.start;
            rest.start += length;
            at
        };
        // It is known before it is written: nobody punches a hole there.
        let extent = self.extent(at, length);
        self.file.write_all_at(bytes, at)?;
        Ok(extent)
    }

    fn extent(self: &Arc<Self>, at: u64, length: u64) -> Arc<Extent> {
        let mut taken = lock(&self.taken);
        let pages = taken.own_pages(at, length);
        taken.pages += (pages.end - pages.start) / PAGE;
        taken.bytes += length;
        taken.extents.insert(at, length);
        Arc::new(Extent { memory: self.clone(), at, length })
    }

    /// What stands there since another process put it there; `None`: nothing can.
    pub(super) fn adopt(self: &Arc<Self>, at: u64, length: u64) -> Option<Arc<Extent>> {
        {
            let taken = lock(&self.taken);
            let end = at.checked_add(length).filter(|end| *end <= taken.next && length > 0)?;
            let before = taken.extents.range(..end).next_back();
            if before.is_some_and(|(before, length)| before + length > at) {
                return None;
            }
        }
        Some(self.extent(at, length))
    }

    /// Gives back what nobody has adopted, and from now on what is let go.
    pub(super) fn sweep(&self) {
        let taken = lock(&self.taken);
        self.owned.store(true, Relaxed);
        let mut from = 0;
        let ends = taken.extents.iter().map(|(at, length)| (*at, at + length));
        for (at, end) in ends.chain([(taken.next, taken.next)]) {
            self.give_back(from..at / PAGE * PAGE);
            from = end.next_multiple_of(PAGE);
        }
    }

    /// What is let go from now on stays for another process.
    pub(super) fn leave(&self) {
        self.owned.store(false, Relaxed);
    }

    fn give_back(&self, pages: Range<u64>) {
        if self.owned.load(Relaxed) {
            punch(&self.file, pages);
        }
    }

    /// Bytes of pages that are not full.
    pub(super) fn waste(&self) -> usize {
        let taken = lock(&self.taken);
        usize::try_from((taken.pages * PAGE).saturating_sub(taken.bytes)).unwrap_or(usize::MAX)
    }
}

impl Taken {
    /// The pages that this has for itself.
    fn own_pages(&self, at: u64, length: u64) -> Range<u64> {
        let before = self.extents.range(..at).next_back().map_or(0, |(at, length)| at + length);
        let behind = self.extents.range(at + 1..).next().map_or(u64::MAX, |(at, _)| *at);
        let from = (at / PAGE * PAGE).max(before.next_multiple_of(PAGE));
        let to = (at + length).next_multiple_of(PAGE).min(behind / PAGE * PAGE);
        from..to.max(from)
    }
}

impl Extent {
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }
}

impl Place for Extent {
    fn file(&self) -> &File {
        &self.memory.file
    }
}

impl Drop for Extent {
    fn drop(&mut self) {
        let mut taken = lock(&self.memory.taken);
        taken.extents.remove(&self.at);
        let pages = taken.own_pages(self.at, self.length);
        taken.bytes -= self.length;
        taken.pages -= (pages.end - pages.start) / PAGE;
        // With the lock: the next one of the stream may come to stand in its last page.
        self.memory.give_back(pages);
    }
}

impl Bytes {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Own(bytes) => bytes.len(),
            Self::Shared(extent, _) => usize::try_from(extent.length).unwrap_or(usize::MAX),
        }
    }

    pub(super) fn read(&self) -> io::Result<Cow<'_, [u8]>> {
        match self {
            Self::Own(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::Shared(extent, sum) => {
                let mut bytes = vec![0; self.len()];
                extent.memory.file.read_exact_at(&mut bytes, extent.at)?;
                if crc32c::crc32c(&bytes) != *sum {
                    return Err(io::Error::other("a checksum does not match"));
                }
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// Whether they are the same, not only alike.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Own(one), Self::Own(other)) => Arc::ptr_eq(one, other),
            (Self::Shared(one, _), Self::Shared(other, _)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::linux::fs::MetadataExt;

    use proptest::prelude::*;

    use super::*;

    fn blocks(memory: &Memory) -> u64 {
        memory.file.metadata().unwrap().st_blocks() * 512 / PAGE
    }

    proptest! {
        /// What is there stays as it was, and the kernel has all other pages back.
        #[test]
        fn what_is_let_go_is_given_back(
            steps in prop::collection::vec((0_usize..3, 1_usize..9000, any::<prop::sample::Index>()), 1..60)
        ) {
            let memory = Memory::new().unwrap();
            let streams = [Stream::default(), Stream::default(), Stream::default()];
            let mut there: Vec<(Bytes, u8)> = Vec::new();
            for (n, (stream, length, gone)) in steps.into_iter().enumerate() {
                let byte = u8::try_from(n).unwrap();
                let bytes = vec![byte; length];
                let extent = memory.put(&streams[stream], &bytes).unwrap();
                there.push((Bytes::Shared(extent, crc32c::crc32c(&bytes)), byte));
                if n % 2 == 1 {
                    there.remove(gone.index(there.len()));
                }
                for (bytes, byte) in &there {
                    prop_assert!(bytes.read().unwrap().iter().all(|found| found == byte));
                }
                prop_assert_eq!(blocks(&memory), lock(&memory.taken).pages);
            }
            // Whoever comes later finds what it knows of, and nothing else stays.
            let left = Memory::left(memory.file.try_clone().unwrap().into()).unwrap();
            let mut half = 0;
            let adopted: Vec<_> = there.iter().filter(|_| { half += 1; half % 2 == 0 }).map(|(bytes, byte)| {
                let Bytes::Shared(extent, sum) = bytes else { panic!("{bytes:?}") };
                (Bytes::Shared(left.adopt(extent.at, extent.length).unwrap(), *sum), *byte)
            }).collect();
            left.sweep();
            prop_assert_eq!(blocks(&left), lock(&left.taken).pages);
            for (bytes, byte) in &adopted {
                prop_assert!(bytes.read().unwrap().iter().all(|found| found == byte));
            }
            drop(adopted);
            prop_assert_eq!((blocks(&left), left.waste()), (0, 0));
        }
    }

    #[test]
    fn what_cannot_stand_there_is_not_adopted() {
        let memory = Memory::new().unwrap();
        let stream = Stream::default();
        let _there = memory.put(&stream, &[1; 100]).unwrap();
        for (at, length) in [(50, 100), (0, 100), (99, 1), (0, 0), (u64::MAX, 2), (CHUNK, 1)] {
            assert!(memory.adopt(at, length).is_none(), "{at} {length}");
        }
        assert!(memory.adopt(100, 100).is_some());
    }
}
