//! One recorded cgroup: its slot, its rings, its descendants.

use anyhow::Result;

use super::{clock::boottime, threads};
use crate::{
    cgroup::Cgroup,
    kernel::Kernel,
    model::Process,
    ring::{Ring, Snapshot},
    wire::{self, Record},
};

/// One recorded cgroup.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) slot: u32,
    pub(super) rings: Vec<Ring>,
    pub(super) cgroup: Option<Cgroup>,
}

impl Track {
    /// Opens a ring on each CPU and makes them the slot's.
    pub(super) fn make(slot: u32, cpus: &[u32], size: usize, kernel: &Kernel) -> Result<Self> {
        let rings = cpus.iter().map(|cpu| Ring::open(*cpu, size)).collect::<Result<Vec<_>>>()?;
        rings.iter().try_for_each(|ring| kernel.insert_ring(slot, ring))?;
        Ok(Self { slot, rings, cgroup: None })
    }

    /// Records a cgroup. The kernel side gives cgroups made below it from now on the same slot; those
    /// that are there already are found afterwards, so none falls between.
    pub(super) fn assign(&mut self, cgroup: Cgroup, kernel: &Kernel) -> Result<()> {
        kernel.assign(&cgroup, self.slot)?;
        for below in cgroup.descendants() {
            if let Err(error) = kernel.assign(&below, self.slot) {
                tracing::warn!(cgroup = %below.path().display(), %error, "a cgroup below is not recorded");
            }
        }
        self.cgroup = Some(cgroup);
        // Threads that are inside a call now are noticed by being looked at.
        kernel.in_flight(self.slot, boottime())?;
        Ok(())
    }

    /// Bytes of its rings.
    pub(super) fn memory(&self) -> usize {
        self.rings.iter().map(Ring::size).sum()
    }

    /// The threads that are alive in it.
    pub(super) fn threads(&self) -> Vec<Process> {
        self.cgroup.as_ref().map_or_else(Vec::new, threads::of)
    }
}

/// A snapshot's records, oldest first, the time of the oldest, and how many they are.
pub(super) fn oldest_first(snapshot: &Snapshot) -> (Vec<u8>, Option<u64>, u64) {
    let samples: Vec<&[u8]> = snapshot.samples().map_while(whole).collect();
    let mut bytes = Vec::with_capacity(samples.iter().map(|sample| sample.len()).sum());
    samples.iter().rev().for_each(|sample| bytes.extend_from_slice(sample));
    let oldest = samples.last().and_then(|sample| Record::parse(sample)).map(|record| record.time());
    let count = wire::records(&bytes).count() as u64;
    (bytes, oldest, count)
}

/// The sample, if it is records from its beginning to its end.
fn whole(sample: &[u8]) -> Option<&[u8]> {
    let length: usize = wire::records(sample).map(|record| record.bytes().len()).sum();
    (length > 0 && length == sample.len()).then_some(sample)
}
