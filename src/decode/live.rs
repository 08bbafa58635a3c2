//! Events as they happen.

use std::collections::HashMap;

use super::{found::Tells, pair::Pairs, style::Style, tell};
use crate::{
    model::{Event, Exit, Files, Network, Process, What},
    wire::{Kind, Record},
};

/// Turns records, in the order of their times, into events.
#[derive(Debug)]
pub struct Decoder {
    style: Style,
    pairs: Pairs<Box<[u8]>>,
    /// Calls that were interrupted, by thread, until it is known whether the thread died of it.
    interrupted: HashMap<u32, Event>,
}

impl Decoder {
    /// `processes`: the threads that are known apart from the records.
    pub fn new(style: Style, processes: &[Process]) -> Self {
        Self { pairs: Pairs::new(style.clone(), processes), style, interrupted: HashMap::new() }
    }

    /// Tells what descriptors stood for when the history began.
    pub fn see_files(&mut self, processes: &[Files]) {
        self.pairs.see_files(processes);
    }

    /// Tells a thread's process and name, where they become known otherwise.
    pub fn see(&mut self, process: &Process) {
        self.pairs.see(process);
    }

    /// Tells the names of interfaces in other network namespaces.
    pub fn see_networks(&mut self, networks: Vec<Network>) {
        self.style.networks.extend(networks);
    }

    /// Decodes one record; what it makes known goes to `events`.
    pub fn feed(&mut self, record: Record<'_>, events: &mut Vec<Event>) {
        let Self { style, pairs, interrupted } = self;
        let tid = record.tid();
        if matches!(record.kind(), Kind::RECORD_CALL | Kind::RECORD_ENTER) {
            events.extend(interrupted.remove(&tid));
        }
        let keep = || record.bytes().into();
        pairs.feed(record, keep, &mut |found| match found.tells {
            Tells::Interrupted => {
                interrupted.extend(tell::event(style, &found).map(|event| (tid, event)));
            }
            Tells::Died => {
                let mut event = interrupted.remove(&tid);
                if let Some(What::Call(call)) = event.as_mut().map(|event| &mut event.what) {
                    tell::died(style, call);
                }
                events.extend(event);
            }
            tells => {
                if tells == Tells::Superseded {
                    // The kernel ends the leader's thread for it; to its tracer and its parent it never ended.
                    let ended = |event: &Event| event.tid == tid && matches!(event.what, What::Exit(_));
                    let ended = events.iter().rposition(ended);
                    let ended = ended.filter(|at| !matches!(events[*at].what, What::Exit(Exit::Superseded { .. })));
                    ended.into_iter().for_each(|at| drop(events.remove(at)));
                }
                if tells == Tells::Signal || record.kind() == Kind::RECORD_EXIT {
                    events.extend(interrupted.remove(&tid));
                }
                events.extend(tell::event(style, &found));
            }
        });
    }

    /// Calls that began and did not end: those in flight, and those whose thread is gone.
    pub fn finish(&mut self, events: &mut Vec<Event>) {
        let mut interrupted: Vec<_> = self.interrupted.drain().collect();
        interrupted.sort_by_key(|(tid, _)| *tid);
        events.extend(interrupted.into_iter().map(|(_, event)| event));
        let style = &self.style;
        self.pairs.finish(&mut |found| events.extend(tell::event(style, &found)));
    }
}
