//! The failed calls that are worth telling: the last ones, without those that mean nothing by themselves.
//!
//! Left out is what a program got over (it searched a path and found the thing elsewhere), what only says
//! "not yet" or answers a question, all but the last of the same call that failed the same way, and what a process did
//! before it became the program that it is: that was its service manager or runtime, or a shell.

use std::collections::HashMap;

use crate::model::{Call, Event, Outcome};

/// Failures that are answers: the call (empty: any), the errno, and what its arguments begin with.
const ANSWERS: [(&str, i32, &str); 9] = [
    ("", libc::EAGAIN, ""),
    ("", libc::EINPROGRESS, ""),
    ("ioctl", libc::ENOTTY, ""),
    ("lseek", libc::ESPIPE, ""),
    ("wait4", libc::ECHILD, ""),
    ("waitid", libc::ECHILD, ""),
    ("futex", libc::ETIMEDOUT, ""),
    ("access", libc::ENOENT, "\"/etc/ld.so.preload\""),
    ("arch_prctl", libc::EINVAL, "0x3001"),
];
/// Failed calls that are told.
const MOST: usize = 8;

/// The failed calls of one history, in its order.
#[derive(Debug, Default)]
pub(super) struct Failures<'a> {
    failed: Vec<Option<(&'a Event, &'a Call)>>,
    /// Where what was looked for in vain stands: by process, call and the path's last part.
    sought: HashMap<(u32, &'a str, &'a [u8]), Vec<usize>>,
    /// Where the same stands: by process, call, arguments and errno.
    same: HashMap<(u32, &'a str, &'a str, i32), usize>,
}

impl<'a> Failures<'a> {
    /// Takes in the next call, failed or not.
    pub(super) fn see(&mut self, event: &'a Event, call: &'a Call) {
        let sought = call.paths.first().map(|path| (event.pid, call.name(), last_part(path)));
        match call.outcome {
            Outcome::Failed { errno, .. } if !is_answer(call, errno) => {
                let at = self.failed.len();
                self.failed.push(Some((event, call)));
                if let Some(earlier) = self.same.insert((event.pid, call.name(), call.text.as_str(), errno), at) {
                    self.failed[earlier] = None;
                }
                if let Some(sought) = sought.filter(|_| errno == libc::ENOENT) {
                    self.sought.entry(sought).or_default().push(at);
                }
            }
            Outcome::Returned { .. } => {
                for at in sought.and_then(|sought| self.sought.remove(&sought)).unwrap_or_default() {
                    self.failed[at] = None;
                }
            }
            _ => {}
        }
    }

    /// The process has become another program.
    pub(super) fn executed(&mut self, pid: u32) {
        self.failed.iter_mut().for_each(|failed| *failed = failed.filter(|(event, _)| event.pid != pid));
        self.sought.retain(|(of, ..), _| *of != pid);
        self.same.retain(|(of, ..), _| *of != pid);
    }

    /// The last that are left, oldest first.
    pub(super) fn last(&self) -> impl Iterator<Item = (&'a Event, &'a Call)> {
        let left: Vec<_> = self.failed.iter().copied().flatten().collect();
        let skip = left.len().saturating_sub(MOST);
        left.into_iter().skip(skip)
    }
}

fn is_answer(call: &Call, errno: i32) -> bool {
    ANSWERS.iter().any(|(name, answer, start)| {
        (name.is_empty() || *name == call.name()) && *answer == errno && call.text.starts_with(start)
    })
}

fn last_part(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::What;

    fn event(name: &'static str, text: &str, path: &str, errno: i32) -> Event {
        let outcome = match errno {
            0 => Outcome::Returned { value: 0, text: "0".into() },
            _ => Outcome::Failed { errno, text: "".into() },
        };
        let paths = if path.is_empty() { vec![] } else { vec![path.as_bytes().into()] };
        let call = Call {
            name,
            unknown: None,
            nr: 0,
            compat: false,
            text: text.to_owned(),
            args: vec![],
            known_at_start: 0,
            outcome,
            duration: None,
            cut: false,
            caller: None,
            paths,
            fds: vec![],
            said: None,
            moved: None,
            denied: vec![],
            stack: None,
        };
        Event {
            start: 1,
            end: 2,
            tid: 1,
            pid: 1,
            comm: Default::default(),
            whose: 0,
            cpu: None,
            what: What::Call(call.into()),
        }
    }

    #[test]
    fn what_means_nothing_is_left_out() {
        let open = |path: &str, errno| event("openat", &format!("AT_FDCWD, \"{path}\""), path, errno);
        let events = [
            open("/lib/a.so", libc::ENOENT),
            open("/etc/app.conf", libc::ENOENT),
            open("/usr/lib/a.so", 0),
            event("recvfrom", "3", "", libc::EAGAIN),
            event("access", "\"/etc/ld.so.preload\", R_OK", "/etc/ld.so.preload", libc::ENOENT),
            open("/var/app.log", libc::EACCES),
            open("/run/a.so", libc::EACCES),
            open("/var/app.log", libc::EACCES),
        ];
        let mut failures = Failures::default();
        for event in &events {
            let What::Call(call) = &event.what else { unreachable!() };
            failures.see(event, call);
        }
        let told = |failures: &Failures<'_>| -> Vec<String> {
            failures.last().map(|(_, call)| String::from_utf8_lossy(&call.paths[0]).into_owned()).collect()
        };
        assert_eq!(told(&failures), ["/etc/app.conf", "/run/a.so", "/var/app.log"]);
        // What failed before was its service manager's; what fails then is its own, though it is the same.
        failures.executed(2);
        assert_eq!(told(&failures).len(), 3, "that is another process");
        failures.executed(1);
        assert!(told(&failures).is_empty());
        let What::Call(call) = &events[7].what else { unreachable!() };
        failures.see(&events[7], call);
        assert_eq!(told(&failures), ["/var/app.log"]);
    }
}
