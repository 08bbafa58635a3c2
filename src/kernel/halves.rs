//! What the kernel side tells apart from all else: of which rings half is new.

use std::{
    fmt,
    os::fd::{BorrowedFd, RawFd},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use libbpf_rs::{MapCore, RingBuffer, RingBufferBuilder};

use super::{Held, Kernel, held, load::rings, mapped::Mapped};
use crate::skel::types::tally;

/// Slot and CPU of each ring of which half is new.
pub struct Halves {
    ring: RingBuffer<'static>,
    read: Arc<Mutex<Vec<(u32, u32)>>>,
}

// SAFETY: libbpf's ring is memory and descriptors that belong to no thread, and one thread at a time has this value.
unsafe impl Send for Halves {}

impl fmt::Debug for Halves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Halves").finish_non_exhaustive()
    }
}

impl Halves {
    fn open(map: &dyn MapCore) -> Result<Self> {
        let read = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&read);
        let mut builder = RingBufferBuilder::new();
        builder
            .add(map, move |bytes| {
                into.lock().unwrap_or_else(PoisonError::into_inner).extend(parse(bytes));
                0
            })
            .context("open the ring of half rings")?;
        Ok(Self { ring: builder.build().context("open the ring of half rings")?, read })
    }

    /// Readable when there are some.
    pub fn fd(&self) -> BorrowedFd<'_> {
        let fd: RawFd = self.ring.epoll_fd();
        // SAFETY: the ring owns the descriptor for as long as `self` is borrowed.
        unsafe { BorrowedFd::borrow_raw(fd) }
    }

    /// Those of which half has become new since the last time.
    pub fn take(&self) -> Result<Vec<(u32, u32)>> {
        self.ring.consume().context("read which rings are half new")?;
        Ok(std::mem::take(&mut *self.read.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn parse(bytes: &[u8]) -> Option<(u32, u32)> {
    let (slot, rest) = bytes.split_first_chunk()?;
    let (cpu, _) = rest.split_first_chunk()?;
    Some((u32::from_ne_bytes(*slot), u32::from_ne_bytes(*cpu)))
}

/// What was written to each ring, for whoever looks from another thread.
#[derive(Clone, Debug)]
pub struct Tallies {
    pub(super) tallies: Arc<Mapped<tally>>,
    pub(super) cpus: u32,
}

impl Tallies {
    /// Those of a recording that is held, with so many slots.
    pub fn held(held: &Held, slots: u32) -> Result<Self> {
        let map = held::map(held, "tallies").context("the tallies are not held")?;
        let cpus = u32::try_from(libbpf_rs::num_possible_cpus().context("count the possible CPUs")?)?;
        Ok(Self { tallies: Arc::new(Mapped::of_map(map, rings(slots, cpus))?), cpus })
    }

    /// Records that were written to a slot's ring on a CPU, as of the last flush.
    pub fn records(&self, slot: u32, cpu: u32) -> u64 {
        self.tallies.get(slot * self.cpus + cpu).records
    }
}

impl Kernel {
    /// Tells from now on of which rings half is new.
    pub fn halves(&self) -> Result<Halves> {
        Halves::open(&self.skel.maps.halves)
    }

    /// What was written to each ring.
    pub fn tallies(&self) -> Tallies {
        Tallies { tallies: self.tallies.clone(), cpus: self.cpus }
    }
}
