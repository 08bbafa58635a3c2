//! A recording's events, one after the other, in the order in which they began; of all of it, or of a part for which
//! only the blocks are read that it needs.
//!
//! Promise: no matter how large the recording is, what is kept is the blocks of one moment (`merge`), so many events
//! on their way into order (`order`), and what is known of threads and descriptors. A part is told as it stands in the
//! whole wherever that can be known: before it, so much is read as tells in what state it begins (LEAD), who threads
//! were is looked for further back (FURTHER), and what was written at the start of a call where the call began. What
//! that does not tell is unknown: a descriptor stays a number, a thread has the name that the dump's header knows.

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use anyhow::Result;

use super::{
    found::Tells,
    merge::{Merge, Next, Origin, Place},
    order::{Key, Order, WAITING},
    pair::{Pairs, names_threads},
    style::{Descriptors, Style},
    teller::{self, Held, Teller},
    wanted::Wanted,
};
use crate::{
    model::{Block, Completeness, Dump, Event, Recording, What, Window},
    select::Selection,
    wire::{self, Kind, Record, record_flag},
};

/// Bytes of records that are read before a part, for the state in which it begins.
const LEAD: usize = 16 << 20;
/// The same where it is to be told what descriptors stand for, which goes further back.
const LEAD_OF_FILES: usize = 64 << 20;
/// Bytes of records that are looked through further back, for who threads were.
const FURTHER: usize = 8 << 20;
/// The same for the beginnings of calls.
const BEGINNINGS: usize = 16 << 20;
/// So many events of the newest part are kept; more are counted first, and told when they are reached again.
const NEWEST_KEPT: usize = 1 << 16;

/// A recording's events.
#[derive(Debug)]
pub struct History<'a> {
    recording: &'a Recording,
    style: Style,
    /// So many events wait for their order.
    waiting: usize,
    lead: usize,
    /// What turned out to be damaged.
    damage: RefCell<Vec<String>>,
}

impl<'a> History<'a> {
    /// Nothing is read before events are asked for.
    pub fn of(recording: &'a Recording, style: &Style) -> Result<Self> {
        let dump = &recording.dump;
        let style = Style {
            arch: dump.arch.clone(),
            interfaces: dump.interfaces.clone(),
            networks: dump.networks.clone(),
            generic_families: dump.generic_families.clone(),
            // The calls that opened and closed them may not be there.
            descriptors: if dump.misses_calls() { Descriptors::NONE } else { style.descriptors },
            ..style.clone()
        };
        u32::try_from(recording.blocks.len())?;
        let lead = if style.descriptors.any() || style.paths { LEAD_OF_FILES } else { LEAD };
        Ok(Self { recording, style, waiting: WAITING, lead, damage: RefCell::default() })
    }

    /// All of its events.
    pub fn events(&self) -> Events<'_> {
        self.part(Wanted::of(self.recording, &Selection::default()))
    }

    /// Those that are wanted.
    pub fn chosen(&self, selection: &Selection) -> Box<dyn Iterator<Item = Event> + '_> {
        let chosen = self.chosen_alone(selection);
        match selection.concerned() {
            Some(mut concerned) => Box::new(chosen.filter(move |event| concerned.keeps(event))),
            None => chosen,
        }
    }

    /// Those that are wanted of a stretch of time, CLOCK_BOOTTIME nanoseconds, each looked at by itself.
    pub fn between(&self, selection: &Selection, from: u64, to: u64) -> Events<'_> {
        self.part(Wanted::of(self.recording, selection).within(from, to))
    }

    /// The same, each looked at by itself.
    fn chosen_alone(&self, selection: &Selection) -> Box<dyn Iterator<Item = Event> + '_> {
        let wanted = || Wanted::of(self.recording, selection);
        match selection.last {
            None => Box::new(self.part(wanted())),
            Some(0) => Box::new(std::iter::empty()),
            Some(last) if last <= NEWEST_KEPT => Box::new(self.newest(&wanted, last).into_iter()),
            Some(last) => {
                let calls = self.part(wanted()).filter(is_call).count();
                let Some(mut before) = calls.checked_sub(last) else { return Box::new(self.part(wanted())) };
                Box::new(self.part(wanted()).skip_while(move |event| {
                    let skipped = before > 0 || !is_call(event);
                    before -= usize::from(skipped && is_call(event));
                    skipped
                }))
            }
        }
    }

    /// What was found to be damaged while events were told.
    pub fn damage(&self) -> Vec<String> {
        self.damage.borrow().clone()
    }

    /// From the last so many calls on. Blocks are taken from the newest on until there are enough of them.
    fn newest(&self, wanted: &impl Fn() -> Wanted, last: usize) -> VecDeque<Event> {
        let all = wanted();
        let mut blocks: Vec<&Block> =
            self.recording.blocks.iter().filter(|block| block.cpu.is_some() && all.may_be_in(block)).collect();
        blocks.sort_by_key(|block| block.to);
        let mut enough = (2 * last + 64) as u64;
        loop {
            let mut calls = 0;
            let since = loop {
                let Some(block) = blocks.pop() else { break all.since };
                calls += u64::from(block.calls);
                if calls >= enough {
                    break block.to.max(all.since);
                }
            };
            let mut newest = VecDeque::new();
            let mut calls = 0;
            let whole = since == all.since;
            // What began before stands among others that are not there.
            for event in self.part(wanted().from(since)).filter(|event| whole || event.start >= since) {
                calls += usize::from(is_call(&event));
                newest.push_back(event);
                while calls > last || (calls == last && newest.front().is_some_and(|event| !is_call(event))) {
                    calls -= usize::from(newest.pop_front().is_some_and(|event| is_call(&event)));
                }
            }
            if calls == last || whole {
                return newest;
            }
            enough *= 3;
        }
    }

    fn part(&self, wanted: Wanted) -> Events<'_> {
        let wanted = Rc::new(wanted);
        let blocks = &self.recording.blocks;
        let (numbers, before) = self.needed(&wanted);
        let pairs = self.pairs(&numbers, &before);
        let gaps = gaps(&self.recording.dump, &wanted);
        let looked_at =
            || numbers.iter().map(|number| &blocks[*number as usize]).filter(|block| wanted.may_be_in(block));
        let may_be_told: usize = looked_at().map(|block| 2 * block.records as usize).sum();
        // What is wanted of a block may have ended long after it began.
        let ends = looked_at().map(|block| block.to).max().unwrap_or(0);
        let teller = |pairs, order| Teller::new(&self.style, wanted.clone(), ends, pairs, order);
        let order = if may_be_told > self.waiting {
            let order = Order::noting(self.waiting);
            let mut noting = Reading {
                merge: Merge::of(blocks, numbers.clone()),
                before: before.clone(),
                teller: teller(pairs.clone(), order),
            };
            while noting.step(blocks).is_some() {}
            noting.teller.order.told_now(gaps)
        } else {
            Order::telling(self.waiting, gaps)
        };
        let reading = Reading { merge: Merge::of(blocks, numbers), before, teller: teller(pairs, order) };
        Events { history: self, reading: Some(reading), order: None }
    }

    /// The blocks that may be needed, and what is left out before them.
    fn needed(&self, wanted: &Wanted) -> (Vec<u32>, Before<'_>) {
        let blocks = &self.recording.blocks;
        let (mut left, mut needed): (Vec<u32>, Vec<u32>) =
            (0..).zip(blocks).map(|(number, _)| number).partition(|number| wanted.is_before(&blocks[*number as usize]));
        left.sort_by_key(|number| blocks[*number as usize].to);
        let mut lead = self.lead;
        while let Some(number) = left.pop() {
            let Some(rest) = lead.checked_sub(blocks[number as usize].plain_length()) else {
                left.push(number);
                break;
            };
            lead = rest;
            needed.push(number);
        }
        (needed, Before { blocks, left, room: BEGINNINGS })
    }

    /// What is known where the part begins.
    fn pairs(&self, numbers: &[u32], before: &Before<'_>) -> Pairs<Held> {
        let Recording { dump, blocks } = self.recording;
        let mut pairs = Pairs::new(self.style.clone(), &dump.processes);
        before.recall(&mut pairs);
        pairs.see_parts(in_part_until(dump, blocks));
        // Where records were overwritten, or are left out, what was seen before them may no longer hold.
        if dump.window.overwritten == 0 && dump.window.left_out == 0 && before.left.is_empty() {
            pairs.see_files(&dump.files_before);
        }
        pairs.foresee(&dump.files, |pairs| {
            let mut merge = Merge::of(blocks, numbers.to_vec());
            while let Some(next) = merge.next(|_| true) {
                if let Next::Record(place, record) = next {
                    let origin = Origin::of(&blocks[place.block as usize]);
                    pairs.stand(origin.whose, &record);
                    pairs.feed(record, || Held::of(place, origin, record), &mut |_| ());
                }
            }
        })
    }
}

/// Until when a recording is there in part only, by whose it is; none: nowhere.
fn in_part_until(dump: &Dump, blocks: &[Block]) -> Vec<u64> {
    let mut until = vec![0; dump.each.len().max(1)];
    let windows = std::iter::once(&dump.window).filter(|_| dump.each.is_empty());
    for (until, window) in until.iter_mut().zip(windows.chain(dump.each.iter().map(|each| &each.window))) {
        let part = window.stretches.iter().rfind(|stretch| stretch.state == Completeness::InPart);
        *until = part.map_or(0, |part| part.to);
    }
    for block in blocks.iter().filter(|block| block.thinned) {
        if let Some(until) = until.get_mut(usize::from(block.whose)) {
            *until = block.to.max(*until);
        }
    }
    if until.iter().all(|until| *until == 0) { Vec::new() } else { until }
}

fn is_call(event: &Event) -> bool {
    matches!(event.what, What::Call(_))
}

/// The gaps that the dump's window knows of.
fn gaps(dump: &Dump, wanted: &Wanted) -> Vec<(Key, Event)> {
    let of = |whose: u16, window: &Window| {
        let gaps = window.stretches.iter().filter_map(move |stretch| {
            let Completeness::Gap { records, reason } = &stretch.state else { return None };
            let event = teller::gap(stretch.from, stretch.to, whose, *records, reason.clone());
            let place = Place { block: u32::MAX, at: u32::from(whose) };
            Some((Key { start: stretch.from, in_flight: true, time: u64::MAX, place, second: true }, event))
        });
        gaps.collect::<Vec<_>>()
    };
    let mut gaps = of(0, &dump.window);
    gaps.extend((0..).zip(&dump.each).flat_map(|(whose, each)| of(whose, &each.window)));
    gaps.retain(|(_, gap)| wanted.holds(gap.start, gap.end));
    gaps.sort_by_key(|(key, _)| *key);
    gaps.dedup_by_key(|(key, _)| *key);
    gaps
}

/// A recording's events, or a part of them, in the order in which they began.
#[derive(Debug)]
pub struct Events<'a> {
    history: &'a History<'a>,
    reading: Option<Reading<'a>>,
    /// What is left to tell when all is read.
    order: Option<Order>,
}

impl Iterator for Events<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            let order = self.reading.as_mut().map(|reading| &mut reading.teller.order).or(self.order.as_mut())?;
            if let Some(event) = order.ready() {
                return Some(*event);
            }
            let reading = self.reading.as_mut()?;
            match reading.step(&self.history.recording.blocks) {
                Some(damage) => {
                    let mut known = self.history.damage.borrow_mut();
                    // What is gone through again is damaged still.
                    if let Some(damage) = damage.filter(|damage| !known.contains(damage)) {
                        known.push(damage);
                    }
                }
                None => self.order = self.reading.take().map(|reading| reading.teller.order),
            }
        }
    }
}

/// One way through the records.
#[derive(Debug)]
struct Reading<'a> {
    merge: Merge<'a>,
    before: Before<'a>,
    teller: Teller<'a>,
}

impl Reading<'_> {
    /// Takes in the next record; `None`: that was all. What cannot be read is told.
    fn step(&mut self, blocks: &[Block]) -> Option<Option<String>> {
        let Self { merge, before, teller } = self;
        match merge.next(|block| teller.opens(block)) {
            None => {
                teller.finish();
                None
            }
            Some(Next::Damaged(number, what)) => {
                let block = &blocks[number as usize];
                let matters = teller.miss(number, block, &what);
                Some(matters.then(|| format!("{} records of one block: {what}", block.records)))
            }
            Some(Next::Record(place, record)) => {
                if let Some((place, begun)) = before.beginning(&record, teller) {
                    let origin = Origin::of(&blocks[place.block as usize]);
                    if let Some(begun) = Record::parse(&begun) {
                        teller.pairs.stand(origin.whose, &begun);
                        teller.feed(place, origin, begun);
                    }
                }
                let now = (record.time(), place);
                let origin = Origin::of(&blocks[place.block as usize]);
                teller.pairs.stand(origin.whose, &record);
                teller.feed(place, origin, record);
                if teller.wants_more() {
                    merge.reconsider(now, |block| teller.opens(block));
                }
                Some(None)
            }
        }
    }
}

/// What stands before a part and is not read, but may be looked into.
#[derive(Clone, Debug)]
struct Before<'a> {
    blocks: &'a [Block],
    /// The newest last.
    left: Vec<u32>,
    /// Bytes that may still be read for the beginnings of calls.
    room: usize,
}

impl Before<'_> {
    /// What the records of tasks there say of their threads.
    fn recall(&self, pairs: &mut Pairs<Held>) {
        let (mut room, mut found) = (FURTHER, Vec::new());
        for number in self.left.iter().rev() {
            let block = &self.blocks[*number as usize];
            if !names_threads(block) {
                continue;
            }
            let Some(rest) = room.checked_sub(block.plain_length()) else { break };
            room = rest;
            let Ok(bytes) = block.plain() else { continue };
            let of_tasks = wire::records(&bytes).filter(|record| record.task().is_some());
            found.extend(of_tasks.map(|record| (record.time(), Box::<[u8]>::from(record.bytes()))));
        }
        found.sort_by_key(|(time, _)| *time);
        found.iter().filter_map(|(_, bytes)| Record::parse(bytes)).for_each(|record| pairs.recall(&record));
    }

    /// What was written at the start of a call that has ended, if it is wanted and began there.
    fn beginning(&mut self, record: &Record<'_>, teller: &Teller<'_>) -> Option<(Place, Box<[u8]>)> {
        let newest = self.blocks[*self.left.last()? as usize].to;
        let call = record.call().filter(|_| record.kind() == Kind::RECORD_CALL)?;
        let (tid, start) = (record.tid(), record.time().saturating_sub(call.duration()?));
        let is_sought = start <= newest
            && record.has(record_flag::FLAG_ENTERED)
            && teller.may_be(record, Tells::Call)
            && !teller.pairs.has_begun(tid, start);
        if !is_sought {
            return None;
        }
        for number in self.left.iter().rev() {
            let block = &self.blocks[*number as usize];
            let seen = &block.seen;
            let may_have =
                (block.first..=block.to).contains(&start) && seen.has_kind(Kind::RECORD_ENTER) && seen.has_thread(tid);
            if !may_have {
                continue;
            }
            self.room = self.room.checked_sub(block.plain_length())?;
            let Ok(bytes) = block.plain() else { continue };
            let mut at = 0_u32;
            for record in wire::records(&bytes) {
                if record.kind() == Kind::RECORD_ENTER && record.tid() == tid && record.time() == start {
                    return Some((Place { block: *number, at }, record.bytes().into()));
                }
                at = at.saturating_add(u32::try_from(record.bytes().len()).unwrap_or(u32::MAX));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        decode::{Decoder, Descriptors},
        model::{Comm, Outcome, Process, Stretch},
        select::When,
        syscall::Filter,
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
        // Which CPU wrote a record is not known where records come one by one.
        let events = events.map(|event| Event { cpu: None, ..event });
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

    /// A recording of these records, in blocks of so many.
    fn recording_of(told: &[(u8, u32, u64, u32, u64)], block: usize) -> Recording {
        let mut rings = [Vec::new(), Vec::new()];
        for (n, (kind, tid, time, what, more)) in told.iter().enumerate() {
            let flags = if *kind == 2 && more % 9 == 0 { 16 } else { 0 };
            rings[n % 2].push((100 + time, record(*kind, *tid, 100 + time, flags, *what, *more)));
        }
        let blocks = |(cpu, mut ring): (u32, Vec<(u64, Vec<u8>)>)| {
            // As rings have them.
            ring.sort_by_key(|(time, _)| *time);
            let of = |some: &[(u64, Vec<u8>)]| some.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
            ring.chunks(block).map(|some| Block::of(Some(cpu), 0, of(some))).collect::<Vec<_>>()
        };
        let blocks = (0..).zip(rings).flat_map(blocks).collect();
        let processes = vec![Process { tid: 1, pid: 1, comm: "one".into() }];
        Recording { dump: Dump { arch: "x86_64".into(), taken: 1000, processes, ..Dump::default() }, blocks }
    }

    fn style(descriptors: bool) -> Style {
        Style { descriptors: if descriptors { Descriptors::ALL } else { Descriptors::NONE }, ..Style::default() }
    }

    fn lines(events: impl Iterator<Item = Event>) -> Vec<String> {
        events.map(|event| format!("{event:?}")).collect()
    }

    /// Ranges, calls, threads, and how many.
    fn selections() -> impl Strategy<Value = Selection> {
        let time = || prop::option::of((0_u64..900).prop_map(|before| When::parse(&format!("-{before}ns")).unwrap()));
        let calls = prop::sample::select(vec!["all", "close", "openat,219", "!close", "none", "execve,exit_group"]);
        let threads = prop::collection::vec(1_u32..6, 0..2);
        (time(), time(), calls, threads, prop::option::of(0_usize..9)).prop_map(
            |(since, until, calls, threads, last)| Selection {
                since,
                until,
                calls: Filter::parse(calls).unwrap(),
                threads,
                last,
                ..Selection::default()
            },
        )
    }

    /// What a selection leaves of all events.
    fn left(selection: &Selection, recording: &Recording, events: Vec<Event>) -> Vec<Event> {
        let (since, until) = selection.range(&recording.dump);
        let wanted =
            |event: &Event| event.end >= since && event.start <= until && selection.wants(&recording.dump.arch, event);
        let mut left: Vec<Event> = events.into_iter().filter(wanted).collect();
        if let Some(last) = selection.last {
            let calls: Vec<usize> = (0..).zip(&left).filter(|(_, event)| is_call(event)).map(|(n, _)| n).collect();
            let first = match calls.len().checked_sub(last) {
                Some(_) if last == 0 => left.len(),
                Some(before) => calls[before],
                None => 0,
            };
            left.drain(..first);
        }
        left
    }

    #[test]
    fn gaps_stand_where_records_are_missing() {
        let told: Vec<_> = (0..6).map(|n| (8, 1, 10 * n, 0, 0)).collect();
        let mut recording = recording_of(&told, 2);
        let gap = |from, to| Stretch { from, to, state: Completeness::Gap { records: 7, reason: "why".into() } };
        recording.dump.window.stretches =
            vec![Stretch { from: 0, to: 110, state: Completeness::Complete }, gap(110, 120), gap(145, 150)];
        for waiting in [1, 100] {
            let mut history = History::of(&recording, &Style::default()).unwrap();
            history.waiting = waiting;
            let starts: Vec<_> =
                history.events().map(|event| (event.start, matches!(event.what, What::Gap(_)))).collect();
            let gaps =
                |gap| starts.iter().filter(|(_, is_gap)| *is_gap == gap).map(|(start, _)| *start).collect::<Vec<_>>();
            assert!(starts.is_sorted(), "{starts:?}");
            assert_eq!((gaps(true), gaps(false)), (vec![110, 145], vec![100, 110, 120, 130, 140, 150]));
        }
    }

    #[test]
    fn a_block_that_cannot_be_read_is_a_gap() {
        let told: Vec<_> = (0..6).map(|n| (8, 1, 10 * n, 0, 0)).collect();
        let mut recording = recording_of(&told, 1);
        let damaged = crate::model::Body::Packed { plain: 56, bytes: [1, 2, 3].as_slice().into() };
        recording.blocks[2] = Block { body: damaged, ..recording.blocks[2].clone() };
        let history = History::of(&recording, &Style::default()).unwrap();
        let events: Vec<Event> = history.events().collect();
        let missing: Vec<_> = events.iter().filter(|event| matches!(event.what, What::Gap(_))).collect();
        assert_eq!((events.len(), missing.len(), missing[0].start), (6, 1, recording.blocks[2].first));
        assert_eq!(history.damage().len(), 1);
    }

    #[test]
    fn where_no_lead_is_read_names_and_beginnings_are_looked_for() {
        let far = [record(8, 1, 100, 0, 0, 0), record(2, 2, 110, 0, 36, 0)];
        let between = [record(1, 3, 120, 0, 1, 5)];
        let part = [record(1, 1, 149, 0, 1, 5), record(1, 2, 150, 4, 36, 40)];
        let block = |records: &[Vec<u8>]| Block::of(Some(0), 0, records.concat());
        let blocks = vec![block(&far), block(&between), block(&part)];
        let dump = Dump { arch: "x86_64".into(), taken: 1000, ..Dump::default() };
        let mut recording = Recording { dump, blocks };
        let selection = Selection { since: Some(When::parse("-860ns").unwrap()), ..Selection::default() };
        let whole = History::of(&recording, &Style::default()).unwrap();
        let expected: Vec<Event> = whole.events().filter(|event| event.end >= 140).collect();
        assert_eq!((expected.len(), expected[0].comm), (2, Comm::default()), "it is the execve");
        assert_eq!((expected[1].comm.to_string().as_str(), expected[1].cpu), ("name", Some(0)));
        // Nobody looks at what has nothing of them.
        recording.blocks[1].body = crate::model::Body::Packed { plain: 56, bytes: [1, 2, 3].as_slice().into() };
        let mut history = History::of(&recording, &Style::default()).unwrap();
        history.lead = 0;
        assert_eq!(lines(history.chosen(&selection)), lines(expected.into_iter()));
        assert_eq!(history.damage(), [""; 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn events_one_by_one_are_those_of_all_at_once(
            told in prop::collection::vec((1_u8..10, 1_u32..6, 0_u64..200, any::<u32>(), any::<u64>()), 0..60),
            (block, waiting) in (1_usize..20, 0_usize..12),
            descriptors: bool,
        ) {
            let recording = recording_of(&told, block);
            let style = style(descriptors);
            let whole = History::of(&recording, &style).unwrap();
            let forward: Vec<Event> = whole.events().collect();
            prop_assert!(forward.is_sorted_by_key(|event| event.start));
            let mut narrow = History::of(&recording, &style).unwrap();
            narrow.waiting = waiting;
            prop_assert_eq!(lines(forward.iter().cloned()), lines(narrow.events()), "however few wait for their order");
            prop_assert_eq!(shown(forward.into_iter()), shown(at_once(&recording, &style).into_iter()));
        }

        #[test]
        fn a_part_is_told_as_it_stands_in_the_whole(
            told in prop::collection::vec((1_u8..10, 1_u32..6, 0_u64..900, any::<u32>(), any::<u64>()), 0..60),
            (block, waiting) in (1_usize..20, 0_usize..12),
            selection in selections(),
            descriptors: bool,
        ) {
            let recording = recording_of(&told, block);
            let style = style(descriptors);
            let mut history = History::of(&recording, &style).unwrap();
            let expected = left(&selection, &recording, history.events().collect());
            history.waiting = waiting;
            prop_assert_eq!(lines(history.chosen(&selection)), lines(expected.into_iter()));
        }
    }
}
