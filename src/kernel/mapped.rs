//! Arrays of the kernel side's, mapped: read without a system call.
//!
//! While a map is read by system call, the kernel runs no program of a classic tracepoint on that CPU
//! (bpf_disable_instrumentation), also when the reader is preempted meanwhile: what others call then would be lost.

use std::{io, mem::size_of, num::NonZeroUsize, os::fd::BorrowedFd, ptr::NonNull};

use anyhow::{Context, Result};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use crate::skel::types::{counters, cpu_mark, last_end, own_calls, tally};

/// What stands in such an array: numbers, of which any bits are a value.
pub(super) trait Words: Default {}

impl Words for counters {}
impl Words for cpu_mark {}
impl Words for last_end {}
impl Words for own_calls {}
impl Words for tally {}

/// An array that the kernel side writes.
#[derive(Debug)]
pub(super) struct Mapped<T> {
    base: NonNull<T>,
    count: u32,
}

// SAFETY: the mapping is read-only shared memory, owned by this value and valid on every thread.
unsafe impl<T> Send for Mapped<T> {}
// SAFETY: it is only read, each entry as volatile.
unsafe impl<T> Sync for Mapped<T> {}

impl<T> Mapped<T> {
    fn length(count: u32) -> usize {
        count as usize * size_of::<T>()
    }
}

impl<T: Words> Mapped<T> {
    /// Maps an array of so many.
    pub(super) fn of_map(map: BorrowedFd<'_>, count: u32) -> Result<Self> {
        let length = NonZeroUsize::new(Self::length(count)).context("an empty array")?;
        // SAFETY: a fresh shared mapping of the map's own memory; nothing else points into it.
        let base = unsafe { mmap(None, length, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, map, 0) }
            .map_err(io::Error::from)
            .context("map an array of the kernel side's")?;
        Ok(Self { base: base.cast(), count })
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// One of them, as it is now.
    pub(super) fn get(&self, index: u32) -> T {
        if index >= self.count {
            return T::default();
        }
        // SAFETY: within the mapping, which is aligned to pages; the kernel side writes to it, and any bits are a `T`.
        unsafe { self.base.add(index as usize).read_volatile() }
    }
}

impl<T> Drop for Mapped<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, of this length, and nobody reads it any more.
        let _ = unsafe { munmap(self.base.cast(), Self::length(self.count)) };
    }
}
