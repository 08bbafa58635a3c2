//! Calls that the configuration's rules name, looked for once a second in what is new in the rings.
//!
//! Only where there are such rules: each look copies what is new. What newer records have overwritten
//! within that second is not seen; that is counted, and said.

use std::collections::HashMap;

use super::rule::Rule;
use crate::{
    decode::{Decoder, Style},
    model::What,
    recorder::{Recorder, Seen, TrackId},
    wire::{self, Kind, Record},
};

/// A call that a rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) track: TrackId,
    pub(super) tid: u32,
    pub(super) rule: String,
}

/// The rules, and how far each track was looked at.
#[derive(Debug, Default)]
pub(super) struct Calls {
    rules: Vec<Rule>,
    seen: HashMap<TrackId, Seen>,
    /// Looks for which a ring was overwritten since the one before.
    pub(super) missed: u64,
}

impl Calls {
    /// From now on; what the tracks hold already is history.
    pub(super) fn new(rules: Vec<Rule>, recorder: &Recorder) -> Self {
        let mut calls = Self { rules, ..Self::default() };
        calls.look(recorder);
        calls.missed = 0;
        calls
    }

    /// The first call of each track since the last look that a rule names.
    pub(super) fn look(&mut self, recorder: &Recorder) -> Vec<Match> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let tracks: Vec<_> = recorder.identities().filter(|(_, who, _)| who.cgroup != "/").map(|(id, ..)| id).collect();
        self.seen.retain(|id, _| tracks.contains(id));
        let mut matches = Vec::new();
        for track in tracks {
            let Ok((blocks, missed)) = recorder.news_of(track, self.seen.entry(track).or_default()) else { continue };
            if missed {
                self.missed += 1;
                tracing::warn!(%track, "calls came faster than they were looked at: a rule of [triggers] may have missed some");
            }
            let found =
                blocks.iter().flat_map(|block| wire::records(block)).find_map(|record| first(&self.rules, record));
            matches.extend(found.map(|(tid, rule)| Match { track, tid, rule }));
        }
        matches
    }
}

/// The rule that names the call of a record.
fn first(rules: &[Rule], record: Record<'_>) -> Option<(u32, String)> {
    let call = record.call().filter(|_| record.kind() == Kind::RECORD_CALL)?;
    if !rules.iter().any(|rule| rule.may_fit(call.nr(), call.compat(), call.ret(), call.duration())) {
        return None;
    }
    let mut events = Vec::new();
    let mut decoder = Decoder::new(Style { paths: true, ..Style::default() }, &[]);
    decoder.feed(record, &mut events);
    decoder.finish(&mut events);
    events.iter().find_map(|event| {
        let What::Call(call) = &event.what else { return None };
        rules.iter().find(|rule| rule.fits(call)).map(|rule| (event.tid, rule.text.clone()))
    })
}
