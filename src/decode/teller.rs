//! Records, given in the order of their times, told as events in the order in which they began.

use std::{collections::HashMap, rc::Rc};

use super::{
    found::{Found, Kept, Tells},
    merge::{Origin, Place},
    order::{Key, Order},
    pair::{Pairs, names_threads},
    style::Style,
    tell,
    wanted::Wanted,
};
use crate::{
    model::{Block, Comm, Event, Gap, What},
    wire::{Kind, Record},
};

/// A record that waits for what belongs to it.
#[derive(Clone, Debug)]
pub(super) struct Held {
    place: Place,
    origin: Origin,
    bytes: Box<[u8]>,
}

impl Held {
    pub(super) fn of(place: Place, origin: Origin, record: Record<'_>) -> Self {
        Self { place, origin, bytes: record.bytes().into() }
    }
}

impl Kept for Held {
    fn record(&self) -> Option<Record<'_>> {
        Record::parse(&self.bytes)
    }
}

/// What goes through records once.
#[derive(Debug)]
pub(super) struct Teller<'a> {
    style: &'a Style,
    wanted: Rc<Wanted>,
    /// When the last record stands that may be wanted: what threads and descriptors become until then, they are in it.
    ends: u64,
    pub(super) pairs: Pairs<Held>,
    pub(super) order: Order,
    /// Calls that were interrupted, by thread, until it is known whether the thread died of it.
    interrupted: HashMap<u32, (Key, Event)>,
    /// Where the end of a thread was told last.
    exits: HashMap<u32, Key>,
    /// Whether more records matter since the last time that this was asked.
    wants_more: bool,
    /// Bytes of blocks behind all that is wanted that may still be read for what came of it.
    behind: usize,
}

impl<'a> Teller<'a> {
    /// Blocks behind what is wanted are read for how it ended, up to so many bytes.
    const BEHIND: usize = 16 << 20;

    pub(super) fn new(style: &'a Style, wanted: Rc<Wanted>, ends: u64, pairs: Pairs<Held>, order: Order) -> Self {
        let (interrupted, exits) = (HashMap::new(), HashMap::new());
        Self { style, wanted, ends, pairs, order, interrupted, exits, wants_more: false, behind: Self::BEHIND }
    }

    /// Whether a block that is reached has to be read: for what is wanted in it, or for what came of that.
    pub(super) fn opens(&mut self, block: &Block) -> bool {
        let wanted = &self.wanted;
        if wanted.may_be_in(block) || wanted.is_before(block) {
            return true;
        }
        let behind = wanted.is_behind(block);
        let signals = self.pairs.awaits_signal() && block.seen.has_kind(Kind::RECORD_SIGNAL);
        if !behind && (self.pairs.follows_files() || signals) {
            return true;
        }
        let may_be = |record: &Record<'_>| wanted.may_be(record, Tells::InFlight);
        // An execve behind may take back that a thread ended, the last time that it did.
        let ends = [Kind::RECORD_EXEC, Kind::RECORD_EXIT].iter().any(|kind| block.seen.has_kind(*kind));
        let ended = self.exits.keys().copied().filter(|_| ends);
        let mut begun = self.pairs.waiting(may_be).peekable();
        let follows = self.pairs.follows_files();
        let among = block.first <= self.ends && (follows || names_threads(block));
        // A call in flight is told with the descriptors of the end.
        let opens = among
            || (follows && begun.peek().is_some())
            || self.interrupted.keys().copied().chain(begun).chain(ended).any(|tid| block.seen.has_thread(tid));
        if opens && behind {
            let left = self.behind.checked_sub(block.plain_length());
            self.behind = left.unwrap_or(0);
            return left.is_some();
        }
        opens
    }

    /// Whether more records matter since this was asked last.
    pub(super) fn wants_more(&mut self) -> bool {
        std::mem::take(&mut self.wants_more)
    }

    /// Whether what a record tells may be wanted.
    pub(super) fn may_be(&self, record: &Record<'_>, tells: Tells) -> bool {
        self.wanted.may_be(record, tells)
    }

    /// Takes in a record.
    pub(super) fn feed(&mut self, place: Place, origin: Origin, record: Record<'_>) {
        let Self { style, wanted, pairs, order, interrupted, exits, wants_more, .. } = self;
        let tid = record.tid();
        *wants_more |= match record.kind() {
            Kind::RECORD_ENTER => wanted.may_be(&record, Tells::InFlight),
            kind => matches!(kind, Kind::RECORD_STACK | Kind::RECORD_KILL),
        };
        if matches!(record.kind(), Kind::RECORD_CALL | Kind::RECORD_ENTER)
            && let Some((key, event)) = interrupted.remove(&tid)
        {
            order.put(key, || wanted.filter(event));
        }
        let keep = || Held::of(place, origin, record);
        pairs.feed(record, keep, &mut |found| {
            let key = key(place, &found);
            match found.tells {
                Tells::Interrupted => {
                    let event = make(style, wanted, origin, &found);
                    *wants_more |= event.is_some();
                    interrupted.extend(event.map(|event| (tid, (key, event))));
                    return;
                }
                Tells::Died => {
                    if let Some((key, mut event)) = interrupted.remove(&tid) {
                        if let What::Call(call) = &mut event.what {
                            tell::died(style, call);
                        }
                        order.put(key, || wanted.filter(event));
                    }
                    return;
                }
                // The kernel ends the leader's thread for it; to its tracer and its parent it never ended.
                Tells::Superseded => {
                    exits.remove(&tid).into_iter().for_each(|key| order.take_back(key));
                    // What was the caller's is now its process's: another thread is waited for.
                    *wants_more = true;
                }
                _ => {}
            }
            if (found.tells == Tells::Signal || record.kind() == Kind::RECORD_EXIT)
                && let Some((key, event)) = interrupted.remove(&tid)
            {
                order.put(key, || wanted.filter(event));
            }
            if found.tells == Tells::Task && record.kind() == Kind::RECORD_EXIT {
                exits.insert(tid, key);
            }
            if wanted.may_be(&found.record, found.tells) {
                order.put(key, || make(style, wanted, origin, &found).filter(|event| wanted.wants(event)));
            }
        });
    }

    /// Of a block something cannot be read; whether that matters.
    pub(super) fn miss(&mut self, number: u32, block: &Block, what: &str) -> bool {
        let place = Place { block: number, at: u32::MAX };
        let key = Key { start: block.first, in_flight: false, time: block.first, place, second: true };
        let gap =
            gap(block.first, block.to, block.whose, u64::from(block.records), format!("a block is damaged: {what}"));
        let wanted = self.wanted.holds(block.first, block.to);
        self.order.put(key, || Some(gap).filter(|_| wanted));
        wanted
    }

    /// Nothing else comes.
    pub(super) fn finish(&mut self) {
        let Self { style, wanted, pairs, order, interrupted, .. } = self;
        // The same order each time.
        let mut left: Vec<_> = interrupted.drain().map(|(_, left)| left).collect();
        left.sort_by_key(|(key, _)| *key);
        for (key, event) in left {
            order.put(key, || wanted.filter(event));
        }
        pairs.finish(&mut |found| {
            let Some(kept) = found.kept else { return };
            if wanted.may_be(&found.record, found.tells) {
                let event = || make(style, wanted, kept.origin, &found).filter(|event| wanted.wants(event));
                order.put(key(kept.place, &found), event);
            }
        });
        order.finish();
    }
}

/// The event of missing records.
pub(super) fn gap(from: u64, to: u64, whose: u16, records: u64, reason: String) -> Event {
    let what = What::Gap(Box::new(Gap { records, reason }));
    Event { start: from, end: to, tid: 0, pid: 0, comm: Comm::default(), whose, cpu: None, what }
}

fn make(style: &Style, wanted: &Wanted, origin: Origin, found: &Found<'_, Held>) -> Option<Event> {
    if !wanted.may_be(&found.record, found.tells) {
        return None;
    }
    let event = tell::event(style, found)?;
    let whose = if wanted.several { origin.whose } else { 0 };
    Some(Event { whose, cpu: origin.cpu, ..event })
}

fn key(place: Place, found: &Found<'_, Held>) -> Key {
    let record = found.record;
    let start = match record.call() {
        Some(call) if record.kind() == Kind::RECORD_CALL => tell::start(&record, &call),
        _ => record.time(),
    };
    match found.tells {
        Tells::InFlight => Key { start, in_flight: true, time: record.tid().into(), place, second: false },
        tells => Key { start, in_flight: false, time: record.time(), place, second: tells != Tells::Superseded },
    }
}
