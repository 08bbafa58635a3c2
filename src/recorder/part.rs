//! What one track brings to a dump: copies of its rings, what CPUs that are offline have kept of it, and for which
//! time that is complete. What is lost without it being known whose it was is not told here.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::{
    alive::Alive,
    copied::Copied,
    slot::Slot,
    stretches::{self, Time},
    track::Track,
};
use crate::{
    history::{History, Names, owner},
    kernel::{Kernel, Unsent},
    model::{Block, User, Window},
};

/// Rings that hold records of a track.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) slot: &'a Slot,
    /// In the lobby: which cgroups' records are wanted.
    pub(super) only: Option<BTreeSet<u64>>,
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

/// A track, and where its records are.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) track: &'a Track,
    pub(super) sources: Vec<Source<'a>>,
}

impl Wanted<'_> {
    /// The user whose calls are marked in its records, if that is the same one wherever they are.
    pub(super) fn user(&self, kernel: &Kernel) -> Result<Option<User>> {
        let users = self.sources.iter().map(|source| kernel.user(source.slot.number)).collect::<Result<Vec<_>>>()?;
        Ok(users.first().copied().flatten().filter(|first| users.iter().all(|user| *user == Some(*first))))
    }

    /// Whether records of a cgroup in a slot are its.
    pub(super) fn holds(&self, slot: u32, cgroup: u64) -> bool {
        self.sources.iter().any(|source| source.holds(slot, cgroup))
    }
}

/// What a track brings to a dump.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) blocks: Vec<Block>,
    pub(super) window: Window,
    /// Records that slots did not take; the lobby's may be others'.
    pub(super) refused: BTreeMap<u32, u64>,
    /// What its packed records name.
    pub(super) names: Names,
}

impl Part {
    /// Copies what the track's sources hold until the time when the CPUs were first made to send what they had.
    pub(super) fn of(
        kernel: &Kernel,
        history: &History,
        alive: &Alive,
        wanted: &Wanted<'_>,
        unsent: &[Unsent],
        until: u64,
    ) -> Result<Self> {
        let mut part = Self::default();
        let (mut reaches, mut gaps) = (Vec::new(), Vec::new());
        let (mut held, mut written, mut given_up, mut part_from) = (0, 0, None, None);
        for source in &wanted.sources {
            let copied = Copied::of(source.slot, source.only.as_ref(), Some(history), until);
            part.window.records += copied.records;
            given_up = given_up.max(copied.given_up);
            part_from = part_from.max(copied.part_from);
            reaches.extend(copied.reaches);
            part.blocks.extend(copied.blocks);
            gaps.extend(copied.gaps);
            part.names.extend(copied.names);
            for left in unsent.iter().filter(|left| source.holds_unsent(left)) {
                part.window.records += u64::from(left.records);
                part.blocks.push(Block::of(Some(left.cpu), 0, left.bytes.clone()));
            }
            let all = source.slot.written(kernel)?;
            part.refused.insert(source.slot.number, all.lost);
            if source.only.is_none() {
                held += copied.records + copied.later;
                written += all.records;
            }
        }
        let window = &mut part.window;
        // What the rings no longer hold of all that was written.
        window.overwritten = written.saturating_sub(held);
        window.complete_from = reaches.iter().filter_map(|reach| reach.from).max();
        if let Some(complete) = window.complete_from {
            window.further = reaches.into_iter().filter(|reach| reach.from != Some(complete)).collect();
        }
        let time = Time {
            part: part_from.unwrap_or(wanted.track.began),
            complete: given_up.unwrap_or(wanted.track.began),
            to: until,
        };
        let silences: Vec<_> = alive.silences(time.part).filter(|silence| silence.from < until).collect();
        if let Some(last) = silences.last().map(|silence| silence.to.unwrap_or(until))
            && window.complete_from.is_none_or(|complete| complete < last)
        {
            window.complete_from = Some(last);
            window.further.clear();
        }
        window.manners = wanted.track.terms.manners(until);
        window.stretches = stretches::around(gaps, &silences, time);
        Ok(part)
    }
}
