//! How complete a dump is, stretch by stretch, where something is missing in between.

use super::Silence;
use crate::{
    history::Gap,
    model::{Completeness, Stretch},
};

/// The stretches from `from` to `to` with these gaps and silences; none, if there are none of either.
pub(super) fn around(gaps: Vec<Gap>, silences: &[Silence], from: u64, to: u64) -> Vec<Stretch> {
    let gaps = gaps.into_iter().map(|gap| {
        let reason = if gap.packer {
            "packing them would have taken more than [history] history-cpu allows"
        } else {
            "they were overwritten before they could be copied"
        };
        (gap.from, gap.to, gap.records, reason)
    });
    let silences = silences.iter().map(|silence| {
        (silence.from.max(from), silence.to.unwrap_or(to).min(to), 0, "nothing was recorded: the programs did not run")
    });
    let mut missing: Vec<_> = gaps.chain(silences).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    missing.sort_unstable();
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut at = from;
    for (begin, end, records, reason) in missing {
        if begin > at {
            stretches.push(Stretch { from: at, to: begin, state: Completeness::Complete });
        }
        at = at.max(end);
        let state = Completeness::Gap { records, reason: reason.to_owned() };
        stretches.push(Stretch { from: begin, to: end, state });
    }
    if at < to {
        stretches.push(Stretch { from: at, to, state: Completeness::Complete });
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_complete_stands_between_the_gaps() {
        let gap = |from, to| Gap { from, to, records: 5, packer: false };
        let found = around(vec![gap(70, 80), gap(20, 40), gap(30, 50)], &[], 10, 100);
        let shown: Vec<_> =
            found.iter().map(|part| (part.from, part.to, part.state == Completeness::Complete)).collect();
        let expected =
            [(10, 20, true), (20, 40, false), (30, 50, false), (50, 70, true), (70, 80, false), (80, 100, true)];
        assert_eq!(shown, expected);
        assert_eq!(around(Vec::new(), &[], 10, 100), []);
        let silences = [Silence { from: 5, to: Some(20) }, Silence { from: 90, to: None }];
        let found = around(Vec::new(), &silences, 10, 100);
        let shown: Vec<_> = found.iter().map(|part| (part.from, part.to)).collect();
        assert_eq!(shown, [(10, 20), (20, 90), (90, 100)]);
        assert!(
            matches!(&found[2].state, Completeness::Gap { records: 0, reason } if reason.starts_with("nothing was"))
        );
    }
}
