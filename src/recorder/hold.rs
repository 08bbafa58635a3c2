//! What a keeper is told, so that a later recorder can go on: the kernel side once, each ring as it is
//! made, and a note of each slot and track as it changes.
//!
//! A keeper that fails costs the promise to outlive the process, and nothing else: it is said once.

use std::{cell::RefCell, os::fd::BorrowedFd};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::TrackId;
use crate::{keeper::Keeper, kernel::Kernel};

/// The note of the recording as a whole.
pub(super) const RECORDING: &str = "recording";
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

/// The name of a ring.
pub(super) fn ring_name(slot: u32, serial: u32) -> String {
    format!("ring/{slot}/{serial}")
}

/// A keeper, if there is one.
#[derive(Debug, Default)]
pub(super) struct Hold {
    keeper: RefCell<Option<Keeper>>,
}

impl Hold {
    pub(super) fn new(keeper: Option<Keeper>) -> Self {
        Self { keeper: RefCell::new(keeper) }
    }

    fn tell(&self, what: impl FnOnce(&Keeper) -> Result<()>) {
        let mut keeper = self.keeper.borrow_mut();
        let told = keeper.as_ref().map_or(Ok(()), what);
        if let Err(error) = told {
            tracing::warn!(error = %format!("{error:#}"), "the keeper is lost: history will not outlive this process");
            *keeper = None;
        }
    }

    pub(super) fn is_held(&self) -> bool {
        self.keeper.borrow().is_some()
    }

    pub(super) fn kernel(&self, kernel: &Kernel) {
        self.tell(|keeper| {
            keeper.clear()?;
            kernel.handles()?.iter().try_for_each(|(name, fd)| keeper.hold(name, std::os::fd::AsFd::as_fd(fd), None))
        });
    }

    pub(super) fn recording(&self, note: &RecordingNote) {
        self.tell(|keeper| keeper.note(RECORDING, note));
    }

    pub(super) fn ring(&self, slot: u32, serial: u32, event: BorrowedFd<'_>, size: usize) {
        self.tell(|keeper| keeper.hold(&ring_name(slot, serial), event, Some(size)));
    }

    pub(super) fn let_go(&self, slot: u32, serial: u32) {
        self.tell(|keeper| keeper.let_go(&ring_name(slot, serial)));
    }

    pub(super) fn slot(&self, slot: u32, note: &impl Serialize) {
        self.tell(|keeper| keeper.note(&format!("{SLOT}{slot}"), note));
    }

    pub(super) fn track(&self, id: TrackId, note: &impl Serialize) {
        self.tell(|keeper| keeper.note(&format!("{TRACK}{}", id.0), note));
    }

    pub(super) fn forget(&self, id: TrackId) {
        self.tell(|keeper| keeper.forget(&format!("{TRACK}{}", id.0)));
    }

    pub(super) fn end(&self) {
        self.tell(Keeper::end);
    }
}
