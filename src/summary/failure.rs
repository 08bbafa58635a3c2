//! Failed calls of one process: which of them is worth a sentence.
//!
//! Most failures mean nothing: a thing was looked for along a path and found further on, a call says "not yet", a
//! library asks whether a file is there. What counts is the errno's weight, how near to the end it came, and above all
//! whether the process spoke of it.

use nix::errno::Errno;

use super::{address, said::Said};
use crate::model::{Call, Event, Outcome};

/// A failed call.
#[derive(Clone, Debug)]
pub(super) struct Failure<'a> {
    pub(super) event: &'a Event,
    pub(super) call: &'a Call,
    pub(super) errno: i32,
    /// The address of the connection, where an earlier call named it.
    pub(super) address: Option<String>,
    /// How many calls the process had made.
    at: u32,
    /// How often the same was looked for in vain, this time included.
    pub(super) times: u32,
}

/// Failures that are answers to questions, or say "not yet": never told.
const ANSWERS: [i32; 9] = [
    libc::EAGAIN,
    libc::EINTR,
    libc::EINPROGRESS,
    libc::EALREADY,
    libc::ECHILD,
    libc::ENOTTY,
    libc::ESPIPE,
    libc::ENODATA,
    libc::EISCONN,
];

/// Calls of which the same answers say that somebody else has the lock.
const LOCKS: [&str; 4] = ["flock", "fcntl", "semop", "semtimedop"];

/// Failures that seldom stay without consequences.
const HEAVY: [i32; 37] = [
    libc::EACCES,
    libc::EPERM,
    libc::EROFS,
    libc::ENOSPC,
    libc::EDQUOT,
    libc::EIO,
    libc::EMFILE,
    libc::ENFILE,
    libc::ENOMEM,
    libc::ECONNREFUSED,
    libc::ECONNRESET,
    libc::ECONNABORTED,
    libc::EADDRINUSE,
    libc::EADDRNOTAVAIL,
    libc::EHOSTUNREACH,
    libc::ENETUNREACH,
    libc::ETIMEDOUT,
    libc::EPIPE,
    libc::ENOEXEC,
    libc::ELOOP,
    libc::EFBIG,
    libc::ENODEV,
    libc::ENXIO,
    libc::ESTALE,
    libc::ETXTBSY,
    libc::EREMOTEIO,
    libc::ENOTCONN,
    libc::EMSGSIZE,
    libc::EPROTONOSUPPORT,
    libc::EAFNOSUPPORT,
    libc::EDEADLK,
    libc::ENETDOWN,
    libc::EHOSTDOWN,
    libc::EKEYREJECTED,
    libc::ELIBBAD,
    libc::E2BIG,
    libc::ENOLCK,
];

/// Parts of paths that libraries and runtimes ask for and do without.
const DONE_WITHOUT: [&[u8]; 16] = [
    b"/locale",
    b"ld.so.preload",
    b"ld.so.nohwcap",
    b"/nscd/socket",
    b"gconv",
    b"pyvenv.cfg",
    b"/terminfo",
    b"/etc/localtime",
    b"/zoneinfo",
    b"openssl.cnf",
    b"/sys/fs/cgroup",
    b"/sys/kernel/mm",
    b"/.cache",
    b"__pycache__",
    b"/glibc-hwcaps/",
    b"/proc/",
];

/// Calls whose failure is part of what they are for.
const ASKING: [(&str, i32); 10] = [
    ("futex", libc::ETIMEDOUT),
    ("readlink", libc::EINVAL),
    ("readlinkat", libc::EINVAL),
    ("arch_prctl", libc::EINVAL),
    ("prctl", libc::EINVAL),
    ("rt_sigaction", libc::EINVAL),
    ("rt_sigtimedwait", libc::EAGAIN),
    ("rseq", libc::EINVAL),
    ("mkdir", libc::EEXIST),
    ("epoll_ctl", libc::EPERM),
];

/// Failures of one process that are kept.
const KEPT: usize = 256;

/// The failed calls of one process, in their order.
#[derive(Debug, Default)]
pub(super) struct Failures<'a> {
    failed: Vec<Failure<'a>>,
    /// The addresses that descriptors were connected to, and with which call.
    connected: Vec<(i32, String)>,
}

/// Connections of one process that are remembered.
const CONNECTIONS: usize = 64;

impl<'a> Failures<'a> {
    /// Takes in the process's next call; `at`: how many it has made.
    pub(super) fn see(&mut self, event: &'a Event, call: &'a Call, at: u32) {
        let fd = fd(call);
        if call.name() == "connect"
            && let Some((fd, address)) = fd.zip(address::of(call))
        {
            self.connected.retain(|(known, _)| *known != fd);
            self.connected.push((fd, address));
            if self.connected.len() > CONNECTIONS {
                self.connected.remove(0);
            }
        }
        match call.outcome {
            Outcome::Failed { errno, .. } => self.failed(event, call, errno, at),
            Outcome::Returned { .. } => {
                if let Some(errno) = error_of_socket(call) {
                    return self.failed(event, call, errno, at);
                }
                if call.name() == "close"
                    && let Some(fd) = fd
                {
                    self.connected.retain(|(known, _)| *known != fd);
                }
                // Found further on: what was looked for before is no failure.
                if let Some(path) = call.paths.first() {
                    let found = last_part(path);
                    self.failed.retain(|failure| {
                        failure.errno != libc::ENOENT
                            || failure.call.paths.first().map(|path| last_part(path)) != Some(found)
                    });
                }
            }
            Outcome::Interrupted { .. } if LOCKS.contains(&call.name()) => self.failed(event, call, libc::EINTR, at),
            _ => {}
        }
    }

    fn failed(&mut self, event: &'a Event, call: &'a Call, errno: i32, at: u32) {
        let held = LOCKS.contains(&call.name()) && [libc::EAGAIN, libc::EINTR].contains(&errno);
        if (ANSWERS.contains(&errno) && !held) || ASKING.contains(&(call.name(), errno)) {
            return;
        }
        let known = fd(call).and_then(|fd| self.connected.iter().find(|(known, _)| *known == fd));
        let address = known.map(|(_, address)| address.clone());
        let mut times = 1;
        if let Some(path) = call.paths.first().filter(|_| errno == libc::ENOENT) {
            let sought = last_part(path);
            self.failed.retain(|failure| {
                let same =
                    failure.errno == errno && failure.call.paths.first().is_some_and(|path| last_part(path) == sought);
                times += if same { failure.times } else { 0 };
                !same
            });
        }
        if self.failed.len() >= KEPT {
            self.failed.remove(0);
        }
        self.failed.push(Failure { event, call, errno, address, at, times });
    }

    /// A new program runs: what the one before failed at is no matter of its.
    pub(super) fn begin_anew(&mut self) {
        self.failed.clear();
    }

    /// The one worth a sentence, if there is one. `calls`: how many the process made; `before`: what came after this
    /// time has nothing to do with it.
    pub(super) fn worst(&self, said: &Said, calls: u32, before: u64) -> Option<&Failure<'a>> {
        let judged = self.failed.iter().filter(|failure| failure.event.start <= before);
        let judged = judged.filter_map(|failure| Some((failure.weight(said, calls)?, failure)));
        judged.max_by_key(|(weight, failure)| (*weight, failure.event.start)).map(|(_, failure)| failure)
    }
}

impl Failure<'_> {
    /// How much it counts; `None`: it is not worth a word.
    fn weight(&self, said: &Said, calls: u32) -> Option<u32> {
        let path = self.call.paths.first().map(|path| path.as_ref());
        let named = path.is_some_and(|path| said.names(path))
            || self.address.as_deref().is_some_and(|to| said.has(to.as_bytes()));
        let worded = said.has(Errno::from_raw(self.errno).desc().as_bytes());
        let heavy = HEAVY.contains(&self.errno);
        let age = calls.saturating_sub(self.at);
        if !named && path.is_some_and(|path| DONE_WITHOUT.iter().any(|part| contains(path, part))) {
            return None;
        }
        // What nobody spoke of has to be near to count.
        let near = if heavy { 60 } else { 20 };
        if !named && !worded && (age > near || (!heavy && !said.is_empty())) {
            return None;
        }
        let nearness = 20_u32.saturating_sub(age.min(20));
        Some(u32::from(named) * 60 + u32::from(worded) * 40 + u32::from(heavy) * 30 + nearness)
    }
}

/// The errno that a socket had kept for whoever asks.
fn error_of_socket(call: &Call) -> Option<i32> {
    if call.name() != "getsockopt" {
        return None;
    }
    let name = call.text.split_once("SO_ERROR, [")?.1.split(']').next()?;
    (1..134).find(|errno| crate::model::errno_name(*errno) == name)
}

fn fd(call: &Call) -> Option<i32> {
    use crate::model::Value;
    let arg = call.args.first().filter(|arg| matches!(arg.name, "fd" | "sockfd" | "s"))?;
    match arg.value {
        Value::Signed(fd) => i32::try_from(fd).ok(),
        _ => None,
    }
}

pub(super) fn last_part(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').find(|part| !part.is_empty()).unwrap_or_default()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
