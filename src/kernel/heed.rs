//! Calls that the kernel side tells of at once, by how they end.

use anyhow::{Context, Result, ensure};
use libbpf_rs::{ErrorKind, MapCore, MapFlags};

use super::{Kernel, WHEN_FIRST};
use crate::skel::types;

/// One kind of call to be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallRule {
    /// The call's number.
    pub nr: u16,
    /// Whether it comes in by the 32-bit ABI.
    pub compat: bool,
    /// How it ends.
    pub end: End,
}

/// What about the end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It failed with this errno.
    Failed(i32),
    /// It lasted at least so many nanoseconds.
    Longer(u64),
}

/// So many rules there can be (bpf/rule.h).
const MOST: usize = 32;

impl Kernel {
    /// From now on it tells of these calls, and of no others.
    pub fn heed(&self, rules: &[CallRule]) -> Result<()> {
        ensure!(rules.len() <= MOST, "{} kinds of calls are too many to look for: {MOST} at most", rules.len());
        let mut value = vec![0; size_of::<types::call_rules>()];
        value[..8].copy_from_slice(&(rules.len() as u64).to_ne_bytes());
        for (row, rule) in value[8..].chunks_exact_mut(size_of::<types::call_rule>()).zip(rules) {
            let (longer, error) = match rule.end {
                End::Failed(errno) => (0, errno),
                End::Longer(time) => (time, 0),
            };
            row[..8].copy_from_slice(&longer.to_ne_bytes());
            row[8..12].copy_from_slice(&error.to_ne_bytes());
            row[12..14].copy_from_slice(&rule.nr.to_ne_bytes());
            row[14] = u8::from(rule.compat);
        }
        self.skel.maps.data_rules.update(&WHEN_FIRST, &value, MapFlags::ANY).context("tell which calls to look for")
    }

    /// Somebody has looked at the ends of a slot's processes: it tells of the next of each kind. In the lobby, of these
    /// cgroups'.
    pub fn ends_heeded(&self, slot: u32, in_lobby: impl IntoIterator<Item = u64>) -> Result<()> {
        let told = &self.skel.maps.told_of_ends;
        told.update(&slot.to_ne_bytes(), &[0; 8], MapFlags::ANY).context("ask for the next end")?;
        in_lobby.into_iter().try_for_each(|cgroup| self.heeded_in_lobby(cgroup))
    }

    /// The same of ends and calls of a cgroup that shares the lobby.
    pub fn heeded_in_lobby(&self, cgroup: u64) -> Result<()> {
        match self.skel.maps.told_in_lobby.delete(&cgroup.to_ne_bytes()) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context("ask for what comes next"),
            _ => Ok(()),
        }
    }

    /// Somebody has looked: it tells of the next such call of the slot's.
    pub fn heeded(&self, slot: u32) -> Result<()> {
        let told = &self.skel.maps.told_of_calls;
        told.update(&slot.to_ne_bytes(), &[0; 4], MapFlags::ANY).context("ask for the next call")
    }
}
