//! As `strace -f -ttt -T -o FILE` writes: `PID SECONDS.MICROS name(args) = result <seconds>`.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

use super::{
    lines::{Line, Lines},
    stack,
};
use crate::model::{Call, Dump, Event, Exit, Outcome, StraceForm, What};

/// How lines are written.
#[derive(Clone, Copy)]
struct Form {
    clock_offset: i64,
    /// Where in the line ` = ` stands, if it is not pushed further.
    column: u16,
    /// Whose form it is.
    strace: StraceForm,
}

pub(super) fn dump(
    out: &mut impl Write,
    (column, strace): (u16, StraceForm),
    dump: &Dump,
    events: impl Iterator<Item = Event>,
) -> io::Result<()> {
    let form = Form { clock_offset: dump.clock_offset, column, strace };
    let mut lines = Lines::new(out, |text: &mut String, line| self::line(text, line, form));
    // What has no line comes between no others.
    for event in events.filter(|event| is_told(&event.what)) {
        lines.push(event)?;
    }
    lines.finish()
}

pub(super) fn follow(
    out: &mut impl Write,
    (column, strace): (u16, StraceForm),
    clock_offset: i64,
    events: &[Event],
) -> io::Result<()> {
    let mut text = String::new();
    for event in events {
        text.clear();
        line(&mut text, Line::Whole(event), Form { clock_offset, column, strace });
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

fn line(text: &mut String, line: Line<'_>, Form { clock_offset, column, strace }: Form) {
    let (event, time) = match line {
        Line::Whole(event) | Line::Begun(event) => (event, event.start),
        Line::Resumed(event) => (event, event.end),
    };
    let body: Option<()> = match (&event.what, line) {
        (What::Call(call), Line::Whole(_)) => {
            let from = text.len();
            prefix(text, event.tid, time, clock_offset);
            text.push_str(call.name());
            text.push('(');
            match call.outcome {
                Outcome::Died { untold: true } => {
                    text.push_str(&begun(call, strace));
                    text.push_str(" <unfinished ...>");
                }
                _ => text.push_str(&call.text),
            }
            text.push(')');
            result(text, call, from, column);
            Some(())
        }
        (What::Call(call), Line::Begun(_)) => {
            prefix(text, call.caller.unwrap_or(event.tid), time, clock_offset);
            let _ = write!(text, "{}({} <unfinished ...>", call.name(), begun(call, strace));
            Some(())
        }
        (What::Call(call), Line::Resumed(_)) => {
            let from = text.len();
            prefix(text, event.tid, time, clock_offset);
            let rest = if let Outcome::Died { untold } = call.outcome {
                if untold { " <unfinished ...>" } else { "" }
            } else {
                rest(call, strace)
            };
            let _ = write!(text, "<... {} resumed>{rest})", call.name());
            result(text, call, from, column);
            Some(())
        }
        (other, _) => match instant(other) {
            Some(words) => {
                prefix(text, event.tid, time, clock_offset);
                text.push_str(&words);
                if let What::Signal(signal) = other
                    && signal.stops
                {
                    text.push('\n');
                    prefix(text, event.tid, time, clock_offset);
                    let _ = write!(text, "--- stopped by {} ---", signal.name);
                }
                Some(())
            }
            None => None,
        },
    };
    if body.is_some() {
        text.push('\n');
    }
    if let What::Call(call) = &event.what
        && !matches!(line, Line::Begun(_))
    {
        call.moved.iter().for_each(|moved| super::moved::lines(text, moved));
        call.stack.iter().for_each(|stack| stack::strace(text, stack));
    }
}

fn prefix(text: &mut String, tid: u32, time: u64, clock_offset: i64) {
    let (seconds, micros) = wall(time, clock_offset);
    let from = text.len();
    number(text, tid.into());
    while text.len() - from < 5 {
        text.push(' ');
    }
    text.push(' ');
    number(text, seconds);
    micros6(text, micros);
    text.push(' ');
}

/// Appends a number: much of a line is numbers, and formatting machinery costs more than the digits.
pub(super) fn number(text: &mut String, value: u64) {
    text.push_str(itoa::Buffer::new().format(value));
}

/// Appends `.000123`.
pub(super) fn micros6(text: &mut String, micros: u64) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(micros);
    text.push('.');
    text.push_str(&"000000"[digits.len().min(6)..]);
    text.push_str(digits);
}

/// Appends ` <0.000123>`.
pub(super) fn duration(text: &mut String, nanoseconds: u64) {
    text.push_str(" <");
    number(text, nanoseconds / 1_000_000_000);
    micros6(text, nanoseconds / 1000 % 1_000_000);
    text.push('>');
}

/// Seconds and microseconds since the epoch.
pub(super) fn wall(time: u64, clock_offset: i64) -> (u64, u64) {
    let nanoseconds = time.saturating_add_signed(clock_offset);
    (nanoseconds / 1_000_000_000, nanoseconds / 1_000 % 1_000_000)
}

/// What it writes when the call begins: 6.1 sets the comma then, the newest at the end.
fn begun(call: &Call, strace: StraceForm) -> Cow<'_, str> {
    match strace {
        StraceForm::V6_1 => call.known(),
        StraceForm::Newest => call.text[..call.known_at_start].into(),
    }
}

/// What it writes when the call ends.
fn rest(call: &Call, strace: StraceForm) -> &str {
    let rest = &call.text[call.known_at_start..];
    match strace {
        StraceForm::V6_1 => rest.strip_prefix(", ").unwrap_or(rest),
        StraceForm::Newest => rest,
    }
}

fn result(text: &mut String, call: &Call, from: usize, column: u16) {
    const SPACES: &str = "                                        ";
    let mut missing = usize::from(column).saturating_sub(text.len() - from).max(1);
    while missing > 0 {
        let now = missing.min(SPACES.len());
        text.push_str(&SPACES[..now]);
        missing -= now;
    }
    text.push_str("= ");
    text.push_str(call.outcome.text());
    // A tracer does not see when a killed thread's call ended.
    if let Some(nanoseconds) = call.duration.filter(|_| !matches!(call.outcome, Outcome::Died { .. })) {
        duration(text, nanoseconds);
    }
}

fn is_told(what: &What) -> bool {
    matches!(what, What::Call(_) | What::Signal(_) | What::Exit(_))
}

/// The line of what is no call; strace has none for forks, execs, names and requests of io_uring's.
pub(super) fn instant(what: &What) -> Option<String> {
    Some(match what {
        What::Signal(signal) => format!("--- {} {} ---", signal.name, signal.info),
        What::Exit(exit) => exit_line(*exit),
        What::Call(_)
        | What::Exec { .. }
        | What::Fork { .. }
        | What::Join
        | What::Rename
        | What::Uring(_)
        | What::Gap(_) => {
            return None;
        }
    })
}

fn exit_line(exit: Exit) -> String {
    match exit {
        Exit::Status(status) => format!("+++ exited with {status} +++"),
        Exit::Killed { signo, core, .. } => {
            let core = if core { " (core dumped)" } else { "" };
            format!("+++ killed by {}{core} +++", crate::model::signal_name(signo))
        }
        Exit::Superseded { by } => format!("+++ superseded by execve in pid {by} +++"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_their_column() {
        let call = Call { outcome: Outcome::Returned { value: 7, text: "7".into() }, ..Call::of("getppid") };
        let shown = |column| {
            let mut text = "getppid()".to_owned();
            result(&mut text, &call, 0, column);
            text
        };
        assert_eq!(shown(40), format!("{:40}= 7", "getppid()"));
        assert_eq!(shown(100), format!("{:100}= 7", "getppid()"));
        assert_eq!(shown(0), "getppid() = 7");
    }
}
