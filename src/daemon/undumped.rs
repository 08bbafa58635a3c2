//! Lives that ended badly and have no dump, for the limits: what is known of them without their calls, until the daemon ends.
//!
//! So many are remembered, the newest of each name. One that has a dump later, as the last of a crash loop, is none of them
//! until the next takes its place.

use std::collections::{HashMap, VecDeque};

use crate::model::Undumped;

/// Of one name.
const EACH: usize = 32;
/// Names.
const NAMES: usize = 1024;

/// Those that are remembered, by name.
#[derive(Debug, Default)]
pub(super) struct Lives {
    of: HashMap<String, VecDeque<Known>>,
}

#[derive(Debug)]
struct Known {
    life: Undumped,
    /// It was the last of a loop, and has a dump until the next that is.
    dumped: bool,
}

impl Lives {
    /// One more; of a life in which several processes died the last counts.
    pub(super) fn add(&mut self, name: &str, life: Undumped) {
        if self.of.len() >= NAMES && !self.of.contains_key(name) {
            self.forget_one();
        }
        let lives = self.of.entry(name.to_owned()).or_default();
        lives.retain(|known| known.life.cgroup_id != life.cgroup_id);
        lives.push_back(Known { life, dumped: false });
        lives.drain(..lives.len().saturating_sub(EACH));
    }

    /// A dump of one is made after all; `instead`: in the place of the one before.
    pub(super) fn has_dump(&mut self, name: &str, cgroup_id: u64, instead: bool) {
        for known in self.of.get_mut(name).into_iter().flatten() {
            known.dumped = known.life.cgroup_id == cgroup_id || (known.dumped && !instead);
        }
    }

    /// Those of a name, oldest first.
    pub(super) fn of(&self, name: &str) -> Vec<Undumped> {
        let lives = self.of.get(name).into_iter().flatten().filter(|known| !known.dumped);
        lives.map(|known| known.life.clone()).collect()
    }

    /// The name that has been quiet for longest.
    fn forget_one(&mut self) {
        let last = |lives: &VecDeque<Known>| lives.back().map_or(0.0, |known| known.life.ended);
        let quiet = self.of.iter().min_by(|(_, one), (_, other)| last(one).total_cmp(&last(other)));
        if let Some(name) = quiet.map(|(name, _)| name.clone()) {
            self.of.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_each_name_and_one_of_each_life() {
        let mut lives = Lives::default();
        let life = |cgroup_id, how: &str| Undumped { cgroup_id, how: how.into(), ..Undumped::default() };
        (1..=40).for_each(|n| lives.add("a", life(n, "SIGSEGV")));
        lives.add("a", life(39, "SIGABRT"));
        let known: Vec<u64> = lives.of("a").iter().map(|life| life.cgroup_id).collect();
        assert_eq!(known, (9..=38).chain([40, 39]).collect::<Vec<_>>());
        assert!(lives.of("b").is_empty());
        // The last of a loop has a dump, and the next takes its place; another loop's stays.
        let without = |lives: &Lives, of: [u64; 2]| of.map(|id| lives.of("a").iter().any(|life| life.cgroup_id == id));
        lives.has_dump("a", 39, false);
        assert_eq!(without(&lives, [38, 39]), [true, false]);
        lives.has_dump("a", 38, true);
        assert_eq!(without(&lives, [38, 39]), [false, true]);
        lives.has_dump("a", 37, false);
        assert_eq!(without(&lives, [38, 37]), [false, false]);
        let at = |ended: u32| Undumped { ended: ended.into(), ..Undumped::default() };
        (1..2000).for_each(|n| lives.add(&n.to_string(), at(n)));
        assert_eq!(lives.of.len(), NAMES);
        assert!(lives.of("a").is_empty() && lives.of("975").is_empty() && lives.of("976").len() == 1);
    }
}
