//! Where calls in flight were made: frame pointers are followed through the process's memory, and the
//! kernel's functions are what /proc/TID/stack tells of the thread.
//!
//! The thread goes on meanwhile, if it can: what is told is where it was when it was looked at.

use std::{collections::HashMap, fs, fs::File, os::unix::fs::FileExt, path::PathBuf, time::Duration};

use procfs::process::{MMPermissions, MMapPath, MemoryMap, Process};

use super::memory::since;
use crate::{
    model::{Module, Stacks},
    symbol::{BEFORE, is_behind_call},
    wire::{self, FRAMES_MOST, Place, inflight, record_flag},
};

/// Numbers of modules up to here are the kernel side's; record.h has them.
const FIRST: u16 = 0x6000;
const LAST: u16 = 0x7ffe;

/// Walks stacks for one dump.
#[derive(Debug)]
pub(super) struct Walker {
    stacks: Stacks,
    now: u64,
    /// The executable mappings of a process.
    maps: HashMap<u32, Vec<MemoryMap>>,
    /// The files that were found since they were last told of.
    modules: Vec<Module>,
    /// How many there have been.
    numbered: usize,
    /// Their numbers, by device, inode and path.
    numbers: HashMap<((i32, i32), u64, PathBuf), u16>,
}

impl Walker {
    pub(super) fn new(stacks: Stacks, now: u64) -> Self {
        Self { stacks, now, maps: HashMap::new(), modules: Vec::new(), numbered: 0, numbers: HashMap::new() }
    }

    /// Another walker has given so many numbers before.
    pub(super) fn count_from(&mut self, numbered: usize) {
        self.numbered = self.numbered.max(numbered);
    }

    /// The files that walked stacks lead through, each once.
    pub(super) fn new_modules(&mut self) -> Vec<Module> {
        std::mem::take(&mut self.modules)
    }

    /// Whether a call that began then is one whose stack is wanted.
    fn wants(&self, entered: u64) -> bool {
        match self.stacks {
            Stacks::All => true,
            // Whether it will fail nobody knows yet.
            Stacks::None | Stacks::Failed => false,
            Stacks::Slower(least) => entered == 0 || Duration::from_nanos(self.now.saturating_sub(entered)) >= least,
        }
    }

    /// The stack of a call in flight, as a record.
    pub(super) fn stack(&mut self, call: &inflight) -> Option<Vec<u8>> {
        if !self.wants(call.entered) {
            return None;
        }
        let time = since(call, self.now);
        // Who may not read it does without.
        let kernel = fs::read(format!("/proc/{}/stack", call.tid)).unwrap_or_default();
        let compat = call.flags.0 & record_flag::FLAG_COMPAT.0 != 0;
        let (frames, caller) = if compat || call.ip == 0 { (Vec::new(), None) } else { self.walk(call) };
        Some(wire::stack_record(call.tid, time, &frames, caller, &kernel))
    }

    fn walk(&mut self, call: &inflight) -> (Vec<Place>, Option<Place>) {
        let Ok(memory) = File::open(format!("/proc/{}/mem", call.tid)) else { return (Vec::new(), None) };
        let word = |at: u64| {
            let mut bytes = [0; 8];
            memory.read_exact_at(&mut bytes, at).ok().map(|()| u64::from_ne_bytes(bytes))
        };
        let called = |at: &u64| {
            let mut code = [0; BEFORE];
            let from = at.checked_sub(BEFORE as u64);
            from.is_some_and(|from| memory.read_exact_at(&mut code, from).is_ok()) && is_behind_call(&code)
        };
        let mut frames: Vec<Place> = self.place(call, call.ip).into_iter().collect();
        let mut addresses = vec![call.ip];
        let mut at = call.bp;
        while frames.len() < FRAMES_MOST
            && !frames.is_empty()
            && let (Some(above), Some(back)) = (word(at), at.checked_add(8).and_then(word))
            && let Some(place) = self.place(call, back)
        {
            frames.push(place);
            addresses.push(back);
            // A stack grows down: what is further out stands higher.
            if above <= at {
                break;
            }
            at = above;
        }
        let caller = word(call.sp).filter(|caller| called(caller) && addresses.get(1) != Some(caller));
        (frames, caller.and_then(|caller| self.place(call, caller)))
    }

    /// What stands at an address; `None`: nothing that can run.
    fn place(&mut self, call: &inflight, address: u64) -> Option<Place> {
        let maps = self.maps.entry(call.tgid).or_insert_with(|| executable(call.tid));
        let map = maps.iter().find(|map| (map.address.0..map.address.1).contains(&address))?;
        let MMapPath::Path(path) = &map.pathname else { return Some(Place::Address(address)) };
        let key = (map.dev, map.inode, path.clone());
        let number = match self.numbers.get(&key) {
            Some(number) => *number,
            None => {
                let number = u16::try_from(self.numbered).ok().and_then(|n| FIRST.checked_add(n))?;
                if number > LAST {
                    return Some(Place::Address(address));
                }
                let shown = path.to_string_lossy();
                let shown = shown.strip_suffix(" (deleted)").unwrap_or(&shown).to_owned();
                self.modules.push(Module { number, build_id: build_id(call.tid, map), path: shown });
                self.numbered += 1;
                self.numbers.insert(key, number);
                number
            }
        };
        Some(Place::Module(number, address - map.address.0 + map.offset))
    }
}

fn executable(tid: u32) -> Vec<MemoryMap> {
    let maps = i32::try_from(tid).ok().and_then(|tid| Process::new(tid).ok()?.maps().ok());
    maps.into_iter().flat_map(|maps| maps.0).filter(|map| map.perms.contains(MMPermissions::EXECUTE)).collect()
}

/// The build id of what is mapped there, whatever its path leads to now.
fn build_id(tid: u32, map: &MemoryMap) -> Option<String> {
    let place = format!("/proc/{tid}/map_files/{:x}-{:x}", map.address.0, map.address.1);
    let id = blazesym::helper::read_elf_build_id(&place).ok().flatten()?;
    Some(id.iter().map(|byte| format!("{byte:02x}")).collect())
}
