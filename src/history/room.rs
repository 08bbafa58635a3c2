//! Whose history goes when the memory for it is used up.
//!
//! A track is sure of an equal part of the room; what others do not use of theirs it borrows. The largest borrower
//! gives, its oldest records first; of several, one that reaches back further than was asked for at least gives before
//! one that does not.

use std::{
    sync::{PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use nix::time::{ClockId, clock_gettime};

use super::{Shared, shelf::Shelf};

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

impl Shared {
    /// Gives up history until the rest fits.
    pub(super) fn make_room(&self) {
        let room = self.room.load(Relaxed);
        // A little at a time, and not a look at all tracks for each block.
        let slack = (room / 256).min(256 << 10);
        if self.used() <= room {
            return;
        }
        let shelves = self.shelves.read().unwrap_or_else(PoisonError::into_inner);
        let enough_from = self.settings.min_age.map(|age| now().saturating_sub(nanoseconds(age)));
        while self.used() + slack > room {
            let holders: Vec<Holder> = shelves
                .iter()
                .filter_map(|(slot, shelves)| {
                    let used = shelves.iter().map(|shelf| shelf.memory()).sum();
                    let oldest = oldest(shelves.iter().map(AsRef::as_ref))?.0;
                    Some(Holder { slot: *slot, used, oldest })
                })
                .collect();
            let Some(giver) = giver(&holders, room, enough_from) else { return };
            let Some(of_slot) = shelves.get(&giver.slot) else { return };
            let before = self.used();
            while self.used() + slack > room
                && before.saturating_sub(self.used()) < slack.max(1)
                && let Some((_, shelf)) = oldest(of_slot.iter().map(AsRef::as_ref))
            {
                self.settle(shelf.give_up());
            }
        }
    }
}

/// Of a track's shelves the one with the oldest records, and their time.
fn oldest<'a>(shelves: impl Iterator<Item = &'a Shelf>) -> Option<(u64, &'a Shelf)> {
    shelves.filter_map(|shelf| Some((shelf.oldest()?, shelf))).min_by_key(|(time, _)| *time)
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
