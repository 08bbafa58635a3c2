//! The kernel side as the history knows it: what it says of half rings, and what it has counted.

use std::os::fd::BorrowedFd;

use anyhow::Result;

use crate::{
    history::{Half, Halves, History, Outlives, Settings, Written},
    kernel::{self, Kernel, Tallies},
};

/// So much of a ring is told of when it is new; 0: nothing is.
pub(super) fn of(ring: usize, settings: &Settings) -> usize {
    if settings.cpu > 0 { ring / 2 } else { 0 }
}

/// Begins to keep what rings take.
pub(super) fn start(settings: Settings, kernel: &Kernel, outlives: Option<Outlives>) -> Result<History> {
    let halves = (settings.cpu > 0).then(|| kernel.halves()).transpose()?;
    let halves = halves.map(|halves| Box::new(halves) as Box<dyn Halves>);
    History::start(settings, Box::new(kernel.tallies()), halves, outlives)
}

impl Written for Tallies {
    fn records(&self, slot: u32, cpu: u32) -> u64 {
        Self::records(self, slot, cpu)
    }
}

impl Halves for kernel::Halves {
    fn fd(&self) -> BorrowedFd<'_> {
        Self::fd(self)
    }

    fn take(&self) -> Result<Vec<Half>> {
        Self::take(self)
    }
}
