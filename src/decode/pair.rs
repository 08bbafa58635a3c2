//! Joins what belongs together: a call's end with what the kernel wrote at its start, a signal with who
//! sent it, a record with its thread's name and the descriptors of that time. Decodes nothing.

use std::collections::HashMap;

use super::{
    asked::Moment,
    errno,
    fds::Descriptors,
    found::{Found, Kept, Tells},
    opened, raw, siginfo,
    style::Style,
    tell,
    threads::Threads,
};
use crate::{
    model::{Block, Comm, Files, Process},
    syscall::{self, Ret},
    wire::{Kind, RESTART_BLOCK, Record, record_flag},
};

/// What stands for a result in a traced thread that was killed before its call was made.
const NOT_BEGUN: i32 = libc::ENOSYS;

/// Why a call that has a result may have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unsure {
    /// It was interrupted: its thread may have died of it.
    Interrupted,
    /// Its result is its own number: a seccomp filter may have forbidden it, and the kernel has put that back.
    PutBack,
}

/// What was read of the records so far, given in the order of their times.
#[derive(Clone, Debug)]
pub(super) struct Pairs<K> {
    pub(super) style: Style,
    threads: Threads,
    /// What descriptors stand for, if it is to be told.
    files: Option<Descriptors>,
    /// RECORD_ENTERs whose call has not ended, by thread.
    begun: HashMap<u32, K>,
    /// Fatal signals that were sent, by the thread's process or thread id, and whether they were told.
    kills: HashMap<u32, (K, bool)>,
    /// Threads whose last call may have had no end, until it is known.
    interrupted: HashMap<u32, Unsure>,
    /// Calls that restart_syscall goes on with, by thread.
    restarting: HashMap<u32, K>,
    /// Where a thread's next call was made.
    stacks: HashMap<u32, K>,
    /// Until when the history is there in part, by whose it is; none: nowhere.
    in_part_until: Vec<u64>,
    /// Whether the next record is of such a time.
    in_part: bool,
}

/// Whether some record of a block says whose a thread is, or what it is called.
pub(super) fn names_threads(block: &Block) -> bool {
    [Kind::RECORD_FORK, Kind::RECORD_EXEC, Kind::RECORD_COMM, Kind::RECORD_JOIN]
        .iter()
        .any(|kind| block.seen.has_kind(*kind))
}

impl<K: Kept> Pairs<K> {
    /// `processes`: the threads that are known apart from the records.
    pub(super) fn new(style: Style, processes: &[Process]) -> Self {
        let files = (style.descriptors.any() || style.paths).then(Descriptors::default);
        Self {
            style,
            threads: Threads::new(processes),
            files,
            begun: HashMap::new(),
            kills: HashMap::new(),
            interrupted: HashMap::new(),
            restarting: HashMap::new(),
            stacks: HashMap::new(),
            in_part_until: Vec::new(),
            in_part: false,
        }
    }

    /// Until when the history is there in part, by whose it is: calls are missing, and what they did is not known.
    pub(super) fn see_parts(&mut self, until: Vec<u64>) {
        self.in_part_until = until;
    }

    /// Whose the next record is, and of what time.
    pub(super) fn stand(&mut self, whose: u16, record: &Record<'_>) {
        if self.in_part_until.is_empty() {
            return;
        }
        self.in_part = self.in_part_until.get(usize::from(whose)).is_some_and(|until| record.time() <= *until);
        if let Some(files) = &mut self.files {
            let pid = record.file().map_or_else(|| self.threads.of(record.tid()).0, |file| file.tgid());
            files.stand(pid, self.in_part);
        }
    }

    /// Tells what descriptors stood for when the history began.
    pub(super) fn see_files(&mut self, processes: &[Files]) {
        if let Some(files) = &mut self.files {
            files.begin(processes);
        }
    }

    /// Goes through the whole history before it is told: what descriptors stood for at its end is
    /// then known from their beginning on.
    pub(super) fn foresee(mut self, at_end: &[Files], go_through: impl FnOnce(&mut Self)) -> Self {
        if self.files.is_some() {
            let threads = self.threads.clone();
            go_through(&mut self);
            self.files = self.files.take().map(|files| files.again(at_end));
            let Self { style, files, in_part_until, .. } = self;
            return Self { threads, files, in_part_until, ..Self::new(style, &[]) };
        }
        self
    }

    /// Whether it is followed what descriptors stand for: then no record can be left out.
    pub(super) fn follows_files(&self) -> bool {
        self.files.is_some()
    }

    /// Takes in what a record from long before says of its thread.
    pub(super) fn recall(&mut self, record: &Record<'_>) {
        if let Some(task) = record.task().filter(|_| record.kind() != Kind::RECORD_EXIT) {
            self.threads.see(record.tid(), task.tgid(), Comm(task.comm()));
        }
    }

    /// Whether the beginning of a thread's call is known.
    pub(super) fn has_begun(&self, tid: u32, start: u64) -> bool {
        self.begun.get(&tid).and_then(K::record).is_some_and(|begun| begun.time() == start)
    }

    /// Threads whose next record matters, whatever it is: of those in a call, only in one that is wanted. A call that
    /// another thread's execve took over still has the name of the thread that began it.
    pub(super) fn waiting(&self, wanted: impl Fn(&Record<'_>) -> bool) -> impl Iterator<Item = u32> {
        let of = move |(tid, kept): (&u32, &K)| {
            let begun = kept.record().filter(&wanted)?;
            Some([*tid, begun.tid()])
        };
        self.begun.iter().filter_map(of).flatten().chain(self.stacks.keys().copied())
    }

    /// Whether a fatal signal was sent that has reached no thread yet: the first that it reaches is told of it.
    pub(super) fn awaits_signal(&self) -> bool {
        self.kills.values().any(|(_, told)| !told)
    }

    /// Tells a thread's process and name, where they become known otherwise.
    pub(super) fn see(&mut self, process: &Process) {
        let mut comm = [0; 16];
        let length = process.comm.len().min(15);
        comm[..length].copy_from_slice(&process.comm.as_bytes()[..length]);
        self.threads.see(process.tid, process.pid, Comm(comm));
    }

    /// Takes in a record and gives what it tells to `tell`. `keep` is asked for it if it has to wait.
    pub(super) fn feed(&mut self, record: Record<'_>, keep: impl FnOnce() -> K, tell: &mut impl FnMut(Found<'_, K>)) {
        if matches!(record.kind(), Kind::RECORD_CALL | Kind::RECORD_ENTER) {
            self.interrupted.remove(&record.tid());
        }
        match record.kind() {
            Kind::RECORD_CALL => self.end(record, keep, tell),
            Kind::RECORD_ENTER => self.start(record, keep, tell),
            Kind::RECORD_SIGNAL => self.signal(record, tell),
            Kind::RECORD_KILL => {
                if let Some(sent) = record.signal() {
                    self.kills.insert(sent.target(), (keep(), false));
                }
            }
            Kind::RECORD_FILE => self.follow_task(&record),
            Kind::RECORD_URING => self.uring(record, tell),
            Kind::RECORD_STACK => drop(self.stacks.insert(record.tid(), keep())),
            _ => self.task(record, tell),
        }
    }

    /// Calls that began and did not end: those in flight, and those whose end is missing.
    pub(super) fn finish(&mut self, tell: &mut impl FnMut(Found<'_, K>)) {
        if let Some(files) = &mut self.files {
            files.end_part();
        }
        let mut begun: Vec<_> = self.begun.drain().collect();
        begun.sort_by_key(|(tid, _)| *tid);
        for (_, kept) in begun {
            if let Some(record) = kept.record() {
                let stack = self.stacks.remove(&record.tid());
                self.unfinished(record, Tells::InFlight, Some(&kept), stack.as_ref(), tell);
            }
        }
    }

    fn found<'a>(&self, record: Record<'a>, tells: Tells, with: Option<&'a K>) -> Found<'a, K> {
        Found { record, kept: None, tells, with, stack: None, who: self.threads.of(record.tid()), view: None }
    }

    /// The threads of io_uring's own (a ring's polling thread) are told by no fork.
    fn uring(&mut self, record: Record<'_>, tell: &mut impl FnMut(Found<'_, K>)) {
        let Some(request) = record.uring() else { return };
        let tid = record.tid();
        if self.threads.of(tid) == (0, Comm::default()) {
            self.threads.see(tid, request.tgid(), Comm(request.comm()));
        }
        let found = self.found(record, Tells::Task, None);
        match &self.files {
            Some(descriptors) => {
                let moment = Moment { descriptors, pid: request.tgid(), changes: &[] };
                tell(Found { view: Some(&moment), ..found });
            }
            None => tell(found),
        }
    }

    fn start(&mut self, record: Record<'_>, keep: impl FnOnce() -> K, tell: &mut impl FnMut(Found<'_, K>)) {
        let Some(begun) = record.call() else { return };
        let row = syscall::row(self.style.abi(begun.compat()), begun.nr());
        if row.is_some_and(|row| matches!(row.ret, Ret::Never)) {
            // A thread that is ending is still seen in the call; its start was told already.
            if record.has(record_flag::FLAG_IN_FLIGHT) {
                return;
            }
            let stack = self.stacks.remove(&record.tid());
            return self.unfinished(record, Tells::Never, None, stack.as_ref(), tell);
        }
        // Of two records of one start the later one holds, on whichever CPU it was written.
        let holds = |kept: &K| {
            kept.record().is_some_and(|kept| kept.time() == record.time() && kept.has(record_flag::FLAG_AGAIN))
        };
        if !self.begun.get(&record.tid()).is_some_and(holds) {
            self.begun.insert(record.tid(), keep());
        }
    }

    fn unfinished(
        &self,
        record: Record<'_>,
        tells: Tells,
        kept: Option<&K>,
        stack: Option<&K>,
        tell: &mut impl FnMut(Found<'_, K>),
    ) {
        let with = self.restarting.get(&record.tid()).filter(|_| tell::is_restart(&self.style, &record));
        let found = Found { kept, stack, ..self.found(record, tells, with) };
        match &self.files {
            Some(descriptors) => {
                let moment = Moment { descriptors, pid: found.who.0, changes: &[] };
                tell(Found { view: Some(&moment), ..found });
            }
            None => tell(found),
        }
    }

    fn end(&mut self, record: Record<'_>, keep: impl FnOnce() -> K, tell: &mut impl FnMut(Found<'_, K>)) {
        let Some(ended) = record.call() else { return };
        let start = tell::start(&record, &ended);
        let (tid, ret) = (record.tid(), raw::result(&ended));
        let is_its_start =
            |begun: Record<'_>| begun.time() == start && begun.call().is_some_and(|begun| begun.nr() == ended.nr());
        let begun = self.begun.remove(&tid).filter(|begun| begun.record().is_some_and(is_its_start));
        let restarted = self.restarting.remove(&tid).filter(|_| tell::is_restart(&self.style, &record));
        let mut tells = Tells::Call;
        let may_have_died = errno::restart(ret).is_some()
            || [libc::EINTR, NOT_BEGUN].iter().any(|errno| ret == -i64::from(*errno))
            || tell::kills(&self.style, &ended);
        let put_back = record.has(record_flag::FLAG_NO_ENTER) && ret == i64::from(ended.nr());
        let unsure = match (may_have_died, put_back) {
            (true, _) => Some(Unsure::Interrupted),
            (false, true) => Some(Unsure::PutBack),
            (false, false) => None,
        };
        // Its thread's next call may be missing.
        if let Some(unsure) = unsure.filter(|_| !self.in_part) {
            tells = Tells::Interrupted;
            self.interrupted.insert(tid, unsure);
        }
        let stack = self.stacks.remove(&tid);
        let found = Found { stack: stack.as_ref(), ..self.found(record, tells, restarted.as_ref().or(begun.as_ref())) };
        match &mut self.files {
            None => tell(found),
            Some(files) => {
                let pid = found.who.0;
                let begun = begun.as_ref().and_then(K::record);
                let changes = tell::raw(&self.style, ended, begun, None, |raw| {
                    files.surest(tid, opened::changes(raw, files, pid))
                });
                let moment = Moment { descriptors: files, pid, changes: &changes };
                tell(Found { view: Some(&moment), ..found });
                changes.into_iter().for_each(|change| files.apply(pid, change));
                files.forget(pid);
            }
        }
        if ret == -RESTART_BLOCK {
            self.restarting.insert(tid, keep());
        }
    }

    fn signal(&mut self, record: Record<'_>, tell: &mut impl FnMut(Found<'_, K>)) {
        let Some(delivered) = record.signal() else { return };
        let (pid, _) = self.threads.of(record.tid());
        let target = [record.tid(), pid].into_iter().find(|id| self.kills.contains_key(id));
        let kill = target.and_then(|id| self.kills.get_mut(&id));
        // A fatal signal reaches the thread as a SIGKILL that says nothing: what was sent is told.
        let is_it =
            |sent: i32| sent == delivered.signo() || (delivered.signo() == libc::SIGKILL && delivered.info().is_none());
        let mut kill = kill
            .filter(|(sent, _)| sent.record().and_then(|sent| sent.signal()).is_some_and(|sent| is_it(sent.signo())));
        if let Some((_, told)) = &mut kill
            && std::mem::replace(told, true)
        {
            kill = None;
        }
        let kill = kill.map(|(sent, _)| &*sent);
        let sent = kill.and_then(K::record).and_then(|sent| sent.signal());
        if sent.map_or(delivered.signo(), |sent| sent.signo()) == libc::SIGKILL {
            return;
        }
        let unsure = self.interrupted.remove(&record.tid());
        let who = self.threads.of(record.tid());
        let found = Found { record, kept: None, tells: Tells::Signal, with: kill, stack: None, who, view: None };
        if unsure == Some(Unsure::PutBack) && siginfo::is_of_seccomp(&delivered) {
            tell(Found { tells: Tells::Died, with: None, ..found });
        }
        tell(found);
    }

    fn task(&mut self, record: Record<'_>, tell: &mut impl FnMut(Found<'_, K>)) {
        let Some(task) = record.task() else { return };
        let tid = record.tid();
        self.follow_task(&record);
        match record.kind() {
            // A thread's execve ends under its process's id: the leader is gone, the caller takes its place.
            Kind::RECORD_EXEC if task.former() != tid => {
                for waits in [&mut self.begun, &mut self.stacks] {
                    waits.remove(&tid);
                    let callers = waits.remove(&task.former());
                    waits.extend(callers.map(|kept| (tid, kept)));
                }
                tell(self.found(record, Tells::Superseded, None));
            }
            Kind::RECORD_EXIT => {
                let (_, known) = self.threads.of(tid);
                if known == Comm::default() {
                    self.threads.see(tid, task.tgid(), Comm(task.comm()));
                }
                self.begun.remove(&tid);
                self.restarting.remove(&tid);
                self.stacks.remove(&tid);
                let forbidden = task.code() & 0x7f == libc::SIGSYS.unsigned_abs();
                let unsure = self.interrupted.remove(&tid);
                if unsure.is_some_and(|unsure| unsure == Unsure::Interrupted || forbidden) {
                    tell(self.found(record, Tells::Died, None));
                }
            }
            _ => {}
        }
        let kill = self.kill_of(&record).filter(|_| record.kind() == Kind::RECORD_EXIT);
        tell(self.found(record, Tells::Task, kill));
    }

    /// Who sent the signal that a thread died of.
    fn kill_of(&self, exit: &Record<'_>) -> Option<&K> {
        let task = exit.task()?;
        let is_it = |kept: &&(K, bool)| {
            let sent = kept.0.record().and_then(|sent| sent.signal());
            sent.is_some_and(|sent| sent.signo().cast_unsigned() == task.code() & 0x7f)
        };
        [exit.tid(), task.tgid()].iter().find_map(|id| self.kills.get(id).filter(is_it)).map(|(kept, _)| kept)
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
}
