//! The helpers: those that wait for questions, and those that somebody's server keeps.
//!
//! A helper that does not answer cannot always be ended: it sleeps in the kernel until the server that it waits for
//! answers or is gone. It is left behind, and so are only so many: of all users together, and of each.

use std::{
    fs, io,
    os::{
        fd::OwnedFd,
        unix::{fs::MetadataExt, net::UnixStream, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use super::{
    message::{Ask, Seen, receive, send},
    threads::stat,
};

/// Helpers that wait for the next question.
const IDLE_MOST: usize = 2;
/// Helpers that are left behind.
const LEFT_MOST: usize = 8;
/// Of them, for looks at one user's processes.
const LEFT_OF_USER: usize = 2;

/// A helper that answers.
#[derive(Debug)]
pub(super) struct Helper {
    child: Child,
    socket: UnixStream,
}

/// One that does not.
#[derive(Debug)]
struct Left {
    child: Child,
    /// At whose look.
    pid: Option<u32>,
    user: Option<u32>,
}

#[derive(Debug)]
struct Helpers {
    idle: Vec<Helper>,
    left: Vec<Left>,
    /// Ended, and not waited for yet.
    ended: Vec<Child>,
}

static HELPERS: Mutex<Helpers> = Mutex::new(Helpers { idle: Vec::new(), left: Vec::new(), ended: Vec::new() });

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Which program helps: traceloop itself. Without it nobody does: what any other program does when it is started as a
/// helper, a test or a bench, is not known.
pub fn helped_by(program: &Path) {
    let _ = PROGRAM.set(program.to_owned());
}

fn helpers() -> MutexGuard<'static, Helpers> {
    // Each change is one step: after a panic it is as good as before.
    let mut helpers = HELPERS.lock().unwrap_or_else(PoisonError::into_inner);
    helpers.left.retain_mut(|left| left.child.try_wait().is_ok_and(|status| status.is_none()));
    helpers.ended.retain_mut(|child| child.try_wait().is_ok_and(|status| status.is_none()));
    helpers
}

/// How many helpers somebody's server keeps.
pub fn left_behind() -> usize {
    helpers().left.len()
}

/// Whether nobody is to look at a process now: a helper is kept by it, or too many are by its user's.
pub(super) fn is_shunned(pid: u32) -> bool {
    let helpers = helpers();
    if helpers.left.is_empty() {
        return false;
    }
    let user = user_of(pid);
    helpers.left.len() >= LEFT_MOST
        || helpers.left.iter().any(|left| left.pid == Some(pid))
        || helpers.left.iter().filter(|left| left.user == user).count() >= LEFT_OF_USER
}

/// Whose a process is: its directory in /proc is its user's.
fn user_of(pid: u32) -> Option<u32> {
    fs::metadata(format!("/proc/{pid}")).ok().map(|process| process.uid())
}

impl Helper {
    /// One that is there, or a new one.
    pub(super) fn take() -> io::Result<Self> {
        let idle = helpers().idle.pop();
        idle.map_or_else(Self::start, Ok)
    }

    fn start() -> io::Result<Self> {
        let program = PROGRAM.get().ok_or_else(|| io::Error::other("no program is known that helps"))?;
        let (ours, theirs) = UnixStream::pair()?;
        let child = Command::new(program)
            .arg0("traceloop")
            .arg("look")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            // A terminal's Ctrl-C is for us.
            .process_group(0)
            .spawn()?;
        Ok(Self { child, socket: ours })
    }

    /// Its answer, if it comes within that time. A helper that gives none must be left.
    pub(super) fn ask(&self, ask: &Ask, within: Duration) -> io::Result<Seen> {
        self.socket.set_write_timeout(Some(within))?;
        self.socket.set_read_timeout(Some(within))?;
        send(&self.socket, ask)?;
        receive(&self.socket)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// It may answer others.
    pub(super) fn give_back(self) {
        let mut helpers = helpers();
        if helpers.idle.len() < IDLE_MOST {
            helpers.idle.push(self);
        } else {
            // Its socket's end is its own.
            helpers.ended.push(self.child);
        }
    }

    /// It looks at a process, and does not answer. One that runs had too little of a CPU, and is ended; one that sleeps ends
    /// when it comes back and finds nobody.
    pub(super) fn leave(mut self, pid: Option<u32>) {
        if stat(self.child.id()).is_some_and(|stat| stat.state == 'R') {
            tracing::info!(pid, "a look into a process was given up: this machine is too busy for it");
            let _ = self.child.kill();
            helpers().ended.push(self.child);
            return;
        }
        let user = pid.and_then(user_of);
        tracing::warn!(pid, "a look into a process did not come back: something in it waits for a file system");
        helpers().left.push(Left { child: self.child, pid, user });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_and_who_sleeps() {
        let state_of = |pid| stat(pid).map(|stat| stat.state);
        assert!(state_of(std::process::id()).is_some_and(|state| "RSD".contains(state)));
        let mut sleeps = Command::new("sleep").arg("100").spawn().unwrap();
        let asleep = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            state_of(sleeps.id()) == Some('S')
        });
        sleeps.kill().unwrap();
        sleeps.wait().unwrap();
        assert!(asleep);
        assert_eq!(state_of(sleeps.id()), None);
    }
}
