//! Calls as they happen, in their order: records of several rings are held until none can come before.

use anyhow::Result;

use super::output::Destination;
use crate::{
    decode::{Decoder, Style},
    model::{Event, Files, Process},
    wire,
};

/// What has been read and not yet written.
pub(super) struct Following {
    decoder: Decoder,
    /// Records so new that an older one may still come from another ring.
    held: Vec<Vec<u8>>,
    clock_offset: i64,
}

impl Following {
    pub(super) fn new(style: Style) -> Self {
        Self { decoder: Decoder::new(style, &[]), held: Vec::new(), clock_offset: 0 }
    }

    /// What descriptors stand for when it begins.
    pub(super) fn see_files(&mut self, files: &[Files]) {
        self.decoder.see_files(files);
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Takes in blocks of records, and writes what began before `until`.
    pub(super) fn step(
        &mut self,
        until: u64,
        clock_offset: i64,
        blocks: Vec<Vec<u8>>,
        threads: &[Process],
        destination: &mut Destination<'_>,
    ) -> Result<()> {
        for thread in threads {
            self.decoder.see(thread);
        }
        self.held.extend(blocks);
        self.clock_offset = clock_offset;
        self.write(until, destination)
    }

    /// Writes all that waits.
    pub(super) fn flush(&mut self, destination: &mut Destination<'_>) -> Result<()> {
        self.write(u64::MAX, destination)
    }

    fn write(&mut self, until: u64, destination: &mut Destination<'_>) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        let mut records: Vec<_> = held.iter().flat_map(|block| wire::records(block)).collect();
        records.sort_by_key(wire::Record::time);
        let mut events: Vec<Event> = Vec::new();
        let mut later = Vec::new();
        for record in records {
            if record.time() <= until {
                self.decoder.feed(record, &mut events);
            } else {
                later.extend_from_slice(record.bytes());
            }
        }
        if !later.is_empty() {
            self.held.push(later);
        }
        destination.follow(self.clock_offset, events)
    }
}
