//! What those that live wait for, and what they failed at lately.

use super::{Findings, process::Process, process::Processes, words};
use crate::model::{self, Call, Dump, Event, Outcome, Stack, Stuck, Wait, WaitsOn, What};

/// Who waits less than that is at work.
const LEAST: u64 = 1_000_000_000;

pub(super) fn find<'a>(findings: &mut Findings<'a>, dump: &Dump, processes: &Processes<'a>) {
    let living = || processes.iter().filter(|process| process.end().is_none());
    let failed =
        living().filter_map(|process| Some((process, process.failures.worst(&process.said, process.calls, u64::MAX)?)));
    if let Some((process, failure)) = failed.max_by_key(|(_, failure)| failure.event.start) {
        let who = words::who(process.pid, &process.name());
        let since = words::span(dump.taken.saturating_sub(failure.event.end));
        findings.say(format!("In {who} {}, {since} before the dump.", words::failure(failure)), [failure.event]);
    }
    if let Some((process, event, call)) =
        living().find_map(|process| process.forbidden.map(|(event, call)| (process, event, call)))
    {
        let (who, thread) = (words::who(process.pid, &process.name()), words::who(event.tid, &event.comm));
        findings.say(
            format!("In {who} the thread {thread} was killed by SIGSYS: its seccomp filter forbids {call}."),
            [event],
        );
    }
    let mut waits: Vec<InFlight<'_, 'a>> = living().flat_map(|process| of(process, dump, processes)).collect();
    waits.sort_by_key(|wait| wait.event.start);
    let long = waits.iter().filter(|wait| wait.lasts >= LEAST);
    let ring = long.clone().find_map(|wait| ring_of(dump, &waits, wait));
    if let Some(ring) = ring {
        let others = long.filter(|wait| !ring.iter().any(|of_it| of_it.event.tid == wait.event.tid)).count();
        let sentence = format!("{}{}", deadlock(dump, &ring), more(others));
        return findings.say(sentence, ring.iter().map(|wait| wait.event));
    }
    // Whoever waits for another one that waits himself is not where it hangs.
    let waiting: Vec<u32> = long.clone().map(|wait| wait.process.pid).collect();
    let leaf = long.clone().find(|wait| !wait.whom.iter().any(|whom| waiting.contains(whom)));
    let leaf = leaf.or_else(|| long.clone().next());
    let Some(wait) = leaf else { return };
    let others = more(long.count() - 1);
    let age = aged(wait);
    findings.say(
        format!("{} {} {age}{}.{others}", words::who(wait.process.pid, &wait.event.comm), wait.what, wait.on),
        [wait.event],
    );
}

/// Whoever else waits.
fn more(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " One more thread waits.".to_owned(),
        more => format!(" {more} more threads wait."),
    }
}

/// Those that wait for each other's locks, if who is waited for leads back to who waits.
fn ring_of<'w, 'p, 'a>(
    dump: &Dump,
    waits: &'w [InFlight<'p, 'a>],
    first: &'w InFlight<'p, 'a>,
) -> Option<Vec<&'w InFlight<'p, 'a>>> {
    let mut way = vec![first];
    loop {
        let last = way.last()?;
        let wait = wait_of(dump, last.event.tid)?;
        let whom = wait.whom.first()?;
        // A mutex is a thread's; the kernel names the process that has a file locked.
        let is_it = |other: &&InFlight<'_, '_>| match wait.on {
            WaitsOn::Mutex => other.event.tid == whom.tid,
            WaitsOn::FileLock => {
                other.process.pid == whom.pid
                    && wait_of(dump, other.event.tid).is_some_and(|wait| wait.on == WaitsOn::FileLock)
            }
            _ => false,
        };
        let next = waits.iter().find(is_it)?;
        match way.iter().position(|seen| seen.event.tid == next.event.tid) {
            Some(0) => return Some(way),
            // It leads into a ring that others are in: theirs is found from them.
            Some(_) => return None,
            None => way.push(next),
        }
    }
}

/// `The threads a[1] and b[2] of app[1] wait for each other for 20.0 s: each for a mutex that the other one holds.`
fn deadlock(dump: &Dump, ring: &[&InFlight<'_, '_>]) -> String {
    let processes: Vec<u32> = ring.iter().map(|wait| wait.process.pid).collect();
    let in_one = processes.iter().all(|pid| *pid == processes[0]);
    let names: Vec<String> = ring.iter().map(|wait| words::who(wait.event.tid, &wait.event.comm)).collect();
    let (last, names) =
        names.split_last().map_or((String::new(), Vec::new()), |(last, names)| (last.clone(), names.to_vec()));
    let who = match (in_one, names.is_empty()) {
        (_, true) => last,
        (false, false) => format!("{} and {last}", names.join(", ")),
        (true, false) => {
            let process = words::who(processes[0], &ring[0].process.name());
            format!("The threads {} and {last} of {process}", names.join(", "))
        }
    };
    let lock = |wait: &&InFlight<'_, '_>| match wait_of(dump, wait.event.tid).map(|wait| &wait.on) {
        Some(WaitsOn::Mutex) => "a mutex",
        _ => "a lock of a file",
    };
    let mut locks: Vec<&str> = ring.iter().map(lock).collect();
    locks.dedup();
    let lock = locks.first().filter(|_| locks.len() == 1).copied().unwrap_or("a lock");
    let whose = match ring.len() {
        1 => return format!("{who} waits for {lock} that it holds itself, {}.", aged(ring[0])),
        2 => "the other one",
        _ => "the next one",
    };
    let age = ring.iter().min_by_key(|wait| wait.lasts).map_or(String::new(), |wait| aged(wait));
    format!("{who} wait for each other {age}: each for {lock} that {whose} holds.")
}

/// How long somebody has waited.
fn aged(wait: &InFlight<'_, '_>) -> String {
    let at_least = if wait.age_known { "" } else { " at least" };
    format!("for {}{at_least}", words::span(wait.lasts))
}

/// Calls in flight that have lasted so many nanoseconds, the longest first, and their stacks, whose places have no names
/// yet; `events` are a history's newest.
pub fn stuck(dump: &Dump, events: &[Event], least: u64) -> Vec<(Stuck, Option<Stack>)> {
    let names = dump.names();
    let calls = events.iter().filter_map(|event| match &event.what {
        What::Call(call) => Some((event, call, start_seen(call)?)),
        _ => None,
    });
    let mut stuck: Vec<(u64, Stuck, Option<Stack>)> = calls
        .filter_map(|(event, call, start_seen)| {
            let lasts = dump.taken.saturating_sub(event.start);
            let wait = wait_of(dump, event.tid);
            (lasts >= least).then(|| {
                let stuck = Stuck {
                    target: names.get(usize::from(event.whose)).cloned().unwrap_or_default(),
                    pid: event.pid,
                    tid: event.tid,
                    comm: event.comm.to_string(),
                    call: words::whole(call),
                    seconds: seconds(lasts),
                    at_least: !start_seen,
                    waits_for: wait.map(|wait| waits_for(dump, event.pid, wait)),
                    whom: wait.map_or_else(Vec::new, |wait| wait.whom.clone()),
                    stack: Vec::new(),
                };
                (event.start, stuck, call.stack.as_deref().cloned())
            })
        })
        .collect();
    stuck.sort_by_key(|(start, stuck, _)| (*start, stuck.tid));
    stuck.into_iter().map(|(_, stuck, stack)| (stuck, stack)).collect()
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds of any uptime fit into a double")]
fn seconds(nanoseconds: u64) -> f64 {
    (nanoseconds / 1_000_000) as f64 / 1e3
}

/// Of a call in flight whether its start was seen; `None`: it is none.
fn start_seen(call: &Call) -> Option<bool> {
    match call.outcome {
        Outcome::InFlight { start_seen } => Some(start_seen),
        _ => None,
    }
}

fn wait_of(dump: &Dump, tid: u32) -> Option<&Wait> {
    dump.waits.iter().find(|wait| wait.tid == tid)
}

struct InFlight<'p, 'a> {
    process: &'p Process<'a>,
    event: &'a Event,
    lasts: u64,
    age_known: bool,
    what: String,
    /// Who has to do something first, behind a comma.
    on: String,
    /// The processes that it waits for.
    whom: Vec<u32>,
}

fn of<'p, 'a>(
    process: &'p Process<'a>,
    dump: &Dump,
    processes: &'p Processes<'a>,
) -> impl Iterator<Item = InFlight<'p, 'a>> {
    process.threads.values().filter_map(move |thread| {
        let (event, call) = thread.last?;
        let age_known = start_seen(call)?;
        let waits_for_child = matches!(call.name(), "wait4" | "waitid");
        let mut alive = processes.children(process).filter(|child| child.end().is_none());
        let child = alive.next().filter(|_| waits_for_child);
        let wait = wait_of(dump, event.tid).filter(|wait| !wait.whom.is_empty());
        let mut whom: Vec<u32> = wait.iter().flat_map(|wait| &wait.whom).map(|whom| whom.pid).collect();
        let (what, on) = match (wait, child) {
            (Some(wait), _) if wait.on == WaitsOn::Child => {
                (format!("waits for {}", waits_for(dump, process.pid, wait)), String::new())
            }
            (Some(wait), _) => (waits(call), format!(", for {}", waits_for(dump, process.pid, wait))),
            (None, Some(child)) => {
                whom.push(child.pid);
                (format!("waits for its child {}", words::who(child.pid, &child.name())), String::new())
            }
            (None, None) => (waits(call), String::new()),
        };
        let lasts = dump.taken.saturating_sub(event.start);
        whom.retain(|pid| *pid != process.pid);
        Some(InFlight { process, event, lasts, age_known, what, on, whom })
    })
}

fn waits(call: &Call) -> String {
    match call.name() {
        "nanosleep" | "clock_nanosleep" => format!("sleeps in {}", words::call(call)),
        "flock" => format!("waits for a lock: {}", words::call(call)),
        _ => format!("waits in {}", words::call(call)),
    }
}

/// Processes that are named in a sentence.
const NAMED: usize = 3;

/// What a thread of a process waits for, in words: `the writers of its pipe: sh[12]`.
fn waits_for(dump: &Dump, pid: u32, wait: &Wait) -> String {
    let mut whom: Vec<String> = wait.whom.iter().take(NAMED).map(|whom| whom.to_string()).collect();
    let more = wait.more + wait.whom.len().saturating_sub(NAMED);
    if more > 0 {
        whom.push(format!("{more} more"));
    }
    let whom = whom.join(", ");
    let or = |known: String, unknown: &str| if whom.is_empty() { unknown.to_owned() } else { known };
    match &wait.on {
        WaitsOn::Pipe { reads: true } => or(
            format!("whoever can write to the pipe: {whom}"),
            "somebody to write to the pipe; no process of this machine can",
        ),
        WaitsOn::Pipe { reads: false } => or(
            format!("whoever can read from the pipe: {whom}"),
            "somebody to read from the pipe; no process of this machine can",
        ),
        WaitsOn::Socket => or(format!("the socket's other end, which is with {whom}"), "the socket's other end"),
        WaitsOn::FileLock => or(format!("a lock that {whom} holds"), "a lock; who holds it is not known"),
        WaitsOn::Mutex => or(format!("a mutex that the thread {} holds", threads(wait)), "a mutex"),
        WaitsOn::Thread => or(format!("the end of the thread {}", threads(wait)), "the end of a thread"),
        WaitsOn::Child if wait.whom.len() == 1 => format!("its child {whom}"),
        WaitsOn::Child => or(format!("one of its children: {whom}"), "a child; none is there"),
        WaitsOn::Descriptors(fds) => {
            let names: Vec<String> = fds.iter().take(NAMED).map(|fd| named(dump, pid, *fd)).collect();
            let more = if fds.len() > NAMED { ", ..." } else { "" };
            let with = if whom.is_empty() { String::new() } else { format!(", whose other end is with {whom}") };
            format!("something on {}{more}{with}", names.join(", "))
        }
    }
}

fn threads(wait: &Wait) -> String {
    let name = |thread: &model::Process| format!("{}[{}]", thread.comm, thread.tid);
    wait.whom.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// `5<TCP:[127.0.0.1:80]>`
fn named(dump: &Dump, pid: u32, fd: i32) -> String {
    let files = dump.files.iter().find(|files| files.pid == pid);
    let file = files.and_then(|files| files.descriptors.iter().find(|(known, _)| *known == fd));
    match file {
        Some((_, file)) => format!("{fd}<{}>", model::plain(file.socket.as_ref().unwrap_or(&file.path))),
        None => format!("descriptor {fd}"),
    }
}
