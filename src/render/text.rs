//! For people: local time, who, what; what the dump is and for which time it is complete.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use jiff::{Timestamp, tz::TimeZone};

use super::strace;
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

fn moment(time: u64, clock_offset: i64, zone: &TimeZone, form: &str) -> String {
    let (seconds, micros) = strace::wall(time, clock_offset);
    let timestamp = Timestamp::new(i64::try_from(seconds).unwrap_or(0), i32::try_from(micros * 1000).unwrap_or(0));
    timestamp.map_or_else(|_| time.to_string(), |timestamp| timestamp.to_zoned_datetime(zone.clone()).strftime(form).to_string())
}

fn clock(time: u64, clock_offset: i64, zone: &TimeZone) -> String {
    moment(time, clock_offset, zone, "%H:%M:%S.%6f")
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
    writeln!(out, "# {}", window(dump, &zone))?;
    for loss in &dump.window.lost {
        writeln!(out, "# lost {} records: {}", loss.count, loss.reason)?;
    }
    Ok(())
}

fn window(dump: &Dump, zone: &TimeZone) -> String {
    let window = &dump.window;
    let lost = if window.lost.is_empty() { "nothing lost" } else { "with losses" };
    let mut text = match window.complete_from {
        None => format!("complete since the recording began, {lost}"),
        Some(from) => format!("complete from {} on, {lost}", clock(from, dump.clock_offset, zone)),
    };
    for reach in &window.further {
        let _ = match reach.from {
            Some(from) => write!(text, "; cpu {} reaches back to {}", reach.cpu, clock(from, dump.clock_offset, zone)),
            None => write!(text, "; cpu {} reaches back to the beginning", reach.cpu),
        };
    }
    if window.overwritten > 0 {
        let _ = write!(text, "; {} older records overwritten", window.overwritten);
    }
    text
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
