//! What those that live wait for, and what they failed at lately.

use super::{Findings, process::Process, process::Processes, words};
use crate::model::{Call, Dump, Event, Outcome};

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
    let mut waits: Vec<Wait<'_, 'a>> = living().flat_map(|process| of(process, dump, processes)).collect();
    waits.sort_by_key(|wait| wait.event.start);
    let long = waits.iter().filter(|wait| wait.lasts >= LEAST);
    // Whoever waits for a child that waits itself is not where it hangs.
    let leaf = long.clone().find(|wait| wait.child.is_none()).or_else(|| long.clone().next());
    let Some(wait) = leaf else { return };
    let others = long.count() - 1;
    let others = match others {
        0 => String::new(),
        1 => " One more thread waits.".to_owned(),
        more => format!(" {more} more threads wait."),
    };
    let age = if wait.age_known {
        format!("for {}", words::span(wait.lasts))
    } else {
        format!("for {} at least", words::span(wait.lasts))
    };
    findings
        .say(format!("{} {} {age}.{others}", words::who(wait.process.pid, &wait.event.comm), wait.what), [wait.event]);
}

struct Wait<'p, 'a> {
    process: &'p Process<'a>,
    event: &'a Event,
    lasts: u64,
    age_known: bool,
    what: String,
    /// A child of its that it waits for.
    child: Option<u32>,
}

fn of<'p, 'a>(
    process: &'p Process<'a>,
    dump: &Dump,
    processes: &'p Processes<'a>,
) -> impl Iterator<Item = Wait<'p, 'a>> {
    let taken = dump.taken;
    process.threads.values().filter_map(move |thread| {
        let (event, call) = thread.last?;
        let Outcome::InFlight { start_seen } = call.outcome else { return None };
        let waits_for_child = matches!(call.name(), "wait4" | "waitid");
        let mut alive = processes.children(process).filter(|child| child.end().is_none());
        let child = alive.next().filter(|_| waits_for_child);
        let what = match child {
            Some(child) => format!("waits for its child {}", words::who(child.pid, &child.name())),
            None => waits(call),
        };
        let lasts = taken.saturating_sub(event.start);
        Some(Wait { process, event, lasts, age_known: start_seen, what, child: child.map(|child| child.pid) })
    })
}

fn waits(call: &Call) -> String {
    match call.name() {
        "nanosleep" | "clock_nanosleep" => format!("sleeps in {}", words::call(call)),
        "flock" => format!("waits for a lock: {}", words::call(call)),
        _ => format!("waits in {}", words::call(call)),
    }
}
