//! What CPUs have written and not sent to a ring yet: they are made to send it, or, where a CPU is
//! offline, it is read where it stands.
//!
//! A CPU that comes back sends what it had kept, and its old rings refuse it: it is counted as lost then,
//! unless the CPU has got new rings first.

use std::{
    mem::{offset_of, size_of},
    os::fd::AsFd,
};

use anyhow::{Context, Result};
use libbpf_rs::{MapCore, MapFlags};

use super::{Kernel, WHEN_FIRST, flush};
use crate::skel::types::writing;

/// Records that a CPU took away with it, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// The CPU, which is offline.
    pub cpu: u32,
    /// Whose they are.
    pub slot: u32,
    /// The records.
    pub bytes: Vec<u8>,
    /// How many they are.
    pub records: u32,
}

impl Kernel {
    /// Makes each CPU send what it has written and not sent yet; then the rings are up to date. Gives what
    /// CPUs that are offline could not send.
    pub fn flush(&self) -> Result<Vec<Unsent>> {
        // Many CPUs can be that never were there, and each look costs what all of them keep.
        let mut away = Vec::new();
        for cpu in 0..self.cpus {
            if !flush::flush(self.skel.progs.flush.as_fd(), cpu)? && self.has_written(cpu) {
                away.push(cpu);
            }
        }
        if away.is_empty() {
            return Ok(Vec::new());
        }
        let writings = self.skel.maps.writings.lookup_percpu(&WHEN_FIRST, MapFlags::ANY);
        let writings = writings.context("read what CPUs that are offline have written")?.unwrap_or_default();
        let left = |cpu: u32| unsent(cpu, writings.get(usize::try_from(cpu).ok()?)?);
        Ok(away.into_iter().filter_map(left).collect())
    }
}

/// What stands in a CPU's place to write.
fn unsent(cpu: u32, raw: &[u8]) -> Option<Unsent> {
    let word = |at: usize| Some(u32::from_ne_bytes(raw.get(at..at + size_of::<u32>())?.try_into().ok()?));
    let used = usize::try_from(word(offset_of!(writing, used))?).ok()?;
    let bytes = raw.get(offset_of!(writing, bytes)..)?.get(..used)?;
    (used > 0).then_some(Unsent {
        cpu,
        slot: word(offset_of!(writing, slot))?,
        bytes: bytes.to_vec(),
        records: word(offset_of!(writing, records))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_is_read_and_no_more() {
        let mut raw = vec![7; size_of::<writing>()];
        let mut put = |at: usize, value: u32| raw[at..at + 4].copy_from_slice(&value.to_ne_bytes());
        put(offset_of!(writing, slot), 3);
        put(offset_of!(writing, records), 2);
        put(offset_of!(writing, used), 16);
        assert_eq!(unsent(1, &raw), Some(Unsent { cpu: 1, slot: 3, bytes: vec![7; 16], records: 2 }));
        raw[offset_of!(writing, used)..][..4].copy_from_slice(&0_u32.to_ne_bytes());
        assert_eq!(unsent(1, &raw), None);
        raw[offset_of!(writing, used)..][..4].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert_eq!(unsent(1, &raw), None, "more than there is");
        assert_eq!(unsent(1, &[]), None);
    }
}
