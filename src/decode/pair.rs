//! Joins what the kernel wrote at the start of a call with what it wrote at the end.

use std::collections::HashMap;

use super::{
    call::{self, Raw},
    fds::{Change, Descriptors, View},
    siginfo, signal,
    style::Style,
    threads::Threads,
};
use crate::{
    model::{Call, Comm, Event, Exit, Files, Outcome, Process, Signal, What},
    syscall::{self, Ret},
    wire::{CallRecord, Kind, Piece, Record, record_flag},
};

/// ERESTART_RESTARTBLOCK: the kernel goes on with the call by restart_syscall.
const RESTART_BLOCK: i64 = 516;

/// Turns records, in the order of their times, into events.
#[derive(Debug)]
pub struct Decoder {
    style: Style,
    threads: Threads,
    /// What descriptors stand for, if it is to be told.
    files: Option<Descriptors>,
    /// RECORD_ENTERs whose call has not ended, by thread.
    begun: HashMap<u32, Vec<u8>>,
    /// Fatal signals that were sent, by the thread's process or thread id.
    kills: HashMap<u32, Kill>,
    /// Calls that were interrupted, by thread, until it is known whether the thread died of it.
    interrupted: HashMap<u32, Event>,
    /// Calls that restart_syscall goes on with, by thread.
    restarting: HashMap<u32, &'static str>,
}

#[derive(Clone, Debug)]
struct Kill {
    signo: i32,
    info: Option<Vec<u8>>,
    sender: (u32, Comm),
    shown: bool,
}

impl Decoder {
    /// `processes`: the threads that are known apart from the records.
    pub fn new(style: Style, processes: &[Process]) -> Self {
        let files = (style.descriptors.any() || style.paths).then(Descriptors::default);
        Self {
            style,
            threads: Threads::new(processes),
            files,
            begun: HashMap::new(),
            kills: HashMap::new(),
            interrupted: HashMap::new(),
            restarting: HashMap::new(),
        }
    }

    /// Tells what descriptors stood for when the history began.
    pub fn see_files(&mut self, processes: &[Files]) {
        if let Some(files) = &mut self.files {
            files.begin(processes);
        }
    }

    /// Goes through the whole history before it is decoded: what descriptors stood for at its end is
    /// then known from their beginning on.
    pub fn foresee<'a>(mut self, records: impl Iterator<Item = Record<'a>>, at_end: &[Files]) -> Self {
        if self.files.is_some() {
            let threads = self.threads.clone();
            for record in records {
                self.follow(record);
            }
            self.files = self.files.take().map(|files| files.again(at_end));
            self.threads = threads;
            self.begun.clear();
        }
        self
    }

    /// Follows descriptors alone.
    fn follow(&mut self, record: Record<'_>) {
        match record.kind() {
            Kind::RECORD_CALL => self.ended(record, |_| ()).map_or((), |_| ()),
            Kind::RECORD_ENTER => {
                self.begun.insert(record.tid(), record.bytes().to_vec());
            }
            _ => self.follow_task(&record),
        }
    }

    /// What a record that is no call does to descriptors, and to what is known of threads.
    fn follow_task(&mut self, record: &Record<'_>) {
        if let Some(files) = &mut self.files {
            files.note(record);
        }
        let Some(task) = record.task() else { return };
        let (tid, pid) = (record.tid(), task.tgid());
        if record.kind() != Kind::RECORD_EXIT {
            self.threads.see(tid, pid, Comm(task.comm()));
        }
        let Some(files) = &mut self.files else { return };
        match record.kind() {
            Kind::RECORD_FORK if tid == pid => files.forked(self.threads.of(task.parent()).0, pid),
            Kind::RECORD_EXEC => files.executed(pid),
            Kind::RECORD_EXIT if tid == pid => files.ended(pid),
            _ => {}
        }
    }

    /// Tells a thread's process and name, where they become known otherwise.
    pub fn see(&mut self, process: &Process) {
        let mut comm = [0; 16];
        let length = process.comm.len().min(15);
        comm[..length].copy_from_slice(&process.comm.as_bytes()[..length]);
        self.threads.see(process.tid, process.pid, Comm(comm));
    }

    /// Decodes one record; what it makes known goes to `events`.
    pub fn feed(&mut self, record: Record<'_>, events: &mut Vec<Event>) {
        if matches!(record.kind(), Kind::RECORD_CALL | Kind::RECORD_ENTER) {
            events.extend(self.interrupted.remove(&record.tid()));
        }
        match record.kind() {
            Kind::RECORD_CALL => self.end(record, events),
            Kind::RECORD_ENTER => self.start(record, events),
            Kind::RECORD_SIGNAL => self.signal(record, events),
            Kind::RECORD_KILL => self.kill(record),
            Kind::RECORD_FILE => self.follow_task(&record),
            _ => self.task(record, events),
        }
    }

    /// Calls that began and did not end: those in flight, and those whose thread is gone.
    pub fn finish(&mut self, events: &mut Vec<Event>) {
        let mut interrupted: Vec<_> = self.interrupted.drain().collect();
        interrupted.sort_by_key(|(tid, _)| *tid);
        events.extend(interrupted.into_iter().map(|(_, event)| event));
        let mut begun: Vec<_> = self.begun.drain().collect();
        begun.sort_by_key(|(tid, _)| *tid);
        for (_, bytes) in begun {
            if let Some(record) = Record::parse(&bytes) {
                let start_seen = !record.has(record_flag::FLAG_NO_ENTER);
                self.unfinished(record, Outcome::InFlight { start_seen }, events);
            }
        }
    }

    fn event(&self, record: &Record<'_>, what: What) -> Event {
        let (pid, comm) = self.threads.of(record.tid());
        Event { start: record.time(), end: record.time(), tid: record.tid(), pid, comm, what }
    }

    fn start(&mut self, record: Record<'_>, events: &mut Vec<Event>) {
        let Some(begun) = record.call() else { return };
        let abi = self.style.abi(begun.compat());
        let row = syscall::row(abi, begun.nr());
        if row.is_some_and(|row| matches!(row.ret, Ret::Never)) {
            // A thread that is ending is still seen in the call; its start was told already.
            if record.has(record_flag::FLAG_IN_FLIGHT) {
                return;
            }
            return self.unfinished(record, Outcome::Never, events);
        }
        self.begun.insert(record.tid(), record.bytes().to_vec());
    }

    fn unfinished(&self, record: Record<'_>, outcome: Outcome, events: &mut Vec<Event>) {
        let Some(begun) = record.call() else { return };
        let pieces: Vec<Piece<'_>> = begun.pieces().collect();
        let mut raw = Raw::new(&self.style, begun, begun.args(), None, &pieces);
        let pid = self.threads.of(record.tid()).0;
        raw.fds = self.files.as_ref().map(|descriptors| View { descriptors, pid, changes: &[] });
        let mut call = call::decode(&raw);
        call.outcome = outcome;
        call.duration = None;
        call.cut = record.has(record_flag::FLAG_CUT);
        self.resume(record.tid(), &mut call);
        let mut event = self.event(&record, What::Call(Box::new(call)));
        event.end = if record.has(record_flag::FLAG_IN_FLIGHT) { u64::MAX } else { event.start };
        events.push(event);
    }

    fn end(&mut self, record: Record<'_>, events: &mut Vec<Event>) {
        let Some(ended) = record.call() else { return };
        let start = ended.duration().map_or(record.time(), |duration| record.time().saturating_sub(duration));
        let Some((mut call, caller, cut)) = self.ended(record, call::decode) else { return };
        call.duration = ended.duration();
        call.cut = record.has(record_flag::FLAG_CUT) || cut;
        call.caller = caller;
        self.resume(record.tid(), &mut call);
        self.restarting.remove(&record.tid());
        if ended.ret() == -RESTART_BLOCK {
            self.restarting.insert(record.tid(), call.name);
        }
        let interrupted = match &call.outcome {
            Outcome::Interrupted { .. } => true,
            Outcome::Failed { errno, .. } => *errno == libc::EINTR,
            _ => kills(&call, ended.args()),
        };
        let mut event = self.event(&record, What::Call(Box::new(call)));
        event.start = start;
        if interrupted {
            self.interrupted.insert(record.tid(), event);
        } else {
            events.push(event);
        }
    }

    /// Makes something of a call that has ended and lets it change descriptors. With it: the thread in
    /// which it began, where that is another, and whether what was written at its start was cut.
    fn ended<T>(&mut self, record: Record<'_>, make: impl FnOnce(&Raw<'_>) -> T) -> Option<(T, Option<u32>, bool)> {
        let ended = record.call()?;
        let start = ended.duration().map_or(record.time(), |duration| record.time().saturating_sub(duration));
        let begun = self.begun.remove(&record.tid());
        let begun = begun.as_deref().and_then(Record::parse).filter(|begun| begun.time() == start);
        let caller = begun.map(|begun| begun.tid()).filter(|caller| *caller != record.tid());
        let begun_call: Option<CallRecord<'_>> = begun.and_then(|begun| begun.call());
        let mut pieces: Vec<Piece<'_>> = begun_call.iter().flat_map(CallRecord::pieces).collect();
        pieces.extend(ended.pieces());
        // After execve and rt_sigreturn the registers are another program's.
        let gone =
            syscall::row(self.style.abi(ended.compat()), ended.nr()).is_some_and(|row| matches!(row.ret, Ret::Gone));
        let known = begun_call.filter(|_| gone).unwrap_or(ended);
        let mut raw = Raw::new(&self.style, known, known.args(), Some(ended.ret()), &pieces);
        let pid = self.threads.of(record.tid()).0;
        let changes: Vec<Change> =
            self.files.as_mut().map_or_else(Vec::new, |files| files.changes(&raw, record.tid(), pid));
        raw.fds = self.files.as_ref().map(|descriptors| View { descriptors, pid, changes: &changes });
        let made = make(&raw);
        if let Some(files) = &mut self.files {
            changes.into_iter().for_each(|change| files.apply(pid, change));
        }
        Some((made, caller, begun.is_some_and(|begun| begun.has(record_flag::FLAG_CUT))))
    }

    fn signal(&mut self, record: Record<'_>, events: &mut Vec<Event>) {
        let Some(delivered) = record.signal() else { return };
        let (pid, _) = self.threads.of(record.tid());
        let target = [record.tid(), pid].into_iter().find(|id| self.kills.contains_key(id));
        let kill = target.and_then(|id| self.kills.get_mut(&id));
        let mut signo = delivered.signo();
        let mut info = delivered.info().map(<[u8]>::to_vec);
        let mut sender = None;
        if let Some(kill) = kill
            && (kill.signo == signo || (signo == libc::SIGKILL && info.is_none()))
            && !std::mem::replace(&mut kill.shown, true)
        {
            // A fatal signal reaches the thread as a SIGKILL that says nothing: this is what was sent.
            signo = kill.signo;
            info = info.or_else(|| kill.info.clone());
            sender = Some(kill.sender);
        }
        if signo == libc::SIGKILL {
            return;
        }
        events.extend(self.interrupted.remove(&record.tid()));
        let what = Signal {
            signo,
            name: signal::name(signo).into(),
            info: siginfo::info(&self.style, signo, info.as_deref()).into(),
            sender,
        };
        events.push(self.event(&record, What::Signal(what)));
    }

    fn kill(&mut self, record: Record<'_>) {
        let Some(sent) = record.signal() else { return };
        let kill = Kill {
            signo: sent.signo(),
            info: sent.info().map(<[u8]>::to_vec),
            sender: (sent.sender(), Comm(sent.comm())),
            shown: false,
        };
        self.kills.insert(sent.target(), kill);
    }

    fn task(&mut self, record: Record<'_>, events: &mut Vec<Event>) {
        let Some(task) = record.task() else { return };
        let tid = record.tid();
        self.follow_task(&record);
        let what = match record.kind() {
            Kind::RECORD_FORK => What::Fork { parent: task.parent() },
            Kind::RECORD_EXEC => {
                let former = task.former();
                if former != tid {
                    self.superseded(&record, former, events);
                }
                What::Exec { former }
            }
            Kind::RECORD_JOIN => What::Join,
            Kind::RECORD_COMM => What::Rename,
            _ => {
                let (_, known) = self.threads.of(tid);
                if known == Comm::default() {
                    self.threads.see(tid, task.tgid(), Comm(task.comm()));
                }
                self.begun.remove(&tid);
                events.extend(self.interrupted.remove(&tid).map(|event| self.died(event)));
                What::Exit(exit(task.code()))
            }
        };
        events.push(self.event(&record, what));
    }

    /// restart_syscall has no arguments: what it goes on with is what there is to tell.
    fn resume(&self, tid: u32, call: &mut Call) {
        if call.name == "restart_syscall" {
            let resumed = self.restarting.get(&tid).unwrap_or(&"system call");
            call.text = format!("<... resuming interrupted {resumed} ...>");
            call.known_at_start = call.text.len();
        }
    }

    /// A call in which its thread was killed: what the kernel would have returned reached nobody.
    fn died(&self, mut event: Event) -> Event {
        if let What::Call(call) = &mut event.what {
            let row = syscall::row(self.style.abi(call.compat), call.nr);
            let told_in_result = row.is_some_and(|row| matches!(row.ret, Ret::Told(_)));
            call.outcome = Outcome::Died { untold: told_in_result || call.known_at_start < call.text.len() };
        }
        event
    }

    /// A thread's execve ends under its process's id: the leader is gone, the caller takes its place.
    fn superseded(&mut self, record: &Record<'_>, former: u32, events: &mut Vec<Event>) {
        if let Some(begun) = self.begun.remove(&former) {
            self.begun.insert(record.tid(), begun);
        }
        // The kernel ends the leader's thread for it; to its tracer and its parent it never ended.
        let ended = |event: &Event| event.tid == record.tid() && matches!(event.what, What::Exit(_));
        if let Some(at) = events.iter().rposition(ended) {
            events.remove(at);
        }
        events.push(self.event(record, What::Exit(Exit::Superseded { by: former })));
    }
}

/// Whether a call sends SIGKILL, which may be for its own thread: nobody then sees it return.
fn kills(call: &Call, args: [u64; 6]) -> bool {
    let signal = match call.name {
        "kill" | "tkill" | "pidfd_send_signal" => args[1],
        "tgkill" => args[2],
        _ => return false,
    };
    signal == u64::from(libc::SIGKILL.unsigned_abs())
}

/// wait(2)'s status.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "the status is 16 bits")]
fn exit(code: u32) -> Exit {
    match code & 0x7f {
        0 => Exit::Status((code >> 8) as u8),
        signo => Exit::Killed { signo: signo as i32, core: code & 0x80 != 0 },
    }
}
