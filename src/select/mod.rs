//! Which events are shown: strace's filters, and those that only a recording can have (times, the last N).
//!
//! Sees the model and the knowledge of calls; never asks the system anything.

mod concerned;
mod condition;
mod set;
mod signals;
mod status;
mod when;

use globset::GlobMatcher;

use crate::{
    model::{Call, Dump, Event, Exit, Outcome, Step, Uring, What},
    syscall::{Abi, Filter},
};

pub use concerned::Concerned;
pub use condition::Condition;
pub use set::Set;
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
    /// The processes.
    pub processes: Option<Set<u32>>,
    /// What the threads are called; none: anything.
    pub comms: Vec<GlobMatcher>,
    /// The calls failed with one of these.
    pub errnos: Option<Set<i32>>,
    /// The calls take or return one of these descriptors.
    pub fds: Option<Set<i32>>,
    /// Conditions that hold of them all, calls or not.
    pub conditions: Vec<Condition>,
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
    /// What else has to hold, whatever its time and place.
    pub also: Vec<Selection>,
}

impl Selection {
    /// The time of a dump that is wanted: since and until.
    pub fn range(&self, dump: &Dump) -> (u64, u64) {
        let clock = |when: &When| when.boottime(dump.taken, dump.clock_offset);
        (self.since.as_ref().map_or(0, clock), self.until.as_ref().map_or(u64::MAX, clock))
    }

    /// What both choose.
    pub fn and(&self, other: Self) -> Self {
        let (since, until) = (other.since.clone().or(self.since.clone()), other.until.clone().or(self.until.clone()));
        let mut also = other.also.clone();
        also.push(self.clone());
        Self { since, until, also, ..other }
    }

    /// Keeps the events that are wanted, whatever their time and place.
    pub fn filter(&self, arch: &str, events: &mut Vec<Event>) {
        events.retain(|event| self.wants(arch, event));
    }

    /// Where calls are chosen by what they were: who else is to be heard of.
    pub fn concerned(&self) -> Option<Concerned> {
        self.is_by_call().then(Concerned::default)
    }

    /// Whether the paths that calls touch decide.
    pub fn by_path(&self) -> bool {
        !self.paths.is_empty() || self.asks_for(&["path", "paths"]) || self.also.iter().any(Self::by_path)
    }

    /// Whether the descriptors that they take or return decide.
    pub fn by_fd(&self) -> bool {
        self.fds.is_some() || self.asks_for(&["fds"]) || self.also.iter().any(Self::by_fd)
    }

    /// Whether conditions ask for one of these fields.
    fn asks_for(&self, names: &[&str]) -> bool {
        self.conditions.iter().any(|condition| names.iter().any(|name| condition.asks_for(name)))
    }

    fn is_by_call(&self) -> bool {
        let by_call = self.duration.is_some() || self.errnos.is_some() || self.fds.is_some();
        by_call || self.also.iter().any(Self::is_by_call)
    }

    /// Whether an event is wanted, whatever its time and place.
    pub fn wants(&self, arch: &str, event: &Event) -> bool {
        self.wants_alone(arch, event) && self.also.iter().all(|also| also.wants(arch, event))
    }

    fn wants_alone(&self, arch: &str, event: &Event) -> bool {
        // Of no thread.
        if matches!(event.what, What::Gap(_)) {
            return true;
        }
        // A process that the records do not tell is its first thread's.
        let pid = if event.pid == 0 { event.tid } else { event.pid };
        if self.processes.as_ref().is_some_and(|processes| !processes.has(&pid)) {
            return false;
        }
        if !self.comms.is_empty() && !self.comms.iter().any(|comm| comm.is_match(event.comm.to_string())) {
            return false;
        }
        if !self.threads.is_empty() && !self.threads.contains(&event.tid) {
            return false;
        }
        self.wants_what(arch, event) && self.conditions.iter().all(|condition| condition.holds(event))
    }

    fn wants_what(&self, arch: &str, event: &Event) -> bool {
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
            && self.wants_error(&outcome)
            && self.paths.is_empty()
            && self.fds.is_none()
    }

    fn wants_error(&self, outcome: &Outcome) -> bool {
        self.errnos.as_ref().is_none_or(|errnos| matches!(outcome, Outcome::Failed { errno, .. } if errnos.has(errno)))
    }

    fn wants_call(&self, arch: &str, call: &Call) -> bool {
        self.calls.wants(Abi::of(arch, call.compat), call.nr)
            && self.statuses.wants(&call.outcome)
            && self.duration.is_none_or(|least| call.duration.is_some_and(|duration| duration >= least))
            && self.wants_error(&call.outcome)
            && self.fds.as_ref().is_none_or(|fds| call.fds.iter().any(|fd| fds.has(fd)))
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
            ..Call::of("")
        };
        Event {
            start,
            end: start + 1,
            tid: nr.cast_unsigned(),
            pid: 1,
            comm: Comm::default(),
            whose: 0,
            cpu: None,
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
        let later = Selection { duration: Some(20_000_000_000), ..all() };
        assert_eq!(kept(&later.and(Selection { paths: vec![b"/1".to_vec(), b"/0".to_vec()], ..all() })), [20]);
    }
}
