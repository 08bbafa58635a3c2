//! A record and what belongs to it: what pairing finds, and telling makes an event of.

use super::asked::View;
use crate::{model::Comm, wire::Record};

/// A record that is kept until what belongs to it comes.
pub(super) trait Kept {
    /// The record.
    fn record(&self) -> Option<Record<'_>>;
}

impl Kept for Box<[u8]> {
    fn record(&self) -> Option<Record<'_>> {
        Record::parse(self)
    }
}

/// What a record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tells {
    /// A call has ended.
    Call,
    /// A call was interrupted, may have killed its own thread, or was forbidden: it ended, unless `Died` follows.
    Interrupted,
    /// The call that was told last did not end: its thread was killed in it, or a filter had forbidden it.
    Died,
    /// A call began that never returns.
    Never,
    /// A call began and had not ended, or its end is missing.
    InFlight,
    /// A signal was delivered.
    Signal,
    /// The thread is gone: another's execve took its place. What was told of its end does not hold.
    Superseded,
    /// What happened to a task.
    Task,
}

/// A record with all that is needed to decode it, now or later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a, K> {
    pub(super) record: Record<'a>,
    /// The record, if it was kept.
    pub(super) kept: Option<&'a K>,
    pub(super) tells: Tells,
    /// What was written at the start of the call; the call that restart_syscall goes on with; who sent the signal.
    pub(super) with: Option<&'a K>,
    /// Where the call was made.
    pub(super) stack: Option<&'a K>,
    /// The thread's process and name at that time.
    pub(super) who: (u32, Comm),
    /// What descriptors stood for at that time, if it is to be told.
    pub(super) view: Option<View<'a>>,
}
