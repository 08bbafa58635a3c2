//! How the calls of each slot are recorded, where slots differ: their profiles, and the sets of calls that these name.

use std::{cell::RefCell, collections::HashMap, mem::offset_of};

use anyhow::{Context, Result};
use libbpf_rs::{MapCore, MapFlags};

use super::{Kernel, row::row};
use crate::{
    model::Stacks,
    profile::{Level, Profile},
    skel::types::{at_end, call_set, profile},
    syscall::{Abi, Filter, NUMBERS},
};

/// Calls by number, those of the 32-bit ABI behind the others (bpf/plan.h).
type Set = [u64; 16];

/// The set that holds none, and is never filled: bpf/plan.h's SET_NONE.
const NO_CALLS: u32 = 127;

/// What slots were given, and under which numbers sets of calls are known.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// What each slot names; 0: all calls.
    by_slot: HashMap<u32, (u32, bool)>,
    sets: HashMap<u32, Set>,
    /// By how they were written.
    known: HashMap<String, Set>,
}

/// Elements that the kernel side reads of an array of pointers at most.
const VECTOR_MOST: u32 = 64;

/// How many elements of an array are recorded where strings have this limit.
pub(super) fn vector_limit(strings: u32, verbose: bool) -> u32 {
    if verbose { VECTOR_MOST } else { strings.clamp(1, VECTOR_MOST) }
}

fn set_of(filter: &Filter) -> Set {
    let mut set = Set::default();
    for (half, abi) in [false, true].map(Abi::native).into_iter().enumerate() {
        for nr in (0..NUMBERS).filter(|nr| filter.wants(abi, *nr)) {
            let index = half * usize::from(NUMBERS) + usize::from(nr);
            set[index / 64] |= 1 << (index % 64);
        }
    }
    set
}

/// Which stacks, as bpf/plan.h numbers them, and of calls of which length.
pub(super) fn stacks_of(stacks: Stacks) -> (u32, u64) {
    match stacks {
        Stacks::None => (0, 0),
        Stacks::All => (1, 0),
        Stacks::Failed => (2, 0),
        Stacks::Slower(least) => (3, u64::try_from(least.as_nanos()).unwrap_or(u64::MAX)),
    }
}

impl Kernel {
    /// From its next call on, what is assigned to the slot is recorded so.
    pub fn set_profile(&self, slot: u32, wanted: &Profile, level: Level) -> Result<()> {
        let doing = || format!("change how slot {slot} is recorded");
        let set = self.set_number(slot, wanted, level).with_context(doing)?;
        let (which, stacks_slower) = stacks_of(if level == Level::All { wanted.stacks } else { Stacks::None });
        let slower_than = u64::try_from(wanted.only_slower.as_nanos()).unwrap_or(u64::MAX);
        let slower = if slower_than > 0 { at_end::END_SLOWER } else { at_end::END_AS_ALL };
        let stacks = if which > 0 { at_end::END_STACK } else { at_end::END_AS_ALL };
        let kept = if level == Level::Kept { at_end::END_KEPT } else { at_end::END_AS_ALL };
        let row = profile {
            slower_than,
            stacks_slower,
            string_limit: wanted.string_limit,
            vector_limit: vector_limit(wanted.string_limit, self.options.wanted.verbose),
            set,
            contents: u8::from(wanted.payload && level == Level::All),
            stacks: u8::try_from(which)?,
            off: u8::from(wanted.off),
            uring: u8::from(level < Level::Kept && wanted.syscalls.filter().wants_uring(Abi::native(false))),
            at_end: at_end(slower.0 | stacks.0 | kept.0),
            ..Default::default()
        };
        self.skel.maps.profiles.update(&slot.to_ne_bytes(), &bytes_of(&row), MapFlags::ANY).with_context(doing)?;
        let before = self.given.borrow_mut().by_slot.insert(slot, (set, wanted.off));
        // Which slot a cgroup has is kept, and none while it is off.
        if before.is_none_or(|(_, off)| off != wanted.off) { self.forget_slots() } else { Ok(()) }
    }

    /// The number of a profile's set of calls, which is there before a profile names it.
    fn set_number(&self, slot: u32, wanted: &Profile, level: Level) -> Result<u32> {
        if level == Level::Counts {
            return Ok(NO_CALLS);
        }
        if wanted.syscalls.are_all() {
            return Ok(0);
        }
        let mut given = self.given.borrow_mut();
        let text = wanted.syscalls.to_string();
        let set = *given.known.entry(text).or_insert_with(|| set_of(wanted.syscalls.filter()));
        if let Some((number, _)) = given.sets.iter().find(|(_, known)| **known == set) {
            return Ok(*number);
        }
        let in_use: Vec<u32> =
            given.by_slot.iter().filter(|(other, _)| **other != slot).map(|(_, (set, _))| *set).collect();
        let last = NO_CALLS;
        let own = given.by_slot.get(&slot).map(|(set, _)| *set);
        let mut free = (1..last).filter(|number| !in_use.contains(number) && own != Some(*number));
        let number = free.next().with_context(|| {
            format!("{} different sets of calls are recorded already: that is the most", last.saturating_sub(1))
        })?;
        let row: Vec<u8> = call_set { wanted: set }.wanted.iter().flat_map(|word| word.to_ne_bytes()).collect();
        self.skel.maps.call_sets.update(&number.to_ne_bytes(), &row, MapFlags::ANY).context("write a set of calls")?;
        given.sets.insert(number, set);
        Ok(number)
    }

    /// What an earlier process gave slots.
    pub(super) fn adopt_profiles(&self, slots: u32) -> Result<()> {
        let mut given = self.given.borrow_mut();
        for slot in 0..=slots {
            let row = self.skel.maps.profiles.lookup(&slot.to_ne_bytes(), MapFlags::ANY).context("read a profile")?;
            let Some(row) = row else { continue };
            let set = row.get(SET_AT..SET_AT + 4).and_then(|raw| raw.try_into().ok()).map_or(0, u32::from_ne_bytes);
            let off = row.get(OFF_AT).is_some_and(|off| *off != 0);
            given.by_slot.insert(slot, (set, off));
        }
        Ok(())
    }
}

const SET_AT: usize = offset_of!(profile, set);
const OFF_AT: usize = offset_of!(profile, off);

fn bytes_of(profile: &profile) -> Vec<u8> {
    row::<profile>(&[
        (offset_of!(profile, slower_than), &profile.slower_than.to_ne_bytes()),
        (offset_of!(profile, stacks_slower), &profile.stacks_slower.to_ne_bytes()),
        (offset_of!(profile, string_limit), &profile.string_limit.to_ne_bytes()),
        (offset_of!(profile, vector_limit), &profile.vector_limit.to_ne_bytes()),
        (SET_AT, &profile.set.to_ne_bytes()),
        (offset_of!(profile, contents), &[profile.contents]),
        (offset_of!(profile, stacks), &[profile.stacks]),
        (OFF_AT, &[profile.off]),
        (offset_of!(profile, uring), &[profile.uring]),
        (offset_of!(profile, at_end), &[profile.at_end.0]),
    ])
}

/// Nothing given yet.
pub(super) fn none() -> RefCell<Given> {
    RefCell::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_both_abis_one_behind_the_other() {
        let set = set_of(&Filter::parse("read@64,exit@32").unwrap());
        let has = |index: usize| set[index / 64] >> (index % 64) & 1 == 1;
        assert_eq!(set.iter().map(|word| word.count_ones()).sum::<u32>(), 2);
        // read is 0 on x86-64 and exit 1 on ia32.
        #[cfg(target_arch = "x86_64")]
        assert!(has(0) && has(usize::from(NUMBERS) + 1));
        assert!(set_of(&Filter::default()).iter().all(|word| *word == u64::MAX));
        assert_eq!(2 * usize::from(NUMBERS), 64 * set.len());
    }

    #[test]
    fn a_row_is_what_the_kernel_side_reads() {
        let row = profile { set: 7, off: 1, string_limit: 9, at_end: at_end(3), ..Default::default() };
        let bytes = bytes_of(&row);
        assert_eq!((bytes.len(), bytes[SET_AT], bytes[OFF_AT]), (size_of::<profile>(), 7, 1));
    }
}
