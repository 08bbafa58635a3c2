//! How many dumps each identity may have, and what becomes of those beyond. Pure logic under a clock that is told.
//!
//! An identity has its share of a short time and of a day; all together have a number a day, which guards the disk
//! only. Of a crash loop the first dumps are kept, and the last: a death beyond the share waits until it is quiet
//! around its identity, the next one takes its place, and the dump that is made then takes the place of an earlier
//! one of the same loop. What has no dump stays known by name until a day has passed without another.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use super::trigger::{Last, Planned};
use crate::model::Cause;

/// How often dumps are made by themselves.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of one identity within `interval`.
    pub burst: usize,
    /// See `burst`; and so long after one last death of a loop there is no dump of another.
    pub interval: Duration,
    /// Of one identity within a day.
    pub daily_each: usize,
    /// Of all within a day.
    pub daily: usize,
}

/// Which limit kept a dump from being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Limit {
    /// `burst` within `interval`.
    Burst,
    /// `daily-each`.
    Each,
    /// `daily`.
    Day,
}

/// Deaths without a dump.
#[derive(Clone, Debug)]
pub(super) struct Missed {
    /// How many.
    pub times: u64,
    /// The first of them.
    pub since: Instant,
    /// The last of them.
    pub last: Instant,
    /// What that was.
    pub cause: Cause,
    /// For which limit.
    pub limit: Limit,
}

/// A death that makes no dump now.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) planned: Planned,
    pub(super) limit: Limit,
    /// Whether it is the first of its identity's.
    pub(super) is_news: bool,
}

/// Of all identities that died lately.
#[derive(Debug, Default)]
pub(super) struct Shares {
    of: HashMap<String, Share>,
    today: usize,
    tidied: Option<Instant>,
}

/// One identity's.
#[derive(Debug, Default)]
struct Share {
    /// When its dumps of the last day were planned.
    dumps: VecDeque<Instant>,
    beyond: Option<Box<Beyond>>,
}

/// What came beyond it.
#[derive(Debug)]
struct Beyond {
    missed: Missed,
    /// The last death, if no dump was made of it.
    waits: Option<Planned>,
    /// When such a one was made.
    dumped: Option<Instant>,
}

const DAY: Duration = Duration::from_secs(24 * 3600);
/// So long after a death it was the last one.
const QUIET: Duration = Duration::from_secs(10);
/// Nothing is dropped earlier than it has to be; it need not be later by more than this.
const TIDIED_EACH: Duration = Duration::from_secs(1);
/// So many names are known: beyond the day's number there may be any number of others.
const NAMES: usize = 4096;

impl Shares {
    /// Whether a death has its dump now.
    pub(super) fn take(
        &mut self,
        limits: &Limits,
        name: &str,
        planned: Planned,
        now: Instant,
    ) -> Result<Planned, Refused> {
        self.tidy(now);
        let dumps = self.of.get(name).map(|share| &share.dumps);
        let within = |span| dumps.map_or(0, |dumps| dumps.iter().rev().take_while(|at| !past(**at, span, now)).count());
        let limit = if self.today >= limits.daily {
            Some(Limit::Day)
        } else if within(DAY) >= limits.daily_each {
            Some(Limit::Each)
        } else {
            (within(limits.interval) >= limits.burst).then_some(Limit::Burst)
        };
        let Some(limit) = limit else {
            self.of.entry(name.to_owned()).or_default().dumps.push_back(now);
            self.today += 1;
            return Ok(planned);
        };
        if self.of.len() >= NAMES && !self.of.contains_key(name) {
            return Err(Refused { planned, limit, is_news: false });
        }
        let share = self.of.entry(name.to_owned()).or_default();
        let is_news = share.beyond.is_none();
        let beyond = share.beyond.get_or_insert_with(|| Box::new(Beyond::new(&planned, limit, now)));
        beyond.take(limits, name, &planned, limit, now);
        Err(Refused { planned, limit, is_news })
    }

    /// Deaths that wait for their dumps.
    pub(super) fn waiting(&mut self) -> impl Iterator<Item = &mut Planned> {
        self.of.values_mut().filter_map(|share| share.beyond.as_mut()?.waits.as_mut())
    }

    /// When the next of them has its dump.
    pub(super) fn next(&self) -> Option<Instant> {
        let beyond = self.of.values().filter_map(|share| share.beyond.as_ref());
        beyond.filter_map(|beyond| beyond.waits.as_ref()).map(|planned| planned.due).min()
    }

    /// One that has it now.
    pub(super) fn due(&mut self, now: Instant) -> Option<Planned> {
        let mut beyond = self.of.values_mut().filter_map(|share| share.beyond.as_mut());
        beyond.find_map(|beyond| {
            let planned = beyond.waits.take_if(|planned| planned.due <= now)?;
            beyond.dumped = Some(now);
            // The one whose place it takes has none any more.
            if planned.last.as_ref().is_some_and(|last| !last.again) {
                beyond.missed.times -= 1;
            }
            Some(planned)
        })
    }

    /// All that wait.
    pub(super) fn all(&mut self) -> Vec<Planned> {
        self.of.values_mut().filter_map(|share| share.beyond.as_mut()?.waits.take()).collect()
    }

    /// Who died without a dump, by name.
    pub(super) fn missed(&self) -> impl Iterator<Item = (&str, &Missed)> {
        let missed = self.of.iter().filter_map(|(name, share)| Some((name.as_str(), &share.beyond.as_ref()?.missed)));
        missed.filter(|(_, missed)| missed.times > 0)
    }

    /// Drops what no longer counts, so that memory stays flat.
    fn tidy(&mut self, now: Instant) {
        if self.tidied.is_some_and(|at| !past(at, TIDIED_EACH, now)) {
            return;
        }
        self.tidied = Some(now);
        self.of.retain(|_, share| {
            share.dumps.retain(|at| !past(*at, DAY, now));
            share.beyond.take_if(|beyond| beyond.waits.is_none() && past(beyond.missed.last, DAY, now));
            !share.dumps.is_empty() || share.beyond.is_some()
        });
        self.today = self.of.values().map(|share| share.dumps.len()).sum();
    }
}

impl Limit {
    /// As the configuration calls it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::Each => "daily-each",
            Self::Day => "daily",
        }
    }
}

impl Beyond {
    fn new(planned: &Planned, limit: Limit, now: Instant) -> Self {
        let missed = Missed { times: 0, since: now, last: now, cause: planned.cause.clone(), limit };
        Self { missed, waits: None, dumped: None }
    }

    /// One more; the one that waited is not the last any more.
    fn take(&mut self, limits: &Limits, name: &str, planned: &Planned, limit: Limit, now: Instant) {
        // After a pause it is another loop, and the last of the one before stays.
        let again = self.dumped.is_some() && !past(self.missed.last, limits.interval, now);
        self.missed = Missed {
            times: self.missed.times + 1,
            since: self.missed.since,
            last: now,
            cause: planned.cause.clone(),
            limit,
        };
        if limit == Limit::Day {
            return;
        }
        let again =
            again || self.waits.as_ref().is_some_and(|waits| waits.last.as_ref().is_some_and(|last| last.again));
        let after_the_other = self.dumped.map(|at| at + limits.interval);
        let due = after_the_other.map_or(now + QUIET, |at| at.max(now + QUIET));
        let calls = matches!(planned.cause, Cause::Call { .. });
        let last = Some(Last { name: name.to_owned(), calls, again });
        self.waits = Some(Planned { last, due, ..planned.clone() });
    }
}

fn past(at: Instant, span: Duration, now: Instant) -> bool {
    now.saturating_duration_since(at) >= span
}
