//! A whole recording's events, one after the other, in the order in which they began.
//!
//! A record is written when a call ends, so the order in which calls began is known only at the end.
//! All records are read once and an index of them is made: where each stands, what belongs to it, and
//! whose it is. Events are decoded from it when they are asked for: the memory that is needed is the
//! records' and the index's, 24 bytes an event, not that of all events.

use std::{
    cell::RefCell,
    collections::{HashMap, hash_map},
    slice,
};

use anyhow::Result;

use super::{
    asked::{Answers, View},
    found::{Found, Kept, Tells},
    pair::Pairs,
    places::{Place, Records},
    style::{Descriptors, Style},
    tell,
};
use crate::{
    model::{Comm, Event, Recording},
    wire::{Kind, Record},
};

/// An event that has not been decoded.
#[derive(Clone, Copy, Debug)]
struct Entry {
    start: u64,
    place: Place,
    /// The record that belongs to it.
    with: Option<Place>,
    /// The place of its thread's process and name, above what it tells.
    who_tells: u32,
    answers: u32,
}

const _: () = assert!(size_of::<Entry>() == 24);

/// The bits of `Entry::who_tells` that say what is told.
const TELLS: [Tells; 8] = [
    Tells::Call,
    Tells::Interrupted,
    Tells::Died,
    Tells::Never,
    Tells::InFlight,
    Tells::Signal,
    Tells::Superseded,
    Tells::Task,
];
const TELLS_BITS: u32 = 3;
const TAKEN_BACK: u32 = u32::MAX;

fn number(tells: Tells) -> u32 {
    TELLS.iter().zip(0..).find(|(known, _)| **known == tells).map_or(0, |(_, number)| number)
}

impl Entry {
    fn tells(&self) -> Tells {
        TELLS[(self.who_tells & 7) as usize % TELLS.len()]
    }

    fn who(&self) -> usize {
        (self.who_tells >> TELLS_BITS) as usize
    }

    fn unread(place: Place, record: &Record<'_>) -> Self {
        Self { start: record.time(), place, with: None, who_tells: 0, answers: 0 }
    }

    fn die(&mut self) {
        self.who_tells = self.who_tells >> TELLS_BITS << TELLS_BITS | number(Tells::Died);
    }

    fn is_told(&self) -> bool {
        self.who_tells != TAKEN_BACK
    }

    /// The order of those that began at the same time: calls that have not ended stand last.
    fn rank(&self, records: &Records<'_>) -> (bool, u64, Place, bool) {
        let record = records.at(self.place);
        let (time, tid) = record.map_or((0, 0), |record| (record.time(), record.tid()));
        match self.tells() {
            Tells::InFlight => (true, tid.into(), self.place, false),
            tells => (false, time, self.place, tells != Tells::Superseded),
        }
    }
}

/// A recording's events.
#[derive(Debug)]
pub struct History<'a> {
    style: Style,
    records: Records<'a>,
    entries: Vec<Entry>,
    who: Vec<(u32, Comm)>,
    answers: Answers,
    /// Whether records are of several cgroups.
    several: bool,
    /// Where the stacks of calls stand, by the places of the calls.
    stacks: HashMap<Place, Place>,
}

impl<'a> History<'a> {
    /// Reads the records once.
    pub fn of(recording: &'a Recording, style: &Style) -> Result<Self> {
        let dump = &recording.dump;
        let style = Style {
            arch: dump.arch.clone(),
            interfaces: dump.interfaces.clone(),
            networks: dump.networks.clone(),
            generic_families: dump.generic_families.clone(),
            // The calls that opened and closed them were too short to be there.
            descriptors: if dump.only_slower.is_some() { Descriptors::NONE } else { style.descriptors },
            ..style.clone()
        };
        let records = Records::of(&recording.blocks)?;
        let mut entries: Vec<Entry> = records.iter().map(|(place, record)| Entry::unread(place, &record)).collect();
        entries.sort_by_key(|entry| entry.start);
        let mut pairs = Pairs::new(style.clone(), &dump.processes);
        // Where records were overwritten, what was seen before them may no longer hold.
        if dump.window.overwritten == 0 {
            pairs.see_files(&dump.files_before);
        }
        let in_order = entries.iter().filter_map(|entry| {
            let record = records.at(entry.place)?;
            Some((record, At { place: entry.place, record }))
        });
        let pairs = pairs.foresee(in_order, &dump.files);
        let (entries, names) = Index::new(&style, entries).fill(&records, pairs);
        let (who, answers, stacks) = (names.who, names.answers.into_inner(), names.stacks);
        let several = recording.blocks.iter().any(|block| block.whose > 0);
        Ok(Self { entries, who, answers, stacks, records, style, several })
    }

    /// Its events, in the order in which they began.
    pub fn events(&self) -> Events<'_> {
        Events { history: self, entries: self.entries.iter() }
    }

    fn event(&self, entry: &Entry) -> Option<Event> {
        let at = |place| Some(At { place, record: self.records.at(place)? });
        let with = entry.with.and_then(at);
        let stack = self.stacks.get(&entry.place).copied().and_then(at);
        let again = self.answers.again(entry.answers);
        let found = Found {
            record: self.records.at(entry.place)?,
            kept: None,
            tells: entry.tells(),
            with: with.as_ref(),
            stack: stack.as_ref(),
            who: self.who.get(entry.who()).copied().unwrap_or_default(),
            view: Some(View::Again(&again)),
        };
        let event = tell::event(&self.style, &found)?;
        Some(Event { whose: if self.several { self.records.whose(entry.place) } else { 0 }, ..event })
    }
}

/// Iterates over a history's events, from either end.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    history: &'a History<'a>,
    entries: slice::Iter<'a, Entry>,
}

impl Iterator for Events<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.history.event(self.entries.next()?)
    }

    fn nth(&mut self, n: usize) -> Option<Event> {
        self.history.event(self.entries.nth(n)?)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl DoubleEndedIterator for Events<'_> {
    fn next_back(&mut self) -> Option<Event> {
        self.history.event(self.entries.next_back()?)
    }
}

impl ExactSizeIterator for Events<'_> {}

/// A record and its place.
#[derive(Clone, Copy, Debug)]
struct At<'a> {
    place: Place,
    record: Record<'a>,
}

impl Kept for At<'_> {
    fn record(&self) -> Option<Record<'_>> {
        Some(self.record)
    }
}

/// What entries refer to.
#[derive(Default)]
struct Names {
    who: Vec<(u32, Comm)>,
    numbers: HashMap<(u32, Comm), u32>,
    answers: RefCell<Answers>,
    stacks: HashMap<Place, Place>,
}

/// An index in the making: entries that were read are written over by the events that they tell.
struct Index<'s> {
    style: &'s Style,
    entries: Vec<Entry>,
    read: usize,
    written: usize,
    /// What there was no room for.
    more: Vec<Entry>,
    /// Where the end of a thread was told last: in `entries`, behind them in `more`.
    exits: HashMap<u32, usize>,
    /// Where its last call that was interrupted was.
    interrupted: HashMap<u32, usize>,
    names: Names,
}

impl<'s> Index<'s> {
    fn new(style: &'s Style, entries: Vec<Entry>) -> Self {
        let (exits, interrupted) = (HashMap::new(), HashMap::new());
        Self { style, entries, read: 0, written: 0, more: Vec::new(), exits, interrupted, names: Names::default() }
    }

    fn fill<'a>(mut self, records: &'a Records<'_>, mut pairs: Pairs<At<'a>>) -> (Vec<Entry>, Names) {
        while let Some(entry) = self.entries.get(self.read) {
            self.read += 1;
            let place = entry.place;
            if let Some(record) = records.at(place) {
                pairs.feed(record, || At { place, record }, &mut |found| self.put(place, &found));
            }
        }
        let own = |found: &Found<'_, At<'_>>| found.kept.map(|kept| kept.place);
        pairs.finish(&mut |found| own(&found).into_iter().for_each(|place| self.put(place, &found)));
        let Self { mut entries, more, names, written, .. } = self;
        entries.truncate(written);
        entries.extend(more);
        entries.retain(Entry::is_told);
        // Of those that began together, the one comes first whose record does.
        entries.sort_by(|one, other| {
            one.start.cmp(&other.start).then_with(|| one.rank(records).cmp(&other.rank(records)))
        });
        (entries, names)
    }

    fn put(&mut self, place: Place, found: &Found<'_, At<'_>>) {
        let tid = found.record.tid();
        let at = if self.written < self.read { self.written } else { self.entries.len() + self.more.len() };
        match found.tells {
            // The kernel ends the leader's thread for it; to its tracer and its parent it never ended.
            Tells::Superseded => {
                let ended = self.exits.remove(&tid).and_then(|at| self.entry(at));
                ended.into_iter().for_each(|ended| ended.who_tells = TAKEN_BACK);
            }
            Tells::Task if found.record.kind() == Kind::RECORD_EXIT => drop(self.exits.insert(tid, at)),
            Tells::Interrupted => drop(self.interrupted.insert(tid, at)),
            Tells::Died => {
                let call = self.interrupted.remove(&tid).and_then(|at| self.entry(at));
                return call.into_iter().for_each(Entry::die);
            }
            _ => {}
        }
        let entry = self.names.entry(self.style, place, found);
        match self.entries.get_mut(self.written).filter(|_| self.written < self.read) {
            Some(free) => {
                *free = entry;
                self.written += 1;
            }
            None => self.more.push(entry),
        }
    }

    fn entry(&mut self, at: usize) -> Option<&mut Entry> {
        match at.checked_sub(self.entries.len()) {
            None => self.entries.get_mut(at),
            Some(at) => self.more.get_mut(at),
        }
    }
}

impl Names {
    fn entry(&mut self, style: &Style, place: Place, found: &Found<'_, At<'_>>) -> Entry {
        let record = found.record;
        let start = match record.call() {
            Some(call) if record.kind() == Kind::RECORD_CALL => tell::start(&record, &call),
            _ => record.time(),
        };
        let with = found.with.map(|with| with.place);
        if let Some(stack) = found.stack {
            self.stacks.insert(place, stack.place);
        }
        Entry { start, place, with, who_tells: self.who_tells(found), answers: self.answers(style, found) }
    }

    fn who_tells(&mut self, found: &Found<'_, At<'_>>) -> u32 {
        let next = u32::try_from(self.who.len()).unwrap_or(u32::MAX);
        let who = match self.numbers.entry(found.who) {
            hash_map::Entry::Occupied(known) => *known.get(),
            hash_map::Entry::Vacant(new) => {
                self.who.push(found.who);
                *new.insert(next)
            }
        };
        who << TELLS_BITS | number(found.tells)
    }

    /// Prints a call once to learn what its printer asks of descriptors.
    fn answers(&mut self, style: &Style, found: &Found<'_, At<'_>>) -> u32 {
        if let Some(View::Now(moment)) = found.view {
            let noting = Found { view: Some(View::Noting(moment, &self.answers)), ..*found };
            tell::event(style, &noting);
        }
        self.answers.get_mut().keep()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        decode::{Decoder, Descriptors},
        model::{Block, Dump, Outcome, Process, What},
    };

    /// A record with this kind, number or signal or process, and argument.
    fn record(kind: u8, tid: u32, time: u64, flags: u8, what: u32, more: u64) -> Vec<u8> {
        let mut bytes = vec![0; 6];
        bytes.extend([kind, flags]);
        bytes.extend(time.to_ne_bytes());
        bytes.extend(tid.to_ne_bytes());
        match Kind(kind) {
            Kind::RECORD_CALL | Kind::RECORD_ENTER => {
                let numbers = [0_u16, 3, 32, 35, 59, 219, 231, 257];
                let (duration, nr) = ((more % 50).min(time), numbers[what as usize % numbers.len()]);
                let ret: i64 = [3, -2, -512, -516, 0, 4][what as usize / 8 % 6];
                bytes.extend(nr.to_ne_bytes());
                bytes.extend([3, 1]);
                bytes.extend(if kind == 1 { duration } else { 0 }.to_ne_bytes());
                bytes.extend(ret.to_ne_bytes());
                [4_u64, more % 3, 0].iter().for_each(|arg| bytes.extend(arg.to_ne_bytes()));
                bytes.extend([1, 0, 4, 0]);
                bytes.extend(b"/a\0\0");
            }
            Kind::RECORD_SIGNAL | Kind::RECORD_KILL => {
                let signo = [9_u32, 11, 17][what as usize % 3];
                [signo, tid, (more % 2) as u32].iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
                bytes.resize(104, 0);
            }
            _ => {
                let pid = if what.is_multiple_of(3) { tid } else { 1 };
                [pid, 1, 1 + what % 5, (more % 20) as u32, 0].iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
                bytes.extend(b"name");
                bytes.resize(56, 0);
            }
        }
        let size = u16::try_from(bytes.len()).unwrap();
        bytes[4..6].copy_from_slice(&size.to_ne_bytes());
        bytes
    }

    /// What all records tell when they are decoded one after the other, and put in order then.
    fn at_once(recording: &Recording, style: &Style) -> Vec<Event> {
        let plain: Vec<_> = recording.blocks.iter().map(|block| block.plain().unwrap()).collect();
        let mut records: Vec<_> = plain.iter().flat_map(|bytes| crate::wire::records(bytes)).collect();
        records.sort_by_key(Record::time);
        let mut decoder = Decoder::new(style.clone(), &recording.dump.processes);
        let mut events = Vec::new();
        records.into_iter().for_each(|record| decoder.feed(record, &mut events));
        decoder.finish(&mut events);
        events.sort_by_key(|event| event.start);
        events
    }

    fn shown(events: impl Iterator<Item = Event>) -> Vec<String> {
        let mut shown: Vec<_> = events.map(|event| (event.start, format!("{event:?}"))).collect();
        // What began together may be told in either order.
        shown.sort();
        shown.into_iter().map(|(_, event)| event).collect()
    }

    #[test]
    fn only_what_was_found_in_flight_is() {
        let bytes = [record(2, 1, 100, 0, 0, 0), record(2, 2, 100, 16, 0, 0)].concat();
        let blocks = vec![Block::of(Some(0), 0, bytes)];
        let recording = Recording { dump: Dump { arch: "x86_64".into(), ..Dump::default() }, blocks };
        let history = History::of(&recording, &Style::default()).unwrap();
        let outcomes = history.events().map(|event| match event.what {
            What::Call(call) => (event.tid, call.outcome),
            other => panic!("{other:?}"),
        });
        let outcomes: Vec<_> = outcomes.collect();
        assert!(
            matches!(outcomes[..], [(1, Outcome::EndMissing), (2, Outcome::InFlight { start_seen: true })]),
            "{outcomes:?}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn events_one_by_one_are_those_of_all_at_once(
            told in prop::collection::vec((1_u8..10, 1_u32..6, 0_u64..200, any::<u32>(), any::<u64>()), 0..60),
            descriptors: bool,
        ) {
            let mut rings = [Vec::new(), Vec::new()];
            for (n, (kind, tid, time, what, more)) in told.into_iter().enumerate() {
                rings[n % 2].extend(record(kind, tid, 100 + time, if kind == 2 && more % 9 == 0 { 16 } else { 0 }, what, more));
            }
            let blocks = (0..).zip(rings).map(|(cpu, bytes)| Block::of(Some(cpu), 0, bytes)).collect();
            let processes = vec![Process { tid: 1, pid: 1, comm: "one".into() }];
            let recording = Recording { dump: Dump { arch: "x86_64".into(), processes, ..Dump::default() }, blocks };
            let style = Style {
                descriptors: if descriptors { Descriptors::ALL } else { Descriptors::NONE },
                ..Style::default()
            };
            let history = History::of(&recording, &style).unwrap();
            let forward: Vec<Event> = history.events().collect();
            prop_assert!(forward.is_sorted_by_key(|event| event.start));
            prop_assert_eq!(forward.len(), history.events().len());
            let mut backward: Vec<_> = history.events().rev().map(|event| format!("{event:?}")).collect();
            backward.reverse();
            let plain: Vec<_> = forward.iter().map(|event| format!("{event:?}")).collect();
            prop_assert_eq!(&plain, &backward);
            prop_assert_eq!(shown(forward.into_iter()), shown(at_once(&recording, &style).into_iter()));
        }
    }
}
