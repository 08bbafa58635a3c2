//! The English of it: who, how long, which call, what an errno means.

use std::borrow::Cow;

use nix::errno::Errno;

use super::{address, failure::Failure};
use crate::model::{Call, Comm, Exit, Outcome, errno_name, plain, signal_name};

/// Bytes of a call's line.
const LINE: usize = 400;
/// Characters of a call's arguments in a sentence.
const ARGUMENTS: usize = 160;

/// `nginx[3791]`.
pub(super) fn who(pid: u32, comm: &Comm) -> String {
    if comm.bytes().is_empty() { format!("process {pid}") } else { format!("{comm}[{pid}]") }
}

/// `0.2 ms`, `14 s`, `20 min`.
pub(super) fn span(nanoseconds: u64) -> String {
    const MILLI: u64 = 1_000_000;
    const SECOND: u64 = 1_000_000_000;
    let tenths = |unit: u64| format!("{}.{}", nanoseconds / unit, nanoseconds % unit * 10 / unit);
    match nanoseconds {
        0..100_000 => "less than 0.1 ms".to_owned(),
        100_000..10_000_000 => format!("{} ms", tenths(MILLI)),
        10_000_000..1_000_000_000 => format!("{} ms", nanoseconds / MILLI),
        1_000_000_000..60_000_000_000 => format!("{} s", tenths(SECOND)),
        60_000_000_000..7_200_000_000_000 => format!("{} min", nanoseconds / (60 * SECOND)),
        _ => format!("{} h", nanoseconds / (3600 * SECOND)),
    }
}

/// `ENOENT (No such file or directory)`.
pub(super) fn errno(errno: i32) -> String {
    format!("{} ({})", errno_name(errno), Errno::from_raw(errno).desc())
}

/// What calls do, for those that act on a path.
const DEEDS: [(&str, &str); 36] = [
    ("open", "open of"),
    ("openat", "open of"),
    ("openat2", "open of"),
    ("creat", "creation of"),
    ("execve", "exec of"),
    ("execveat", "exec of"),
    ("stat", "stat of"),
    ("lstat", "stat of"),
    ("newfstatat", "stat of"),
    ("statx", "stat of"),
    ("access", "access to"),
    ("faccessat", "access to"),
    ("faccessat2", "access to"),
    ("mkdir", "mkdir of"),
    ("mkdirat", "mkdir of"),
    ("rmdir", "rmdir of"),
    ("unlink", "unlink of"),
    ("unlinkat", "unlink of"),
    ("rename", "rename of"),
    ("renameat", "rename of"),
    ("renameat2", "rename of"),
    ("chdir", "chdir to"),
    ("chmod", "chmod of"),
    ("fchmodat", "chmod of"),
    ("chown", "chown of"),
    ("fchownat", "chown of"),
    ("truncate", "truncation of"),
    ("ftruncate", "truncation of"),
    ("fallocate", "allocation for"),
    ("write", "write to"),
    ("writev", "write to"),
    ("pwrite64", "write to"),
    ("read", "read of"),
    ("pread64", "read of"),
    ("fsync", "fsync of"),
    ("fdatasync", "fsync of"),
];

/// `connect to 127.0.0.1:6392 was refused`.
pub(super) fn failed(call: &Call, number: i32, known: Option<&str>) -> String {
    let to = address::of(call).or_else(|| known.map(str::to_owned));
    let what = match (call.name(), &to) {
        ("connect" | "getsockopt", Some(to)) => match number {
            libc::ECONNREFUSED => return format!("connect to {to} was refused (ECONNREFUSED)"),
            libc::ETIMEDOUT => return format!("connect to {to} timed out (ETIMEDOUT)"),
            _ => format!("connect to {to}"),
        },
        ("bind", Some(to)) => format!("bind to {to}"),
        (name, Some(to)) => format!("{name} to {to}"),
        _ => self::call(call),
    };
    format!("{what} failed with {}{}", errno(number), refused(call))
}

/// Capabilities that let their holder past the modes of files.
const PAST_MODES: [&str; 2] = ["CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"];

/// `, without CAP_NET_BIND_SERVICE`: what the kernel looked for before it refused the call. It looks for those of files
/// only where a mode has refused it already.
fn refused(call: &Call) -> String {
    let by_mode = call.denied.iter().all(|name| PAST_MODES.contains(&&**name));
    match lacks(call) {
        Some(lacks) if by_mode => format!(", by the permissions on its path and {lacks}"),
        Some(lacks) => format!(", {lacks}"),
        None => String::new(),
    }
}

/// `without CAP_PERFMON or CAP_SYS_ADMIN`.
fn lacks(call: &Call) -> Option<String> {
    (!call.denied.is_empty()).then(|| format!("without {}", call.denied.join(" or ")))
}

/// The same of a failure, with how often it was looked for.
pub(super) fn failure(failure: &Failure<'_>) -> String {
    let Failure { call, errno: number, times, .. } = failure;
    match call.paths.first().filter(|_| *number == libc::ENOENT && *times > 1) {
        Some(path) => {
            let name = plain(&String::from_utf8_lossy(super::failure::last_part(path))).into_owned();
            let last = plain(&String::from_utf8_lossy(path)).into_owned();
            format!("{name} was found in none of {times} places, {last} the last (ENOENT)")
        }
        None => failed(call, *number, failure.address.as_deref()),
    }
}

/// A call that is under way or has ended, without its result.
pub(super) fn call(call: &Call) -> String {
    let path = call.paths.first().map(|path| plain(&String::from_utf8_lossy(path)).into_owned());
    let deed = DEEDS.iter().find(|(name, _)| *name == call.name());
    if let Some(((_, deed), path)) = deed.zip(path.filter(|path| !path.is_empty())) {
        return format!("{deed} {path}");
    }
    format!("{}({})", call.name(), arguments(&call.text))
}

/// The call and its result as the text format writes them, cut where they are long.
pub fn whole(call: &Call) -> String {
    let (args, end): (Cow<'_, str>, &str) = match &call.outcome {
        Outcome::InFlight { start_seen: true } => (call.known(), " <in flight>"),
        Outcome::InFlight { .. } => (call.known(), " <in flight since before the recording>"),
        Outcome::EndMissing => (call.known(), " <its end is missing>"),
        Outcome::Returned { text, .. } | Outcome::Failed { text, .. } | Outcome::Interrupted { text } => {
            (Cow::Borrowed(&call.text), text)
        }
        Outcome::Never | Outcome::Died { .. } => (Cow::Borrowed(&call.text), "?"),
    };
    let mut most = LINE.min(args.len());
    while !args.is_char_boundary(most) {
        most -= 1;
    }
    let cut = if most < args.len() { "..." } else { "" };
    let lacks = lacks(call).map(|lacks| format!(" <{lacks}>")).unwrap_or_default();
    let between = if matches!(call.outcome, Outcome::InFlight { .. } | Outcome::EndMissing) { "" } else { ") = " };
    plain(&format!("{}({}{cut}{between}{end}{lacks}", call.name(), &args[..most])).into_owned()
}

fn arguments(text: &str) -> String {
    let short: String = text.chars().take(ARGUMENTS).collect();
    let cut = if short.len() < text.len() { "..." } else { "" };
    format!("{}{cut}", plain(&short))
}

/// `exited with 1`.
pub(super) fn exit(exit: Exit) -> String {
    match exit {
        Exit::Status(status) => format!("exited with {status}"),
        Exit::Killed { signo, core, .. } => {
            format!("was killed by {}{}", signal_name(signo), if core { " (core dumped)" } else { "" })
        }
        Exit::Superseded { by } => format!("superseded by {by}"),
    }
}

/// A field of a signal's details as strace writes them: `si_addr=0x8`.
pub(super) fn detail<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let rest = &info[info.find(&format!("{name}="))? + name.len() + 1..];
    rest.split([',', '}', ' ']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_say_them() {
        let told = [5_000, 210_000, 15_700_000, 3_250_000_000, 1_200_000_000_000, 8_000_000_000_000].map(span);
        assert_eq!(told, ["less than 0.1 ms", "0.2 ms", "15 ms", "3.2 s", "20 min", "2 h"]);
    }

    #[test]
    fn details_of_signals() {
        let info = "{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x8}";
        assert_eq!((detail(info, "si_code"), detail(info, "si_addr")), (Some("SEGV_MAPERR"), Some("0x8")));
        assert_eq!(detail(info, "si_pid"), None);
    }
}
