//! Taking a dump: copies of all rings, the calls in flight, the window and the losses.

use std::{
    collections::{BTreeSet, HashSet},
    fs,
};

use anyhow::{Context, Result};

use super::{
    clock::{boottime, realtime_offset},
    files,
    history::History,
    network::{generic_families, interfaces},
    slot::Slot,
    track::Track,
    walk::owner,
};
use crate::{
    kernel::{Kernel, Unsent},
    model::{Block, Cause, Dump, Files, Identity, Loss, Process, Recording, Stacks, Window},
    wire,
};

/// Rings that hold records of a track.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) slot: &'a Slot,
    /// In the lobby: which cgroups' records are wanted.
    pub(super) only: Option<BTreeSet<u64>>,
}

/// A track, and where its records are.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) track: &'a Track,
    pub(super) sources: Vec<Source<'a>>,
}

/// Copies what the tracks hold; nothing is stopped.
pub(super) fn take(kernel: &Kernel, wanted: &[Wanted<'_>], cause: Cause) -> Result<Recording> {
    let mut blocks = Vec::new();
    let mut reaches = Vec::new();
    let mut window = Window::default();
    let (mut written, mut failed) = (0, 0);
    let mut processes: Vec<Process> = wanted.iter().flat_map(|wanted| wanted.track.threads()).collect();
    // Before the rings: a call that ends in between is in them, and is then told as ended.
    let (in_flight, walked) = kernel.in_flight(boottime(), |slot, cgroup| {
        wanted.iter().flat_map(|wanted| &wanted.sources).any(|source| source.holds(slot, cgroup))
    })?;
    let unsent = kernel.flush()?;
    for source in wanted.iter().flat_map(|wanted| &wanted.sources) {
        let history = History::of(source.slot, source.only.as_ref());
        window.records += history.records;
        if source.only.is_none() {
            written += history.records;
        }
        reaches.extend(history.reaches);
        blocks.extend(history.blocks);
        for left in unsent.iter().filter(|left| source.holds_unsent(left)) {
            window.records += u64::from(left.records);
            blocks.push(Block { cpu: Some(left.cpu), bytes: left.bytes.clone() });
        }
        let all = source.slot.written(kernel)?;
        failed += all.lost;
        if source.only.is_none() {
            // What the rings no longer hold of all that was written.
            window.overwritten += all.records;
        }
    }
    window.overwritten = window.overwritten.saturating_sub(written);
    let (threads, calls): (Vec<_>, Vec<_>) = in_flight.into_iter().map(|call| (call.thread, call.record)).unzip();
    blocks.push(Block { cpu: None, bytes: calls.concat() });
    window.complete_from = reaches.iter().filter_map(|reach| reach.from).max();
    if let Some(complete) = window.complete_from {
        window.further = reaches.into_iter().filter(|reach| reach.from != Some(complete)).collect();
    }
    window.lost = losses(kernel, failed)?;
    let mut modules = kernel.modules()?;
    modules.extend(walked);
    let led_through = modules_of(&blocks);
    modules.retain(|module| led_through.contains(&module.number));
    let files = files::of(&processes);
    // Where /proc has other numbers, those in a call are all that is known.
    let known: BTreeSet<u32> = processes.iter().map(|thread| thread.tid).collect();
    processes.extend(threads.into_iter().filter(|thread| !known.contains(&thread.tid)));
    let files_before: Vec<Files> = wanted.iter().flat_map(|wanted| wanted.track.files.clone()).collect();
    Ok(Recording {
        dump: Dump {
            files_before,
            files,
            only_slower: kernel.only_slower(),
            stacks: Some(kernel.stacks()).filter(|stacks| *stacks != Stacks::None).map(|stacks| stacks.to_string()),
            modules,
            window,
            processes,
            ..header(wanted.iter().map(|wanted| (&wanted.track.identity, wanted.track.began)), cause)?
        },
        blocks,
    })
}

/// The files that the records' stacks lead through, by number.
fn modules_of(blocks: &[Block]) -> HashSet<u16> {
    let records = blocks.iter().flat_map(|block| wire::records(&block.bytes));
    let places = records.filter_map(|record| record.stack()).flat_map(|stack| stack.frames().chain(stack.caller()));
    places.filter_map(|place| if let wire::Place::Module(number, _) = place { Some(number) } else { None }).collect()
}

impl Source<'_> {
    fn holds(&self, slot: u32, cgroup: u64) -> bool {
        self.slot.number == slot && self.only.as_ref().is_none_or(|only| only.contains(&cgroup))
    }

    /// The same of what a CPU that is offline has kept.
    fn holds_unsent(&self, left: &Unsent) -> bool {
        owner(&left.bytes).map_or(self.slot.number == left.slot, |cgroup| self.holds(left.slot, cgroup))
    }
}

/// What was lost, by reason; `failed` records were not taken by their rings.
pub(super) fn losses(kernel: &Kernel, failed: u64) -> Result<Vec<Loss>> {
    let mut lost = Vec::new();
    if failed > 0 {
        lost.push(Loss { count: failed, reason: "the ring did not take them".to_owned() });
    }
    if kernel.stacks() != Stacks::None {
        let counters = kernel.counters()?;
        for (count, reason) in [
            (counters.stacks_failed, "stacks that could not be taken, of all cgroups' calls"),
            (counters.modules_full, "frames without their file: the map of files is full"),
        ] {
            if count > 0 {
                lost.push(Loss { count, reason: reason.to_owned() });
            }
        }
    }
    for (program, count) in kernel.missed()? {
        lost.push(Loss { count, reason: format!("the program {program} was running already on that CPU") });
    }
    Ok(lost)
}

/// A dump of some tracks, with what is known without a look at their rings: where, when, whose and why.
pub(super) fn header<'a>(whose: impl Iterator<Item = (&'a Identity, u64)>, cause: Cause) -> Result<Dump> {
    let host = nix::sys::utsname::uname().context("ask for the host's name")?;
    let (identities, began): (Vec<_>, Vec<_>) = whose.map(|(identity, began)| (identity.clone(), began)).unzip();
    Ok(Dump {
        traceloop: env!("CARGO_PKG_VERSION").to_owned(),
        host: host.nodename().to_string_lossy().into_owned(),
        boot_id: fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned(),
        kernel: host.release().to_string_lossy().into_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        clock_offset: realtime_offset(),
        taken: boottime(),
        began: began.into_iter().min().unwrap_or(0),
        cgroups: identities.iter().map(|identity| identity.cgroup.clone()).collect(),
        identities,
        cause,
        cores_kept: cores_are_kept(),
        interfaces: interfaces(),
        generic_families: generic_families(),
        ..Dump::default()
    })
}

/// Whether a core dump is found again by its process: systemd's handler is named in the kernel's setting.
fn cores_are_kept() -> bool {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    pattern.starts_with('|') && pattern.contains("/systemd-coredump")
}
