//! What a dump's last records tell: calls that had not ended, the last that failed, how processes ended.
//!
//! Only so many of the last records are decoded, however large the dump is.

use std::{borrow::Cow, cmp::Reverse, collections::BinaryHeap};

use anyhow::Result;

use super::{Descriptors, History, Style, failures::Failures, programs};
use crate::{
    model::{
        Block, Call, Cause, Counts, Dump, Event, LastCall, LastWords, Outcome, Recording, Stack, Stuck, Summary, What,
        Window,
    },
    summary,
    wire::{self, Kind, Record},
};

/// Records that are looked at.
const RECORDS: usize = 4096;
/// Bytes of records that are looked through for who made whom.
const FURTHER: usize = 16 << 20;
/// What is looked for there: records of tasks, and of who ended them.
const ENDS: [Kind; 6] =
    [Kind::RECORD_FORK, Kind::RECORD_EXEC, Kind::RECORD_EXIT, Kind::RECORD_COMM, Kind::RECORD_JOIN, Kind::RECORD_KILL];
/// Calls in flight that are told.
const IN_FLIGHT: usize = 64;
/// Ended processes that are told.
const ENDED: usize = 32;

/// What is told of descriptors: it is a reader's first look, and he has given no options yet.
const NAMED: Descriptors = Descriptors { devices: false, ..Descriptors::ALL };

/// The recording with what it holds counted and its last words noted in its header, for those who store
/// it, and for lists.
pub fn summed_up(mut recording: Recording) -> Recording {
    let counts = count(&recording.blocks);
    let (mut words, summary, matched) = last_words(&recording.dump, &recording.blocks);
    words.programs = programs::of(&recording.dump.arch, &recording.blocks);
    if let Cause::Call { call, .. } = &mut recording.dump.cause
        && matched.is_some()
    {
        *call = matched.map(Box::new);
    }
    recording.dump.counts = Some(counts);
    recording.dump.last_words = Some(words);
    recording.dump.summary = Some(summary);
    recording
}

fn count(blocks: &[Block]) -> Counts {
    let mut counts = Counts::default();
    for block in blocks.iter().filter(|block| block.cpu.is_some() && block.records > 0) {
        counts.first = if counts.first == 0 { block.first } else { counts.first.min(block.first) };
        counts.last = counts.last.max(block.to);
        counts.calls += u64::from(block.calls);
        counts.failed += u64::from(block.failed);
    }
    counts
}

fn last_words(dump: &Dump, blocks: &[Block]) -> (LastWords, Summary, Option<LastCall>) {
    let (newest, ends) = newest(blocks);
    let older = Recording { dump: essential(dump), blocks: ends };
    let older = History::of(&older, &Style::default());
    let older: Vec<Event> = older.iter().flat_map(History::events).collect();
    let mut recording = Recording { dump: essential(dump), blocks: newest };
    let held: u64 = blocks.iter().filter(|block| block.cpu.is_some()).map(|block| u64::from(block.records)).sum();
    if held > RECORDS as u64 {
        // What was seen before what is left out may no longer hold.
        recording.dump.files_before.clear();
    }
    let history = History::of(&recording, &Style { paths: true, said: true, descriptors: NAMED, ..Style::default() });
    let events: Vec<Event> = history.iter().flat_map(History::events).collect();
    let mut words = LastWords::default();
    let mut failures = Failures::default();
    for event in &events {
        let call = match &event.what {
            What::Call(call) => call,
            What::Exec { .. } => {
                failures.executed(event.pid);
                continue;
            }
            _ => continue,
        };
        match call.outcome {
            Outcome::InFlight { .. } if words.in_flight.len() < IN_FLIGHT => {
                words.in_flight.push(last_call(event, call));
            }
            Outcome::InFlight { .. } => words.more_in_flight += 1,
            _ => failures.see(event, call),
        }
    }
    words.failed = failures.last().map(|(event, call)| last_call(event, call)).collect();
    let (summary, ended) = summary::of(dump, &older, &events);
    words.ended = ended;
    words.more_ended = words.ended.len().saturating_sub(ENDED);
    words.ended.drain(..words.more_ended);
    (words, summary, matched(&dump.cause, &events))
}

/// Calls in flight that have lasted so many nanoseconds, the longest first, with what they wait for, and their stacks,
/// whose places have no names yet.
pub fn stuck(recording: &Recording, least: u64) -> Result<Vec<(Stuck, Option<Stack>)>> {
    let style = Style { paths: true, descriptors: NAMED, ..Style::default() };
    let history = History::of(recording, &style)?;
    let events: Vec<Event> = history.events().collect();
    Ok(summary::stuck(&recording.dump, &events, least))
}

/// The call that a rule made the dump for, as the history tells it: whose it is, and what its descriptors stand for.
fn matched(cause: &Cause, events: &[Event]) -> Option<LastCall> {
    let Cause::Call { call: Some(made), .. } = cause else { return None };
    let event = events.iter().find(|event| event.tid == made.tid && event.start == made.start)?;
    let What::Call(call) = &event.what else { return None };
    Some(last_call(event, call))
}

/// What decoding needs of a header.
fn essential(dump: &Dump) -> Dump {
    Dump {
        arch: dump.arch.clone(),
        clock_offset: dump.clock_offset,
        taken: dump.taken,
        window: Window {
            overwritten: dump.window.overwritten,
            left_out: dump.window.left_out,
            manners: dump.manners().cloned().collect(),
            ..Window::default()
        },
        processes: dump.processes.clone(),
        interfaces: dump.interfaces.clone(),
        networks: dump.networks.clone(),
        generic_families: dump.generic_families.clone(),
        only_slower: dump.only_slower,
        files_before: dump.files_before.clone(),
        files: dump.files.clone(),
        ..Dump::default()
    }
}

/// The newest records, and of the calls in flight as many as are told and a few more. Only the newest blocks are
/// unpacked; what cannot be is told when the dump is read. Then the records of tasks, and of who ended them, that stand
/// before those: without the calls between them they say nothing of descriptors, and are decoded apart.
fn newest(blocks: &[Block]) -> (Vec<Block>, Vec<Block>) {
    let mut newest: BinaryHeap<Reverse<u64>> = BinaryHeap::with_capacity(RECORDS + 1);
    let mut rings: Vec<&Block> = blocks.iter().filter(|block| block.cpu.is_some()).collect();
    rings.sort_by_key(|block| Reverse(block.to));
    let (mut unpacked, mut looked_at) = (Vec::new(), 0);
    for block in rings {
        let is_full = newest.len() >= RECORDS;
        let is_behind = is_full && newest.peek().is_some_and(|Reverse(oldest)| block.to < *oldest);
        if is_behind && looked_at > FURTHER {
            break;
        }
        looked_at += block.plain_length();
        if is_behind && !ENDS.iter().any(|kind| block.seen.has_kind(*kind)) {
            continue;
        }
        let Ok(bytes) = block.plain() else { continue };
        for time in wire::records(&bytes).map(|record| record.time()) {
            if newest.len() < RECORDS || newest.peek().is_some_and(|Reverse(oldest)| time > *oldest) {
                newest.push(Reverse(time));
                if newest.len() > RECORDS {
                    newest.pop();
                }
            }
        }
        unpacked.push((block, bytes));
    }
    let oldest = newest.peek().map_or(0, |Reverse(oldest)| *oldest);
    // In the order in which they stood.
    unpacked.reverse();
    let in_flight = blocks.iter().filter(|block| block.cpu.is_none());
    let in_flight: Vec<_> = in_flight.filter_map(|block| Some((block, block.plain().ok()?))).collect();
    let is_older = |record: &Record<'_>| record.time() < oldest && ENDS.contains(&record.kind());
    let mut times: Vec<u64> = unpacked
        .iter()
        .flat_map(|(_, bytes)| wire::records(bytes))
        .filter(is_older)
        .map(|record| record.time())
        .collect();
    times.sort_unstable();
    let since = times.len().checked_sub(RECORDS).map_or(0, |first| times[first]);
    let ends = cut(&unpacked, |record| is_older(record) && record.time() >= since);
    ([cut(&unpacked, |record| record.time() >= oldest), cut(&in_flight, |_| true)].concat(), ends)
}

/// Of these blocks the records that are wanted, but not too many.
fn cut(blocks: &[(&Block, Cow<'_, [u8]>)], wanted: impl Fn(&Record<'_>) -> bool) -> Vec<Block> {
    let mut left = RECORDS;
    let take = |(block, all): &(&Block, Cow<'_, [u8]>)| {
        let mut bytes = Vec::new();
        for record in wire::records(all).filter(&wanted).take(left) {
            left -= 1;
            bytes.extend_from_slice(record.bytes());
        }
        Block::of(block.cpu, block.whose, bytes)
    };
    blocks.iter().map(take).collect()
}

fn last_call(event: &Event, call: &Call) -> LastCall {
    LastCall {
        start: event.start,
        tid: event.tid,
        pid: event.pid,
        comm: event.comm.to_string(),
        text: summary::line(call),
    }
}
