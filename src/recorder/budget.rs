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
        let least = (2 * wire::SAMPLE_MOST).next_power_of_two();
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

fn kib(bytes: usize) -> String {
    format!("{} KiB", bytes / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const K: usize = 1024;

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
