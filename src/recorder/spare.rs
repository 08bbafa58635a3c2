//! Slots that wait for cgroups: made, offered to the kernel side, taken back when they have served.

use anyhow::{Context, Result};

use super::{
    Recorder, boottime,
    slot::{REST, Slot},
    track::Track,
};
use crate::profile::Level;

/// How many slots wait for cgroups. When they have run out, twice as many are made ready, as long as there is
/// memory that nothing else needs; what was made once stays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    least: usize,
    now: usize,
}

impl Ready {
    /// So many, of so many that there can be.
    pub(super) fn new(least: usize, most: u32) -> Self {
        let least = least.clamp(1, most as usize);
        Self { least, now: least }
    }

    fn ran_out(&mut self, most: u32) {
        self.now = (2 * self.now).min(most as usize / 4).max(self.now);
    }

    /// How many may go to cgroups that can wait.
    pub(super) fn half(self) -> usize {
        self.least / 2
    }
}

/// A history stays at least so long after its cgroup is gone, so that whoever wants to keep it can:
/// nanoseconds.
const LEAST: u64 = 2_000_000_000;

impl Recorder {
    /// A slot for a cgroup that userspace assigns; `None`: the budget is used up.
    pub(super) fn lend(&mut self) -> Result<Option<Slot>> {
        for _ in 0..2 {
            if let Some(number) = self.kernel.take_back()? {
                return self.spare.remove(&number).context("an unknown slot was offered").map(Some);
            }
            self.refill()?;
        }
        Ok(None)
    }

    /// Sees to it that slots are ready: those that have served, new ones, and those of the longest dead.
    pub(super) fn refill(&mut self) -> Result<()> {
        let Some(watch) = &mut self.watch else { return Ok(()) };
        if self.spare.is_empty() && watch.made > 0 {
            watch.ready.ran_out(watch.most);
        }
        let Ready { least, now } = watch.ready;
        if !watch.used.is_empty() {
            self.offer_used()?;
        }
        let missing = now.saturating_sub(self.spare.len());
        let watch = self.watched_mut()?;
        let more = u32::try_from(missing)?.min(watch.most - watch.made);
        let first = REST + watch.made + 1;
        watch.made += more;
        let made = self.make_slots(first..first + more);
        self.spare.range(first..).try_for_each(|(number, _)| self.kernel.offer(*number))?;
        made?;
        while self.spare.len() < least && self.free_dead(least - self.spare.len())? {}
        Ok(())
    }

    /// Ends the tracks of the longest dead, whose rings are needed.
    fn free_dead(&mut self, wanted: usize) -> Result<bool> {
        let before = boottime().saturating_sub(LEAST);
        let is_dead = |track: &Track| track.slot.is_some() && track.ended.is_some_and(|ended| ended < before);
        let mut dead: Vec<_> = self.tracks.iter().filter(|(_, track)| is_dead(track)).collect();
        dead.sort_by_key(|(_, track)| track.ended);
        let dead: Vec<_> = dead.into_iter().take(wanted).map(|(id, _)| *id).collect();
        for id in &dead {
            self.drop_track(*id, "its rings were needed for newer cgroups")?;
        }
        self.offer_used()?;
        Ok(!dead.is_empty())
    }

    /// Makes slots that have served ready for others.
    pub(super) fn offer_used(&mut self) -> Result<()> {
        // Nothing of what they held may come into the next one's stretch.
        let away = self.kernel.flush()?;
        let used = std::mem::take(&mut self.watched_mut()?.used);
        let (kept, free) = used.into_iter().partition(|slot| away.iter().any(|left| left.slot == slot.number));
        self.watched_mut()?.used = kept;
        let free: Vec<Slot> = free;
        for mut slot in free {
            slot.begin(self.by())?;
            slot.wants(None);
            self.kernel.set_profile(slot.number, &self.profiles.base, Level::All)?;
            self.kernel.offer(slot.number)?;
            self.spare.insert(slot.number, slot);
        }
        Ok(())
    }
}
