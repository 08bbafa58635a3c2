//! A ring: its event, and the read-only mapping of what the kernel writes.

use std::{
    io,
    num::NonZeroUsize,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    ptr::NonNull,
    sync::atomic::{Ordering, fence},
};

use anyhow::{Context, Result, ensure};
use libbpf_rs::libbpf_sys::perf_event_mmap_page;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use super::snapshot::{Position, Snapshot};

const PAGE: usize = 4096;

/// One CPU's buffer of a track.
#[derive(Debug)]
pub struct Ring {
    cpu: u32,
    /// Open until the kernel side and whoever is to keep the ring have it; the mapping holds it then.
    event: Option<OwnedFd>,
    base: NonNull<perf_event_mmap_page>,
    /// Bytes of data behind the first page; a power of two.
    size: usize,
}

// SAFETY: the mapping is read-only shared memory, owned by this value and valid on every thread.
unsafe impl Send for Ring {}
// SAFETY: through a shared reference the mapping is only read, and all of its readers bear that it changes meanwhile.
unsafe impl Sync for Ring {}

impl Ring {
    /// Maps a ring of `size` bytes and keeps its event.
    pub(super) fn with(event: OwnedFd, cpu: u32, size: usize) -> Result<Self> {
        let mut ring = Self::of_event(&event, cpu, size)?;
        ring.event = Some(event);
        Ok(ring)
    }

    /// Maps a ring that is there already, by its event.
    pub fn of_event(event: &OwnedFd, cpu: u32, size: usize) -> Result<Self> {
        ensure!(
            size.is_power_of_two() && size >= PAGE,
            "a ring's size is a power of two and at least {PAGE} bytes, not {size}"
        );
        let length = NonZeroUsize::new(PAGE + size).context("a ring of no size")?;
        // SAFETY: a fresh shared mapping of a descriptor we own; nothing else points into it.
        let base = unsafe { mmap(None, length, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, event, 0) }
            .map_err(io::Error::from)
            .with_context(|| {
                let remedy =
                    "rings are locked memory: run as root, with CAP_IPC_LOCK, or raise kernel.perf_event_mlock_kb";
                format!("map the ring of cpu {cpu}, {} KiB; {remedy}", size / 1024)
            })?;
        Ok(Self { cpu, event: None, base: base.cast(), size })
    }

    /// The CPU whose records it holds.
    pub fn cpu(&self) -> u32 {
        self.cpu
    }

    /// Its size in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The event's descriptor, while it is open: what goes into the kernel's array of rings.
    pub fn event(&self) -> Option<BorrowedFd<'_>> {
        self.event.as_ref().map(AsFd::as_fd)
    }

    /// Gives the descriptor away; the ring goes on although it may be closed. Thousands of rings need not be thousands of
    /// descriptors.
    pub fn take_event(&mut self) -> Option<OwnedFd> {
        self.event.take()
    }

    /// Where the newest sample begins now.
    pub fn position(&self) -> Position {
        // SAFETY: the first page is mapped as long as `self` lives; the kernel writes the field, so
        // it is read as volatile. The fence pairs with the kernel's barrier before it moves the head.
        let head = unsafe { (&raw const (*self.base.as_ptr()).data_head).read_volatile() };
        fence(Ordering::Acquire);
        Position(head)
    }

    /// Copies what the ring holds, newest first, while the kernel goes on writing. With `since`, only
    /// what is newer than that position. `most` is the size of the largest sample: so much of the old
    /// end may be in the middle of being overwritten.
    pub fn snapshot(&self, since: Option<Position>, most: usize) -> Snapshot {
        const TRIES: usize = 8;
        let mut lapped = Snapshot::empty(self.cpu, self.position());
        for _ in 0..TRIES {
            let before = self.position();
            let written = since.map_or(before.0.wrapping_neg(), |since| since.0.wrapping_sub(before.0));
            let wanted = usize::try_from(written).unwrap_or(usize::MAX).min(self.size);
            let bytes = self.copy(before, wanted);
            let after = self.position();
            let meanwhile = usize::try_from(before.0.wrapping_sub(after.0)).unwrap_or(usize::MAX);
            let overwritten = usize::try_from(written).unwrap_or(usize::MAX) > self.size;
            // Nobody has written over bytes that are this near to the newest one.
            let intact = self.size.saturating_sub(meanwhile).saturating_sub(most);
            let whole = bytes.len() <= intact && !overwritten;
            let snapshot = Snapshot::new(self.cpu, before, bytes, intact, !whole);
            if meanwhile <= self.size / 4 {
                return snapshot;
            }
            lapped = snapshot;
        }
        lapped
    }

    fn copy(&self, from: Position, length: usize) -> Vec<u8> {
        let start = usize::try_from(from.0 & (self.size as u64 - 1)).unwrap_or(0);
        let first = length.min(self.size - start);
        let mut bytes = vec![0_u8; length];
        // SAFETY: the data area of `self.size` bytes follows the first page; both runs lie within it.
        // The kernel may write there meanwhile: the caller drops what it may have written.
        unsafe {
            let data = self.base.as_ptr().cast::<u8>().add(PAGE);
            std::ptr::copy_nonoverlapping(data.add(start), bytes.as_mut_ptr(), first);
            std::ptr::copy_nonoverlapping(data, bytes.as_mut_ptr().add(first), length - first);
        }
        bytes
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `open` with this length and nothing borrows from it.
        let unmapped = unsafe { munmap(self.base.cast(), PAGE + self.size) };
        debug_assert!(unmapped.is_ok());
    }
}
