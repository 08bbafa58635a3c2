//! Rings that grow with what is written to them, and shrink again: a copier that has to wait for a CPU finds what came
//! meanwhile still there.
//!
//! Once a second each ring of which a history is kept is looked at. One that is written full too soon gets a larger one
//! in its place; the next look, when nobody can be writing to the old one any more, has the new one take over what the
//! old one has left. A large one that was not needed for a minute makes room for one of the usual size in the same way.

use std::time::{Duration, Instant};

use super::{
    Recorder,
    cpus::add_rings,
    slot::{By, Slot},
};

/// A ring holds what is written in that time.
const LASTS: Duration = Duration::from_millis(100);
/// None gets larger, bytes.
const MOST: usize = 2 << 20;
/// Of the memory so much may be what rings have grown by, as a divisor.
const SHARE: usize = 8;
/// So many looks a ring is too large before it shrinks.
const PATIENCE: u32 = 60;

impl Recorder {
    /// Sees to it that rings are as large as they have to be. To be called about once a second.
    pub(super) fn fit_rings(&mut self) {
        if !self.history.keeps() {
            return;
        }
        let elapsed = std::mem::replace(&mut self.fitted, Instant::now()).elapsed().max(LASTS).as_micros();
        let part = |bytes: u64| usize::try_from(u128::from(bytes) * LASTS.as_micros() / elapsed).unwrap_or(usize::MAX);
        let watch = self.watch.iter_mut().flat_map(|watch| watch.used.iter_mut());
        let tracks = self.tracks.values_mut().filter_map(|track| track.slot.as_mut());
        let by = By { kernel: &self.kernel, hold: &self.hold, history: &self.history };
        let mut slots: Vec<&mut Slot> = watch.chain(tracks).chain(self.spare.values_mut()).collect();
        let grown: usize = slots.iter().map(|slot| slot.grown()).sum();
        let mut left = (self.total / SHARE).saturating_sub(grown);
        for slot in &mut slots {
            slot.take_over(by);
            for (cpu, size) in slot.unfit(part, MOST, PATIENCE) {
                let more = size.saturating_sub(slot.size());
                if more > left {
                    continue;
                }
                left -= more;
                if let Err(error) = add_rings(&mut [slot], cpu, Some(size), by) {
                    tracing::warn!(cpu, error = %format!("{error:#}"), "a ring stays as large as it is");
                }
            }
        }
    }
}
