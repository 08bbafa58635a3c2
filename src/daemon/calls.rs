//! Calls that the configuration's rules name.
//!
//! The kernel side tells that a call of a track ended as a rule says; a moment later, when its record is
//! surely in the ring, what is new there is looked at: the path decides, and the dump's cause names the
//! call. Nothing is looked at before. A call that newer ones have overwritten by then is counted. What a call has to be
//! told with may stand in the record of its start, as execve's path does: it is kept until the end is there.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::rule::Rule;
use crate::{
    decode::{Decoder, Style},
    model::{Event, LastCall, What},
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

/// The rules, and how far each track was looked at.
#[derive(Debug, Default)]
pub(super) struct Calls {
    rules: Vec<Rule>,
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
    pub(super) fn new(rules: Vec<Rule>, recorder: &Recorder) -> Result<Self> {
        recorder.heed(&rules.iter().flat_map(Rule::kinds).collect::<Vec<_>>())?;
        Ok(Self { rules, since: boottime(), ..Self::default() })
    }

    /// The kernel side has told of a call.
    pub(super) fn told(&mut self, track: TrackId, ended: u64, now: Instant) {
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
        matches
    }

    fn look_at(
        &mut self,
        track: TrackId,
        ended: u64,
        recorder: &Recorder,
        redaction: &Redaction,
    ) -> Result<Option<(String, LastCall)>> {
        let cgroup = recorder.identity(track).map(|identity| identity.cgroup.clone()).unwrap_or_default();
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
        for record in records() {
            if look.named.is_none() {
                self.judge(record, &begun, |bytes| redaction.records(&cgroup, bytes), &mut look);
            }
        }
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
        let is_for = |call: CallRecord<'_>| self.rules.iter().any(|rule| rule.is_for(call.nr(), call.compat()));
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
        redaction: impl Fn(&[u8]) -> Option<Vec<u8>>,
        look: &mut Look,
    ) {
        let Some(call) = record.call().filter(|_| record.kind() == Kind::RECORD_CALL) else { return };
        if !self.rules.iter().any(|rule| rule.may_fit(call.nr(), call.compat(), call.ret(), call.duration())) {
            return;
        }
        look.told = true;
        let start = begun.get(&record.tid()).map_or(&[][..], Vec::as_slice);
        let bytes = [start, record.bytes()].concat();
        let rule = decoded(&bytes).iter().find_map(|event| {
            let What::Call(call) = &event.what else { return None };
            self.rules.iter().find(|rule| rule.fits(call))
        });
        let Some(rule) = rule else { return };
        // The rule is for what was called; what is told of it goes to logs and clients.
        let shown = decoded(&redaction(&bytes).unwrap_or(bytes));
        look.named = shown.iter().find_map(|event| {
            let What::Call(call) = &event.what else { return None };
            let (start, tid, comm) = (event.start, event.tid, event.comm.to_string());
            Some((rule.text.clone(), LastCall { start, tid, pid: event.pid, comm, text: summary::line(call) }))
        });
    }
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
