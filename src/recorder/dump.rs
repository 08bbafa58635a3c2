//! Taking a dump: copies of all rings, the calls in flight, the window and the losses.

use std::fs;

use anyhow::{Context, Result};

use super::{
    clock::{boottime, realtime_offset},
    files,
    network::{generic_families, interfaces},
    track::{Track, oldest_first},
};
use crate::{
    kernel::Kernel,
    model::{Block, Cause, Dump, Files, Loss, Process, Reach, Recording, Window},
    wire,
};

/// Copies what the tracks hold; nothing is stopped.
pub(super) fn take(
    kernel: &Kernel,
    tracks: &[Track],
    began: u64,
    files_before: Vec<Files>,
    cause: Cause,
) -> Result<Recording> {
    let mut blocks = Vec::new();
    let mut reaches = Vec::new();
    let mut window = Window::default();
    let (mut written, mut failed) = (0, 0);
    let processes: Vec<Process> = tracks.iter().flat_map(Track::threads).collect();
    for track in tracks {
        // Before the rings: a call that ends in between is in them, and is then told as ended.
        let in_flight = kernel.in_flight(track.slot, boottime())?;
        kernel.flush()?;
        for ring in &track.rings {
            let snapshot = ring.snapshot(None, wire::SAMPLE_MOST);
            let (bytes, oldest, count) = oldest_first(&snapshot);
            reaches.push(Reach { cpu: ring.cpu(), from: oldest.filter(|_| snapshot.wrapped()) });
            window.records += count;
            blocks.push(Block { cpu: Some(ring.cpu()), bytes });
            let tally = kernel.tally(track.slot, ring.cpu())?;
            written += tally.records;
            failed += tally.lost;
        }
        blocks.push(Block { cpu: None, bytes: in_flight.concat() });
    }
    window.overwritten = written.saturating_sub(window.records);
    window.complete_from = reaches.iter().filter_map(|reach| reach.from).max();
    if let Some(complete) = window.complete_from {
        window.further = reaches.into_iter().filter(|reach| reach.from != Some(complete)).collect();
    }
    window.lost = losses(kernel, failed)?;
    let files = files::of(&processes);
    Ok(Recording { dump: Dump { files_before, files, ..identity(tracks, began, cause, window, processes)? }, blocks })
}

fn losses(kernel: &Kernel, failed: u64) -> Result<Vec<Loss>> {
    let mut lost = Vec::new();
    if failed > 0 {
        lost.push(Loss { count: failed, reason: "the ring did not take them".to_owned() });
    }
    for (program, count) in kernel.missed()? {
        lost.push(Loss { count, reason: format!("the program {program} was running already on that CPU") });
    }
    Ok(lost)
}

fn identity(
    tracks: &[Track],
    began: u64,
    cause: Cause,
    window: Window,
    processes: Vec<crate::model::Process>,
) -> Result<Dump> {
    let host = nix::sys::utsname::uname().context("ask for the host's name")?;
    Ok(Dump {
        traceloop: env!("CARGO_PKG_VERSION").to_owned(),
        host: host.nodename().to_string_lossy().into_owned(),
        boot_id: fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned(),
        kernel: host.release().to_string_lossy().into_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        clock_offset: realtime_offset(),
        taken: boottime(),
        began,
        cgroups: tracks.iter().filter_map(|track| track.cgroup.as_ref()).map(crate::cgroup::Cgroup::name).collect(),
        cause,
        window,
        processes,
        interfaces: interfaces(),
        generic_families: generic_families(),
        ..Dump::default()
    })
}
