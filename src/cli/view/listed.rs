//! The events around the line that is looked at: a stretch of the dump without holes, which grows where one moves on
//! and is let go of behind.

use std::collections::VecDeque;

use super::pages::{Page, Way};
use crate::model::Event;

/// So many events are kept; more are let go of, far from the line.
const KEPT: usize = 12_000;

/// The stretch.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) events: VecDeque<Event>,
    /// The line that is looked at.
    pub(super) at: usize,
    /// What began from here on is there ...
    from: u64,
    /// ... and before here.
    to: u64,
    /// Whether that is all, either way.
    pub(super) begins: bool,
    pub(super) ends: bool,
    /// So many lines have come before those that were there, or have gone.
    pub(super) shifted: isize,
}

impl Listed {
    /// Nothing yet, around a moment.
    pub(super) fn around(time: u64) -> Self {
        Self { events: VecDeque::new(), at: 0, from: time, to: time, begins: false, ends: time == u64::MAX, shifted: 0 }
    }

    pub(super) fn chosen(&self) -> Option<&Event> {
        self.events.get(self.at)
    }

    /// From where the next page is to come.
    pub(super) fn edge(&self, way: Way) -> u64 {
        if way == Way::On { self.to } else { self.from }
    }

    /// Whether there is more that way.
    pub(super) fn goes_on(&self, way: Way) -> bool {
        !if way == Way::On { self.ends } else { self.begins }
    }

    /// Takes in a page that was asked for at an edge.
    pub(super) fn take_in(&mut self, page: Page) {
        // Of another stretch.
        if page.ask.from != self.edge(page.ask.way) {
            return;
        }
        match page.ask.way {
            Way::On => {
                self.ends = page.ends;
                self.to = page.edge;
                self.events.extend(page.events);
                while self.events.len() > KEPT && self.at > KEPT / 2 {
                    let gone = self.events.front().map_or(0, |event| event.start);
                    // Those that began together go together.
                    while self.at > 0 && self.events.front().is_some_and(|event| event.start == gone) {
                        self.events.pop_front();
                        self.at -= 1;
                        self.shifted -= 1;
                    }
                    self.from = self.events.front().map_or(self.from, |event| event.start);
                    self.begins = false;
                }
            }
            Way::Back => {
                self.begins = page.ends;
                self.from = page.edge;
                // A line that is looked at stays so; of nothing, the newest is.
                self.at = if self.events.is_empty() {
                    page.events.len().saturating_sub(1)
                } else {
                    self.at + page.events.len()
                };
                self.shifted += isize::try_from(page.events.len()).unwrap_or(0);
                page.events.into_iter().rev().for_each(|event| self.events.push_front(event));
                while self.events.len() > KEPT && self.at + KEPT / 2 < self.events.len() {
                    let gone = self.events.back().map_or(0, |event| event.start);
                    while self.at + 1 < self.events.len() && self.events.back().is_some_and(|event| event.start == gone)
                    {
                        self.events.pop_back();
                    }
                    self.to = self.events.back().map_or(self.to, |event| event.start.saturating_add(1));
                    self.ends = false;
                }
            }
        }
    }

    /// Goes so many lines on or back; how many are left to go, as they are not there.
    pub(super) fn go(&mut self, lines: isize) -> isize {
        let before = self.at;
        self.at = self.at.saturating_add_signed(lines).min(self.events.len().saturating_sub(1));
        let gone = isize::try_from(self.at).unwrap_or(0) - isize::try_from(before).unwrap_or(0);
        lines - gone
    }

    /// Goes to an event, if it is there.
    pub(super) fn go_to(&mut self, start: u64, tid: u32) -> bool {
        let place = self.events.iter().position(|event| event.start == start && event.tid == tid);
        self.at = place.unwrap_or(self.at);
        place.is_some()
    }

    /// Goes to the first event that began at this time or later, as far as there is one.
    pub(super) fn go_near(&mut self, start: u64) {
        let place = self.events.partition_point(|event| event.start < start);
        self.at = place.min(self.events.len().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{
        super::pages::{Ask, Purpose},
        *,
    };
    use crate::{
        model::{Comm, What},
        select::Selection,
    };

    fn page(listed: &Listed, way: Way, starts: impl Iterator<Item = u64>) -> Page {
        let event = |start| Event {
            start,
            end: start,
            tid: 7,
            pid: 7,
            comm: Comm::default(),
            whose: 0,
            cpu: None,
            what: What::Join,
        };
        let selection = Arc::new(Selection::default());
        let ask =
            Ask { selection, style: Arc::default(), way, from: listed.edge(way), many: 0, purpose: Purpose::List };
        let events: Vec<Event> = starts.map(event).collect();
        let edge = if way == Way::On { events.last().unwrap().start + 1 } else { events[0].start };
        Page { ask, events, edge, ends: false, damage: Vec::new() }
    }

    #[test]
    fn what_is_far_from_the_line_is_let_go_of_and_comes_again() {
        let mut listed = Listed::around(10_000);
        listed.take_in(page(&listed, Way::Back, 8_000..10_000));
        assert_eq!((listed.events.len(), listed.at), (2_000, 1_999));
        for n in 0..20 {
            let from = 10_000 + n * 1_000;
            listed.take_in(page(&listed, Way::On, from..from + 1_000));
            assert_eq!(listed.go(1_000), 0);
        }
        assert!(listed.events.len() <= KEPT + 1_000 && listed.goes_on(Way::Back), "{}", listed.events.len());
        let starts: Vec<u64> = listed.events.iter().map(|event| event.start).collect();
        assert!(starts.windows(2).all(|two| two[0] + 1 == two[1]), "there are no holes");
        assert_eq!(listed.edge(Way::Back), starts[0]);
        assert_eq!(listed.chosen().map(|event| event.start), Some(29_999));
        assert_eq!((listed.go(7), listed.go(-2)), (7, 0));
        // A page of another stretch is none of this.
        let mut other = page(&listed, Way::On, 90_000..90_010);
        other.ask.from = 90_000;
        listed.take_in(other);
        assert_eq!(listed.edge(Way::On), 30_000);
        listed.go_near(29_000);
        assert!(listed.go_to(29_500, 7) && !listed.go_to(29_500, 8) && listed.chosen().unwrap().start == 29_500);
    }
}
