//! Some thousand events as columns of JSON, with a list of strings of their own: what is written is
//! forgotten, so memory does not grow with the dump.

use std::collections::HashMap;

use serde::Serialize;

use super::since;
use crate::{
    model::{Call, Comm, Event, Exit, Outcome, Stack, What, errno_name},
    render::{strace, uring, window},
};

/// Events of a part; also the end of a part that holds long strings.
const EVENTS: usize = 8192;
const BYTES: usize = 1 << 20;

/// What a call's `length` says where it is no length.
const IN_FLIGHT: i64 = -1;
const UNKNOWN: i64 = -2;

/// Columns: the n-th value of each belongs to the n-th event.
#[derive(Debug, Default, Serialize)]
pub(super) struct Part {
    strings: Vec<String>,
    /// Threads as `[tid, pid, name]`, the name as a place in `strings`.
    threads: Vec<(u32, u32, usize)>,
    /// Nanoseconds from the origin.
    start: Vec<i64>,
    /// Nanoseconds; -1: in flight, -2: not known.
    length: Vec<i64>,
    /// A place in `threads`.
    thread: Vec<usize>,
    kind: Vec<u8>,
    /// How a call ended; an exit is 1 where it is a failure.
    end: Vec<u8>,
    /// Places in `strings`: the call, its arguments, result and errno.
    name: Vec<usize>,
    text: Vec<usize>,
    result: Vec<usize>,
    errno: Vec<usize>,
    /// Where the call was made: a line a frame.
    stack: Vec<usize>,
    #[serde(skip)]
    places: HashMap<String, usize>,
    #[serde(skip)]
    who: HashMap<(u32, u32, usize), usize>,
    #[serde(skip)]
    bytes: usize,
}

/// An event's words: its name, its text, its result and its errno.
type Words<'a> = (&'a str, &'a str, &'a str, String);

impl Part {
    pub(super) fn is_full(&self) -> bool {
        self.start.len() >= EVENTS || self.bytes >= BYTES
    }

    /// `whose`: the cgroup that its thread is in, where there are several.
    pub(super) fn push(&mut self, event: &Event, whose: Option<&str>, origin: u64) {
        let comm = match whose {
            Some(whose) if event.comm != Comm::default() => self.string(&format!("{whose} {}", event.comm)),
            _ => self.string(&event.comm.to_string()),
        };
        let key = (event.tid, event.pid, comm);
        let threads = &mut self.threads;
        let thread = *self.who.entry(key).or_insert_with(|| {
            threads.push(key);
            threads.len() - 1
        });
        self.thread.push(thread);
        self.start.push(since(origin, event.start));
        let (kind, end, length) = figures(event);
        self.kind.push(kind);
        self.end.push(end);
        self.length.push(length);
        let line = strace::instant(&event.what).unwrap_or_default();
        let parent =
            if let What::Fork { parent } = &event.what { format!("started by {parent}") } else { String::new() };
        let words = if let What::Uring(request) = &event.what { uring::words(request) } else { String::new() };
        let missing = if let What::Gap(gap) = &event.what { window::missing(event, gap) } else { String::new() };
        let (name, text, result, errno): Words<'_> = match &event.what {
            What::Call(call) => (call.name(), &call.text, call.outcome.text(), errno(call)),
            What::Signal(signal) => (&signal.name, &line, "", String::new()),
            What::Exit(_) => ("exit", &line, "", String::new()),
            What::Exec { .. } => ("exec", "a new program runs", "", String::new()),
            What::Fork { .. } => ("fork", &parent, "", String::new()),
            What::Join => ("join", "joined the cgroup", "", String::new()),
            What::Rename => ("rename", "has a new name", "", String::new()),
            What::Uring(request) => (uring::name(request), &words, "", String::new()),
            What::Gap(_) => ("missing", &missing, "", String::new()),
        };
        let places = [name, text, result, &errno].map(|word| self.string(word));
        self.name.push(places[0]);
        self.text.push(places[1]);
        self.result.push(places[2]);
        self.errno.push(places[3]);
        let frames = match &event.what {
            What::Call(call) => call.stack.as_deref().map(Stack::lines),
            _ => None,
        };
        let frames = self.string(&frames.unwrap_or_default().join("\n"));
        self.stack.push(frames);
    }

    fn string(&mut self, text: &str) -> usize {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        self.bytes += text.len();
        self.strings.push(text.to_owned());
        self.places.insert(text.to_owned(), self.strings.len() - 1);
        self.strings.len() - 1
    }
}

/// Kind, end and length, as `events.js` names them.
fn figures(event: &Event) -> (u8, u8, i64) {
    match &event.what {
        What::Call(call) => {
            let end = match call.outcome {
                Outcome::Returned { .. } => 0,
                Outcome::Failed { .. } => 1,
                Outcome::Interrupted { .. } => 2,
                Outcome::Never | Outcome::Died { .. } => 3,
                Outcome::InFlight { .. } => 4,
                Outcome::EndMissing => 5,
            };
            let known = call.duration.map_or(UNKNOWN, |length| i64::try_from(length).unwrap_or(UNKNOWN));
            (0, end, if event.end == u64::MAX { IN_FLIGHT } else { known })
        }
        What::Signal(_) => (1, 0, 0),
        What::Exit(exit) => (2, u8::from(!matches!(exit, Exit::Status(0) | Exit::Superseded { .. })), 0),
        What::Exec { .. } => (3, 0, 0),
        What::Fork { .. } => (4, 0, 0),
        What::Join => (5, 0, 0),
        What::Rename => (6, 0, 0),
        What::Uring(_) => (7, 0, 0),
        What::Gap(_) => (8, 0, 0),
    }
}

fn errno(call: &Call) -> String {
    match call.outcome {
        Outcome::Failed { errno, .. } => errno_name(errno),
        _ => String::new(),
    }
}
