//! One recorded cgroup, or processes that are followed: who it is, and where its records are.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{overhead::Overhead, slot::Slot, units::Terms};
use crate::{
    cgroup::Cgroup,
    host::{Look, Whose},
    kernel::{Assignment, Kernel},
    model::{Identity, Process},
    ring::Position,
};

/// One recorded cgroup, alive or not, or processes that are followed.
#[derive(Debug)]
pub(super) struct Track {
    /// The processes that it is of, as they were when it began; none: it is a cgroup's.
    pub(super) followed: Vec<Process>,
    /// Nobody's where processes are followed.
    pub(super) identity: Identity,
    pub(super) path: PathBuf,
    /// CLOCK_BOOTTIME nanoseconds.
    pub(super) began: u64,
    /// When its cgroup was removed.
    pub(super) ended: Option<u64>,
    /// Its own rings.
    pub(super) slot: Option<Slot>,
    /// Whether records of it went to the lobby, and until when.
    pub(super) shared: Option<Stay>,
    /// Whether it is to have rings of its own as soon as there are some.
    pub(super) wants_slot: bool,
    /// How it has been recorded.
    pub(super) terms: Terms,
    /// What that costs it.
    pub(super) overhead: Overhead,
    /// A look at what descriptors stood for when it began, and its place in it.
    pub(super) before: Option<(Look, usize)>,
}

/// A stay in the lobby.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stay {
    /// When it ended; `None`: it goes on.
    pub(super) until: Option<u64>,
}

/// What a keeper has to know of a track.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TrackNote {
    pub(super) identity: Identity,
    pub(super) path: PathBuf,
    pub(super) began: u64,
    pub(super) ended: Option<u64>,
    pub(super) slot: Option<u32>,
    pub(super) shared: Option<Stay>,
    pub(super) wants_slot: bool,
    #[serde(default)]
    pub(super) terms: Terms,
}

impl Track {
    /// A track of a cgroup that nothing is assigned to yet.
    pub(super) fn new(identity: Identity, path: PathBuf, began: u64) -> Self {
        let followed = Vec::new();
        Self {
            followed,
            identity,
            path,
            began,
            ended: None,
            slot: None,
            shared: None,
            wants_slot: false,
            terms: Terms::default(),
            overhead: Overhead::default(),
            before: None,
        }
    }

    /// A track of processes that are followed.
    pub(super) fn of_processes(followed: Vec<Process>, slot: Slot, began: u64) -> Self {
        let track = Self::new(Identity::default(), PathBuf::new(), began);
        Self { followed, slot: Some(slot), ..track }
    }

    /// Whose cgroup it is of, if it is of one.
    pub(super) fn cgroup(&self) -> Option<&Identity> {
        self.followed.is_empty().then_some(&self.identity)
    }

    /// What a keeper has to know.
    pub(super) fn note(&self) -> TrackNote {
        TrackNote {
            identity: self.identity.clone(),
            path: self.path.clone(),
            began: self.began,
            ended: self.ended,
            slot: self.slot.as_ref().map(|slot| slot.number),
            shared: self.shared,
            wants_slot: self.wants_slot,
            terms: self.terms.clone(),
        }
    }

    /// Bytes of its rings.
    pub(super) fn memory(&self) -> usize {
        self.slot.as_ref().map_or(0, Slot::memory)
    }

    /// Whose processes are alive in it.
    pub(super) fn whose(&self, kernel: &Kernel) -> Whose {
        match self.cgroup() {
            None => Whose::Processes(kernel.followed().into_iter().collect()),
            Some(_) if self.ended.is_some() => Whose::Processes(Vec::new()),
            Some(identity) => Whose::Cgroup(self.path.clone(), identity.cgroup_id),
        }
    }

    /// Its directory, if it is still the same cgroup's.
    pub(super) fn directory(&self) -> Option<Cgroup> {
        Cgroup::open(&self.path).ok().filter(|cgroup| cgroup.id() == self.identity.cgroup_id)
    }
}

/// Records a cgroup and all that is below it now. The kernel side gives cgroups made below it from now
/// on the same slot; those that are there already are found afterwards, so none falls between.
pub(super) fn assign_all(cgroup: &Cgroup, slot: u32, kernel: &Kernel) -> Result<()> {
    let to = Assignment { slot, parted: false };
    kernel.assign(cgroup, to)?;
    for below in cgroup.descendants() {
        if let Err(error) = kernel.assign(&below, to) {
            tracing::warn!(cgroup = %below.path().display(), %error, "a cgroup below is not recorded");
        }
    }
    Ok(())
}

/// Records the cgroup and those below it no longer. It comes first: what is made below it meanwhile then has no rings
/// that may be another's.
pub(super) fn release_all(cgroup: &Cgroup, kernel: &Kernel) -> Result<()> {
    kernel.release(cgroup)?;
    cgroup.descendants().iter().try_for_each(|below| kernel.release(below))
}

/// The path of a cgroup from the root of the tree, as names show it.
pub(super) fn name_of(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).map_or_else(|_| path.display().to_string(), |inside| format!("/{}", inside.display()))
}

/// Where somebody stopped reading a track.
#[derive(Clone, Debug, Default)]
pub struct Seen(HashMap<(u32, u32), Position>);

impl Seen {
    pub(super) fn position(&self, slot: u32, ring: u32) -> Option<Position> {
        self.0.get(&(slot, ring)).copied()
    }

    pub(super) fn note(&mut self, slot: u32, ring: u32, position: Position) -> bool {
        self.0.insert((slot, ring), position).is_some()
    }
}
