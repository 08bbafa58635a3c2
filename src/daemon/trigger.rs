//! When a dump is made by itself: the one policy. Pure logic under a clock that is told.
//!
//! Evidence comes in from the kernel (a process died, a call matched) and from systemd (a unit failed).
//! Each makes a dump of its track after a tail, so that what follows is in it, too. What tells of a death
//! that already has its dump, or whose dump waits, makes no second one.
//!
//! Limits hold for each identity, so that one crash loop costs no other its dumps; see `Shares`. Calls that rules name have
//! shares of their own: however often they come, a death has its dump.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::share::{Limit, Limits, Missed, Shares};
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
    /// How often.
    pub limits: Limits,
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
    /// It makes none for now, for this limit; whether that is news.
    Limited(Limit, bool),
}

/// A dump that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    /// Of this track.
    pub track: u64,
    /// Why.
    pub cause: Cause,
    /// It is the last of more than were dumped: of whom, and whether it takes the place of the one before.
    pub last: Option<Last>,
    pub(super) due: Instant,
    pub(super) pid: Option<u32>,
}

/// The last death of a crash loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Last {
    /// Whose.
    pub name: String,
    /// Whether it was for calls that a rule names: they are another loop than deaths.
    pub calls: bool,
    /// Whether the dump of an earlier one of the same loop is not needed any more.
    pub again: bool,
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
    deaths: Shares,
    /// The same for calls that rules name.
    calls: Shares,
}

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
        let is_call = matches!(evidence.cause, Cause::Call { .. });
        // A call's dump that waits is no death's: it may wait for long, and what died is overwritten by then.
        let waiting = self.deaths.waiting().chain(self.calls.waiting().filter(|_| is_call));
        if let Some(planned) = self.planned.iter_mut().chain(waiting).find(|planned| planned.track == evidence.track) {
            if tells_more(&evidence.cause, &planned.cause) {
                planned.cause = evidence.cause;
                planned.pid = evidence.pid;
            }
            return Verdict::Told;
        }
        if self.told.get(&evidence.track).is_some_and(|told| told.is_of(&evidence, now)) {
            return Verdict::Told;
        }
        self.told.retain(|_, told| now.saturating_duration_since(told.at) < CLEANING);
        let Evidence { track, cause, pid, name, .. } = evidence;
        let planned = Planned { track, cause, last: None, due: now + policy.tail, pid };
        let shares = if is_call { &mut self.calls } else { &mut self.deaths };
        match shares.take(&policy.limits, &name, planned, now) {
            Ok(planned) => {
                self.planned.push(planned);
                Verdict::Planned
            }
            Err(refused) => {
                // systemd tells of the same death; once is enough.
                if let Some(told) = Told::of(&refused.planned, now) {
                    self.told.insert(track, told);
                }
                Verdict::Limited(refused.limit, refused.is_news)
            }
        }
    }

    /// Plans a dump that somebody asked for; no limits hold for it.
    pub(super) fn plan(&mut self, track: u64, cause: Cause, now: Instant) {
        if !self.planned.iter().any(|planned| planned.track == track) {
            self.planned.push(Planned { track, cause, last: None, due: now, pid: None });
        }
    }

    /// When the next planned dump is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.planned.iter().map(|planned| planned.due).chain(self.deaths.next()).chain(self.calls.next()).min()
    }

    /// A planned dump that is due; from now on its death counts as told.
    pub(super) fn due(&mut self, now: Instant) -> Option<Planned> {
        let at = self.planned.iter().position(|planned| planned.due <= now);
        let planned = at.map(|at| self.planned.swap_remove(at));
        let planned = planned.or_else(|| self.deaths.due(now)).or_else(|| self.calls.due(now))?;
        if let Some(told) = Told::of(&planned, now) {
            self.told.insert(planned.track, told);
        }
        Some(planned)
    }

    /// All planned dumps, due or not: the daemon ends.
    pub(super) fn all(&mut self) -> Vec<Planned> {
        let mut all = std::mem::take(&mut self.planned);
        all.extend(self.deaths.all());
        all.extend(self.calls.all());
        all
    }

    /// Those who died, or whose calls a rule named, without a dump, for the limits.
    pub(super) fn missed(&self) -> impl Iterator<Item = (&str, &Missed)> {
        self.deaths.missed().chain(self.calls.missed())
    }
}

impl Told {
    /// The death that a planned dump is of; `None`: of none.
    fn of(planned: &Planned, at: Instant) -> Option<Self> {
        let death = !matches!(planned.cause, Cause::Call { .. } | Cause::Request | Cause::Exit);
        death.then(|| Self {
            at,
            pid: planned.pid,
            unit: matches!(planned.cause, Cause::Unit { .. }),
            ended: ended(&planned.cause),
        })
    }

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
        // Whatever kills a process hides what it would have died of.
        Cause::Killed { signal: libc::SIGKILL, .. } => 3,
        Cause::Killed { .. } => 4,
        _ => 5,
    };
    weight(new) > weight(old)
}
