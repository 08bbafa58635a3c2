//! What a keeper is to hold, so that a later recorder can go on: the kernel side once, each ring as it is
//! made, and a note of each slot and track as it changes.
//!
//! A keeper that fails costs the promise to outlive the process until the next one is there, and nothing else.

use std::{os::fd::OwnedFd, time::Duration};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{TrackId, cost::Cost};
use crate::{
    history::{Keep, Outlives, Remains, Settings},
    keeper::{self, Line},
    kernel::{self, Kernel},
};

/// The note of the recording as a whole.
pub(super) const RECORDING: &str = "recording";
/// The note of what recording a call costs.
pub(super) const COST: &str = "cost";
/// Before a slot's number.
pub(super) const SLOT: &str = "slot/";
/// Before a track's number.
pub(super) const TRACK: &str = "track/";

/// What has to be the same for a recording to go on, and what it was made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecordingNote {
    /// Programs and settings.
    pub(super) fingerprint: String,
    /// Bytes of each ring, and of each of the lobby's.
    pub(super) ring: usize,
    pub(super) lobby: usize,
    /// How many slots there can be.
    pub(super) most: u32,
    /// The track of what is in no leaf.
    pub(super) rest: TrackId,
}

/// The note of what is kept of what rings take.
pub(super) const HISTORY_NOTE: &str = "history";

/// By which rules history is kept, for whom keeps it while the recorder is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HistoryNote {
    pub(super) cpu: u32,
    min_age: Option<Duration>,
    keep: Vec<String>,
    keep_share: u32,
    /// Bytes of rings and history together.
    pub(super) total: usize,
}

impl HistoryNote {
    pub(super) fn settings(&self) -> Result<Settings> {
        let Self { cpu, min_age, ref keep, keep_share, .. } = *self;
        Ok(Settings { cpu, min_age, keep: Keep::parse(keep)?, keep_share })
    }
}

/// The parts of the kernel side that are held.
pub(super) fn kernel_parts(held: &keeper::Held) -> Result<kernel::Held> {
    let is_part = |name: &str, ring: Option<usize>| ring.is_none() && !HISTORY.contains(&name);
    let parts = held.fds.iter().filter(|(name, (_, ring))| is_part(name, *ring));
    parts.map(|(name, (fd, _))| Ok((name.clone(), fd.try_clone().context("hold a part of the kernel side")?))).collect()
}

/// The names of what the history stands in.
const HISTORY: [&str; 2] = ["history/bytes", "history/journals"];

/// The history that a keeper holds, if it holds one that can be gone on with.
pub(super) fn remains(held: &keeper::Held) -> Result<Option<Remains>> {
    let held = HISTORY.map(|name| held.fds.get(name).and_then(|(fd, _)| fd.try_clone().ok()));
    let [Some(bytes), Some(journals)] = held else { return Ok(None) };
    Remains::of([bytes, journals]).map(Some)
}

/// The same for who is to go on with it: nobody else does any more.
pub(super) fn history(held: &keeper::Held, line: &Line) -> Option<Remains> {
    let lost = |error: &anyhow::Error| {
        tracing::warn!(error = %format!("{error:#}"), "of the recording that is held only what its rings hold is left");
    };
    let relieved = line.relieve(held).context("relieve the keeper of the history");
    relieved.and_then(|()| remains(held)).inspect_err(lost).ok().flatten()
}

/// Memory for a history that outlives the process.
pub(super) fn outlives() -> Option<Outlives> {
    let none = |error: &anyhow::Error| {
        tracing::warn!(error = %format!("{error:#}"), "of what is recorded only what rings hold outlives the daemon");
    };
    Outlives::new().inspect_err(none).ok()
}

/// The name of a ring.
pub(super) fn ring_name(slot: u32, serial: u32) -> String {
    format!("ring/{slot}/{serial}")
}

/// The line to a keeper, if there is to be one.
#[derive(Debug, Default)]
pub(super) struct Hold {
    line: Option<Line>,
}

impl Hold {
    pub(super) fn new(line: Option<Line>) -> Self {
        Self { line }
    }

    /// Whether a keeper is there.
    pub(super) fn is_held(&self) -> Option<bool> {
        self.line.as_ref().map(Line::is_up)
    }

    pub(super) fn kernel(&self, kernel: &Kernel) -> Result<()> {
        let Some(line) = &self.line else { return Ok(()) };
        line.clear();
        kernel.handles()?.into_iter().for_each(|(name, fd)| line.hold(&name, fd, None));
        Ok(())
    }

    /// What the history stands in, if that is new, and how it is gone on with while the recorder is away.
    pub(super) fn history(&self, new: Option<&Outlives>, settings: &Settings, total: usize) -> Result<()> {
        if let (Some(line), Some(new)) = (&self.line, new) {
            HISTORY.iter().zip(new.descriptors()?).for_each(|(name, fd)| line.hold(name, fd, None));
        }
        let Settings { cpu, min_age, ref keep, keep_share } = *settings;
        self.note(HISTORY_NOTE, &HistoryNote { cpu, min_age, keep: keep.rules(), keep_share, total });
        Ok(())
    }

    /// The programs run no longer: nobody holds them, or what attaches them.
    pub(super) fn programs_go(&self, names: &[String]) {
        self.line.iter().for_each(|line| names.iter().for_each(|name| line.let_go(name)));
    }

    /// Others run in their place.
    pub(super) fn programs(&self, kernel: &Kernel) -> Result<()> {
        let Some(line) = &self.line else { return Ok(()) };
        let names = kernel.names_of_programs();
        let handles = kernel.handles()?.into_iter().filter(|(name, _)| names.contains(name));
        handles.for_each(|(name, fd)| line.hold(&name, fd, None));
        Ok(())
    }

    fn note(&self, name: &str, note: &impl Serialize) {
        if let Some(Err(error)) = self.line.as_ref().map(|line| line.note(name, note)) {
            tracing::warn!(error = %format!("{error:#}"), "the keeper cannot be told something");
        }
    }

    pub(super) fn recording(&self, note: &RecordingNote) {
        self.note(RECORDING, note);
    }

    /// What recording a call costs, which is measured before anything is attached.
    pub(super) fn cost(&self, cost: &Cost) {
        self.note(COST, cost);
    }

    /// What the ring is made of is given away.
    pub(super) fn ring(&self, slot: u32, serial: u32, event: OwnedFd, size: usize) {
        if let Some(line) = &self.line {
            line.hold(&ring_name(slot, serial), event, Some(size));
        }
    }

    pub(super) fn let_go(&self, slot: u32, serial: u32) {
        self.line.iter().for_each(|line| line.let_go(&ring_name(slot, serial)));
    }

    pub(super) fn slot(&self, slot: u32, note: &impl Serialize) {
        self.note(&format!("{SLOT}{slot}"), note);
    }

    pub(super) fn track(&self, id: TrackId, note: &impl Serialize) {
        self.note(&format!("{TRACK}{}", id.0), note);
    }

    pub(super) fn forget(&self, id: TrackId) {
        self.line.iter().for_each(|line| line.let_go(&format!("{TRACK}{}", id.0)));
    }

    pub(super) fn settle(&self) {
        self.line.iter().for_each(Line::settle);
    }

    pub(super) fn end(&self) {
        self.line.iter().for_each(Line::end);
    }
}
