//! Calls as they happen, in their order: records of several rings are held until none can come before. Where there are
//! several cgroups, each call is told with the one in which its thread made it.

use std::collections::HashMap;

use anyhow::Result;

use super::output::Destination;
use crate::{
    decode::{Decoder, Style},
    model::{Event, Files, Network, Process, What},
    wire,
};

/// What has been read and not yet written.
pub(super) struct Following {
    decoder: Decoder,
    /// Those that have joined, in their order.
    cgroups: Vec<Cgroup>,
    /// The cgroup in which a thread was seen last, by its place.
    latest: HashMap<u32, u16>,
    clock_offset: i64,
}

struct Cgroup {
    /// What people call it.
    name: String,
    /// Records so new that an older one may still come from another ring.
    held: Vec<Vec<u8>>,
}

impl Following {
    pub(super) fn new(style: Style) -> Self {
        let (cgroups, latest) = (Vec::new(), HashMap::new());
        Self { decoder: Decoder::new(style, &[]), cgroups, latest, clock_offset: 0 }
    }

    /// One more cgroup, and what descriptors stand for and interfaces are called in it when it begins.
    pub(super) fn join(&mut self, name: String, files: &[Files], networks: Vec<Network>) {
        self.decoder.see_files(files);
        self.decoder.see_networks(networks);
        self.cgroups.push(Cgroup { name, held: Vec::new() });
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.cgroups.iter().all(|cgroup| cgroup.held.is_empty())
    }

    /// Takes in blocks of records of a cgroup, by its place among those that have joined.
    pub(super) fn take_in(&mut self, whose: u16, threads: &[Process], blocks: impl IntoIterator<Item = Vec<u8>>) {
        let Some(cgroup) = self.cgroups.get_mut(usize::from(whose)) else { return };
        for thread in threads {
            self.decoder.see(thread);
        }
        cgroup.held.extend(blocks);
    }

    /// Writes what began before `until`.
    pub(super) fn step(&mut self, until: u64, clock_offset: i64, destination: &mut Destination<'_>) -> Result<()> {
        self.clock_offset = clock_offset;
        self.write(until, destination)
    }

    /// Writes all that waits.
    pub(super) fn flush(&mut self, destination: &mut Destination<'_>) -> Result<()> {
        self.write(u64::MAX, destination)
    }

    fn write(&mut self, until: u64, destination: &mut Destination<'_>) -> Result<()> {
        let events = self.events(until);
        destination.follow(self.clock_offset, &self.names(), events)
    }

    /// What began before `until` and was held.
    fn events(&mut self, until: u64) -> Vec<Event> {
        let held: Vec<_> = self.cgroups.iter_mut().map(|cgroup| std::mem::take(&mut cgroup.held)).collect();
        let mut records: Vec<_> = (0_u16..)
            .zip(&held)
            .flat_map(|(whose, blocks)| blocks.iter().map(move |block| (whose, block)))
            .flat_map(|(whose, block)| wire::records(block).map(move |record| (whose, record)))
            .collect();
        records.sort_by_key(|(_, record)| record.time());
        let mut events: Vec<Event> = Vec::new();
        let mut later: Vec<Vec<u8>> = vec![Vec::new(); held.len()];
        let several = self.cgroups.len() > 1;
        let (mut now, mut last) = (HashMap::new(), HashMap::new());
        for (whose, record) in records {
            if record.time() > until {
                later[usize::from(whose)].extend_from_slice(record.bytes());
                continue;
            }
            self.decoder.feed(record, &mut events);
            if several {
                now.insert((record.tid(), record.time()), whose);
                last.insert(record.tid(), whose);
            }
        }
        for event in &mut events {
            // A call that was interrupted is told when it is known what came of it.
            let own = now.get(&(event.tid, event.end)).or_else(|| self.latest.get(&event.tid));
            event.whose = own.copied().unwrap_or(0);
        }
        self.latest.extend(last);
        for event in events.iter().filter(|event| matches!(event.what, What::Exit(_))) {
            self.latest.remove(&event.tid);
        }
        for (cgroup, later) in self.cgroups.iter_mut().zip(later).filter(|(_, later)| !later.is_empty()) {
            cgroup.held.push(later);
        }
        events
    }

    /// What people call the cgroups, if they are called differently.
    fn names(&self) -> Vec<String> {
        let differ = self.cgroups.windows(2).any(|two| two[0].name != two[1].name);
        self.cgroups.iter().filter(|_| differ).map(|cgroup| cgroup.name.clone()).collect()
    }
}
