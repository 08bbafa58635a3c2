//! A snapshot's bytes as records: which of them are whole, whose they are, and the oldest.

use std::collections::BTreeSet;

use crate::{
    ring::Snapshot,
    wire::{self, Kind, Record},
};

/// A snapshot's records, oldest first, the time of the oldest, and how many they are. Of a shared ring
/// only those of some cgroups are wanted.
pub fn oldest_first(snapshot: &Snapshot, only: Option<&BTreeSet<u64>>) -> (Vec<u8>, Option<u64>, u64) {
    let mut samples: Vec<(&[u8], u64)> = snapshot.samples().map_while(whole).collect();
    let oldest = samples.last().and_then(|(sample, _)| Record::parse(sample)).map(|record| record.time());
    if let Some(only) = only {
        samples.retain(|(sample, _)| owner(sample).is_some_and(|cgroup| only.contains(&cgroup)));
    }
    let mut bytes = Vec::with_capacity(samples.iter().map(|(sample, _)| sample.len()).sum());
    samples.iter().rev().for_each(|(sample, _)| bytes.extend_from_slice(sample));
    (bytes, oldest, samples.iter().map(|(_, count)| count).sum())
}

/// Whose a sample of a shared ring is.
pub fn owner(sample: &[u8]) -> Option<u64> {
    let first = Record::parse(sample)?;
    // A record that another program's writing put aside goes out alone and does not say.
    first.cgroup().or_else(|| (first.kind() == Kind::RECORD_CGROUP).then_some(0))
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
