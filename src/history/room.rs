//! Whose history goes when the memory for it is used up.
//!
//! A track is sure of an equal part of the room; what others do not use of theirs it borrows. The largest borrower
//! gives, its oldest records first; of several, one that reaches back further than was asked for at least gives before
//! one that does not. What matters of that is kept, in a part of the room that is shared out by the same rule.

use std::{
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use nix::time::{ClockId, clock_gettime};

use super::{
    Shared,
    keep::Wanted,
    level,
    shelf::{Fate, Shelf},
};

/// What a track holds.
#[derive(Clone, Copy, Debug)]
struct Holder {
    slot: u32,
    used: usize,
    /// The time of the oldest that it would give.
    oldest: u64,
}

/// Who gives.
fn giver(holders: &[Holder], room: usize, enough_from: Option<u64>) -> Option<Holder> {
    let share = room / holders.len().max(1);
    let borrowers = || holders.iter().filter(|holder| holder.used > share);
    let old = borrowers().filter(|holder| enough_from.is_some_and(|from| holder.oldest < from));
    let largest = |holders: &mut dyn Iterator<Item = &Holder>| holders.max_by_key(|holder| holder.used).copied();
    largest(&mut old.into_iter()).or_else(|| largest(&mut borrowers())).or_else(|| largest(&mut holders.iter()))
}

/// What is looked at of shelves.
#[derive(Clone, Copy, Debug)]
struct Looks {
    used: fn(&Shelf) -> usize,
    oldest: fn(&Shelf) -> Option<u64>,
}

/// What is complete.
const COMPLETE: Looks = Looks { used: |shelf| shelf.memory().saturating_sub(shelf.kept()), oldest: Shelf::oldest };
/// What is kept longer.
const KEPT: Looks = Looks { used: Shelf::kept, oldest: Shelf::oldest_kept };

impl Shared {
    /// Gives up history until the rest fits. With rules, what they want of it is kept, as long as there is time for
    /// that.
    pub(super) fn make_room(&self, wanted: Option<&Wanted>, has_time: impl Fn() -> bool) {
        let room = self.room.load(Relaxed);
        // A little at a time, and not a look at all tracks for each block.
        let slack = (room / 256).min(256 << 10);
        let keeps = self.room_of_kept();
        self.make_room_of_kept(keeps);
        if self.claimed() <= room {
            return;
        }
        let enough_from = self.settings.min_age.map(|age| now().saturating_sub(nanoseconds(age)));
        while self.claimed() + slack > room {
            // What is kept of what goes may take more than there is for it.
            let kept = level(&self.kept).min(keeps);
            let Some(giver) = self.giver(COMPLETE, room - kept.min(room), enough_from) else { break };
            let before = self.claimed();
            while self.claimed() + slack > room
                && before.saturating_sub(self.claimed()) < slack.max(1)
                && let Some(shelf) = oldest(&giver, COMPLETE)
            {
                let fate = match wanted {
                    Some(wanted) if has_time() => Fate::Thinned(wanted),
                    Some(_) => Fate::Unthinned,
                    None => Fate::Gone,
                };
                self.settle(shelf.give_up(fate));
                self.make_room_of_kept(keeps);
            }
        }
    }

    fn make_room_of_kept(&self, room: usize) {
        let slack = room / 64;
        if level(&self.kept) <= room {
            return;
        }
        while level(&self.kept) + slack > room {
            let Some(giver) = self.giver(KEPT, room, None) else { return };
            let Some(shelf) = oldest(&giver, KEPT) else { return };
            self.settle(shelf.give_up_kept());
        }
    }

    /// The shelves of who gives.
    fn giver(&self, looks: Looks, room: usize, enough_from: Option<u64>) -> Option<Vec<Arc<Shelf>>> {
        let shelves = self.shelves.read().unwrap_or_else(PoisonError::into_inner);
        let holders: Vec<Holder> = shelves
            .iter()
            .filter_map(|(slot, shelves)| {
                let used = shelves.iter().map(|shelf| (looks.used)(shelf)).sum();
                let oldest = shelves.iter().filter_map(|shelf| (looks.oldest)(shelf)).min()?;
                Some(Holder { slot: *slot, used, oldest })
            })
            .collect();
        // Nobody waits for what is done to them.
        shelves.get(&giver(&holders, room, enough_from)?.slot).cloned()
    }
}

/// Of a track's shelves the one with the oldest records.
fn oldest(shelves: &[Arc<Shelf>], looks: Looks) -> Option<&Arc<Shelf>> {
    shelves.iter().filter(|shelf| (looks.oldest)(shelf).is_some()).min_by_key(|shelf| (looks.oldest)(shelf))
}

fn now() -> u64 {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(0, |time| nanoseconds(Duration::from(time)))
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_borrower_gives() {
        let holder = |slot, used, oldest| Holder { slot, used, oldest };
        let holders = [holder(3, 10, 5), holder(4, 70, 50), holder(5, 60, 20), holder(6, 39, 1)];
        let slot = |enough_from| giver(&holders, 160, enough_from).map(|giver| giver.slot);
        assert_eq!(slot(None), Some(4));
        assert_eq!(slot(Some(30)), Some(5), "who has what was asked for gives first");
        assert_eq!(slot(Some(2)), Some(4), "nobody who is within its share");
        assert!(giver(&[], 160, None).is_none());
    }
}
