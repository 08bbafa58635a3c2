//! CPUs that come and go while it is recorded.
//!
//! What a CPU that goes has written stays readable, and what it had not sent yet is read where it stands
//! (`kernel::Unsent`). One that comes back finds its rings closed for good (the kernel's answer is
//! EOPNOTSUPP), and one that was never there has none: both get new rings when somebody looks, about once
//! a second, and what they could not write until then is counted as lost. A machine that was suspended has
//! had all of its CPUs but one go and come. The rings that they leave are kept as long as the memory budget
//! has room for them.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::{
    Recorder,
    slot::{By, Slot},
};
use crate::ring::{self, Batch};

/// So many rings are opened together, each with a descriptor until the kernel side has it.
const AT_ONCE: usize = 256;

impl Recorder {
    /// Gives CPUs that have come, or come back, rings. To be called about once a second.
    pub fn follow_cpus(&mut self) -> Result<()> {
        let now = online()?;
        let mut come: BTreeSet<u32> = now.difference(&self.cpus).copied().collect();
        let refused = self.kernel.counters().output_failed;
        if refused != self.refused {
            self.refused = refused;
            let lobby = self.watch.iter().map(|watch| &watch.lobby);
            for slot in lobby.chain(self.tracks.values().filter_map(|track| track.slot.as_ref())) {
                come.extend(slot.refusing(&self.kernel)?);
            }
            come.retain(|cpu| now.contains(cpu));
        }
        self.cpus = now;
        for cpu in come {
            tracing::info!(cpu, "a CPU has come: it gets rings");
            let watch =
                self.watch.iter_mut().flat_map(|watch| std::iter::once(&mut watch.lobby).chain(&mut watch.used));
            let tracks = self.tracks.values_mut().filter_map(|track| track.slot.as_mut());
            let by = By { kernel: &self.kernel, hold: &self.hold, history: &self.history };
            let mut slots: Vec<_> = watch.chain(tracks).chain(self.spare.values_mut()).collect();
            for some in slots.chunks_mut(AT_ONCE) {
                if let Err(error) = add_rings(some, cpu, None, by) {
                    // Gone again, it may be: the next look tells.
                    tracing::warn!(cpu, error = %format!("{error:#}"), "a CPU that has come gets no rings");
                    self.cpus.remove(&cpu);
                    break;
                }
            }
        }
        self.fit_rings();
        self.make_room();
        Ok(())
    }

    /// Throws away rings whose CPUs have newer ones, until the memory budget holds.
    pub(super) fn make_room(&mut self) {
        while self.rings() > self.total {
            let watch =
                self.watch.iter_mut().flat_map(|watch| std::iter::once(&mut watch.lobby).chain(&mut watch.used));
            let tracks = self.tracks.values_mut().filter_map(|track| track.slot.as_mut());
            if !self
                .spare
                .values_mut()
                .chain(watch)
                .chain(tracks)
                .any(|slot| slot.forget_old(&self.hold, &self.history))
            {
                break;
            }
        }
        self.history.set_room(self.total.saturating_sub(self.rings()));
    }
}

/// Gives slots a ring each on a CPU, of this size or as is usual for each, which takes samples when the kernel side learns
/// of it.
pub(super) fn add_rings(slots: &mut [&mut Slot], cpu: u32, size: Option<usize>, by: By<'_>) -> Result<()> {
    let mut batch = Batch::default();
    let rings: Vec<_> = slots.iter().map(|slot| batch.open(cpu, size.unwrap_or(slot.size()))).collect::<Result<_>>()?;
    batch.start()?;
    slots.iter_mut().zip(rings).try_for_each(|(slot, ring)| slot.add_ring(ring, by))
}

/// The CPUs that are online.
pub(super) fn online() -> Result<BTreeSet<u32>> {
    Ok(ring::online_cpus().context("list the online CPUs")?.into_iter().collect())
}
