//! Calls that rules name: the configuration's, and those that clients add.
//!
//! The kernel side tells that a call of a track ended as a rule says; a moment later, when its record is
//! surely in the ring, what is new there is looked at: the path decides, and the dump's cause names the
//! call. Nothing is looked at before. A call that newer ones have overwritten by then is counted. What a call has to be
//! told with may stand in the record of its start, as execve's path does: it is kept until the end is there.
//!
//! A rule may be for some units only, and for calls that come too often: then their times are kept, so many as are none
//! too many, and what they would be decoded to is looked at when there is one more.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use anyhow::Result;

use super::rule::{self, Rule};
use crate::{
    control::{AddTrigger, Kind as Fault, Problem, Trigger},
    decode::{Decoder, Style},
    identity::Target,
    model::{Cause, Event, Identity, LastCall, What},
    recorder::{Recorder, Seen, TrackId, boottime},
    redact::Redaction,
    summary,
    wire::{self, CallRecord, Kind, Record},
};

/// The record is written right behind the notice.
const AFTER: Duration = Duration::from_millis(1);
/// No track is looked at more often.
const APART: Duration = Duration::from_millis(50);

/// A call that a rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) track: TrackId,
    pub(super) rule: String,
    pub(super) call: LastCall,
}

/// What a look at new records showed.
#[derive(Debug, Default)]
struct Look {
    /// Some call may be meant by a rule, but for its path.
    told: bool,
    named: Option<(String, LastCall)>,
}

/// How far a track was looked at, and when.
#[derive(Debug, Default)]
struct LookedAt {
    seen: Seen,
    at: Option<Instant>,
    /// CLOCK_BOOTTIME nanoseconds.
    time: u64,
    /// What was written when calls began that rules are for, by thread.
    begun: HashMap<u32, Vec<u8>>,
}

/// Threads of a track of which the start of a call is kept.
const BEGUN_MOST: usize = 4096;

/// What makes a dump of some units, and what else that holds.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// Its number; 0: it is the configuration's.
    number: u64,
    /// What ended before it was added is none of its: CLOCK_BOOTTIME nanoseconds.
    since: u64,
    /// The calls; none: the deaths of its units.
    rule: Option<Rule>,
    /// Of what; none: of all.
    units: Vec<Target>,
    units_as_written: Vec<String>,
    /// What else the dump holds.
    with: Vec<String>,
}

impl Standing {
    /// One of the configuration's.
    pub(super) fn new(rule: Option<Rule>, units: &[String], with: &[String]) -> Result<Self> {
        let targets = units.iter().map(|unit| Target::parse(unit)).collect::<Result<_>>()?;
        with.iter().try_for_each(|target| Target::parse(target).map(drop))?;
        anyhow::ensure!(with.len() <= WITH_MOST, "{} units are too many for one dump: {WITH_MOST} at most", with.len());
        Ok(Self { number: 0, since: 0, rule, units: targets, units_as_written: units.to_vec(), with: with.to_vec() })
    }

    /// Whether calls make the dump.
    pub(super) fn is_of_calls(&self) -> bool {
        self.rule.is_some()
    }

    fn is_for(&self, identity: &Identity) -> bool {
        self.units.is_empty() || self.units.iter().any(|unit| identity.matches(unit))
    }

    /// For clients.
    fn trigger(&self) -> Trigger {
        Trigger {
            id: self.number,
            rule: self.rule.as_ref().map_or_else(|| "deaths".to_owned(), |rule| rule.text.clone()),
            units: self.units_as_written.clone(),
            with: self.with.clone(),
            configured: self.number == 0,
        }
    }
}

/// Units that one dump holds besides its own.
const WITH_MOST: usize = 16;

/// The rules, and how far each track was looked at.
#[derive(Debug, Default)]
pub(super) struct Calls {
    rules: Vec<Standing>,
    /// The number of the rule that was added last.
    added: u64,
    /// The times of calls that are none too many yet, by track and the place of the rule.
    times: HashMap<(TrackId, usize), VecDeque<u64>>,
    /// What ended earlier is history: CLOCK_BOOTTIME nanoseconds.
    since: u64,
    looks: HashMap<TrackId, LookedAt>,
    /// When to look at a track, and when the call ended that it was told for.
    due: HashMap<TrackId, (Instant, u64)>,
    /// Calls that were told of and not found.
    pub(super) missed: u64,
}

impl Calls {
    /// From now on; what the tracks hold already is history.
    pub(super) fn new(rules: Vec<Standing>, recorder: &Recorder) -> Result<Self> {
        let mut calls = Self { rules, since: boottime(), ..Self::default() };
        calls.heed(recorder)?;
        Ok(calls)
    }

    /// The same with other rules of the configuration; those that were added stay.
    pub(super) fn reloaded(&self, rules: Vec<Standing>, recorder: &Recorder) -> Result<Self> {
        let added = self.rules.iter().filter(|rule| rule.number > 0).cloned();
        let mut calls = Self {
            rules: rules.into_iter().chain(added).collect(),
            added: self.added,
            since: boottime(),
            missed: self.missed,
            ..Self::default()
        };
        calls.heed(recorder)?;
        Ok(calls)
    }

    /// Has the kernel side tell of what the rules are for, of each track anew.
    fn heed(&mut self, recorder: &Recorder) -> Result<()> {
        self.times.clear();
        let rules = self.rules.iter().filter_map(|standing| standing.rule.as_ref());
        recorder.heed(&rules.flat_map(Rule::kinds).collect::<Vec<_>>())?;
        // Of a track that a rule was not for, nothing was told since.
        recorder.identities().try_for_each(|(id, ..)| recorder.heeded(id))
    }

    /// The rules, for clients.
    pub(super) fn triggers(&self) -> Vec<Trigger> {
        self.rules.iter().map(Standing::trigger).collect()
    }

    /// Adds a rule, from now on.
    pub(super) fn add(&mut self, add: &AddTrigger, recorder: &Recorder) -> Result<Trigger, Problem> {
        let wrong = |error: anyhow::Error| Problem::new(Fault::Wrong, format!("{error:#}"));
        let rule: Rule = add.rule.parse().map_err(wrong)?;
        let mut standing = Standing::new(Some(rule), &add.units, &add.with).map_err(wrong)?;
        if self.rules.iter().filter(|standing| standing.rule.is_some()).count() >= rule::MOST {
            let sentence = format!("there are {} rules already: that is the most", rule::MOST);
            return Err(Problem::new(Fault::Conflict, sentence));
        }
        self.added += 1;
        (standing.number, standing.since) = (self.added, boottime());
        let trigger = standing.trigger();
        self.rules.push(standing);
        if let Err(error) = self.heed(recorder) {
            self.rules.pop();
            return Err(error.into());
        }
        Ok(trigger)
    }

    /// Removes a rule that was added.
    pub(super) fn remove(&mut self, number: u64, recorder: &Recorder) -> Result<(), Problem> {
        let place = self.rules.iter().position(|rule| number > 0 && rule.number == number).ok_or_else(|| {
            let sentence =
                format!("no rule that was added has the number {number}: `traceloop trigger list` lists them");
            Problem::new(Fault::NotFound, sentence)
        })?;
        self.rules.remove(place);
        Ok(self.heed(recorder)?)
    }

    /// What else a dump of it holds, for that cause.
    pub(super) fn with(&self, identity: &Identity, cause: &Cause) -> Vec<&str> {
        let is_meant = |standing: &&Standing| {
            let fits = match (cause, &standing.rule) {
                (Cause::Call { rule, .. }, Some(own)) => own.text == *rule,
                (Cause::Killed { .. } | Cause::Status { .. } | Cause::Unit { .. }, None) => true,
                _ => false,
            };
            fits && standing.is_for(identity)
        };
        self.rules.iter().filter(is_meant).flat_map(|standing| standing.with.iter().map(String::as_str)).collect()
    }

    /// What a track is called is known now: a rule may be for it that was not.
    pub(super) fn named(&self, track: TrackId, recorder: &Recorder) -> Result<()> {
        if self.rules.iter().all(|standing| standing.units.is_empty()) { Ok(()) } else { recorder.heeded(track) }
    }

    /// The kernel side has told of a call.
    pub(super) fn told(&mut self, track: TrackId, identity: &Identity, ended: u64, now: Instant) {
        // One that no rule is for is not looked at, and not told of again.
        if !self.rules.iter().any(|standing| standing.rule.is_some() && standing.is_for(identity)) {
            return;
        }
        let last = self.looks.get(&track).and_then(|last| last.at);
        let at = last.map_or(now + AFTER, |last| (last + APART).max(now + AFTER));
        self.due.entry(track).or_insert((at, ended));
    }

    /// When to look next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.values().map(|(at, _)| *at).min()
    }

    /// The first call that a rule names of each track whose time has come.
    pub(super) fn look(&mut self, recorder: &Recorder, redaction: &Redaction, now: Instant) -> Vec<Match> {
        let due: Vec<(TrackId, u64)> =
            self.due.extract_if(|_, (at, _)| *at <= now).map(|(id, (_, ended))| (id, ended)).collect();
        let mut matches = Vec::new();
        for (track, ended) in due {
            self.looks.entry(track).or_default().at = Some(now);
            match self.look_at(track, ended, recorder, redaction) {
                Ok(Some((rule, call))) => matches.push(Match { track, rule, call }),
                Ok(None) => {}
                Err(error) => tracing::debug!(%track, error = %format!("{error:#}"), "a call was told of in vain"),
            }
        }
        self.looks.retain(|id, _| recorder.identity(*id).is_some());
        self.times.retain(|(id, _), _| recorder.identity(*id).is_some());
        matches
    }

    fn look_at(
        &mut self,
        track: TrackId,
        ended: u64,
        recorder: &Recorder,
        redaction: &Redaction,
    ) -> Result<Option<(String, LastCall)>> {
        let Some(identity) = recorder.identity(track).cloned() else { return Ok(None) };
        let cgroup = &identity.cgroup;
        let rules: Vec<usize> = (0..self.rules.len()).filter(|place| self.rules[*place].is_for(&identity)).collect();
        // Before the look: what ends during it is told of again.
        recorder.heeded(track)?;
        let last = self.looks.entry(track).or_default();
        let (blocks, _) = recorder.news_of(track, &mut last.seen)?;
        let before = std::mem::replace(&mut last.time, boottime());
        let mut begun = std::mem::take(&mut last.begun);
        let mut look = Look::default();
        // A thread may have gone on to another CPU between a call's start and its end.
        let records =
            || blocks.iter().flat_map(|block| wire::records(block)).filter(|record| record.time() >= self.since);
        records().for_each(|record| self.keep_start(record, &mut begun));
        let mut times = std::mem::take(&mut self.times);
        for record in records() {
            let often = |place: usize, rate: rule::Rate, time| {
                is_too_often(times.entry((track, place)).or_default(), rate, time)
            };
            self.judge(record, &begun, &rules, often, |bytes| redaction.records(cgroup, bytes), &mut look);
        }
        self.times = times;
        for record in records() {
            if begun.get(&record.tid()).is_some_and(|start| is_end_of(&record, start)) {
                begun.remove(&record.tid());
            }
        }
        if let Some(last) = self.looks.get_mut(&track) {
            last.begun = begun;
        }
        // One that ended during the look before may have been seen by it.
        if !look.told && ended > before {
            self.missed += 1;
            tracing::warn!(%track, "a call that [triggers] may mean was overwritten before it was looked at");
        }
        Ok(look.named)
    }

    fn keep_start(&self, record: Record<'_>, begun: &mut HashMap<u32, Vec<u8>>) {
        let mut rules = self.rules.iter().filter_map(|standing| standing.rule.as_ref());
        let is_for = |call: CallRecord<'_>| rules.any(|rule| rule.is_for(call.nr(), call.compat()));
        if record.kind() == Kind::RECORD_ENTER
            && record.call().is_some_and(is_for)
            && (begun.len() < BEGUN_MOST || begun.contains_key(&record.tid()))
        {
            let known = begun.get(&record.tid()).and_then(|bytes| Record::parse(bytes)).map_or(0, |known| known.time());
            if record.time() >= known {
                begun.insert(record.tid(), record.bytes().to_vec());
            }
        }
    }

    fn judge(
        &self,
        record: Record<'_>,
        begun: &HashMap<u32, Vec<u8>>,
        rules: &[usize],
        mut often: impl FnMut(usize, rule::Rate, u64) -> bool,
        redaction: impl Fn(&[u8]) -> Option<Vec<u8>>,
        look: &mut Look,
    ) {
        let Some(call) = record.call().filter(|_| record.kind() == Kind::RECORD_CALL) else { return };
        let may_fit = |rule: &Rule| rule.may_fit(call.nr(), call.compat(), call.ret(), call.duration());
        // The kernel side does not know for which units rules are, nor since when.
        look.told |= self.rules.iter().filter_map(|standing| standing.rule.as_ref()).any(may_fit);
        let is_named = look.named.is_some();
        let rules = rules.iter().map(|place| (*place, &self.rules[*place]));
        let rules = rules.filter(|(_, standing)| standing.since <= record.time());
        let mut may = rules
            .filter_map(|(place, standing)| Some((place, standing.rule.as_ref().filter(|rule| may_fit(rule))?)))
            // Of one look one dump is made, and what comes too often is counted all the same.
            .filter(|(_, rule)| !is_named || rule.rate.is_some())
            .peekable();
        if may.peek().is_none() {
            return;
        }
        let start = begun.get(&record.tid()).map_or(&[][..], Vec::as_slice);
        let bytes = [start, record.bytes()].concat();
        let mut known = None;
        let mut named = None;
        for (place, rule) in may {
            let mut fits = || {
                let events = known.get_or_insert_with(|| decoded(&bytes));
                events.iter().any(|event| matches!(&event.what, What::Call(call) if rule.fits(call)))
            };
            let is_meant = match rule.rate {
                None => named.is_none() && fits(),
                Some(rate) => (!rule.is_by_path() || fits()) && often(place, rate, record.time()),
            };
            if is_meant && named.is_none() {
                named = Some(rule);
            }
        }
        let Some(rule) = named.filter(|_| look.named.is_none()) else { return };
        // The rule is for what was called; what is told of it goes to logs and clients.
        let shown = decoded(&redaction(&bytes).unwrap_or(bytes));
        look.named = shown.iter().find_map(|event| {
            let What::Call(call) = &event.what else { return None };
            let (start, tid, comm) = (event.start, event.tid, event.comm.to_string());
            Some((rule.text.clone(), LastCall { start, tid, pid: event.pid, comm, text: summary::line(call) }))
        });
    }
}

/// Whether a call is one too many; then they are counted anew.
fn is_too_often(times: &mut VecDeque<u64>, rate: rule::Rate, time: u64) -> bool {
    let within = u64::try_from(rate.within.as_nanos()).unwrap_or(u64::MAX);
    // Of another CPU's ring it may be older than some.
    times.insert(times.partition_point(|earlier| *earlier <= time), time);
    let newest = times.back().copied().unwrap_or(time);
    while times.front().is_some_and(|oldest| newest - oldest >= within) {
        times.pop_front();
    }
    let is = times.len() > rate.most as usize;
    if is {
        times.clear();
    }
    is
}

/// A call's records, decoded by themselves.
fn decoded(bytes: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut decoder = Decoder::new(Style { paths: true, ..Style::default() }, &[]);
    wire::records(bytes).for_each(|record| decoder.feed(record, &mut events));
    decoder.finish(&mut events);
    events
}

/// Whether a thread's record is the end of the call that it began so.
fn is_end_of(record: &Record<'_>, start: &[u8]) -> bool {
    let is_end = record.kind() == Kind::RECORD_CALL || record.kind() == Kind::RECORD_EXIT;
    is_end && record.time() >= Record::parse(start).map_or(0, |start| start.time())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::of_path;

    #[test]
    fn more_than_so_many_within_a_time_are_too_many() {
        let rate = "connect=ECONNREFUSED>3/s".parse::<Rule>().unwrap().rate.unwrap();
        let mut times = VecDeque::new();
        let second = 1_000_000_000;
        let seen: Vec<bool> = [0, 1, 2, second, second + 1, second + 2, second + 3, second + 4]
            .map(|time| is_too_often(&mut times, rate, time))
            .to_vec();
        // The first three are over when the fourth comes.
        assert_eq!(seen, [false, false, false, false, false, false, true, false]);
        assert_eq!(times.len(), 1);
        // Another CPU's are looked at later, and came in between.
        let mut times = VecDeque::new();
        let seen = [10, 30, 20, 25].map(|time| is_too_often(&mut times, rate, second + time));
        assert_eq!(seen, [false, false, false, true]);
    }

    #[test]
    fn what_else_a_dump_holds() {
        let standing = |rule: Option<&str>, units: &[&str], with: &[&str]| {
            let own = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
            Standing::new(rule.map(|rule| rule.parse().unwrap()), &own(units), &own(with)).unwrap()
        };
        let rules = vec![
            standing(Some("openat=EACCES"), &["web.service"], &["db.service"]),
            standing(None, &["web*"], &["cache.service"]),
        ];
        let calls = Calls { rules, ..Calls::default() };
        let (web, other) = (of_path("/system.slice/web.service", 7), of_path("/system.slice/other.service", 8));
        let call = Cause::Call { tid: 1, rule: "openat=EACCES".into(), call: None };
        assert_eq!(calls.with(&web, &call), ["db.service"]);
        assert!(calls.with(&other, &call).is_empty() && calls.with(&web, &Cause::Request).is_empty());
        let died = Cause::Killed { pid: 1, comm: "web".into(), signal: 11, core: false };
        assert_eq!(calls.with(&web, &died), ["cache.service"]);
        assert!(Standing::new(None, &[String::new()], &[]).is_err());
    }
}
