//! The kernel side's descriptors as another process holds them, by name.

use std::{
    collections::BTreeMap,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use anyhow::{Context, Result};

use super::flush;

/// Names that this side gives to what is to be held.
pub(super) const MAP: &str = "map/";
pub(super) const LINK: &str = "link/";
pub(super) const PROGRAM: &str = "program/";

/// Descriptors that were held, by name.
pub type Held = BTreeMap<String, OwnedFd>;

/// Makes each CPU send what it has written for a recording that is held.
pub fn flush_held(held: &Held) -> Result<()> {
    let program = held.get(&format!("{PROGRAM}flush")).context("the program that sends records is not held")?;
    let cpus = u32::try_from(libbpf_rs::num_possible_cpus().context("count the possible CPUs")?)?;
    (0..cpus).try_for_each(|cpu| flush::flush(program.as_fd(), cpu).map(drop))
}

/// The held map of that name.
pub(super) fn map<'a>(held: &'a Held, name: &str) -> Option<BorrowedFd<'a>> {
    held.get(&format!("{MAP}{name}")).map(AsFd::as_fd)
}
