//! What is looked after once a second: dead histories, slots, and what the kernel side could not tell.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{
    GivenUp, Notice, Recorder, TrackId, boottime, manager,
    slot::{LOBBY, Slot},
};
use crate::{cgroup::Cgroup, identity};

impl Recorder {
    /// To be called about once a second; what has happened meanwhile is told.
    pub fn tidy(&mut self) -> Result<Vec<Notice>> {
        let mut told = self.read_notices()?;
        let counters = self.kernel.counters();
        let before = std::mem::replace(&mut self.watched_mut()?.counters, counters);
        if counters.notices_lost != before.notices_lost || std::mem::take(&mut self.watched_mut()?.doubtful) {
            tracing::warn!("cgroups changed faster than they could be told of: the tree is walked");
            told.extend(self.look_again()?);
        }
        told.extend(self.look_alive()?);
        self.follow_cpus()?;
        self.end_old()?;
        self.refill()?;
        self.settle_waiting()?;
        self.look_at_overhead()?;
        Ok(told)
    }

    /// Walks the tree, since notices were lost or nobody was there to read them: who is new, who is gone, which slots were taken unseen.
    pub(super) fn look_again(&mut self) -> Result<Vec<Notice>> {
        let known: BTreeSet<TrackId> = self.tracks.keys().copied().collect();
        let found = self.take_in()?;
        let now = boottime();
        let mut told = Vec::new();
        for cgroup in self.watched()?.tree.missing(&found) {
            told.extend(self.removed(cgroup, now));
        }
        let mut offered = BTreeSet::new();
        while let Some(slot) = self.kernel.take_back()? {
            offered.insert(slot);
        }
        // A cgroup that took its slot in between has told so by now.
        told.extend(self.read_notices_only()?);
        let taken: Vec<u32> = self.spare.keys().copied().filter(|slot| !offered.contains(slot)).collect();
        for number in taken {
            told.extend(self.take_in_unseen(number, &found)?);
        }
        for slot in offered.into_iter().filter(|slot| self.spare.contains_key(slot)) {
            self.kernel.offer(slot)?;
        }
        told.extend(self.tracks.keys().filter(|id| !known.contains(id)).map(|id| Notice::Born(*id)));
        Ok(told)
    }

    /// A cgroup took this slot and could not be told of; if it is gone by now, its history is still there.
    fn take_in_unseen(&mut self, number: u32, found: &BTreeSet<u64>) -> Result<Vec<Notice>> {
        let Some(owner) = self.kernel.owner(number)? else {
            // It is being taken just now.
            self.watched_mut()?.doubtful = true;
            return Ok(Vec::new());
        };
        let mut told: Vec<Notice> = self.understand(owner.clone());
        if !found.contains(&owner.cgroup) {
            told.extend(self.removed(owner.cgroup, boottime()));
        }
        if let Some(slot) = self.spare.remove(&number) {
            let name = owner.name().map(String::from_utf8_lossy).unwrap_or_default();
            let identity = identity::of_path(&format!("/?/{name}"), owner.cgroup);
            let why = "it came and went unseen, as did the cgroup above it";
            let watch = self.watched_mut()?;
            watch.given_up.add(GivenUp { identity, at: boottime(), why });
            watch.used.push(slot);
        }
        Ok(told)
    }

    /// Ends tracks whose time is over.
    fn end_old(&mut self) -> Result<()> {
        let watch = self.watched()?;
        let keep = u64::try_from(watch.keep.as_nanos()).unwrap_or(u64::MAX);
        let before = boottime().saturating_sub(keep);
        let lobby_dead = self.tracks.values().any(|track| track.slot.is_none() && track.ended.is_some());
        let overwritten = lobby_dead.then(|| watch.lobby_reaches(&self.history)).flatten().unwrap_or(0);
        let mut old = Vec::new();
        for (id, track) in &self.tracks {
            match track.ended {
                Some(ended) if ended < before => old.push((*id, "its cgroup has been gone for long")),
                Some(ended) if track.slot.is_none() && ended < overwritten => {
                    old.push((*id, "it shared the lobby's rings, where others have overwritten it"));
                }
                _ => {}
            }
        }
        old.into_iter().try_for_each(|(id, why)| self.drop_track(id, why))
    }

    /// Gives tracks that had to share the lobby rings of their own, now that there are some; half of the
    /// slots stay ready for new cgroups.
    fn settle_waiting(&mut self) -> Result<()> {
        let waiting: Vec<TrackId> = self
            .tracks
            .iter()
            .filter(|(_, track)| track.wants_slot && track.ended.is_none())
            .map(|(id, _)| *id)
            .collect();
        for id in waiting {
            if self.spare.len() <= self.watched()?.ready.half() {
                break;
            }
            let Some(cgroup) = self.tracks.get(&id).and_then(|track| track.directory()) else { continue };
            let Some(slot) = self.lend()? else { break };
            let parted = self.kernel.assignment(cgroup.id())?.is_some_and(|known| known.parted);
            self.move_in(&cgroup, &slot, parted)?;
            self.settle(id, slot);
        }
        Ok(())
    }

    fn move_in(&self, cgroup: &Cgroup, slot: &Slot, parted: bool) -> Result<()> {
        debug_assert!(slot.number != LOBBY);
        if parted {
            return self.kernel.assign(cgroup, crate::kernel::Assignment { slot: slot.number, parted });
        }
        manager::assign(Cgroup::open(cgroup.path())?, &self.root, slot.number, &self.kernel).map(drop)
    }
}
