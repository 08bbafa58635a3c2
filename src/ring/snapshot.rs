//! Bytes copied out of a ring, and the walk over them. No byte in them can make it panic.

use serde::{Deserialize, Serialize};

/// A place in a ring's endless stream; it counts down as the kernel writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position(pub(super) u64);

impl Position {
    /// How many bytes were written from an older position up to this one.
    pub fn behind(self, newer: Self) -> u64 {
        self.0.wrapping_sub(newer.0)
    }
}

/// perf's record types, include/uapi/linux/perf_event.h.
const PERF_RECORD_LOST: u32 = 2;
const PERF_RECORD_SAMPLE: u32 = 9;
/// struct perf_event_header: type, misc, size.
const HEADER: usize = 8;

/// What a ring held, newest first.
#[derive(Debug)]
pub struct Snapshot {
    cpu: u32,
    position: Position,
    bytes: Vec<u8>,
    intact: usize,
    wrapped: bool,
}

impl Snapshot {
    /// `intact` bytes from the newest on are known to be whole; `wrapped`: there was more once.
    pub(super) fn new(cpu: u32, position: Position, bytes: Vec<u8>, intact: usize, wrapped: bool) -> Self {
        Self { cpu, position, bytes, intact, wrapped }
    }

    /// Bytes that were copied elsewhere, whoever wrote them.
    pub fn of_bytes(cpu: u32, bytes: Vec<u8>, intact: usize) -> Self {
        Self::new(cpu, Position(0), bytes, intact, true)
    }

    pub(super) fn empty(cpu: u32, position: Position) -> Self {
        Self::new(cpu, position, Vec::new(), 0, false)
    }

    /// The ring's CPU.
    pub fn cpu(&self) -> u32 {
        self.cpu
    }

    /// Where it begins: a later snapshot can be taken since then.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Whether older samples than these were overwritten.
    pub fn wrapped(&self) -> bool {
        self.wrapped
    }

    /// The samples' data from newest to oldest, each with the four bytes of its length before it.
    pub fn samples(&self) -> Samples<'_> {
        Samples { rest: &self.bytes[..self.intact.min(self.bytes.len())] }
    }
}

/// Walks a snapshot's samples. What perf says it lost is stepped over: the kernel side has counted each of them.
#[derive(Debug)]
pub struct Samples<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Samples<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let header = self.rest.first_chunk::<HEADER>()?;
            let [t0, t1, t2, t3, _, _, s0, s1] = *header;
            let kind = u32::from_ne_bytes([t0, t1, t2, t3]);
            let size = usize::from(u16::from_ne_bytes([s0, s1]));
            if size < HEADER || size % 8 != 0 {
                return None;
            }
            let (event, rest) = self.rest.split_at_checked(size)?;
            self.rest = rest;
            match kind {
                PERF_RECORD_SAMPLE => return Some(&event[HEADER..]),
                PERF_RECORD_LOST => {}
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(kind: u32, payload: &[u8]) -> Vec<u8> {
        let size = u16::try_from(HEADER + payload.len()).unwrap();
        let mut bytes = kind.to_ne_bytes().to_vec();
        bytes.extend([0, 0]);
        bytes.extend(size.to_ne_bytes());
        bytes.extend(payload);
        bytes
    }

    fn of(bytes: Vec<u8>, intact: usize) -> Snapshot {
        Snapshot::new(0, Position(0), bytes, intact, true)
    }

    #[test]
    fn samples_come_newest_first_and_what_perf_lost_is_stepped_over() {
        let mut bytes = event(PERF_RECORD_SAMPLE, &[1; 8]);
        bytes.extend(event(PERF_RECORD_LOST, &[7_u64.to_ne_bytes(), 5_u64.to_ne_bytes()].concat()));
        bytes.extend(event(PERF_RECORD_SAMPLE, &[2; 16]));
        let snapshot = of(bytes, usize::MAX);
        assert!(snapshot.samples().eq([&[1; 8][..], &[2; 16][..]]));
    }

    #[test]
    fn a_sample_across_the_intact_end_is_left_out() {
        let mut bytes = event(PERF_RECORD_SAMPLE, &[1; 8]);
        bytes.extend(event(PERF_RECORD_SAMPLE, &[2; 16]));
        assert_eq!(of(bytes.clone(), 39).samples().count(), 1);
        assert_eq!(of(bytes, 40).samples().count(), 2);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_walk_panic(bytes in prop::collection::vec(any::<u8>(), 0..512), intact in 0_usize..600) {
            let snapshot = of(bytes, intact);
            prop_assert!(snapshot.samples().count() <= 64);
        }
    }
}
