//! Who really died, how, shortly after what, and what it had said.
//!
//! The process to speak of is the one that the dump is for, or the first of the tree that ended. Where it only passed
//! on what happened to a child of its (the same status, or 128 and the signal), the child comes first.

use super::{
    Findings, memory,
    process::{Process, Processes},
    words,
};
use crate::model::{Cause, Dump, Event, Exit, OomKill, Sent, Signal, Why, signal_name};

/// A failure that is told of a process that a fault ended has to be so near.
const NEAR: u64 = 1_000_000_000;
/// Generations that a status is followed through.
const DEEP: usize = 8;

pub(super) fn find<'a>(findings: &mut Findings<'a>, dump: &Dump, processes: &Processes<'a>) {
    if unrecorded(findings, dump, processes) {
        return;
    }
    let Some(main) = main(&dump.cause, processes) else { return };
    let Some((end, _)) = main.end() else { return };
    let culprit = culprit(main, processes);
    tell(findings, dump, culprit, processes);
    before_it(findings, culprit, processes);
    if !std::ptr::eq(culprit, main) {
        let later = culprit.end().map_or(0, |(event, _)| end.start.saturating_sub(event.start));
        let (_, how) = main.end().unwrap_or((end, Exit::Status(0)));
        let kin = if processes.parent(culprit).is_some_and(|parent| std::ptr::eq(parent, main)) {
            ", which had started it,"
        } else {
            ""
        };
        let who = words::who(main.pid, &main.name());
        findings.say(format!("{who}{kin} {} {} later.", words::exit(how), words::span(later)), [end]);
    }
}

/// A death that the dump is for, and that its records do not show: newer ones have overwritten it. Whether it is so.
fn unrecorded<'a>(findings: &mut Findings<'a>, dump: &Dump, processes: &Processes<'a>) -> bool {
    let (Cause::Killed { pid, .. } | Cause::Status { pid, .. }) = dump.cause else { return false };
    let process = processes.with_pid(pid);
    if process.is_some_and(|process| process.end().is_some()) {
        return false;
    }
    let last = process.and_then(Process::last_call);
    let call = last.map_or_else(String::new, |(event, call)| {
        let ago = words::span(dump.taken.saturating_sub(event.start));
        format!("; its last recorded call is {}, {ago} before the dump", words::call(call))
    });
    findings.say(format!("{}; the records of its end are not there{call}.", dump.cause), last.map(|(event, _)| event));
    true
}

/// What a child of its had said that had failed before with another status.
fn before_it<'a>(findings: &mut Findings<'a>, process: &Process<'a>, processes: &Processes<'a>) {
    let Some((end, Exit::Status(1..))) = process.end() else { return };
    let failed = processes.children(process).filter(|child| !child.said.is_empty());
    let failed = failed.filter_map(|child| match child.end()? {
        (event, Exit::Status(status @ 1..)) if event.start <= end.start => Some((event, status, child)),
        _ => None,
    });
    let Some((event, status, child)) = failed.max_by_key(|(event, ..)| event.start) else { return };
    if let Some(line) = child.said.line() {
        let who = words::who(child.pid, &child.name());
        findings.say(format!("Its child {who} had exited with {status} and said: `{line}`."), [event]);
    }
}

/// The process that the dump is about.
fn main<'p, 'a>(cause: &Cause, processes: &'p Processes<'a>) -> Option<&'p Process<'a>> {
    if let Cause::Killed { pid, .. } | Cause::Status { pid, .. } = cause
        && let Some(process) = processes.with_pid(*pid).filter(|process| process.end().is_some())
    {
        return Some(process);
    }
    let at = |process: &&Process<'_>| process.end().map_or(0, |(event, _)| event.start);
    let lives = processes.iter().any(|process| process.end().is_none() && !process.threads.is_empty());
    let ended = processes.iter().filter(|process| process.end().is_some());
    let killed = ended.clone().filter(|process| matches!(process.end(), Some((_, Exit::Killed { .. })))).max_by_key(at);
    if lives && matches!(cause, Cause::Request | Cause::Exit | Cause::Replaced) {
        return killed;
    }
    // Whoever started the first of them is known by his number alone.
    let inner = |process: &&Process<'_>| processes.parent(process).is_some_and(|parent| !parent.threads.is_empty());
    let first = ended.clone().filter(|process| !inner(process)).max_by_key(at);
    let badly = ended.clone().filter(|process| process.ended_badly()).max_by_key(at);
    match first {
        // It went well, or is not told of: what a signal did to another one is what there is to say.
        Some(first) if !first.ended_badly() => killed.or(Some(first)),
        Some(first) => Some(first),
        None => killed.or(badly),
    }
}

/// Whose end it was that `main` passed on.
fn culprit<'p, 'a>(main: &'p Process<'a>, processes: &'p Processes<'a>) -> &'p Process<'a> {
    let mut culprit = main;
    for _ in 0..DEEP {
        let Some((end, Exit::Status(status))) = culprit.end() else { break };
        let before = |child: &&Process<'a>| child.end().is_some_and(|(event, _)| event.start <= end.start);
        let passed_on = |child: &&Process<'a>| match child.end() {
            Some((_, Exit::Status(own))) => own == status && status != 0,
            Some((_, Exit::Killed { signo, .. })) => i32::from(status) == 128 + signo,
            _ => false,
        };
        // Who writes to a pipe that nobody reads any more ends as he should.
        let killed = |child: &&Process<'a>| match child.end() {
            Some((_, Exit::Killed { signo, .. })) => signo != libc::SIGPIPE,
            _ => false,
        };
        let last = |child: &&Process<'a>| child.end().map_or(0, |(event, _)| event.start);
        // One that has nothing to say for itself, as timeout, may have a status of its own for a child's death.
        let silent = status != 0 && culprit.said.is_empty();
        let passed = processes.children(culprit).filter(before).filter(passed_on).max_by_key(last);
        let killed = || processes.children(culprit).filter(before).filter(killed).max_by_key(last);
        match passed.or_else(|| if silent { killed() } else { None }) {
            Some(child) => culprit = child,
            None => break,
        }
    }
    culprit
}

fn tell<'a>(findings: &mut Findings<'a>, dump: &Dump, process: &Process<'a>, processes: &Processes<'a>) {
    let Some((end, exit)) = process.end() else { return };
    let mut events = vec![end];
    let (how, by_itself) = match exit {
        Exit::Killed { signo, core, sent, why } => {
            let parent = processes.parent(process);
            let death = Death { process, parent, signo, sent, why, oom_kills: &dump.oom_kills };
            let how = death.how(&mut events);
            let core = if core { " (core dumped)" } else { "" };
            (format!("{how}{core}"), death.is_by_itself())
        }
        exit => (words::exit(exit), true),
    };
    let at = events.iter().map(|event| event.start).min().unwrap_or(end.start);
    let mut sentence = format!("{} {how}", words::who(process.pid, &process.name()));
    let failure = process.failures.worst(&process.said, process.calls, end.start).filter(|failure| {
        by_itself && (matches!(exit, Exit::Status(_)) || at.saturating_sub(failure.event.end) < NEAR)
    });
    if let Some(failure) = failure {
        let since = words::span(end.start.saturating_sub(failure.event.end));
        sentence += &format!(", {since} after {}", words::failure(failure));
        events.push(failure.event);
    } else if !by_itself && let Some((event, call)) = process.last_call() {
        sentence += &format!("; its last call was {}", words::call(call));
        events.push(event);
    }
    sentence.push('.');
    if let Some(word) = systemds(&dump.cause, exit) {
        sentence = format!("{word} {sentence}");
    }
    findings.say(sentence, events);
    if !matches!(exit, Exit::Killed { why: Why::Forbidden(_), .. }) {
        forbidden(findings, process);
    }
    let heard = Some(process).filter(|process| !process.said.is_empty());
    if let Some(line) = heard.and_then(|process| process.said.line()) {
        findings.say(format!("It had said: `{line}`."), []);
    }
}

/// A thread that a seccomp filter ended while its process went on.
fn forbidden<'a>(findings: &mut Findings<'a>, process: &Process<'a>) {
    if let Some((event, call)) = process.forbidden {
        let thread = words::who(event.tid, &event.comm);
        findings.say(format!("Its thread {thread} was killed by SIGSYS: its seccomp filter forbids {call}."), [event]);
    }
}

/// Whether a service manager sent a signal: the system's, a user's or a container's.
fn is_of_manager(sent: Sent) -> bool {
    !sent.by_kernel && (sent.pid == 1 || sent.comm.bytes() == b"systemd")
}

/// What systemd says of the unit, where it says more than the end of the process that is spoken of. Which of the unit's
/// timeouts it was, it does not say.
fn systemds(cause: &Cause, exit: Exit) -> Option<String> {
    let Cause::Unit { result, active, .. } = cause else { return None };
    let (sent, why) = if let Exit::Killed { sent, why, .. } = exit { (sent, why) } else { (None, Why::Signal) };
    let by_manager = why == Why::Signal && sent.is_some_and(is_of_manager);
    let when = match active {
        Some(0) => " before the unit was active".to_owned(),
        Some(active) => format!(" after the unit had been active for {}", words::span(*active)),
        None => String::new(),
    };
    Some(match (result.as_str(), by_manager) {
        ("timeout", true) => format!("A timeout of systemd ended it{when}:"),
        ("timeout", false) => format!("A timeout of systemd ran out{when}."),
        ("watchdog", true) => format!("systemd's watchdog ended it{when}:"),
        ("watchdog", false) => format!("systemd's watchdog ran out{when}."),
        // systemd-oomd says so, too.
        ("oom-kill", _) if why != Why::Memory => {
            "systemd says that the unit was short of memory (oom-kill).".to_owned()
        }
        ("start-limit-hit", _) => "systemd started the unit too often.".to_owned(),
        _ => return None,
    })
}

/// A death by a signal.
struct Death<'p, 'a> {
    process: &'p Process<'a>,
    parent: Option<&'p Process<'a>>,
    signo: i32,
    sent: Option<Sent>,
    why: Why,
    oom_kills: &'p [OomKill],
}

impl<'a> Death<'_, 'a> {
    /// The fault that it comes from: that signal itself, or the first one, which a handler answered by another.
    fn fault(&self) -> Option<(&'a Event, &'a Signal)> {
        let fault = self.process.fault()?;
        let raised = self.signo == fault.1.signo || self.signo == libc::SIGABRT;
        raised.then_some(fault)
    }

    /// Whether nobody else sent it.
    fn is_by_itself(&self) -> bool {
        match self.why {
            Why::Memory => return false,
            Why::Forbidden(_) => return true,
            Why::Signal => {}
        }
        if self.fault().is_some() {
            return true;
        }
        match self.sent {
            Some(sent) => sent.pid == self.process.pid,
            None => matches!(self.signo, libc::SIGABRT | libc::SIGPIPE | libc::SIGSYS | libc::SIGXFSZ),
        }
    }

    /// `died of SIGSEGV at address 0x8 (SEGV_MAPERR)`, and the events that tell so.
    fn how(&self, events: &mut Vec<&'a Event>) -> String {
        let name = signal_name(self.signo);
        if let Some((event, fault)) = self.fault() {
            events.push(event);
            let thread = self.thread(event);
            let fault_is = self.at_fault(fault);
            return if fault.signo == self.signo {
                format!("died of {fault_is}{thread}")
            } else {
                format!("died of {name} after {fault_is}{thread}")
            };
        }
        if self.why == Why::Memory {
            let when = memory::ran_out(self.oom_kills, self.process);
            return format!("was killed by {name}: the kernel's OOM killer chose it {when}");
        }
        if let Some(sent) = self.sent {
            let warned = self.warned(sent).map(|(event, told)| {
                events.push(event);
                told
            });
            return self.sent(&name, sent) + &warned.unwrap_or_default();
        }
        if let Some((event, signal)) = self.process.signal(self.signo) {
            events.push(event);
            if let Some((pid, comm)) = signal.sender {
                return format!("was killed by {name}, sent by {}", words::who(pid, &comm));
            }
        }
        match (self.signo, self.why) {
            (libc::SIGSYS, Why::Forbidden(call)) => format!("was killed by {name}: its seccomp filter forbids {call}"),
            (libc::SIGSYS, _) => {
                format!("was killed by {name}: its seccomp filter forbade a call, which the record does not name")
            }
            (libc::SIGABRT, _) => format!("aborted ({name})"),
            _ => format!("was killed by {name}; who sent it is not in the record"),
        }
    }

    fn at_fault(&self, fault: &Signal) -> String {
        let code = words::detail(&fault.info, "si_code").unwrap_or_default();
        if fault.signo == libc::SIGSYS
            && let Some(call) = words::detail(&fault.info, "si_syscall")
        {
            return format!("{}: its seccomp filter forbids {}", fault.name, call.trim_start_matches("__NR_"));
        }
        match words::detail(&fault.info, "si_addr") {
            Some(address) if code != "SI_KERNEL" => format!("{} at address {address} ({code})", fault.name),
            _ => format!("{} ({code})", fault.name),
        }
    }

    /// In which thread, if it was not the leader.
    fn thread(&self, event: &Event) -> String {
        if event.tid == self.process.pid {
            String::new()
        } else {
            format!(" in its thread {}", words::who(event.tid, &event.comm))
        }
    }

    /// What whoever ended it with SIGKILL had asked it to end by before: `: it had not ended 2.0 s after SIGTERM`.
    fn warned(&self, kill: Sent) -> Option<(&'a Event, String)> {
        if self.signo != libc::SIGKILL || kill.pid == self.process.pid || kill.by_kernel {
            return None;
        }
        let asks = [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT, libc::SIGABRT];
        let asked = asks.into_iter().filter_map(|signo| self.process.signal(signo));
        // A runtime may have sent each by a process of its own.
        let by_him = |signal: &Signal| signal.sender.filter(|(pid, comm)| *pid == kill.pid || *comm == kill.comm);
        let asked = asked.filter_map(|(event, signal)| Some((event, signal, by_him(signal)?)));
        let (event, signal, (pid, comm)) = asked.max_by_key(|(event, ..)| event.start)?;
        let (end, _) = self.process.end()?;
        let since = words::span(end.start.saturating_sub(event.start));
        let by = if pid == kill.pid { String::new() } else { format!(" from {}", words::who(pid, &comm)) };
        Some((event, format!(": it had not ended {since} after {}{by}", signal.name)))
    }

    /// Whether that is its parent, and has ended by then.
    fn is_ended_parent(&self, pid: u32) -> bool {
        let ends = self.parent.filter(|parent| parent.pid == pid).and_then(Process::end).map(|(event, _)| event.start);
        ends.zip(self.process.end()).is_some_and(|(parents, (own, _))| parents <= own.start)
    }

    fn sent(&self, name: &str, Sent { pid, comm, by_kernel, code }: Sent) -> String {
        let own = pid == self.process.pid;
        match self.signo {
            libc::SIGALRM | libc::SIGVTALRM | libc::SIGPROF if by_kernel || code == Some(libc::SI_TIMER) => {
                format!("was killed by {name}: a timer of its own ran out")
            }
            libc::SIGPIPE if own => format!("was killed by {name}: it wrote to a pipe or socket that nobody reads"),
            libc::SIGXCPU if by_kernel => format!("was killed by {name}: its limit of CPU time was used up"),
            libc::SIGXFSZ if own => format!("was killed by {name}: a file would have grown beyond its limit"),
            libc::SIGABRT if own => format!("aborted ({name})"),
            // Only a terminal has the kernel send these: by a key, or when it hangs up; and a group that nobody can
            // continue any more gets SIGHUP.
            libc::SIGINT | libc::SIGQUIT if by_kernel => format!("was killed by {name} from its terminal's keyboard"),
            libc::SIGHUP if by_kernel => {
                format!("was killed by {name}, sent by the kernel: its terminal or its session has gone")
            }
            libc::SIGIO if by_kernel || code.is_none_or(|code| code > 0) => {
                format!("was killed by {name}: a descriptor of its is ready, and it has no handler for that")
            }
            _ if by_kernel => format!("was killed by {name}, sent by the kernel"),
            // Without details: of what is sent so to others, this is what a parent's end sends.
            _ if code.is_none() && self.is_ended_parent(pid) => {
                let parent = words::who(pid, &comm);
                format!("was killed by {name}, which it gets when its parent ends (PR_SET_PDEATHSIG), as {parent} did")
            }
            _ if own => format!("sent itself {name} and died of it"),
            _ => format!("was killed by {name}, sent by {}", words::who(pid, &comm)),
        }
    }
}
