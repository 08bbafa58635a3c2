//! What happened, in one to three sentences: the first thing that whoever is woken at night wants to know.
//!
//! **Promise.** Each sentence states facts of the record, with their distance to the end where they have one: how a
//! process ended, which failed call came shortly before it, what it had said. It never says "because". What the record
//! does not show is not named, and where it shows nothing of use the sentence says that.
//!
//! **It may know** the model's events of the newest part of one history, in the order in which they began, and the
//! dump's header. It knows no records, no kernel, no files: `decode` hands it events and puts what it answers into the
//! header.
//!
//! **Data flows one way**: `process` takes the events in, a process each (with `failure` for what failed and `said` for
//! what was written for people); `death` and `waiting` choose what is worth saying of them; `words` puts it in English.

mod address;
mod death;
mod failure;
mod memory;
mod process;
mod said;
#[cfg(test)]
mod tests;
mod waiting;
mod words;

use process::Processes;

use crate::model::{Cause, Dump, Ended, Event, LastCall, Outcome, Summary, What};
pub use waiting::stuck;
pub use words::whole as line;

/// Sentences, and the events that they rest on.
#[derive(Default)]
struct Findings<'a> {
    sentences: Vec<String>,
    events: Vec<&'a Event>,
}

impl<'a> Findings<'a> {
    fn say(&mut self, sentence: String, events: impl IntoIterator<Item = &'a Event>) {
        self.sentences.push(sentence);
        self.events.extend(events);
    }
}

/// Sentences that a summary has at most.
const MOST: usize = 3;

/// What happened and how processes ended, from the newest events of a history in the order in which they began; of
/// `older` ones it is known who made whom.
pub fn of(dump: &Dump, older: &[Event], events: &[Event]) -> (Summary, Vec<Ended>) {
    let processes = Processes::of(dump, older.iter().chain(events));
    let mut findings = Findings::default();
    match &dump.cause {
        Cause::Call { tid, rule, call } => matched(&mut findings, *tid, rule, call.as_deref(), events),
        _ => death::find(&mut findings, dump, &processes),
    }
    if findings.sentences.is_empty() {
        waiting::find(&mut findings, dump, &processes);
    }
    if findings.sentences.is_empty() {
        findings.say("The record shows no process that ended badly, and no call that waits.".to_owned(), []);
    }
    let Findings { mut sentences, mut events } = findings;
    sentences.truncate(MOST);
    events.sort_by_key(|event| event.start);
    events.dedup_by(|one, other| std::ptr::eq(*one, *other));
    let summary = Summary { text: sentences.join(" "), events: events.into_iter().map(told).collect() };
    (summary, processes.ended())
}

/// The call for which a rule made the dump, or else the thread's last that it fits; its text where its record is not among
/// the newest.
fn matched<'a>(findings: &mut Findings<'a>, tid: u32, rule: &str, made: Option<&LastCall>, events: &'a [Event]) {
    let name = rule.split(['=', '>']).next().unwrap_or(rule);
    let is_by_errno = rule.contains('=');
    let fits = |event: &&Event| match &event.what {
        What::Call(call) if event.tid == tid && call.name() == name => match made {
            Some(made) => event.start == made.start,
            None => !is_by_errno || matches!(call.outcome, Outcome::Failed { .. }),
        },
        _ => false,
    };
    let Some(event) = events.iter().rev().find(fits) else {
        if let Some(made) = made {
            let pid = if made.pid == 0 { made.tid } else { made.pid };
            findings.say(format!("{}[{pid}] called {}, which the rule {rule} asks for.", made.comm, made.text), []);
        }
        return;
    };
    let What::Call(call) = &event.what else { return };
    let who = words::who(event.pid, &event.comm);
    let what = match &call.outcome {
        Outcome::Failed { errno, .. } => words::failed(call, *errno, None),
        _ => format!("{} lasted {}", words::call(call), words::span(call.duration.unwrap_or(0))),
    };
    findings.say(format!("In {who} {what}, which the rule {rule} asks for."), [event]);
}

fn told(event: &Event) -> LastCall {
    let text = match &event.what {
        What::Call(call) => words::whole(call),
        What::Signal(signal) => format!("--- {} {} ---", signal.name, signal.info),
        What::Exit(exit) => words::exit(*exit),
        _ => String::new(),
    };
    LastCall { start: event.start, tid: event.tid, pid: event.pid, comm: event.comm.to_string(), text }
}
