//! How many calls were written, in the words of a dump's header: what ends a text and heads a page counts the same.

use serde::Serialize;

use crate::model::{Counts, Dump, Event, Outcome, What};

/// Counts events as they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Seen {
    /// All of them.
    pub(super) events: u64,
    /// Calls that ended, also in vain, as `Counts::calls` has it.
    pub(super) calls: u64,
    /// Those of them that failed or were interrupted, as `Counts::failed` has it.
    pub(super) failed: u64,
    /// Calls that never return, that had not ended, or of which the end is not there.
    pub(super) endless: u64,
    pub(super) signals: u64,
}

impl Seen {
    pub(super) fn see(&mut self, event: &Event) {
        self.events += 1;
        match &event.what {
            What::Call(call) if call.has_ended() => {
                self.calls += 1;
                self.failed += u64::from(!matches!(call.outcome, Outcome::Returned { .. }));
            }
            What::Call(_) => self.endless += 1,
            What::Signal(_) => self.signals += 1,
            _ => {}
        }
    }

    /// `12 calls`, `3 of 12 calls, and 1 without an end`.
    pub(super) fn words(&self, dump: &Dump) -> String {
        let held = dump.counts.map(|Counts { calls, .. }| calls).filter(|held| *held != self.calls);
        let of = held.map(|held| format!(" of {held}")).unwrap_or_default();
        let one = held.unwrap_or(self.calls) == 1;
        let endless = if self.endless > 0 { format!(", and {} without an end", self.endless) } else { String::new() };
        format!("{}{of} {}{endless}", self.calls, if one { "call" } else { "calls" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_compared_with_what_is_held() {
        let of = |calls, endless, held| {
            let counts = Some(Counts { calls: held, ..Counts::default() });
            Seen { calls, endless, ..Seen::default() }.words(&Dump { counts, ..Dump::default() })
        };
        assert_eq!(of(12, 0, 12), "12 calls");
        assert_eq!(of(1, 2, 1), "1 call, and 2 without an end");
        assert_eq!(of(3, 1, 12), "3 of 12 calls, and 1 without an end");
        assert_eq!(Seen { calls: 2, ..Seen::default() }.words(&Dump::default()), "2 calls");
    }
}
