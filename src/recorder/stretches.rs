//! How complete a dump is, stretch by stretch, where something is missing in between.

use super::Silence;
use crate::{
    history::{Gap, Missing},
    model::{Completeness, Stretch},
};

/// For which time there is something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    /// From here on what is kept longer is there.
    pub(super) part: u64,
    /// From here on all is.
    pub(super) complete: u64,
    /// Until here.
    pub(super) to: u64,
}

/// Its stretches with these gaps and silences; none, if it is all complete.
pub(super) fn around(gaps: Vec<Gap>, silences: &[Silence], time: Time) -> Vec<Stretch> {
    let Time { part: from, to, .. } = time;
    let gaps = gaps.into_iter().map(|gap| {
        let reason = match gap.why {
            Missing::Copier => "they were overwritten before they could be copied",
            Missing::Packer => "packing them would have taken more than [history] history-cpu allows",
            Missing::Thinner => "to look what of them matters would have taken more than [history] history-cpu allows",
        };
        (gap.from, gap.to, gap.records, reason)
    });
    let silences = silences.iter().map(|silence| {
        (silence.from.max(from), silence.to.unwrap_or(to).min(to), 0, "nothing was recorded: the programs did not run")
    });
    let mut missing: Vec<_> = gaps.chain(silences).collect();
    if missing.is_empty() && time.part >= time.complete {
        return Vec::new();
    }
    missing.sort_unstable();
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut at = from;
    for (begin, end, records, reason) in missing {
        stretches.extend(time.between(at, begin));
        at = at.max(end);
        let state = Completeness::Gap { records, reason: reason.to_owned() };
        stretches.push(Stretch { from: begin, to: end, state });
    }
    stretches.extend(time.between(at, to));
    stretches
}

impl Time {
    /// What there is between two gaps.
    fn between(self, from: u64, to: u64) -> impl Iterator<Item = Stretch> {
        let complete = self.complete.clamp(from, to.max(from));
        let states = [(from, complete, Completeness::InPart), (complete, to, Completeness::Complete)];
        states.into_iter().filter(|(from, to, _)| from < to).map(|(from, to, state)| Stretch { from, to, state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(from: u64, to: u64) -> Gap {
        Gap { from, to, records: 5, why: Missing::Copier }
    }

    #[test]
    fn what_is_complete_stands_between_the_gaps() {
        let time = Time { part: 10, complete: 10, to: 100 };
        let found = around(vec![gap(70, 80), gap(20, 40), gap(30, 50)], &[], time);
        let shown: Vec<_> =
            found.iter().map(|part| (part.from, part.to, part.state == Completeness::Complete)).collect();
        let expected =
            [(10, 20, true), (20, 40, false), (30, 50, false), (50, 70, true), (70, 80, false), (80, 100, true)];
        assert_eq!(shown, expected);
        assert_eq!(around(Vec::new(), &[], time), []);
        let silences = [Silence { from: 5, to: Some(20) }, Silence { from: 90, to: None }];
        let found = around(Vec::new(), &silences, time);
        let shown: Vec<_> = found.iter().map(|part| (part.from, part.to)).collect();
        assert_eq!(shown, [(10, 20), (20, 90), (90, 100)]);
        assert!(
            matches!(&found[2].state, Completeness::Gap { records: 0, reason } if reason.starts_with("nothing was"))
        );
    }

    #[test]
    fn what_is_there_in_part_stands_before_what_is_complete() {
        let shown = |gaps, complete| -> Vec<_> {
            let found = around(gaps, &[], Time { part: 10, complete, to: 100 });
            let name = |state: &Completeness| match state {
                Completeness::Complete => "complete",
                Completeness::InPart => "in part",
                Completeness::Gap { .. } => "gap",
            };
            found.iter().map(|part| (part.from, part.to, name(&part.state))).collect()
        };
        assert_eq!(shown(Vec::new(), 40), [(10, 40, "in part"), (40, 100, "complete")]);
        assert_eq!(
            shown(vec![gap(20, 30), gap(60, 70)], 40),
            [
                (10, 20, "in part"),
                (20, 30, "gap"),
                (30, 40, "in part"),
                (40, 60, "complete"),
                (60, 70, "gap"),
                (70, 100, "complete")
            ]
        );
        assert_eq!(
            shown(vec![gap(30, 50)], 40),
            [(10, 30, "in part"), (30, 50, "gap"), (50, 100, "complete")],
            "another CPU's gap"
        );
    }
}
