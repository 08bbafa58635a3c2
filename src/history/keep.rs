//! What of older history is kept for longer: rules in the words of the command line, of which one has to fit.
//!
//! It is decided by a call's record alone, as the kernel wrote it: nothing is decoded where history is thinned.

use std::{str::FromStr, time::Duration};

use anyhow::{Context, Result, bail};

use crate::{
    model::duration,
    syscall::{self, Abi, Filter, Kept, NUMBERS},
    wire::{CallRecord, Part, UringRecord},
};

/// What is kept where nothing else is configured: what failed, what took long, and what changes more than a
/// descriptor's contents.
const DEFAULT: [&str; 5] = [
    "-Z",
    "--duration 100ms",
    "--for-writing",
    "-e trace=execve,execveat,fork,vfork,clone,clone3,exit,exit_group,kill,tkill,tgkill",
    "-e trace=connect,bind,rename,renameat,renameat2,unlink,unlinkat,rmdir",
];

/// A failure that says "not yet", "go on waiting" or "again", no more.
const NOT_YET: [i32; 9] = [
    libc::EAGAIN,
    libc::EINTR,
    libc::EINPROGRESS,
    libc::EALREADY,
    // ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ENOIOCTLCMD, ERESTART_RESTARTBLOCK.
    512,
    513,
    514,
    515,
    516,
];

/// Calls whose time being over is what they were made for.
const TIMED: [&str; 4] = ["futex", "futex_time64", "futex_wait", "futex_waitv"];

/// The rules; without any nothing is kept but what is complete.
#[derive(Clone, Debug)]
pub struct Keep(Vec<Rule>);

/// Calls that are kept.
#[derive(Clone, Debug)]
struct Rule {
    text: String,
    calls: Filter,
    /// Only those that failed.
    failed: bool,
    /// Only those that lasted at least so many nanoseconds.
    least: Option<u64>,
    /// Only those that open a file to write to it.
    for_writing: bool,
}

impl Default for Keep {
    fn default() -> Self {
        let rule = |text: &&str| Rule::parse(text).unwrap_or_else(|error| unreachable!("{error:#}"));
        Self(DEFAULT.iter().map(rule).collect())
    }
}

impl PartialEq for Keep {
    /// Whether they were written alike.
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().map(|rule| &rule.text).eq(other.0.iter().map(|rule| &rule.text))
    }
}

impl Eq for Keep {}

impl Keep {
    /// Understands rules as the configuration writes them.
    pub fn parse(rules: &[String]) -> Result<Self> {
        rules.iter().map(|rule| rule.parse()).collect::<Result<_>>().map(Self)
    }

    /// The rules as they were written.
    pub fn rules(&self) -> Vec<String> {
        self.0.iter().map(|rule| rule.text.clone()).collect()
    }

    /// The same, summed up by number, those of the 32-bit ABI behind the others: of each number at least the calls that
    /// a rule fits.
    pub fn by_number(&self) -> Vec<Kept> {
        let numbers = [false, true].map(Abi::native).into_iter().flat_map(|abi| (0..NUMBERS).map(move |nr| (abi, nr)));
        numbers.map(|(abi, nr)| self.0.iter().fold(Kept::default(), |kept, rule| rule.sum(kept, abi, nr))).collect()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Rule {
    /// What is kept of a number's calls, with this rule's.
    fn sum(&self, kept: Kept, abi: Abi, nr: u16) -> Kept {
        if !self.calls.wants(abi, nr) || (self.for_writing && opens(abi, nr).is_none()) {
            return kept;
        }
        let timed = syscall::name(abi, nr).is_some_and(|name| TIMED.contains(&name));
        // Of several conditions in one rule the first that can be told by itself is enough.
        match (self.for_writing.then(|| opens(abi, nr)).flatten(), self.failed, self.least) {
            (Some(Flags::Argument(n)), ..) => Kept { flags: u8::try_from(n).ok(), ..kept },
            (Some(Flags::Memory(_) | Flags::Always), ..) | (None, false, None) => Kept { always: true, ..kept },
            (None, true, _) => Kept { failed: true, timed, ..kept },
            (None, false, Some(least)) => {
                Kept { least: Some(kept.least.map_or(least, |other| other.min(least))), ..kept }
            }
        }
    }
}

impl FromStr for Rule {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text).with_context(|| {
            format!("understand the rule {text:?} (as in \"-Z\", \"--duration 100ms\", \"-Z -e trace=%file\", \"--for-writing\")")
        })
    }
}

impl Rule {
    fn parse(text: &str) -> Result<Self> {
        let mut rule =
            Self { text: text.to_owned(), calls: Filter::default(), failed: false, least: None, for_writing: false };
        let mut words = text.split_whitespace();
        while let Some(word) = words.next() {
            let (option, value) =
                word.split_once('=').filter(|_| word.starts_with("--")).map_or((word, None), |(o, v)| (o, Some(v)));
            let mut value = || value.or_else(|| words.next()).with_context(|| format!("{option} lacks its value"));
            match option {
                "-Z" | "--failed-only" => rule.failed = true,
                "--for-writing" => rule.for_writing = true,
                "--duration" => rule.least = Some(nanoseconds(duration(value()?)?)),
                "-e" => {
                    let set = value()?;
                    rule.calls = Filter::parse(set.strip_prefix("trace=").unwrap_or(set))?;
                }
                _ => bail!("{word:?} is none of -e trace=, -Z, --duration, --for-writing"),
            }
        }
        if text.trim().is_empty() {
            bail!("it is empty");
        }
        Ok(rule)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The rules, made ready for many records.
#[derive(Debug)]
pub(super) struct Wanted {
    rules: Vec<Ready>,
    /// Calls whose time may be over without that being a failure, by ABI and number.
    timed: [Vec<bool>; 2],
}

#[derive(Debug)]
struct Ready {
    failed: bool,
    least: Option<u64>,
    for_writing: bool,
    /// By ABI and number.
    calls: [Vec<bool>; 2],
    others: Filter,
    uring: bool,
}

fn table(of: impl Fn(Abi, u16) -> bool) -> [Vec<bool>; 2] {
    [false, true].map(|compat| (0..NUMBERS).map(|nr| of(Abi::native(compat), nr)).collect())
}

impl Wanted {
    /// Of records that were made on this machine.
    pub(super) fn of(Keep(rules): &Keep) -> Self {
        let ready = |rule: &Rule| Ready {
            failed: rule.failed,
            least: rule.least,
            for_writing: rule.for_writing,
            calls: table(|abi, nr| rule.calls.wants(abi, nr) && (!rule.for_writing || opens(abi, nr).is_some())),
            others: rule.calls.clone(),
            uring: rule.calls.wants_uring(Abi::native(false)) && !rule.for_writing,
        };
        let timed = |abi, nr| syscall::name(abi, nr).is_some_and(|name| TIMED.contains(&name));
        Self { rules: rules.iter().map(ready).collect(), timed: table(timed) }
    }

    /// Whether a call that has ended is.
    pub(super) fn call(&self, call: &CallRecord<'_>) -> bool {
        let (nr, compat) = (call.nr(), call.compat());
        let of = |tables: &[Vec<bool>; 2]| {
            let number = usize::try_from(nr).ok();
            number.and_then(|nr| tables[usize::from(compat)].get(nr).copied())
        };
        let timed = || call.ret() == -i64::from(libc::ETIMEDOUT) && of(&self.timed).unwrap_or(false);
        self.rules.iter().any(|rule| {
            (!rule.failed || (failed(call.ret()) && !timed()))
                && rule.least.is_none_or(|least| call.duration().is_some_and(|took| took >= least))
                && of(&rule.calls).unwrap_or_else(|| rule.others.wants(Abi::native(compat), nr))
                && (!rule.for_writing || opens_for_writing(call))
        })
    }

    /// Whether a request of io_uring's is.
    pub(super) fn request(&self, request: &UringRecord<'_>) -> bool {
        !request.is_submission()
            && self.rules.iter().any(|rule| {
                rule.uring
                    && (!rule.failed || failed(request.result().into()))
                    && rule.least.is_none_or(|least| request.duration().is_some_and(|took| took >= least))
            })
    }
}

fn failed(ret: i64) -> bool {
    (-4095..0).contains(&ret) && !NOT_YET.iter().any(|errno| ret == -i64::from(*errno))
}

/// Where a call has the flags with which it opens a file.
#[derive(Clone, Copy, Debug)]
enum Flags {
    Argument(usize),
    /// In what this argument points to they come first.
    Memory(u8),
    /// It has none, and always creates one.
    Always,
}

fn opens(abi: Abi, nr: impl Into<i32>) -> Option<Flags> {
    Some(match syscall::name(abi, nr)? {
        "open" | "mq_open" => Flags::Argument(1),
        "openat" | "open_by_handle_at" => Flags::Argument(2),
        "openat2" => Flags::Memory(2),
        "creat" => Flags::Always,
        _ => return None,
    })
}

fn opens_for_writing(call: &CallRecord<'_>) -> bool {
    const WRITING: i32 = libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC;
    let flags = match opens(Abi::native(call.compat()), call.nr()) {
        None => return false,
        Some(Flags::Always) => return true,
        Some(Flags::Argument(n)) => call.args()[n],
        Some(Flags::Memory(n)) => {
            let how =
                call.pieces().find(|piece| piece.arg == n && matches!(piece.part, Part::PART_DATA | Part::PART_START));
            let flags = how.and_then(|piece| piece.bytes.ok()?.first_chunk().copied());
            flags.map_or(0, u64::from_ne_bytes)
        }
    };
    flags & u64::from(WRITING.unsigned_abs()) != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{self, Kind, Record, inflight};

    /// A call that has ended, with these arguments and what its third one points to.
    fn call(name: &str, args: [u64; 6], ret: i64, took: u64, memory: Option<&[u8]>) -> Vec<u8> {
        let nr = syscall::number(Abi::native(false), name).unwrap();
        let began = inflight { nr: nr.into(), tid: 7, entered: 1_000_000_000, args, ..inflight::default() };
        let pieces: Vec<_> = memory.iter().map(|bytes| (2, Part::PART_DATA, Ok(bytes.to_vec()))).collect();
        let mut bytes = wire::in_flight_record(&began, 6, &pieces);
        bytes[6..8].copy_from_slice(&[Kind::RECORD_CALL.0, 0]);
        bytes[24..32].copy_from_slice(&took.to_ne_bytes());
        bytes[32..40].copy_from_slice(&ret.to_ne_bytes());
        bytes
    }

    fn is_wanted(rules: &[&str], bytes: &[u8]) -> bool {
        let rules: Vec<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
        Wanted::of(&Keep::parse(&rules).unwrap()).call(&Record::parse(bytes).unwrap().call().unwrap())
    }

    #[test]
    fn what_failed_is_not_what_is_to_be_done_again() {
        let failed = |name, errno: i32| is_wanted(&["-Z"], &call(name, [0; 6], -i64::from(errno), 0, None));
        for errno in [libc::ENOENT, libc::EACCES, libc::ETIMEDOUT, libc::ECONNREFUSED] {
            assert!(failed("connect", errno), "{errno}");
        }
        for errno in [libc::EAGAIN, libc::EINTR, libc::EINPROGRESS, libc::EALREADY, 512, 513, 514, 516] {
            assert!(!failed("connect", errno), "{errno}");
        }
        assert!(!failed("futex", libc::ETIMEDOUT) && failed("futex", libc::EINVAL));
        assert!(!is_wanted(&["-Z"], &call("read", [0; 6], 5, 0, None)));
        // mmap's results may be high, and are none of those.
        assert!(!is_wanted(&["-Z"], &call("mmap", [0; 6], -4096, 0, None)));
    }

    #[test]
    fn summed_up_by_number_no_call_is_missing_that_is_kept() {
        let of = |rules: &[&str], name: &str| {
            let rules: Vec<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
            Keep::parse(&rules).unwrap().by_number()[usize::from(syscall::number(Abi::native(false), name).unwrap())]
        };
        let ours = Keep::default().by_number();
        assert_eq!(ours.len(), 2 * usize::from(NUMBERS));
        let default = |name| ours[usize::from(syscall::number(Abi::native(false), name).unwrap())];
        let usual = Kept { failed: true, least: Some(100_000_000), ..Kept::default() };
        assert_eq!(default("read"), usual);
        assert_eq!(default("futex"), Kept { timed: true, ..usual });
        assert_eq!(default("openat"), Kept { flags: Some(2), ..usual });
        assert_eq!(default("execve"), Kept { always: true, ..usual });
        let least = of(&["--duration 2s", "--duration 1s", "--duration 3s -e trace=read"], "read").least;
        assert_eq!(least, Some(1_000_000_000));
        assert_eq!(of(&["-Z --duration 1s"], "read"), Kept { failed: true, ..Kept::default() });
        assert_eq!(of(&["--for-writing"], "read"), Kept::default());
        assert_eq!(of(&["--for-writing"], "openat2"), Kept { always: true, ..Kept::default() });
        assert_eq!(of(&[], "read"), Kept::default());
    }

    #[test]
    fn one_rule_has_to_fit_with_all_of_its_words() {
        let slow = call("read", [0; 6], -2, 100_000_000, None);
        let quick = call("read", [0; 6], -2, 99_999_999, None);
        assert!(is_wanted(&["--duration 100ms"], &slow) && !is_wanted(&["--duration=100ms"], &quick));
        assert!(is_wanted(&["--duration 1s", "-Z -e trace=read"], &quick));
        assert!(!is_wanted(&["--duration 1s", "-Z -e trace=!read", "-Z -e write"], &quick));
        assert!(!is_wanted(&[], &slow));
        let ours = Keep::default();
        assert!(!ours.is_empty() && Keep::parse(&[]).unwrap().is_empty() && ours != Keep::parse(&[]).unwrap());
    }

    #[test]
    fn files_are_opened_to_be_written_by_several_calls() {
        let writes = |name, n: usize, flags: i32| {
            let mut args = [0; 6];
            args[n] = flags.unsigned_abs().into();
            is_wanted(&["--for-writing"], &call(name, args, 3, 0, None))
        };
        for flags in [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_RDONLY | libc::O_TRUNC] {
            assert!(writes("openat", 2, flags), "{flags:o}");
        }
        assert!(!writes("openat", 2, libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NOFOLLOW));
        assert!(!writes("openat", 1, libc::O_WRONLY) && !writes("read", 2, libc::O_WRONLY));
        let how = |flags: i32| [u64::from(flags.unsigned_abs()), 0, 0].map(u64::to_ne_bytes).concat();
        let openat2 = |memory: &[u8]| is_wanted(&["--for-writing"], &call("openat2", [0; 6], 3, 0, Some(memory)));
        assert!(openat2(&how(libc::O_WRONLY)) && !openat2(&how(libc::O_RDONLY)) && !openat2(&[1, 0]));
    }
}
