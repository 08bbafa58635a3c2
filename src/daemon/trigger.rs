//! When a dump is made by itself: the one policy. Pure logic under a clock that is told.
//!
//! Evidence comes in from the kernel (a process died, a call matched) and from systemd (a unit failed).
//! Each makes a dump of its track after a tail, so that what follows is in it, too. What tells of a death
//! that already has its dump, or whose dump waits, makes no second one. What comes too often for its
//! identity, or beyond the day's number, makes none and is counted.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use crate::model::Cause;

/// What makes a dump, and how often.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Signals that do when they kill a process.
    pub killed: Vec<i32>,
    /// Whether a status other than 0 of a cgroup's last process does.
    pub status: bool,
    /// Whether systemd's word that a unit failed does.
    pub unit: bool,
    /// How long after it the dump is made.
    pub tail: Duration,
    /// Dumps of one identity within `interval`.
    pub burst: usize,
    /// See `burst`.
    pub interval: Duration,
    /// Dumps of all within a day.
    pub daily: usize,
}

/// Something that may be worth a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The track.
    pub track: u64,
    /// Its name: what is limited is limited by it.
    pub name: String,
    /// What happened.
    pub cause: Cause,
    /// The process that died.
    pub pid: Option<u32>,
    /// Whether systemd tells of this track's failures, too.
    pub is_unit: bool,
}

/// What became of a piece of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Verdict {
    /// A dump is made when its tail has passed.
    Planned,
    /// A dump tells of it already, or will.
    Told,
    /// It is none of those that make one.
    Unwanted,
    /// Its identity had its share.
    TooOften,
    /// The day had its share.
    DayIsFull,
}

/// A dump that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    /// Of this track.
    pub track: u64,
    /// Why.
    pub cause: Cause,
    due: Instant,
    pid: Option<u32>,
}

/// A death that has its dump.
#[derive(Debug)]
struct Told {
    at: Instant,
    pid: Option<u32>,
    unit: bool,
    /// How it ended, as wait(2) tells it, without the core.
    ended: Option<i32>,
}

/// The evidence so far.
#[derive(Debug, Default)]
pub(super) struct Triggers {
    planned: Vec<Planned>,
    /// By track.
    told: HashMap<u64, Told>,
    /// By identity.
    lately: HashMap<String, VecDeque<Instant>>,
    today: VecDeque<Instant>,
}

const DAY: Duration = Duration::from_secs(24 * 3600);
/// systemd tells of a death at once; later than this it is another one.
const SAME: Duration = Duration::from_secs(5);
/// For so long systemd may be killing what a failed unit left behind.
const CLEANING: Duration = Duration::from_secs(120);

impl Triggers {
    /// Takes in what happened.
    pub(super) fn see(&mut self, policy: &Policy, evidence: Evidence, now: Instant) -> Verdict {
        if !wants(policy, &evidence) {
            return Verdict::Unwanted;
        }
        if let Some(planned) = self.planned.iter_mut().find(|planned| planned.track == evidence.track) {
            if tells_more(&evidence.cause, &planned.cause) {
                planned.cause = evidence.cause;
                planned.pid = evidence.pid;
            }
            return Verdict::Told;
        }
        if self.told.get(&evidence.track).is_some_and(|told| told.is_of(&evidence, now)) {
            return Verdict::Told;
        }
        self.forget(policy, now);
        if self.today.len() >= policy.daily {
            return Verdict::DayIsFull;
        }
        let lately = self.lately.entry(evidence.name).or_default();
        if lately.len() >= policy.burst {
            return Verdict::TooOften;
        }
        lately.push_back(now);
        self.today.push_back(now);
        let Evidence { track, cause, pid, .. } = evidence;
        self.planned.push(Planned { track, cause, due: now + policy.tail, pid });
        Verdict::Planned
    }

    /// Plans a dump that somebody asked for; no limits hold for it.
    pub(super) fn plan(&mut self, track: u64, cause: Cause, now: Instant) {
        if !self.planned.iter().any(|planned| planned.track == track) {
            self.planned.push(Planned { track, cause, due: now, pid: None });
        }
    }

    /// When the next planned dump is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.planned.iter().map(|planned| planned.due).min()
    }

    /// A planned dump that is due; from now on its death counts as told.
    pub(super) fn due(&mut self, now: Instant) -> Option<Planned> {
        let at = self.planned.iter().position(|planned| planned.due <= now)?;
        let planned = self.planned.swap_remove(at);
        if !matches!(planned.cause, Cause::Call { .. } | Cause::Request | Cause::Exit) {
            let told = Told {
                at: now,
                pid: planned.pid,
                unit: matches!(planned.cause, Cause::Unit { .. }),
                ended: ended(&planned.cause),
            };
            self.told.insert(planned.track, told);
        }
        Some(planned)
    }

    /// All planned dumps, due or not: the daemon ends.
    pub(super) fn all(&mut self) -> Vec<Planned> {
        std::mem::take(&mut self.planned)
    }

    /// Drops what no longer counts, so that memory stays flat.
    fn forget(&mut self, policy: &Policy, now: Instant) {
        let old = |at: &Instant, span: Duration| now.saturating_duration_since(*at) >= span;
        self.today.retain(|at| !old(at, DAY));
        self.lately.retain(|_, times| {
            times.retain(|at| !old(at, policy.interval));
            !times.is_empty()
        });
        self.told.retain(|_, told| !old(&told.at, CLEANING));
    }
}

impl Told {
    /// Whether it is this death that has its dump.
    fn is_of(&self, evidence: &Evidence, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.at);
        match &evidence.cause {
            Cause::Call { .. } => false,
            // What a failed unit left behind is killed by systemd.
            Cause::Killed { signal: libc::SIGKILL, .. } if self.unit => since < CLEANING,
            // Its number differs where the unit runs in a container.
            Cause::Unit { .. } => {
                let same = self.pid.is_some() && self.pid == evidence.pid;
                let alike = self.ended.is_some() && self.ended == ended(&evidence.cause);
                since < SAME && !self.unit && (same || alike)
            }
            _ => since < SAME && self.pid.is_some() && self.pid == evidence.pid,
        }
    }
}

fn wants(policy: &Policy, evidence: &Evidence) -> bool {
    match &evidence.cause {
        Cause::Killed { signal, .. } => policy.killed.contains(signal),
        // systemd knows which statuses mean that a unit failed.
        Cause::Status { status, .. } => policy.status && *status != 0 && !(policy.unit && evidence.is_unit),
        Cause::Unit { .. } => policy.unit,
        Cause::Call { .. } => true,
        Cause::Exit | Cause::Command | Cause::Ended | Cause::Replaced | Cause::Request => false,
    }
}

/// How a death was, as wait(2) tells it, without the core.
fn ended(cause: &Cause) -> Option<i32> {
    match cause {
        Cause::Killed { signal, .. } => Some(*signal),
        Cause::Status { status, .. } => Some((status & 0xff) << 8),
        Cause::Unit { status, .. } => status.map(|status| status & !0x80),
        _ => None,
    }
}

/// Whether one cause says more than the other about the same death.
fn tells_more(new: &Cause, old: &Cause) -> bool {
    let weight = |cause: &Cause| match cause {
        Cause::Call { .. } | Cause::Request => 0,
        Cause::Status { .. } => 1,
        // The kernel's word names the process and the core; systemd's, why it was killed.
        Cause::Unit { result, .. } if matches!(result.as_str(), "signal" | "core-dump") => 2,
        Cause::Killed { .. } => 3,
        _ => 4,
    };
    weight(new) > weight(old)
}
