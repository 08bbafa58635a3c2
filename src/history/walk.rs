//! A snapshot's bytes as records: which of them are whole, whose they are, and the oldest.

use std::collections::{BTreeSet, HashMap};

use crate::{
    ring::Snapshot,
    wire::{self, Kind, Record},
};

/// A snapshot's records, oldest first, the time of the oldest, and how many they are. Of a shared ring
/// only those of some cgroups are wanted.
pub fn oldest_first(snapshot: &Snapshot, only: Option<&BTreeSet<u64>>) -> (Vec<u8>, Option<u64>, u64) {
    let Walked { bytes, oldest, count, .. } = oldest_until(snapshot, only, u64::MAX);
    (bytes, oldest, count)
}

/// What a walk found.
#[derive(Debug, Default)]
pub struct Walked {
    /// The records, oldest first.
    pub bytes: Vec<u8>,
    /// The time of the oldest, whosever it is.
    pub oldest: Option<u64>,
    /// How many they are.
    pub count: u64,
    /// How many were left out for their time.
    pub later: u64,
}

/// The same without what was written after a time. In a ring times only grow.
pub fn oldest_until(snapshot: &Snapshot, only: Option<&BTreeSet<u64>>, until: u64) -> Walked {
    let mut samples: Vec<(&[u8], u64)> = snapshot.samples().map_while(whole).collect();
    let oldest = samples.last().and_then(|(sample, _)| Record::parse(sample)).map(|record| record.time());
    if let Some(only) = only {
        samples.retain(|(sample, _)| owner(sample).is_some_and(|cgroup| only.contains(&cgroup)));
    }
    let mut later = 0;
    for (sample, count) in &mut samples {
        let (kept, records) = head(sample, until);
        if records == *count {
            break;
        }
        later += *count - records;
        (*sample, *count) = (kept, records);
    }
    let mut bytes = Vec::with_capacity(samples.iter().map(|(sample, _)| sample.len()).sum());
    samples.iter().rev().for_each(|(sample, _)| bytes.extend_from_slice(sample));
    Walked { bytes, oldest, count: samples.iter().map(|(_, count)| count).sum(), later }
}

/// The records of a sample, or of several in the order of time, up to a time; and how many they are.
pub fn head(sample: &[u8], until: u64) -> (&[u8], u64) {
    let in_time = wire::records(sample).take_while(|record| record.time() <= until);
    let (length, count) = in_time.fold((0, 0), |(length, count), record| (length + record.bytes().len(), count + 1));
    (&sample[..length], count)
}

/// Whose a sample of a shared ring is.
pub fn owner(sample: &[u8]) -> Option<u64> {
    let first = Record::parse(sample)?;
    // A record that another program's writing put aside goes out alone and does not say.
    first.cgroup().or_else(|| (first.kind() == Kind::RECORD_CGROUP).then_some(0))
}

/// How many records of a shared ring are each cgroup's, and how many of them are ends of calls.
pub fn by_owner(snapshot: &Snapshot, counts: &mut HashMap<u64, (u64, u64)>) {
    for (sample, _) in snapshot.samples().map_while(whole) {
        let Some(owner) = owner(sample) else { continue };
        let (records, calls) = counts.entry(owner).or_default();
        for record in wire::records(sample).filter(|record| record.kind() != Kind::RECORD_CGROUP) {
            *records += 1;
            *calls += u64::from(record.kind() == Kind::RECORD_CALL);
        }
    }
}

/// The sample and how many records it is, if it is records from its beginning to its end.
pub(super) fn whole(sample: &[u8]) -> Option<(&[u8], u64)> {
    let (mut length, mut count) = (0, 0);
    for record in wire::records(sample) {
        length += record.bytes().len();
        count += 1;
    }
    (length > 0 && length == sample.len()).then_some((sample, count))
}
