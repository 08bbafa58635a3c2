//! For people: local time, who, what; what the dump is and for which time it is complete.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use jiff::tz::TimeZone;

use super::{
    last_words,
    moment::{Clock, clock, moment},
    seen::Seen,
    stack, strace, uring, window,
};
use crate::model::{Call, Comm, Dump, Event, Exit, Outcome, What, plain};

/// Failed calls at the head: they also stand below.
const FAILED: usize = 4;

pub(super) fn dump(out: &mut impl Write, dump: &Dump, events: impl Iterator<Item = Event>) -> io::Result<()> {
    header(out, dump)?;
    let zone = TimeZone::system();
    let mut lines = Lines::new(&zone, dump.clock_offset, dump.names_of_each());
    let (mut seen, mut ended) = (Seen::default(), Ended::default());
    for event in events {
        seen.see(&event);
        ended.see(&event);
        lines.write(out, &event)?;
    }
    footer(out, dump, &seen, &ended)
}

pub(super) fn follow(out: &mut impl Write, clock_offset: i64, names: &[String], events: &[Event]) -> io::Result<()> {
    let zone = TimeZone::system();
    let mut lines = Lines::new(&zone, clock_offset, names.to_vec());
    events.iter().try_for_each(|event| lines.write(out, event))
}

struct Lines<'z> {
    clock: Clock<'z>,
    clock_offset: i64,
    /// What people call the cgroups, if there are several.
    names: Vec<String>,
    text: String,
}

impl<'z> Lines<'z> {
    fn new(zone: &'z TimeZone, clock_offset: i64, names: Vec<String>) -> Self {
        Self { clock: Clock::new(zone), clock_offset, names, text: String::with_capacity(256) }
    }

    fn write(&mut self, out: &mut impl Write, event: &Event) -> io::Result<()> {
        self.text.clear();
        let whose = self.names.get(usize::from(event.whose)).map(String::as_str);
        line(&mut self.text, event, whose, self.clock_offset, &mut self.clock);
        out.write_all(self.text.as_bytes())
    }
}

/// How the processes ended that were written.
#[derive(Default)]
struct Ended(Vec<(u32, Comm, Exit)>);

impl Ended {
    fn see(&mut self, event: &Event) {
        if let (What::Exit(exit), true) = (&event.what, event.tid == event.pid) {
            self.0.push((event.pid, event.comm, *exit));
        }
    }
}

/// The line of one event, without its end; empty for what has none. `whose` it is, where there are several.
pub fn one(event: &Event, whose: Option<&str>, clock_offset: i64) -> String {
    let zone = TimeZone::system();
    let mut text = String::new();
    line(&mut text, event, whose, clock_offset, &mut Clock::new(&zone));
    text.truncate(text.find('\n').unwrap_or(text.len()));
    text
}

fn line(text: &mut String, event: &Event, whose: Option<&str>, clock_offset: i64, clock: &mut Clock<'_>) {
    if matches!(event.what, What::Exec { .. } | What::Rename) {
        return;
    }
    clock.push(text, event.start, clock_offset);
    text.push(' ');
    if let Some(whose) = whose {
        text.push_str(whose);
        text.push(' ');
    }
    if !matches!(event.what, What::Gap(_)) {
        event.comm.push_to(text);
        text.push('[');
        strace::number(text, event.tid.into());
        text.push_str("] ");
    }
    match &event.what {
        What::Call(call) => call_text(text, call),
        What::Fork { parent } => {
            let _ = write!(text, "+++ started by {parent} +++");
        }
        What::Uring(request) => text.push_str(&uring::words(request)),
        What::Join => text.push_str("+++ joined the cgroup +++"),
        What::Gap(gap) => {
            let _ = write!(text, "--- {} ---", window::missing(event, gap));
        }
        What::Signal(signal) => {
            let from = signal.sender.map_or_else(String::new, |(pid, comm)| format!(" from {comm}[{pid}]"));
            let _ = write!(text, "--- {} {} ---{from}", signal.name, signal.info);
        }
        other => text.push_str(&strace::instant(other).unwrap_or_default()),
    }
    text.push('\n');
    if let What::Call(call) = &event.what {
        call.moved.iter().for_each(|moved| super::moved::lines(text, moved));
        call.stack.iter().for_each(|stack| stack::text(text, stack));
    }
}

fn call_text(text: &mut String, call: &Call) {
    text.push_str(call.name());
    text.push('(');
    match call.outcome {
        Outcome::InFlight { start_seen } => {
            text.push_str(&call.known());
            text.push_str(if start_seen { " <in flight>" } else { " <in flight since before the recording>" });
        }
        Outcome::EndMissing => {
            text.push_str(&call.known());
            text.push_str(" <its end is missing>");
        }
        _ => {
            [&call.text, ") = ", call.outcome.text()].into_iter().for_each(|part| text.push_str(part));
        }
    }
    if let Some(nanoseconds) = call.duration {
        strace::duration(text, nanoseconds);
    }
    if call.cut {
        text.push_str(" (its record was full: some memory is missing)");
    }
}

fn header(out: &mut impl Write, dump: &Dump) -> io::Result<()> {
    let zone = TimeZone::system();
    let Dump { traceloop, host, kernel, arch, .. } = dump;
    let taken = moment(dump.taken, dump.clock_offset, &zone, "%Y-%m-%d %H:%M:%S %Z");
    let began = clock(dump.began, dump.clock_offset, &zone);
    let mut lines = vec![
        format!("traceloop {traceloop}: {} on {host}, Linux {kernel} {arch}", whose(dump)),
        format!("dumped {taken}: {}; recording since {began}", dump.cause),
    ];
    lines.extend(dump.summary.iter().map(|summary| format!("summary: {}", summary.text)));
    lines.extend(window::lines(dump));
    lines.extend(last_words::lines(dump, FAILED));
    lines.iter().try_for_each(|line| writeln!(out, "# {}", plain(line)))
}

/// The recorded cgroups: by what people call them, where that does not end the path. Of several, each has a line below.
fn whose(dump: &Dump) -> String {
    if !dump.each.is_empty() {
        return format!("{} cgroups", dump.each.len());
    }
    let is_named = |path: &&String| dump.identities.iter().any(|identity| identity.cgroup == **path);
    let others = dump.cgroups.iter().filter(|path| !is_named(path)).cloned();
    let followed = dump.followed.iter().map(ToString::to_string);
    dump.identities.iter().map(window::called).chain(others).chain(followed).collect::<Vec<_>>().join(" ")
}

fn footer(out: &mut impl Write, dump: &Dump, seen: &Seen, ended: &Ended) -> io::Result<()> {
    writeln!(out, "# {}", seen.words(dump))?;
    for (pid, comm, exit) in &ended.0 {
        let how = match *exit {
            Exit::Status(status) => format!("exited with {status}"),
            Exit::Killed { signo, core, .. } => {
                let core = if core { ", core dumped" } else { "" };
                format!("was killed by {}{core}", crate::model::signal_name(signo))
            }
            Exit::Superseded { .. } => continue,
        };
        writeln!(out, "# {comm}[{pid}] {how}")?;
    }
    if let Some(shown) = &dump.shown {
        writeln!(out, "# {shown}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Container, Identity, Process};

    #[test]
    fn whose_calls_it_holds() {
        let of = |cgroup: &str, name: Option<&str>| {
            let container = name.map(|name| Container { name: Some(name.to_owned()), ..Container::default() });
            Identity { cgroup: cgroup.to_owned(), container, ..Identity::default() }
        };
        let identities = vec![of("/docker/8c1f", Some("web")), of("/a", None)];
        let dump = Dump { identities, cgroups: vec!["/a".into(), "/b".into()], ..Dump::default() };
        assert_eq!(whose(&dump), "web (/docker/8c1f) /a /b");
        let followed = [(7, "sh"), (9, "node")].map(|(pid, comm)| Process { tid: pid, pid, comm: comm.to_owned() });
        let dump = Dump { followed: followed.to_vec(), ..Dump::default() };
        assert_eq!((whose(&dump), dump.names().join(", ")), ("sh[7] node[9]".into(), "sh[7], node[9]".into()));
    }
}
