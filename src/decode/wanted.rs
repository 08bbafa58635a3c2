//! Which events are wanted, as far as it can be known before they are decoded: by a block's head, and by a record.

use super::{found::Tells, tell};
use crate::{
    model::{Block, Dump, Event, Recording},
    select::Selection,
    syscall::Abi,
    wire::{Kind, Record, record_flag},
};

/// What says nothing by itself: without calls that are wanted, blocks of these alone are left out.
const OF_CALLS: [Kind; 3] = [Kind::RECORD_CALL, Kind::RECORD_ENTER, Kind::RECORD_FILE];
/// The kernel goes on with an interrupted call by this one, which is told by what stands before it.
const RESTART_SYSCALL: &str = "restart_syscall";

/// Which events are wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    selection: Selection,
    arch: String,
    /// What ended before is not.
    pub(super) since: u64,
    /// What began after is not.
    until: u64,
    /// Whether records are of several cgroups.
    pub(super) several: bool,
    /// By number, the calls of the machine's own ABI.
    calls: Vec<bool>,
    /// Whether there are calls for which no block is read.
    some_calls: bool,
}

impl Wanted {
    /// What a selection wants; not how many.
    pub(super) fn of(recording: &Recording, selection: &Selection) -> Self {
        let Dump { arch, .. } = &recording.dump;
        let (since, until) = selection.range(&recording.dump);
        let abi = Abi::of(arch, false);
        let calls: Vec<bool> = (0..512).map(|nr| selection.calls.wants_any(abi, nr)).collect();
        let restarts = crate::syscall::number(abi, RESTART_SYSCALL);
        let some_calls = calls.contains(&false) && !restarts.is_some_and(|nr| calls[usize::from(nr)]);
        Self {
            selection: selection.clone(),
            arch: arch.clone(),
            since,
            until,
            several: recording.blocks.iter().any(|block| block.whose > 0),
            calls,
            some_calls,
        }
    }

    /// The same, but nothing that ended before.
    pub(super) fn from(self, since: u64) -> Self {
        Self { since, ..self }
    }

    /// The same, and nothing that ended before or began after.
    pub(super) fn within(self, from: u64, to: u64) -> Self {
        Self { since: self.since.max(from), until: self.until.min(to), ..self }
    }

    /// Whether a stretch of time is looked at.
    pub(super) fn holds(&self, from: u64, to: u64) -> bool {
        to >= self.since && from <= self.until
    }

    /// Whether a block lies before all that is wanted.
    pub(super) fn is_before(&self, block: &Block) -> bool {
        block.cpu.is_some() && block.to < self.since
    }

    /// Whether a block lies behind all that is wanted.
    pub(super) fn is_behind(&self, block: &Block) -> bool {
        block.cpu.is_some() && block.from > self.until
    }

    /// Whether something in a block may be wanted.
    pub(super) fn may_be_in(&self, block: &Block) -> bool {
        if self.is_before(block) || self.is_behind(block) {
            return false;
        }
        let threads = &self.selection.threads;
        let seen = &block.seen;
        // Of the sender of a signal and of its target only the one may be wanted.
        let of_thread =
            threads.is_empty() || seen.has_kind(Kind::RECORD_KILL) || threads.iter().any(|tid| seen.has_thread(*tid));
        let others = || (0..32).any(|kind| seen.has_kind(Kind(kind)) && !OF_CALLS.contains(&Kind(kind)));
        let is_wanted = |nr| self.calls.get(usize::from(nr)).is_none_or(|wanted| *wanted);
        let calls = || !self.some_calls || seen.has_call(is_wanted);
        of_thread && (calls() || others())
    }

    /// Whether what a record tells may be wanted.
    pub(super) fn may_be(&self, record: &Record<'_>, tells: Tells) -> bool {
        let (mut start, mut end) = (record.time(), record.time());
        if let Some(call) = record.call() {
            match tells {
                Tells::Call | Tells::Interrupted | Tells::Died => start = tell::start(record, &call),
                _ if is_in_flight(record) => end = u64::MAX,
                _ => {}
            }
            let native = !call.compat();
            if native && usize::try_from(call.nr()).is_ok_and(|nr| self.calls.get(nr) == Some(&false)) {
                return false;
            }
        }
        let threads = &self.selection.threads;
        self.holds(start, end) && (threads.is_empty() || threads.contains(&record.tid()))
    }

    /// An event, if it is wanted.
    pub(super) fn filter(&self, event: Event) -> Option<Event> {
        Some(event).filter(|event| self.wants(event))
    }

    /// Whether an event is wanted.
    pub(super) fn wants(&self, event: &Event) -> bool {
        self.holds(event.start, event.end) && self.selection.wants(&self.arch, event)
    }
}

/// Whether it was in flight when the dump was made.
fn is_in_flight(record: &Record<'_>) -> bool {
    record.has(record_flag::FLAG_IN_FLIGHT)
}
