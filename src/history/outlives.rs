//! A history that outlives the process: what a later one is given of it, and what it finds there.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::fd::OwnedFd,
    sync::{Arc, Mutex},
};

use anyhow::{Context, Result};

use super::{
    Shelf,
    home::Home,
    journal::{Found, Journal, Key, Left, Vault},
    lock,
};
use crate::ring::{Position, Ring};

/// Memory for a history that outlives the process.
#[derive(Clone, Debug)]
pub struct Outlives {
    vault: Arc<Vault>,
}

/// What another process has left.
#[derive(Debug)]
pub struct Remains {
    vault: Arc<Vault>,
    left: Mutex<BTreeMap<Key, Left>>,
    /// Rings whose records newer ones have.
    taken_over: BTreeSet<Key>,
}

impl Outlives {
    /// Empty memory.
    pub fn new() -> Result<Self> {
        let vault = Vault::new().context("make memory for a history that outlives the process")?;
        Ok(Self { vault })
    }

    /// What has to be held for it to outlive the process: its bytes, and what is written down of them.
    pub fn descriptors(&self) -> Result<[OwnedFd; 2]> {
        self.vault.descriptors().context("hold the history")
    }

    /// From now on nothing is given back: what is there is another process's.
    pub(super) fn leave(&self) {
        self.vault.memory.leave();
    }

    /// Bytes that it takes besides those of the records.
    pub(super) fn extra(&self) -> usize {
        self.vault.extra()
    }

    pub(super) fn shelf(&self, slot: u32, serial: u32, ring: Ring, since: Position, counted: u64) -> Arc<Shelf> {
        let key = Key { slot, cpu: ring.cpu(), serial };
        let journal = Journal::new(self.vault.clone(), key);
        Shelf::of(key, ring, Home::new(Some(self.vault.clone())), Some(journal), Found::nothing(since, counted))
    }
}

impl Remains {
    /// What is in memory that was held, by its descriptors.
    pub fn of(descriptors: [OwnedFd; 2]) -> Result<Self> {
        let (vault, left) = Vault::left(descriptors)?;
        let takers = left.iter().filter_map(|(key, left)| Some((*key, left.found.marks.took?)));
        let taken_over = takers.flat_map(|(newer, took)| {
            left.keys().filter(move |key| (key.slot, key.cpu) == (newer.slot, newer.cpu) && key.serial <= took)
        });
        Ok(Self { taken_over: taken_over.copied().collect(), vault, left: Mutex::new(left) })
    }

    /// Its memory, to go on with.
    pub fn outlives(&self) -> Outlives {
        Outlives { vault: self.vault.clone() }
    }

    /// The shelf of a ring, with what is left of it, which is gone on with or only read; and whether something was left.
    /// What stands in the ring before `since` is nobody's.
    pub fn shelf(
        &self,
        slot: u32,
        serial: u32,
        ring: Ring,
        since: Position,
        counted: u64,
        goes_on: bool,
    ) -> (Arc<Shelf>, bool) {
        let key = Key { slot, cpu: ring.cpu(), serial };
        let vault = Some(self.vault.clone());
        if self.taken_over.contains(&key) {
            let since = ring.position();
            return (Shelf::of(key, ring, Home::default(), None, Found::nothing(since, counted)), true);
        }
        let left = lock(&self.left).remove(&key).filter(|left| left.found.marks.since == since);
        let was_left = left.is_some();
        let journal = goes_on.then(|| match &left {
            Some(left) => Journal::go_on(self.vault.clone(), key, left),
            None => Journal::new(self.vault.clone(), key),
        });
        let found = left.map_or_else(|| Found::nothing(since, counted), |left| left.found);
        (Shelf::of(key, ring, Home::new(vault), journal, found), was_left)
    }

    /// What nobody has asked for is given up.
    pub fn sweep(&self) -> Result<()> {
        lock(&self.left).values().try_for_each(|left| self.vault.strike(left)).context("give up what is left")?;
        lock(&self.left).clear();
        self.vault.sweep().context("give up what is left")
    }
}
