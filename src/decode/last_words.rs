//! What a dump's last records tell: calls that had not ended, the last that failed, how processes ended.
//!
//! Only so many of the last records are decoded, however large the dump is.

use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use super::{History, Style, failures::Failures};
use crate::{
    model::{
        Block, Call, Counts, Dump, Ended, Event, Exit, LastCall, LastWords, Outcome, Recording, Signal, What, plain,
    },
    wire,
};

/// Records that are looked at.
const RECORDS: usize = 4096;
/// Calls in flight that are told.
const IN_FLIGHT: usize = 64;
/// Ended processes that are told.
const ENDED: usize = 32;
/// Bytes of a call's line.
const LINE: usize = 400;

/// The recording with what it holds counted and its last words noted in its header, for those who store
/// it, and for lists.
pub fn summed_up(mut recording: Recording) -> Recording {
    let counts = count(&recording.blocks);
    let words = last_words(&recording.dump, &recording.blocks);
    recording.dump.counts = Some(counts);
    recording.dump.last_words = Some(words);
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

fn last_words(dump: &Dump, blocks: &[Block]) -> LastWords {
    let recording = Recording { dump: essential(dump), blocks: newest(blocks) };
    let history = History::of(&recording, &Style { paths: true, ..Style::default() });
    let events: Vec<Event> = history.iter().flat_map(History::events).collect();
    let mut words = LastWords::default();
    let mut failures = Failures::default();
    let mut signals: HashMap<u32, &Signal> = HashMap::new();
    let mut calls: HashMap<u32, &Call> = HashMap::new();
    for event in &events {
        match &event.what {
            What::Call(call) => {
                match call.outcome {
                    Outcome::InFlight { .. } if words.in_flight.len() < IN_FLIGHT => {
                        words.in_flight.push(last_call(event, call));
                    }
                    Outcome::InFlight { .. } => words.more_in_flight += 1,
                    _ => failures.see(event, call),
                }
                calls.insert(event.tid, call);
            }
            What::Signal(signal) => {
                signals.insert(event.pid, signal);
            }
            What::Exit(exit) if event.tid == event.pid => words.ended.extend(ended(event, *exit, &signals, &calls)),
            _ => {}
        }
    }
    words.failed = failures.last().map(|(event, call)| last_call(event, call)).collect();
    words.more_ended = words.ended.len().saturating_sub(ENDED);
    words.ended.drain(..words.more_ended);
    words
}

/// What decoding needs of a header.
fn essential(dump: &Dump) -> Dump {
    Dump {
        arch: dump.arch.clone(),
        clock_offset: dump.clock_offset,
        taken: dump.taken,
        window: dump.window.clone(),
        processes: dump.processes.clone(),
        interfaces: dump.interfaces.clone(),
        networks: dump.networks.clone(),
        generic_families: dump.generic_families.clone(),
        ..Dump::default()
    }
}

/// The newest records, and of the calls in flight as many as are told and a few more. Only the newest blocks are
/// unpacked; what cannot be is told when the dump is read.
fn newest(blocks: &[Block]) -> Vec<Block> {
    let mut newest: BinaryHeap<Reverse<u64>> = BinaryHeap::with_capacity(RECORDS + 1);
    let mut rings: Vec<&Block> = blocks.iter().filter(|block| block.cpu.is_some()).collect();
    rings.sort_by_key(|block| Reverse(block.to));
    let mut unpacked = Vec::new();
    for block in rings {
        let is_full = newest.len() >= RECORDS;
        if is_full && newest.peek().is_some_and(|Reverse(oldest)| block.to < *oldest) {
            break;
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
    [cut(&unpacked, oldest), cut(&in_flight, 0)].concat()
}

/// Of these blocks the records from a time on, but not too many.
fn cut(blocks: &[(&Block, Cow<'_, [u8]>)], oldest: u64) -> Vec<Block> {
    let mut left = RECORDS;
    let take = |(block, all): &(&Block, Cow<'_, [u8]>)| {
        let mut bytes = Vec::new();
        for record in wire::records(all).filter(|record| record.time() >= oldest).take(left) {
            left -= 1;
            bytes.extend_from_slice(record.bytes());
        }
        Block::of(block.cpu, block.whose, bytes)
    };
    blocks.iter().map(take).collect()
}

fn last_call(event: &Event, call: &Call) -> LastCall {
    LastCall { start: event.start, tid: event.tid, pid: event.pid, comm: event.comm.to_string(), text: line(call) }
}

/// The call as the text format writes it, cut where it is long.
fn line(call: &Call) -> String {
    let (args, end): (Cow<'_, str>, &str) = match &call.outcome {
        Outcome::InFlight { start_seen: true } => (call.known(), " <in flight>"),
        Outcome::InFlight { .. } => (call.known(), " <in flight since before the recording>"),
        Outcome::EndMissing => (call.known(), " <its end is missing>"),
        Outcome::Returned { text, .. } | Outcome::Failed { text, .. } | Outcome::Interrupted { text } => {
            (Cow::Borrowed(&call.text), text)
        }
        Outcome::Never | Outcome::Died { .. } => (Cow::Borrowed(&call.text), "?"),
    };
    let mut most = LINE.min(args.len());
    while !args.is_char_boundary(most) {
        most -= 1;
    }
    let cut = if most < args.len() { "..." } else { "" };
    let between = if matches!(call.outcome, Outcome::InFlight { .. } | Outcome::EndMissing) { "" } else { ") = " };
    plain(&format!("{}({}{cut}{between}{end}", call.name(), &args[..most])).into_owned()
}

fn ended(event: &Event, exit: Exit, signals: &HashMap<u32, &Signal>, calls: &HashMap<u32, &Call>) -> Option<Ended> {
    let plainly = Ended { time: event.start, pid: event.pid, comm: event.comm.to_string(), ..Ended::default() };
    match exit {
        Exit::Status(status) => Some(Ended { status: Some(status), ..plainly }),
        Exit::Killed { signo, core } => {
            let signal = signals.get(&event.pid).filter(|signal| signal.signo == signo);
            let last_call = calls.get(&event.tid).map(|call| line(call));
            let info = signal.map(|signal| signal.info.to_string());
            Some(Ended { signal: Some(signo), core, info, last_call, ..plainly })
        }
        Exit::Superseded { .. } => None,
    }
}
