//! Events put into the order in which they began, in bounded memory.
//!
//! A call is known when it ends, and stands where it began: events wait until there are so many of them that what
//! comes next is hardly older. What is older nevertheless (a call that lasted, one in flight) has to be known before:
//! the records are gone through once to note it, and once more to tell all. Both times the same events wait for the
//! same time, so that what was noted is just what then comes too late.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BinaryHeap, HashSet, VecDeque},
};

use super::merge::Place;
use crate::model::Event;

/// So many events wait.
pub(super) const WAITING: usize = 1 << 14;
/// So many that come too late are noted; those beyond stand where they are known.
const LATE: usize = 1 << 17;

/// Where an event stands among others: of those that began together, the one comes first whose record does; calls
/// that have not ended stand last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) start: u64,
    pub(super) in_flight: bool,
    /// The time of its record; of those in flight, the thread.
    pub(super) time: u64,
    pub(super) place: Place,
    pub(super) second: bool,
}

#[derive(Debug)]
struct Waiting {
    key: Key,
    event: Option<Box<Event>>,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

/// Events on their way into order.
#[derive(Debug)]
pub(super) struct Order {
    waiting: BinaryHeap<Reverse<Waiting>>,
    most: usize,
    /// The newest that waits no longer.
    last: Option<Key>,
    /// Those that come too late, while they are noted.
    noted: Option<BTreeMap<Key, Option<Box<Event>>>>,
    /// The same when they are told, oldest first, and how many of them have been.
    late: Vec<(Key, Option<Box<Event>>)>,
    told: usize,
    /// Those that did not happen after all.
    taken_back: HashSet<Key>,
    ready: VecDeque<Box<Event>>,
}

impl Order {
    /// Of events that are told; `known`: those that no record tells.
    pub(super) fn telling(most: usize, known: Vec<(Key, Event)>) -> Self {
        let late = known.into_iter().map(|(key, event)| (key, Some(Box::new(event)))).collect();
        Self { late, noted: None, ..Self::noting(most) }
    }

    /// Of events that are noted only if they come too late.
    pub(super) fn noting(most: usize) -> Self {
        Self {
            waiting: BinaryHeap::new(),
            most,
            last: None,
            noted: Some(BTreeMap::new()),
            late: Vec::new(),
            told: 0,
            taken_back: HashSet::new(),
            ready: VecDeque::new(),
        }
    }

    /// All was noted: the same events are told now.
    pub(super) fn told_now(self, known: Vec<(Key, Event)>) -> Self {
        let Self { noted, taken_back, most, .. } = self;
        let mut noted = noted.unwrap_or_default();
        noted.retain(|key, _| !taken_back.contains(key));
        noted.extend(known.into_iter().map(|(key, event)| (key, Some(Box::new(event)))));
        Self { late: noted.into_iter().collect(), noted: None, taken_back, ..Self::noting(most) }
    }

    /// Takes in an event; it is made if it is needed.
    pub(super) fn put(&mut self, key: Key, make: impl FnOnce() -> Option<Event>) {
        let make = || make().map(Box::new);
        if self.last.is_some_and(|last| key < last) {
            let is_told = self.noted.is_some() || self.is_late(&key) || self.taken_back.contains(&key);
            match &mut self.noted {
                Some(noted) if noted.len() < LATE => drop(noted.insert(key, make())),
                None if !is_told => self.ready.extend(make()),
                _ => {}
            }
            return;
        }
        let event = if self.noted.is_some() { None } else { make() };
        self.waiting.push(Reverse(Waiting { key, event }));
        if self.waiting.len() > self.most {
            self.give();
        }
    }

    /// What was told of it does not hold.
    pub(super) fn take_back(&mut self, key: Key) {
        self.taken_back.insert(key);
    }

    /// The next one that is in order.
    pub(super) fn ready(&mut self) -> Option<Box<Event>> {
        self.ready.pop_front()
    }

    /// Nothing else comes.
    pub(super) fn finish(&mut self) {
        while self.give() {}
        self.tell_late(None);
    }

    fn give(&mut self) -> bool {
        let Some(Reverse(Waiting { key, event })) = self.waiting.pop() else { return false };
        self.last = Some(key);
        if self.noted.is_none() {
            self.tell_late(Some(key));
            if !self.taken_back.contains(&key) {
                self.ready.extend(event);
            }
        }
        true
    }

    fn tell_late(&mut self, before: Option<Key>) {
        while let Some((_, event)) =
            self.late.get_mut(self.told).filter(|(key, _)| before.is_none_or(|before| *key < before))
        {
            self.ready.extend(event.take());
            self.told += 1;
        }
    }

    fn is_late(&self, key: &Key) -> bool {
        self.late.binary_search_by_key(key, |(key, _)| *key).is_ok()
    }
}
