//! What two runs have in common where addresses, ids, sizes and times differ: a call's shape.

use std::{borrow::Cow, collections::HashSet, fmt::Write as _};

use crate::model::{Argument, Call, Event, Exit, Outcome, What, errno_name, signal_name};

/// Below it ports are chosen by people; above, by the kernel, each time anew.
const EPHEMERAL: u64 = 32768;

/// Words behind which a quoted string is an address or a path.
const NAMED: [&str; 4] = ["sun_path=", "inet_addr(", "inet_pton(AF_INET6, ", "sun_path=@"];

/// The shape of an event, if runs are compared by it. Ids of processes in paths become `PID`.
pub(super) fn shape(event: &Event, pids: &HashSet<u32>) -> Option<String> {
    let mut shape = plain(&event.comm.to_string());
    shape.push_str(": ");
    match &event.what {
        What::Call(call) => call_shape(&mut shape, call, pids),
        What::Signal(signal) => {
            let _ = write!(shape, "--- {} {} ---", signal.name, text(&signal.info, false, pids));
        }
        What::Exit(Exit::Status(status)) if event.tid == event.pid => {
            let _ = write!(shape, "+++ exited with {status} +++");
        }
        What::Exit(Exit::Killed { signo, core, .. }) => {
            let core = if *core { " (core dumped)" } else { "" };
            let _ = write!(shape, "+++ killed by {}{core} +++", signal_name(*signo));
        }
        _ => return None,
    }
    Some(shape)
}

fn call_shape(shape: &mut String, call: &Call, pids: &HashSet<u32>) {
    shape.push_str(call.name());
    shape.push('(');
    for (n, arg) in call.args.iter().enumerate() {
        if n > 0 {
            shape.push_str(", ");
        }
        shape.push_str(&text(call.text_of(arg), is_name(arg), pids));
    }
    shape.push_str(") = ");
    match &call.outcome {
        Outcome::Returned { value: 0, .. } => shape.push('0'),
        Outcome::Returned { .. } => shape.push('#'),
        Outcome::Failed { errno, .. } => shape.push_str(&errno_name(*errno)),
        Outcome::Interrupted { .. } => shape.push_str("? interrupted"),
        Outcome::Never => shape.push('?'),
        Outcome::Died { .. } => shape.push_str("? died in it"),
        Outcome::InFlight { .. } => shape.push_str("in flight"),
        Outcome::EndMissing => shape.push_str("its end is missing"),
    }
}

/// Whether an argument names something: a path, a program's arguments. Other strings are contents.
fn is_name(arg: &Argument) -> bool {
    ["name", "path", "file", "argv", "target", "source"].iter().any(|word| arg.name.contains(word))
}

/// An argument's text without what differs from run to run.
fn text(text: &str, named: bool, pids: &HashSet<u32>) -> String {
    let mut shape = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '"' => {
                let length = string(rest);
                let address = NAMED.iter().any(|word| shape.ends_with(word));
                if named || address {
                    shape.push_str(&path(&rest[..length], pids))
                } else {
                    shape.push_str("\"...\"")
                }
                length
            }
            '<' if rest.contains('>') => {
                let length = closing(rest);
                shape.push_str(&descriptor(&rest[..length], pids));
                length
            }
            '0'..='9' => {
                let length = rest.find(|char: char| !char.is_ascii_alphanumeric()).unwrap_or(rest.len());
                let port = shape.ends_with("htons(") && rest[..length].parse().is_ok_and(|port: u64| port < EPHEMERAL);
                shape.push_str(if port { &rest[..length] } else { "#" });
                length
            }
            '_' | 'a'..='z' | 'A'..='Z' => {
                let length = rest.find(|char: char| char != '_' && !char.is_ascii_alphanumeric()).unwrap_or(rest.len());
                shape.push_str(&rest[..length]);
                length
            }
            // "..." behind a string tells only that it is long.
            '.' if rest.starts_with("...") => 3,
            // The sign of a number that does not count.
            '-' if rest[1..].starts_with(|char: char| char.is_ascii_digit()) => 1,
            other => {
                shape.push(other);
                other.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    shape
}

/// How long the quoted string at the beginning is.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (place, char) in text.char_indices().skip(1) {
        match char {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return place + 1,
            _ => escaped = false,
        }
    }
    text.len()
}

/// How long what stands in angle brackets is; an arrow's head does not close them.
fn closing(text: &str) -> usize {
    let end = text.match_indices('>').find(|(place, _)| !text[..*place].ends_with('-'));
    end.map_or(text.len(), |(place, _)| place + 1)
}

/// A path without ids of processes, and without numbers so long that something made them up.
fn path<'a>(text: &'a str, pids: &HashSet<u32>) -> Cow<'a, str> {
    if !text.contains(|char: char| char.is_ascii_digit()) {
        return text.into();
    }
    let mut shape = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|char: char| char.is_ascii_digit()) {
        let (before, digits) = rest.split_at(start);
        let length = digits.find(|char: char| !char.is_ascii_digit()).unwrap_or(digits.len());
        shape.push_str(before);
        match digits[..length].parse::<u32>() {
            Ok(number) if pids.contains(&number) => shape.push_str("PID"),
            _ if length >= 8 => shape.push('#'),
            _ => shape.push_str(&digits[..length]),
        }
        rest = &digits[length..];
    }
    shape.push_str(rest);
    shape.into()
}

/// What a descriptor stands for: a path as it is, a pipe or socket without its numbers.
fn descriptor(text: &str, pids: &HashSet<u32>) -> String {
    if text.starts_with("</") {
        return path(text, pids).into_owned();
    }
    let mut shape = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find([':', '[']) {
        let (before, behind) = rest.split_at(start + 1);
        shape.push_str(before);
        let length = behind.find(|char: char| !char.is_ascii_digit()).unwrap_or(behind.len());
        let ends = !behind[length..].starts_with('.');
        let counts = behind[..length].parse().is_ok_and(|number: u64| number < EPHEMERAL && before.ends_with(':'));
        shape.push_str(if length > 0 && ends && !counts { "#" } else { &behind[..length] });
        rest = &behind[length..];
    }
    shape.push_str(rest);
    shape
}

/// A thread's name without its number.
fn plain(comm: &str) -> String {
    comm.trim_end_matches(|char: char| char.is_ascii_digit()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shaped(words: &str, named: bool) -> String {
        text(words, named, &HashSet::from([4711]))
    }

    #[test]
    fn what_differs_from_run_to_run_is_left_out() {
        for (words, named, shape) in [
            ("0x7ffd12345678", false, "#"),
            ("-1", false, "#"),
            ("O_RDONLY|O_CLOEXEC", false, "O_RDONLY|O_CLOEXEC"),
            ("3</etc/hosts>", false, "#</etc/hosts>"),
            ("5<pipe:[123456]>", false, "#<pipe:[#]>"),
            ("7<TCP:[127.0.0.1:45678->127.0.0.1:5432]>", false, "#<TCP:[127.0.0.1:#->127.0.0.1:5432]>"),
            (r#""/proc/4711/stat""#, true, r#""/proc/PID/stat""#),
            (r#""/lib/libssl.so.3""#, true, r#""/lib/libssl.so.3""#),
            (r#""/tmp/x-1732519922""#, true, r#""/tmp/x-#""#),
            (r#""GET / HTTP/1.1\r\n\"a\""..."#, false, r#""...""#),
            (
                r#"{sa_family=AF_INET, sin_port=htons(5432), sin_addr=inet_addr("10.0.0.7")}"#,
                false,
                r#"{sa_family=AF_INET, sin_port=htons(5432), sin_addr=inet_addr("10.0.0.7")}"#,
            ),
            (r"{sa_family=AF_INET, sin_port=htons(54321)}", false, "{sa_family=AF_INET, sin_port=htons(#)}"),
            (r#"[{iov_base="abc", iov_len=3}]"#, false, r#"[{iov_base="...", iov_len=#}]"#),
            (r#"{sa_family=AF_UNIX, sun_path="/run/a""#, false, r#"{sa_family=AF_UNIX, sun_path="/run/a""#),
        ] {
            assert_eq!(shaped(words, named), shape, "{words}");
        }
    }

    #[test]
    fn hostile_text_is_only_text() {
        for words in ["\"", "\"\\", "<", "<é>", "-", "-é", "é1é", "0x", "...", "<:[>", "\"é\\\"é"] {
            shaped(words, true);
            shaped(words, false);
        }
    }
}
