//! The processes of a history: who made whom, what each did last, how each ended.
//!
//! The end of a leader is not the end of its process: a process has ended when a signal has killed one of its threads,
//! when one of them called exit_group, or when none is left. What is known of any is bounded by the events given.

use std::collections::HashMap;

use super::{failure::Failures, said::Said, words};
use crate::model::{Call, Comm, Dump, Ended, Event, Exit, Outcome, Sent, Signal, What, Why};

/// A thread, as far as it matters how it ends.
#[derive(Debug, Default)]
pub(super) struct Thread<'a> {
    /// Its last call.
    pub(super) last: Option<(&'a Event, &'a Call)>,
    /// The first signal of a fault that it has not come back from.
    fault: Option<(&'a Event, &'a Signal)>,
    /// The same of which it has just come back.
    returned: Option<(&'a Event, &'a Signal)>,
    ended: bool,
}

/// A process.
#[derive(Debug, Default)]
pub(super) struct Process<'a> {
    pub(super) pid: u32,
    pub(super) comm: Comm,
    /// The process that made it, by its place.
    pub(super) parent: Option<usize>,
    /// How many calls it made.
    pub(super) calls: u32,
    pub(super) failures: Failures<'a>,
    pub(super) said: Said,
    pub(super) threads: HashMap<u32, Thread<'a>>,
    /// The last signals that reached it, by their numbers.
    signals: HashMap<i32, (&'a Event, &'a Signal)>,
    exit: Option<(&'a Event, Exit)>,
    /// The first of its threads that a seccomp filter ended, and the call that it forbade.
    pub(super) forbidden: Option<(&'a Event, &'static str)>,
    /// It called exit_group.
    leaves: bool,
}

impl<'a> Process<'a> {
    /// How it ended, and the event that tells; `None`: it lives, for all that is known.
    pub(super) fn end(&self) -> Option<(&'a Event, Exit)> {
        let all = self.leaves || self.threads.values().all(|thread| thread.ended);
        self.exit.filter(|(_, exit)| all || (matches!(exit, Exit::Killed { .. }) && !is_threads_own(exit)))
    }

    /// Whether a signal or a status other than 0 ended it.
    pub(super) fn ended_badly(&self) -> bool {
        self.end().is_some_and(|(_, exit)| exit != Exit::Status(0))
    }

    /// The signal with this number that reached it last.
    pub(super) fn signal(&self, signo: i32) -> Option<(&'a Event, &'a Signal)> {
        self.signals.get(&signo).copied()
    }

    /// The first fault that one of its threads did not come back from.
    pub(super) fn fault(&self) -> Option<(&'a Event, &'a Signal)> {
        self.threads.values().filter_map(|thread| thread.fault.or(thread.returned)).min_by_key(|(event, _)| event.start)
    }

    /// Its last call: the last that its leader made, or else any.
    pub(super) fn last_call(&self) -> Option<(&'a Event, &'a Call)> {
        let leaders = self.threads.get(&self.pid).and_then(|thread| thread.last);
        leaders.or_else(|| self.threads.values().filter_map(|thread| thread.last).max_by_key(|(event, _)| event.start))
    }

    fn ended(&self) -> Option<Ended> {
        let (event, exit) = self.end()?;
        let plainly = Ended { time: event.start, pid: self.pid, comm: self.name().to_string(), ..Ended::default() };
        Some(match exit {
            Exit::Killed { signo, core, sent, why } => {
                let dying = self.fault().map_or(event.tid, |(event, _)| event.tid);
                let last = self.threads.get(&dying).and_then(|thread| thread.last);
                // One that was sent before and did not end it is not what did.
                let is_fault = self.fault().is_some_and(|(_, fault)| fault.signo == signo);
                let sent = sent.filter(|_| why == Why::Signal && !is_fault);
                let own = |sent: &Sent| sent.pid == self.pid && !sent.by_kernel;
                let sender = sent.filter(|sent| !own(sent));
                let sender =
                    sender.map(
                        |sent| if sent.by_kernel { "the kernel".to_owned() } else { words::who(sent.pid, &sent.comm) },
                    );
                let sender = sender.or_else(|| (why == Why::Memory).then(|| "the kernel's OOM killer".to_owned()));
                Ended {
                    signal: Some(signo),
                    core,
                    sent_by: sender,
                    info: self.signal(signo).map(|(_, signal)| signal.info.to_string()),
                    last_call: last.map(|(_, call)| words::whole(call)),
                    ..plainly
                }
            }
            Exit::Status(status) => Ended { status: Some(status), ..plainly },
            Exit::Superseded { .. } => return None,
        })
    }

    /// Its name, or its last thread's where its leader's is not known.
    pub(super) fn name(&self) -> Comm {
        let known = Some(self.comm).filter(|comm| !comm.bytes().is_empty());
        known.or_else(|| self.exit.map(|(event, _)| event.comm)).unwrap_or_default()
    }

    fn see(&mut self, event: &'a Event) {
        let thread = self.threads.entry(event.tid).or_default();
        if event.tid == self.pid && !event.comm.bytes().is_empty() {
            self.comm = event.comm;
        }
        match &event.what {
            What::Call(call) => {
                thread.last = Some((event, call));
                // A signal that the handler raised again is delivered when that returns, before the next call.
                match call.name() {
                    "rt_sigreturn" => thread.returned = thread.fault.take(),
                    _ => thread.returned = None,
                }
                self.leaves |= call.name() == "exit_group" && call.outcome == Outcome::Never;
                // Some write for people a letter at a time.
                self.calls += u32::from(call.said.is_none());
                if let Some(said) = &call.said {
                    let whole = match call.outcome {
                        Outcome::Returned { value, .. } => usize::try_from(value).unwrap_or(0),
                        _ => 0,
                    };
                    self.said.hear(said, whole > said.len(), event.start);
                }
                self.failures.see(event, call, self.calls);
            }
            What::Signal(signal) => {
                self.signals.insert(signal.signo, (event, signal));
                if is_fault(signal) && thread.fault.is_none() {
                    thread.fault = Some((event, signal));
                }
            }
            What::Exit(Exit::Superseded { .. }) => {}
            What::Exit(exit) => {
                thread.ended = true;
                if let Exit::Killed { why: Why::Forbidden(call), .. } = exit {
                    self.forbidden.get_or_insert((event, call));
                }
                // Threads that a signal ends with the one that it was for come after it.
                if !matches!(&self.exit, Some((_, exit @ Exit::Killed { .. })) if !is_threads_own(exit)) {
                    self.exit = Some((event, *exit));
                }
            }
            What::Exec { .. } => {
                self.failures.begin_anew();
                self.threads.retain(|tid, _| *tid == event.tid);
            }
            _ => {}
        }
    }
}

/// Whether it is the end of one thread alone: a seccomp filter may be meant so.
fn is_threads_own(exit: &Exit) -> bool {
    matches!(exit, Exit::Killed { why: Why::Forbidden(_), .. })
}

/// Whether the kernel sent it for what the thread itself did.
fn is_fault(signal: &Signal) -> bool {
    let by_nature =
        [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGSYS, libc::SIGTRAP].contains(&signal.signo);
    by_nature && !["SI_USER", "SI_TKILL", "SI_QUEUE"].iter().any(|code| signal.info.contains(code))
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Processes<'a> {
    all: Vec<Process<'a>>,
    by_pid: HashMap<u32, usize>,
    by_tid: HashMap<u32, usize>,
}

impl<'a> Processes<'a> {
    pub(super) fn of(dump: &Dump, events: impl Iterator<Item = &'a Event>) -> Self {
        let mut processes = Self::default();
        for alive in &dump.processes {
            let comm = comm(&alive.comm);
            let at = processes.place(alive.pid);
            processes.by_tid.insert(alive.tid, at);
            let process = &mut processes.all[at];
            process.threads.entry(alive.tid).or_default();
            if alive.tid == alive.pid {
                process.comm = comm;
            }
        }
        // Who was there at the dump may have had another name before.
        events.for_each(|event| processes.see(event));
        processes
    }

    fn see(&mut self, event: &'a Event) {
        match &event.what {
            What::Fork { parent } if event.tid == event.pid => {
                let maker = self.maker(*parent);
                if self.by_pid.get(&event.pid).is_some_and(|at| self.all[*at].end().is_some()) {
                    self.by_pid.remove(&event.pid);
                }
                let made = self.get(event.pid);
                made.parent = Some(maker);
            }
            _ => {}
        }
        if let Some(at) = self.home(event) {
            self.by_tid.insert(event.tid, at);
            self.all[at].see(event);
        }
    }

    /// The process of an event's thread. A thread of which nothing has said whose it is is taken for its own process until
    /// something does: its end says so.
    fn home(&mut self, event: &Event) -> Option<usize> {
        let before = self.by_tid.get(&event.tid).copied();
        if event.pid == 0 {
            return (event.tid != 0).then(|| before.unwrap_or_else(|| self.place(event.tid)));
        }
        let at = self.place(event.pid);
        if let Some(before) = before.filter(|before| *before != at && self.all[*before].pid == event.tid)
            && let Some(thread) = self.all[before].threads.remove(&event.tid)
        {
            self.all[at].threads.insert(event.tid, thread);
        }
        Some(at)
    }

    /// The process of the thread that forks. One of which nothing was seen yet has that thread for its leader, for all
    /// that is known.
    fn maker(&mut self, tid: u32) -> usize {
        let known = self.by_tid.get(&tid).copied();
        known.filter(|at| self.all[*at].end().is_none()).unwrap_or_else(|| self.place(tid))
    }

    fn place(&mut self, pid: u32) -> usize {
        *self.by_pid.entry(pid).or_insert_with(|| {
            self.all.push(Process { pid, ..Process::default() });
            self.all.len() - 1
        })
    }

    fn get(&mut self, pid: u32) -> &mut Process<'a> {
        let at = self.place(pid);
        &mut self.all[at]
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Process<'a>> {
        self.all.iter()
    }

    /// The last that had this number.
    pub(super) fn with_pid(&self, pid: u32) -> Option<&Process<'a>> {
        self.by_pid.get(&pid).map(|at| &self.all[*at])
    }

    /// Those that a process made.
    pub(super) fn children(&self, of: &Process<'a>) -> impl DoubleEndedIterator<Item = &Process<'a>> {
        let at = self.all.iter().position(|process| std::ptr::eq(process, of));
        self.all.iter().filter(move |process| process.parent.is_some() && process.parent == at)
    }

    /// How they ended, in the order in which they did.
    pub(super) fn ended(&self) -> Vec<Ended> {
        let mut ended: Vec<Ended> = self.all.iter().filter_map(Process::ended).collect();
        ended.sort_by_key(|ended| ended.time);
        ended
    }

    /// Who made it, if that is recorded.
    pub(super) fn parent(&self, of: &Process<'a>) -> Option<&Process<'a>> {
        self.all.get(of.parent?)
    }
}

fn comm(name: &str) -> Comm {
    let mut comm = [0; 16];
    let length = name.len().min(15);
    comm[..length].copy_from_slice(&name.as_bytes()[..length]);
    Comm(comm)
}
