//! How complete a dump is, stretch by stretch, where something is missing in between.

use crate::{
    history::Gap,
    model::{Completeness, Stretch},
};

/// The stretches from `from` to `to` with these gaps; none, if there is no gap.
pub(super) fn around(mut gaps: Vec<Gap>, from: u64, to: u64) -> Vec<Stretch> {
    if gaps.is_empty() {
        return Vec::new();
    }
    gaps.sort_by_key(|gap| (gap.from, gap.to));
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut at = from;
    for gap in gaps {
        if gap.from > at {
            stretches.push(Stretch { from: at, to: gap.from, state: Completeness::Complete });
        }
        at = at.max(gap.to);
        let reason = if gap.packer {
            "packing them would have taken more than [history] history-cpu allows"
        } else {
            "they were overwritten before they could be copied"
        };
        let state = Completeness::Gap { records: gap.records, reason: reason.to_owned() };
        stretches.push(Stretch { from: gap.from, to: gap.to, state });
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
        let found = around(vec![gap(70, 80), gap(20, 40), gap(30, 50)], 10, 100);
        let shown: Vec<_> =
            found.iter().map(|part| (part.from, part.to, part.state == Completeness::Complete)).collect();
        let expected =
            [(10, 20, true), (20, 40, false), (30, 50, false), (50, 70, true), (70, 80, false), (80, 100, true)];
        assert_eq!(shown, expected);
        assert_eq!(around(Vec::new(), 10, 100), []);
    }
}
