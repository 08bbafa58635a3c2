//! Which events are shown: strace's filters, and those that only a recording can have (times, the last N).
//!
//! Sees the model and the knowledge of calls; never asks the system anything.

mod signals;
mod status;
mod when;

use crate::{
    model::{Call, Dump, Event, Exit, Outcome, Step, Uring, What},
    syscall::{Abi, Filter},
};

pub use signals::Signals;
pub use status::{Status, Statuses};
pub use when::When;

/// Which events are shown. The default is all of them.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The calls.
    pub calls: Filter,
    /// How they ended.
    pub statuses: Statuses,
    /// The paths that they touch; none: any.
    pub paths: Vec<Vec<u8>>,
    /// They lasted at least so many nanoseconds.
    pub duration: Option<u64>,
    /// The threads; none: any.
    pub threads: Vec<u32>,
    /// The signals.
    pub signals: Signals,
    /// Not how threads ended.
    pub no_exits: bool,
    /// Not that a thread ended by another's execve.
    pub no_superseded: bool,
    /// What ended before this is not shown.
    pub since: Option<When>,
    /// What began after this is not shown.
    pub until: Option<When>,
    /// Only so many calls, the last ones.
    pub last: Option<usize>,
}

impl Selection {
    /// Whether it can only be applied to a dump, which has an end.
    pub fn needs_dump(&self) -> bool {
        self.since.is_some() || self.until.is_some() || self.last.is_some()
    }

    /// The time of a dump that is wanted: since and until.
    pub fn range(&self, dump: &Dump) -> (u64, u64) {
        let clock = |when: &When| when.boottime(dump.taken, dump.clock_offset);
        (self.since.as_ref().map_or(0, clock), self.until.as_ref().map_or(u64::MAX, clock))
    }

    /// Keeps the events that are wanted, whatever their time and place.
    pub fn filter(&self, arch: &str, events: &mut Vec<Event>) {
        events.retain(|event| self.wants(arch, event));
    }

    /// Whether an event is wanted, whatever its time and place.
    pub fn wants(&self, arch: &str, event: &Event) -> bool {
        if !self.threads.is_empty() && !self.threads.contains(&event.tid) {
            return false;
        }
        match &event.what {
            What::Call(call) => self.wants_call(arch, call),
            What::Signal(signal) => self.signals.wants(signal.signo),
            What::Exit(Exit::Superseded { .. }) => !self.no_superseded,
            What::Exit(_) => !self.no_exits,
            What::Uring(request) => self.wants_request(arch, request),
            What::Exec { .. } | What::Fork { .. } | What::Join | What::Rename | What::Gap(_) => true,
        }
    }

    /// A request of io_uring's is chosen as the call would be that does the same; those that have only been
    /// submitted have no status and no duration yet.
    fn wants_request(&self, arch: &str, request: &Uring) -> bool {
        let (outcome, duration) = match &request.step {
            Step::Submitted { .. } => (Outcome::InFlight { start_seen: true }, None),
            Step::Completed { result: Ok(value), duration, .. } => {
                (Outcome::Returned { value: i64::from(*value), text: "".into() }, *duration)
            }
            Step::Completed { result: Err(errno), duration, .. } => {
                (Outcome::Failed { errno: *errno, text: "".into() }, *duration)
            }
        };
        self.calls.wants_uring(Abi::of(arch, false))
            && self.statuses.wants(&outcome)
            && self.duration.is_none_or(|least| duration.is_some_and(|duration| duration >= least))
            && self.paths.is_empty()
    }

    fn wants_call(&self, arch: &str, call: &Call) -> bool {
        self.calls.wants(Abi::of(arch, call.compat), call.nr)
            && self.statuses.wants(&call.outcome)
            && self.duration.is_none_or(|least| call.duration.is_some_and(|duration| duration >= least))
            && (self.paths.is_empty()
                || call.paths.iter().any(|path| self.paths.iter().any(|wanted| **wanted == **path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Comm;

    fn call(nr: i32, start: u64, outcome: Outcome) -> Event {
        let call = Call {
            nr,
            outcome,
            duration: Some(start),
            paths: vec![format!("/{nr}").into_bytes().into()],
            ..Call::bare("")
        };
        Event {
            start,
            end: start + 1,
            tid: nr.cast_unsigned(),
            pid: 1,
            comm: Comm::default(),
            whose: 0,
            what: What::Call(Box::new(call)),
        }
    }

    fn kept(selection: &Selection) -> Vec<u64> {
        let dump = Dump { arch: "x86_64".into(), taken: 40_000_000_000, ..Dump::default() };
        let events = vec![
            call(0, 10_000_000_000, Outcome::Returned { value: 0, text: "".into() }),
            call(1, 20_000_000_000, Outcome::Failed { errno: 2, text: "".into() }),
            call(231, 30_000_000_000, Outcome::Never),
        ];
        let (since, until) = selection.range(&dump);
        let wanted = |event: &Event| event.end >= since && event.start <= until && selection.wants(&dump.arch, event);
        events.into_iter().filter(wanted).map(|event| event.start / 1_000_000_000).collect()
    }

    #[test]
    fn each_filter_keeps_what_it_says() {
        let all = Selection::default;
        assert_eq!(kept(&all()), [10, 20, 30]);
        assert_eq!(kept(&Selection { calls: Filter::parse("write").unwrap(), ..all() }), [20]);
        assert_eq!(kept(&Selection { statuses: Statuses::only([Status::Failed]), ..all() }), [20]);
        assert_eq!(kept(&Selection { statuses: Statuses::parse("!failed").unwrap(), ..all() }), [10, 30]);
        assert_eq!(kept(&Selection { threads: vec![231], ..all() }), [30]);
        assert_eq!(kept(&Selection { duration: Some(20_000_000_000), ..all() }), [20, 30]);
        assert_eq!(kept(&Selection { paths: vec![b"/1".to_vec()], ..all() }), [20]);
        assert_eq!(kept(&Selection { since: Some(When::parse("-25s").unwrap()), ..all() }), [20, 30]);
        assert_eq!(kept(&Selection { until: Some(When::parse("-25s").unwrap()), ..all() }), [10]);
        assert_eq!(kept(&Selection { since: Some(When::parse("25").unwrap()), ..all() }), [30]);
    }
}
