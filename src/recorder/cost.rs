//! What recording a call costs on this machine: measured once, before and after the programs are attached.
//!
//! A thread of ours makes cheap calls, first as they are, then recorded into a slot that nobody has yet, then left out as
//! a profile leaves calls out. The fastest of many rounds counts: what else the machine does only adds to it. What was
//! recorded of it is thrown away with the slot's stretch.

use std::{io, path::Path, time::Instant};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::{Recorder, boottime, slot};
use crate::{
    cgroup::{Cgroup, v2_mount},
    identity,
    kernel::Assignment,
    profile::{Level, Profile},
    syscall::Kept,
};

/// Nanoseconds that are added to a call.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// If it is recorded ...
    pub call: f64,
    /// ... and for each byte of its record.
    pub byte: f64,
    /// If it is left out where it begins.
    pub skipped: f64,
    /// If it is looked at when it ends, and left out.
    pub unkept: f64,
    /// Whether it was measured here.
    pub measured: bool,
}

impl Default for Cost {
    /// Where it could not be measured: as on the machine that the project was measured on.
    fn default() -> Self {
        Self { call: 220.0, byte: 0.6, skipped: 110.0, unkept: 170.0, measured: false }
    }
}

impl Cost {
    /// Of one call that is recorded in so many bytes.
    pub(super) fn call(&self, bytes: f64) -> f64 {
        self.call + self.byte * bytes
    }

    /// Of calls that were recorded, in so many bytes, and of those that were not.
    #[allow(clippy::cast_precision_loss, reason = "what a second's calls cost fits into a double")]
    pub(super) fn of(&self, calls: u64, bytes: u64, skipped: u64, level: Level) -> f64 {
        let each = if level == Level::Kept { self.unkept } else { self.skipped };
        calls as f64 * self.call + bytes as f64 * self.byte + skipped as f64 * each
    }
}

/// Rounds of so many calls; the fastest counts.
const ROUNDS: u32 = 25;
const CALLS: u32 = 400;

/// What calls cost, nanoseconds: one that has nothing to be recorded but itself, and one with contents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain {
    bare: f64,
    write: f64,
}

/// As calls are at the moment.
pub(super) fn measure() -> Result<Plain> {
    let null = std::fs::OpenOptions::new().write(true).open("/dev/null").context("open /dev/null")?;
    let fd = std::os::fd::AsRawFd::as_raw_fd(&null);
    let bytes = [b'x'; 64];
    let bare = bare()?;
    // SAFETY: the buffer has 64 bytes, and the descriptor is ours.
    let write = fastest(|| unsafe { libc::syscall(libc::SYS_write, fd, bytes.as_ptr(), bytes.len()) })?;
    Ok(Plain { bare, write })
}

fn bare() -> Result<f64> {
    // SAFETY: getppid takes nothing.
    fastest(|| unsafe { libc::syscall(libc::SYS_getppid) })
}

fn fastest(call: impl Fn() -> libc::c_long) -> Result<f64> {
    let mut fastest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..CALLS {
            ensure!(call() >= 0, "make a call to see what it costs: {}", io::Error::last_os_error());
        }
        fastest = fastest.min(began.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
    }
    Ok(fastest)
}

impl Recorder {
    /// Measures what is added to calls, since they were so fast before anything was attached.
    pub(super) fn reckon(&mut self, before: Option<Plain>) -> Cost {
        let began = boottime();
        let cost = before.context("nothing was measured before").and_then(|before| self.measured(before));
        match cost {
            Ok(cost) => {
                let took = (boottime() - began) / 1_000_000;
                tracing::debug!(?cost, took, "what recording a call costs was measured");
                cost
            }
            Err(error) => {
                tracing::debug!(error = %format!("{error:#}"), "what recording a call costs is not measured here");
                Cost::default()
            }
        }
    }

    fn measured(&mut self, before: Plain) -> Result<Cost> {
        let own = identity::cgroup_of(std::process::id())?;
        let mount = v2_mount()?;
        let below = Path::new(&own).strip_prefix(&mount.root).context("find our own cgroup")?;
        let own = Cgroup::open(&mount.point.join(below))?;
        ensure!(self.kernel.assignment(own.id())?.is_none_or(|known| known.slot == 0), "our own calls are recorded");
        let slot = self.lend()?.context("no ring is free")?;
        let measured = self.measured_in(slot.number, &own, before);
        let released = self.kernel.release(&own);
        self.watched_mut()?.used.push(slot);
        released.and(measured)
    }

    fn measured_in(&mut self, slot: u32, own: &Cgroup, before: Plain) -> Result<Cost> {
        let all = Profile::default();
        self.kernel.set_profile(slot, &all, Level::All)?;
        self.kernel.assign(own, Assignment { slot, parted: false })?;
        let counted = |recorder: &Self| -> Result<_> {
            recorder.kernel.flush()?;
            slot::counted(&recorder.kernel, slot)
        };
        let start = counted(self)?;
        let recorded = measure()?;
        let end = counted(self)?;
        ensure!(end.calls - start.calls >= u64::from(ROUNDS * CALLS), "our calls were not recorded");
        // Half of the calls are of each kind; a bare one takes forty bytes.
        #[allow(clippy::cast_precision_loss, reason = "a few thousand calls")]
        let average = (end.bytes - start.bytes) as f64 / (end.calls - start.calls) as f64;
        let (bare_bytes, write_bytes) = (40.0, (2.0 * average - 40.0).max(48.0));
        let added = |now: f64, before: f64| (now - before).max(1.0);
        let (bare, write) = (added(recorded.bare, before.bare), added(recorded.write, before.write));
        let byte = ((write - bare) / (write_bytes - bare_bytes)).clamp(0.0, bare / bare_bytes);
        self.kernel.set_profile(slot, &all, Level::Counts)?;
        let skipped = added(self::bare()?, before.bare);
        self.kernel.set_profile(slot, &all, Level::Kept)?;
        let unkept = added(self::bare()?, before.bare).max(skipped);
        Ok(Cost { call: bare - byte * bare_bytes, byte, skipped, unkept, measured: true })
    }

    /// Which calls are left to whom recording all of them costs too much.
    pub(super) fn set_kept(&self, kept: &[Kept]) -> Result<()> {
        self.kernel.set_kept(kept)
    }
}
