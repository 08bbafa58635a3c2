//! A recording's blocks in one order of time.

use super::{pair::Decoder, style::Style};
use crate::{
    model::{Event, Recording},
    wire::{self, Record},
};

/// All events of a recording, in the order in which they began.
pub fn events(recording: &Recording, style: &Style) -> Vec<Event> {
    let style = Style {
        arch: recording.dump.arch.clone(),
        interfaces: recording.dump.interfaces.clone(),
        generic_families: recording.dump.generic_families.clone(),
        ..style.clone()
    };
    let mut records: Vec<(u64, Record<'_>)> = recording
        .blocks
        .iter()
        .flat_map(|block| wire::records(&block.bytes))
        .map(|record| (record.time(), record))
        .collect();
    records.sort_by_key(|(time, _)| *time);
    let dump = &recording.dump;
    let mut decoder = Decoder::new(style, &dump.processes);
    // Where records were overwritten, what was seen before them may no longer hold.
    if dump.window.overwritten == 0 {
        decoder.see_files(&dump.files_before);
    }
    let mut decoder = decoder.foresee(records.iter().map(|(_, record)| *record), &dump.files);
    let mut events = Vec::with_capacity(records.len());
    for (_, record) in records {
        decoder.feed(record, &mut events);
    }
    decoder.finish(&mut events);
    events.sort_by_key(|event| event.start);
    events
}
