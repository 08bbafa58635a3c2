//! Calls counted in the kernel, by cgroup, process and call: nothing is recorded, nothing decoded.

use std::collections::HashMap;

use anyhow::Result;

use super::track::assign_all;
use crate::{
    cgroup::Cgroup,
    kernel::{Count, CountKey, Kernel, Options},
    syscall::plan::Wanted,
};

/// Counts that did not change in so many readings in a row are forgotten: their process may be gone.
const STALE: u32 = 30;

/// A running count of some cgroups' calls.
#[derive(Debug)]
pub struct Counting {
    kernel: Kernel,
    seen: HashMap<CountKey, (Count, u32)>,
    uncounted: u64,
}

impl Counting {
    /// Counts the calls of the cgroups, and of all below them, from now on.
    pub fn start(cgroups: &[Cgroup]) -> Result<Self> {
        let kernel = Kernel::load(&Options {
            wanted: Wanted { payload: false, ..Wanted::default() },
            slots: 1,
            watching: None,
            counting: true,
            without: Vec::new(),
        })?;
        cgroups.iter().try_for_each(|cgroup| assign_all(cgroup, 1, &kernel))?;
        Ok(Self { kernel, seen: HashMap::new(), uncounted: 0 })
    }

    /// What was counted since the last reading, with the longest call so far; and how many calls could
    /// not be counted.
    pub fn read(&mut self) -> Result<(Vec<(CountKey, Count)>, u64)> {
        let mut news = Vec::new();
        for (key, now) in self.kernel.counts()? {
            let (before, quiet) = self.seen.entry(key).or_default();
            if now == *before {
                *quiet += 1;
                if *quiet >= STALE {
                    self.kernel.forget_count(key)?;
                    self.seen.remove(&key);
                }
                continue;
            }
            *quiet = 0;
            news.push((
                key,
                Count {
                    calls: now.calls.saturating_sub(before.calls),
                    errors: now.errors.saturating_sub(before.errors),
                    time: now.time.saturating_sub(before.time),
                    longest: now.longest,
                },
            ));
            *before = now;
        }
        let uncounted = self.kernel.counters()?.counts_full;
        let new = uncounted.saturating_sub(self.uncounted);
        self.uncounted = uncounted;
        Ok((news, new))
    }
}
