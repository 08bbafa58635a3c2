//! Memory for the rings: what is asked for each, and what all of them may take together.

use anyhow::{Result, bail, ensure};

use crate::wire;

/// How much memory rings may take.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Bytes of each ring, one for each CPU of each track; rounded up to a power of two.
    pub ring: usize,
    /// Bytes of all rings together.
    pub total: usize,
}

/// The rings are smaller than was asked for, so that the total holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// Bytes that each was to have.
    pub from: usize,
    /// Bytes that each has.
    pub to: usize,
}

impl Budget {
    /// The size of each ring, within the total.
    pub(super) fn ring_size(&self, tracks: usize, cpus: usize) -> Result<(usize, Option<Shrunk>)> {
        let least = least();
        ensure!(
            self.ring >= least,
            "a ring of {} is too small: the least is {}; give a larger --buffer-size",
            kib(self.ring),
            kib(least)
        );
        let wanted = self.ring.next_power_of_two();
        let rings = (tracks * cpus).max(1);
        let mut size = wanted;
        while size * rings > self.total {
            size /= 2;
            if size < least {
                bail!(
                    "{rings} rings ({tracks} cgroups on {cpus} CPUs) of at least {} do not fit into {}: \
                     give a larger --memory-max or fewer cgroups",
                    kib(least),
                    kib(self.total)
                );
            }
        }
        Ok((size, (size < wanted).then_some(Shrunk { from: wanted, to: size })))
    }
}

/// How a budget is shared out where cgroups come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// Bytes of each ring.
    pub(super) ring: usize,
    /// Bytes of each of the lobby's rings.
    pub(super) lobby: usize,
    /// How many slots there can be besides the lobby.
    pub(super) most: u32,
    pub(super) shrunk: Option<Shrunk>,
}

impl Budget {
    /// Rings for the cgroups that are there, for so many to come and for as many that are gone, for what
    /// is in none of them, and a lobby. They shrink first; what does not fit into the smallest shares the lobby.
    pub(super) fn share(&self, leaves: usize, ready: usize, cpus: usize) -> Result<Share> {
        const LOBBY_RINGS: usize = 4;
        const OTHERS: usize = LOBBY_RINGS + 1;
        // A cgroup's slot is kept in 16 bits.
        const SLOTS_MOST: u32 = 60_000;
        let (ring, shrunk) = match self.ring_size(2 * (leaves + ready) + OTHERS, cpus) {
            Ok(found) => found,
            Err(_) => {
                self.ring_size(OTHERS + 1, cpus)?;
                (least(), Some(Shrunk { from: self.ring.next_power_of_two(), to: least() }))
            }
        };
        // A quarter is the packed history's, at least.
        let slots = (self.total / 4 * 3 / (ring * cpus)).saturating_sub(OTHERS);
        let most = u32::try_from(slots).unwrap_or(SLOTS_MOST).clamp(1, SLOTS_MOST);
        Ok(Share { ring, lobby: LOBBY_RINGS * ring, most, shrunk })
    }
}

/// The smallest ring: the reader needs a margin of the largest sample.
fn least() -> usize {
    (2 * wire::SAMPLE_MOST).next_power_of_two()
}

fn kib(bytes: usize) -> String {
    format!("{} KiB", bytes / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const K: usize = 1024;

    #[test]
    fn a_budget_is_shared_out() {
        let budget = Budget { ring: 64 * K, total: 64 * K * K };
        let share = budget.share(20, 32, 2).unwrap();
        assert_eq!((share.ring, share.lobby, share.most, share.shrunk), (64 * K, 256 * K, 379, None));
        let share = budget.share(5000, 32, 2).unwrap();
        assert_eq!((share.ring, share.most), (least(), u32::try_from(48 * K * K / (2 * least())).unwrap() - 5));
        assert!(share.shrunk.is_some());
        assert!(Budget { ring: 64 * K, total: 128 * K }.share(1, 1, 2).is_err());
    }

    #[test]
    fn rings_shrink_to_fit() {
        let budget = Budget { ring: 200 * K, total: 64 * K * K };
        assert_eq!(budget.ring_size(1, 2).unwrap(), (256 * K, None));
        let budget = Budget { ring: 16 * K * K, total: 64 * K * K };
        assert_eq!(budget.ring_size(4, 2).unwrap(), (8 * K * K, Some(Shrunk { from: 16 * K * K, to: 8 * K * K })));
        assert!(budget.ring_size(4000, 2).is_err());
        assert!(Budget { ring: 4 * K, total: 64 * K * K }.ring_size(1, 1).is_err());
    }
}
