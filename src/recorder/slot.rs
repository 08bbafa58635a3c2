//! A slot: a ring on each CPU, lent to one cgroup after another.
//!
//! A ring is not made anew for the next cgroup: where its stretch begins is remembered, and what stands
//! before is nobody's. A CPU that was away gets a new ring; the old one stays readable as history.

use anyhow::Result;

use crate::{
    kernel::Kernel,
    ring::{Position, Ring, Snapshot},
    wire,
};

/// One slot.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) number: u32,
    /// Bytes of each ring.
    size: usize,
    stretches: Vec<Stretch>,
}

/// The part of a ring that belongs to whoever has the slot now.
#[derive(Debug)]
struct Stretch {
    ring: Ring,
    since: Position,
    /// Records that had been written on its CPU before.
    before: u64,
    lost_before: u64,
    calls_before: u64,
    /// The CPU has a newer ring.
    old: bool,
}

/// What one CPU wrote for the slot's present owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) records: u64,
    pub(super) lost: u64,
    pub(super) calls: u64,
}

impl Slot {
    /// Opens a ring on each CPU and makes them the slot's.
    pub(super) fn make(number: u32, cpus: impl IntoIterator<Item = u32>, size: usize, kernel: &Kernel) -> Result<Self> {
        let mut slot = Self { number, size, stretches: Vec::new() };
        cpus.into_iter().try_for_each(|cpu| slot.add_ring(cpu, kernel))?;
        Ok(slot)
    }

    /// Gives a CPU a new ring; what an older one holds is still read.
    pub(super) fn add_ring(&mut self, cpu: u32, kernel: &Kernel) -> Result<()> {
        let mut ring = Ring::open(cpu, self.size)?;
        kernel.insert_ring(self.number, &ring)?;
        ring.close_event();
        let mut stretch =
            Stretch { since: ring.position(), ring, before: 0, lost_before: 0, calls_before: 0, old: false };
        for older in self.stretches.iter_mut().filter(|older| older.ring.cpu() == cpu) {
            older.old = true;
            // The CPU's tally goes on.
            (stretch.before, stretch.lost_before) = (older.before, older.lost_before);
            stretch.calls_before = older.calls_before;
        }
        self.stretches.push(stretch);
        Ok(())
    }

    /// From here on what is written is somebody else's. The CPUs must have sent what they held.
    pub(super) fn begin(&mut self, kernel: &Kernel) -> Result<()> {
        self.stretches.retain(|stretch| !stretch.old);
        for stretch in &mut self.stretches {
            let tally = kernel.tally(self.number, stretch.ring.cpu())?;
            stretch.since = stretch.ring.position();
            (stretch.before, stretch.lost_before, stretch.calls_before) = (tally.records, tally.lost, tally.calls);
        }
        Ok(())
    }

    /// Bytes of its rings.
    pub(super) fn memory(&self) -> usize {
        self.stretches.iter().map(|stretch| stretch.ring.size()).sum()
    }

    /// The CPUs that have rings.
    pub(super) fn cpus(&self) -> impl Iterator<Item = u32> {
        self.stretches.iter().filter(|stretch| !stretch.old).map(|stretch| stretch.ring.cpu())
    }

    /// What was written, by all CPUs, as of the last flush.
    pub(super) fn written(&self, kernel: &Kernel) -> Result<Written> {
        let mut written = Written::default();
        for stretch in self.stretches.iter().filter(|stretch| !stretch.old) {
            let tally = kernel.tally(self.number, stretch.ring.cpu())?;
            written.records += tally.records.saturating_sub(stretch.before);
            written.lost += tally.lost.saturating_sub(stretch.lost_before);
            written.calls += tally.calls.saturating_sub(stretch.calls_before);
        }
        Ok(written)
    }

    /// The CPUs whose rings refuse what is written: they were away.
    pub(super) fn refusing(&self, kernel: &Kernel) -> Result<Vec<u32>> {
        let mut refusing = Vec::new();
        for cpu in self.cpus() {
            if kernel.tally(self.number, cpu)?.last_error == u64::from(libc::EOPNOTSUPP.unsigned_abs()) {
                refusing.push(cpu);
            }
        }
        Ok(refusing)
    }

    /// Copies of its rings, each with its number in the slot. `since` tells from where on, by that number.
    pub(super) fn snapshots<'a>(
        &'a self,
        since: impl Fn(usize) -> Option<Position> + 'a,
    ) -> impl Iterator<Item = (usize, Snapshot)> + 'a {
        self.stretches.iter().enumerate().map(move |(n, stretch)| {
            let since = since(n).unwrap_or(stretch.since);
            (n, stretch.ring.snapshot(Some(since), wire::SAMPLE_MOST))
        })
    }
}
