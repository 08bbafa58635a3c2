//! Histories that were given up, and why: told as long as people may ask for them.

use std::collections::VecDeque;

use crate::model::Identity;

/// How many are remembered.
const MOST: usize = 1024;

/// A track that is no longer there, or a cgroup that never had rings of its own.
#[derive(Clone, Debug)]
pub struct GivenUp {
    /// Whose it was.
    pub identity: Identity,
    /// When, CLOCK_BOOTTIME nanoseconds.
    pub at: u64,
    /// Why, in words.
    pub why: &'static str,
}

/// The last of them.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    last: VecDeque<GivenUp>,
    count: u64,
}

impl Remembered {
    pub(super) fn add(&mut self, given_up: GivenUp) {
        if self.last.len() == MOST {
            self.last.pop_front();
        }
        self.last.push_back(given_up);
        self.count += 1;
    }

    pub(super) fn last(&self) -> impl Iterator<Item = &GivenUp> {
        self.last.iter()
    }

    /// How many there were, the forgotten ones included.
    pub(super) fn count(&self) -> u64 {
        self.count
    }
}
