//! For people: local time, who, what; what the dump is and for which time it is complete.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use jiff::tz::TimeZone;

use super::{
    moment::{clock, moment},
    strace, window,
};
use crate::model::{Call, Cause, Dump, Event, Exit, Outcome, What};

pub(super) fn dump(out: &mut impl Write, dump: &Dump, events: &[Event]) -> io::Result<()> {
    header(out, dump)?;
    follow(out, dump.clock_offset, events)?;
    footer(out, dump, events)
}

pub(super) fn follow(out: &mut impl Write, clock_offset: i64, events: &[Event]) -> io::Result<()> {
    let zone = TimeZone::system();
    let mut text = String::with_capacity(256);
    for event in events {
        text.clear();
        if line(&mut text, event, clock_offset, &zone) {
            out.write_all(text.as_bytes())?;
        }
    }
    Ok(())
}

fn line(text: &mut String, event: &Event, clock_offset: i64, zone: &TimeZone) -> bool {
    let body = match &event.what {
        What::Call(call) => call_text(call),
        What::Fork { parent } => format!("+++ started by {parent} +++"),
        What::Exec { .. } | What::Rename => return false,
        What::Join => "+++ joined the cgroup +++".to_owned(),
        What::Signal(signal) => {
            let from = signal.sender.map_or_else(String::new, |(pid, comm)| format!(" from {comm}[{pid}]"));
            format!("--- {} {} ---{from}", signal.name, signal.info)
        }
        exit @ What::Exit(_) => strace::instant(exit).unwrap_or_default(),
    };
    let _ = writeln!(text, "{} {}[{}] {body}", clock(event.start, clock_offset, zone), event.comm, event.tid);
    true
}

fn call_text(call: &Call) -> String {
    let mut text = format!("{}({})", call.name(), call.text);
    match call.outcome {
        Outcome::InFlight { start_seen } => {
            text.truncate(call.name().len() + 1);
            text.push_str(&strace::known(call));
            text.push_str(if start_seen { " <in flight>" } else { " <in flight since before the recording>" });
        }
        _ => {
            let _ = write!(text, " = {}", strace::outcome(call));
        }
    }
    if let Some(duration) = call.duration {
        let _ = write!(text, " <{}.{:06}>", duration / 1_000_000_000, duration / 1000 % 1_000_000);
    }
    if call.cut {
        text.push_str(" (its record was full: some memory is missing)");
    }
    text
}

fn header(out: &mut impl Write, dump: &Dump) -> io::Result<()> {
    let zone = TimeZone::system();
    let cause = match dump.cause {
        Cause::Exit => "the recorder ends",
        Cause::Command => "the command ended",
        Cause::Request => "on request",
    };
    writeln!(out, "# traceloop {}: {} on {}, Linux {} {}", dump.traceloop, dump.cgroups.join(" "), dump.host, dump.kernel, dump.arch)?;
    let taken = moment(dump.taken, dump.clock_offset, &zone, "%Y-%m-%d %H:%M:%S %Z");
    writeln!(out, "# dumped {taken}: {cause}; recording since {}", clock(dump.began, dump.clock_offset, &zone))?;
    window::lines(dump).iter().try_for_each(|line| writeln!(out, "# {line}"))
}

fn footer(out: &mut impl Write, dump: &Dump, events: &[Event]) -> io::Result<()> {
    let calls = events.iter().filter(|event| matches!(event.what, What::Call(_))).count();
    writeln!(out, "# {calls} calls in {} records", dump.window.records)?;
    for event in events {
        if let What::Exit(exit) = event.what
            && event.tid == event.pid
        {
            let how = match exit {
                Exit::Status(status) => format!("exited with {status}"),
                Exit::Killed { signo, core } => {
                    let core = if core { ", core dumped" } else { "" };
                    format!("was killed by {}{core}", crate::model::signal_name(signo))
                }
                Exit::Superseded { .. } => continue,
            };
            writeln!(out, "# {}[{}] {how}", event.comm, event.pid)?;
        }
    }
    Ok(())
}
