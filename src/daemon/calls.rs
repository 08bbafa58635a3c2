//! Calls that the configuration's rules name.
//!
//! The kernel side tells that a call of a track ended as a rule says; a moment later, when its record is
//! surely in the ring, what is new there is looked at: the path decides, and the dump's cause names the
//! thread. Nothing is looked at before. A call that newer ones have overwritten by then is counted.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::rule::Rule;
use crate::{
    decode::{Decoder, Style},
    model::What,
    recorder::{Recorder, Seen, TrackId, boottime},
    wire::{self, Kind, Record},
};

/// The record is written right behind the notice.
const AFTER: Duration = Duration::from_millis(1);
/// No track is looked at more often.
const APART: Duration = Duration::from_millis(50);

/// A call that a rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) track: TrackId,
    pub(super) tid: u32,
    pub(super) rule: String,
}

/// What a look at new records showed.
#[derive(Debug, Default)]
struct Look {
    /// Some call may be meant by a rule, but for its path.
    told: bool,
    named: Option<(u32, String)>,
}

/// How far a track was looked at, and when.
#[derive(Debug, Default)]
struct LookedAt {
    seen: Seen,
    at: Option<Instant>,
    /// CLOCK_BOOTTIME nanoseconds.
    time: u64,
}

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
    pub(super) fn look(&mut self, recorder: &Recorder, now: Instant) -> Vec<Match> {
        let due: Vec<(TrackId, u64)> =
            self.due.extract_if(|_, (at, _)| *at <= now).map(|(id, (_, ended))| (id, ended)).collect();
        let mut matches = Vec::new();
        for (track, ended) in due {
            self.looks.entry(track).or_default().at = Some(now);
            match self.look_at(track, ended, recorder) {
                Ok(Some((tid, rule))) => matches.push(Match { track, tid, rule }),
                Ok(None) => {}
                Err(error) => tracing::debug!(%track, error = %format!("{error:#}"), "a call was told of in vain"),
            }
        }
        self.looks.retain(|id, _| recorder.identity(*id).is_some());
        matches
    }

    fn look_at(&mut self, track: TrackId, ended: u64, recorder: &Recorder) -> Result<Option<(u32, String)>> {
        // Before the look: what ends during it is told of again.
        recorder.heeded(track)?;
        let last = self.looks.entry(track).or_default();
        let (blocks, _) = recorder.news_of(track, &mut last.seen)?;
        let before = std::mem::replace(&mut last.time, boottime());
        let mut look = Look::default();
        for record in blocks.iter().flat_map(|block| wire::records(block)) {
            if look.named.is_none() && record.time() >= self.since {
                self.judge(record, &mut look);
            }
        }
        // One that ended during the look before may have been seen by it.
        if !look.told && ended > before {
            self.missed += 1;
            tracing::warn!(%track, "a call that [triggers] may mean was overwritten before it was looked at");
        }
        Ok(look.named)
    }

    fn judge(&self, record: Record<'_>, look: &mut Look) {
        let Some(call) = record.call().filter(|_| record.kind() == Kind::RECORD_CALL) else { return };
        if !self.rules.iter().any(|rule| rule.may_fit(call.nr(), call.compat(), call.ret(), call.duration())) {
            return;
        }
        look.told = true;
        let mut events = Vec::new();
        let mut decoder = Decoder::new(Style { paths: true, ..Style::default() }, &[]);
        decoder.feed(record, &mut events);
        decoder.finish(&mut events);
        look.named = events.iter().find_map(|event| {
            let What::Call(call) = &event.what else { return None };
            self.rules.iter().find(|rule| rule.fits(call)).map(|rule| (event.tid, rule.text.clone()))
        });
    }
}
