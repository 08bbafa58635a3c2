//! What is recorded, and the taking of dumps.
//!
//! A `Recorder` owns the kernel side and a track for each cgroup it was given. `Recorder::dump` copies
//! every ring while the recording goes on and says for which time the copy is complete. It knows
//! nothing of sockets, terminals or files.

mod budget;
mod clock;
mod dump;
mod files;
mod network;
mod sockets;
mod threads;
mod track;

use anyhow::{Context, Result};

pub use budget::{Budget, Shrunk};
pub use clock::{boottime, realtime_offset};
pub use network::{generic_families, interfaces};
use track::Track;

use crate::{
    cgroup::Cgroup,
    kernel::{Feature, Features, Kernel, Options},
    model::{Cause, Files, Recording},
    ring::{self, Position},
    syscall::plan::Wanted,
    wire,
};

/// What to record, and with how much memory.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is recorded of a call.
    pub wanted: Wanted,
    /// Memory for the rings.
    pub budget: Budget,
    /// Kernel features that are not to be used.
    pub without: Vec<Feature>,
}

/// A running recording.
#[derive(Debug)]
pub struct Recorder {
    kernel: Kernel,
    tracks: Vec<Track>,
    began: u64,
    /// What descriptors stood for when it began.
    files: Vec<Files>,
    shrunk: Option<Shrunk>,
}

impl Recorder {
    /// Makes the rings and loads the programs, for so many cgroups; nothing is recorded yet.
    pub fn prepare(cgroups: usize, settings: &Settings) -> Result<Self> {
        let cpus = ring::online_cpus().context("list the online CPUs")?;
        let (size, shrunk) = settings.budget.ring_size(cgroups, cpus.len())?;
        let tracks = u32::try_from(cgroups).context("too many cgroups")?;
        let kernel =
            Kernel::load(&Options { wanted: settings.wanted.clone(), tracks, without: settings.without.clone() })?;
        let tracks = (1..=tracks).map(|slot| Track::make(slot, &cpus, size, &kernel)).collect::<Result<_>>()?;
        Ok(Self { kernel, tracks, began: boottime(), files: Vec::new(), shrunk })
    }

    /// Records the cgroups, each with its descendants, one track each. On return every call is recorded.
    pub fn record(&mut self, cgroups: Vec<Cgroup>) -> Result<()> {
        self.began = boottime();
        for (track, cgroup) in self.tracks.iter_mut().zip(cgroups) {
            track.assign(cgroup, &self.kernel)?;
        }
        self.files = files::of(&self.threads());
        Ok(())
    }

    /// Bytes of all rings.
    pub fn memory(&self) -> usize {
        self.tracks.iter().map(Track::memory).sum()
    }

    /// Whether the rings are smaller than was asked for.
    pub fn shrunk(&self) -> Option<Shrunk> {
        self.shrunk
    }

    /// Which of the optional kernel features are in use.
    pub fn features(&self) -> Features {
        self.kernel.features()
    }

    /// The kernel side.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Copies everything that the rings hold; the recording goes on.
    pub fn dump(&self, cause: Cause) -> Result<Recording> {
        dump::take(&self.kernel, &self.tracks, self.began, self.files.clone(), cause)
    }

    /// What was written since the last time, and how many records were overwritten unseen.
    pub fn news(&self, seen: &mut Vec<Position>) -> (Vec<Vec<u8>>, bool) {
        let mut blocks = Vec::new();
        let mut missed = false;
        if let Err(error) = self.kernel.flush() {
            tracing::warn!(error = %format!("{error:#}"), "the newest records are told later");
        }
        let rings = self.tracks.iter().flat_map(|track| &track.rings);
        for (n, ring) in rings.enumerate() {
            let since = seen.get(n).copied();
            let snapshot = ring.snapshot(since, wire::SAMPLE_MOST);
            missed |= since.is_some() && snapshot.wrapped();
            match seen.get_mut(n) {
                Some(position) => *position = snapshot.position(),
                None => seen.push(snapshot.position()),
            }
            blocks.push(track::oldest_first(&snapshot).0);
        }
        (blocks, missed)
    }

    /// What the descriptors of living processes stood for when the recording began.
    pub fn files(&self) -> &[Files] {
        &self.files
    }

    /// The threads that are alive in the recorded cgroups.
    pub fn threads(&self) -> Vec<crate::model::Process> {
        self.tracks.iter().flat_map(Track::threads).collect()
    }
}
