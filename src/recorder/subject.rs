//! A process that is to be followed: that it can be, who it is, and whether it has ended.
//!
//! It is held by a pidfd, so that another one that gets its number is not taken for it.

use std::{
    io::{self, ErrorKind},
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
};

use anyhow::{Context, Result, bail, ensure};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::signal::kill,
    unistd::Pid,
};

use crate::{
    host::{Status, stat, thread},
    kernel::sees_all_pids,
    model::Process,
};

/// A kernel thread's flag in /proc/PID/stat (include/linux/sched.h).
const PF_KTHREAD: u32 = 0x0020_0000;

/// A process that can be followed.
#[derive(Debug)]
pub struct Subject {
    process: Process,
    pidfd: OwnedFd,
}

impl Subject {
    /// The process of this number.
    pub fn open(pid: u32) -> Result<Self> {
        ensure!(
            sees_all_pids(),
            "record process {pid}: its number here is not the kernel's, as this is a pid namespace of its own: run \
             traceloop on the host, or in a container with the host's pid namespace"
        );
        let status = status(pid)?;
        let leader = status.number("Tgid:").unwrap_or(pid);
        ensure!(leader == pid, "{pid} is a thread of process {leader}: give {leader}; all of its threads are recorded");
        ensure!(!is_kernel_thread(pid), "{pid} is a thread of the kernel: it makes no system calls");
        let pidfd = pidfd_open(pid).with_context(|| format!("hold process {pid}"))?;
        let process = thread(pid).with_context(|| format!("process {pid} ended before it could be recorded"))?;
        let subject = Self { process, pidfd };
        ensure!(!subject.has_ended()?, "process {pid} has ended: it only waits for its parent to ask how");
        Ok(subject)
    }

    /// Who it was when it was looked at.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Whether none of its threads lives.
    pub fn has_ended(&self) -> Result<bool> {
        let mut fds = [PollFd::new(self.pidfd.as_fd(), PollFlags::POLLIN)];
        Ok(poll(&mut fds, PollTimeout::ZERO).context("look whether a process has ended")? > 0)
    }

    /// Refuses one that does not live any more.
    pub(super) fn must_live(&self) -> Result<()> {
        ensure!(!self.has_ended()?, "process {} ended before it could be recorded", self.process.pid);
        Ok(())
    }
}

impl AsFd for Subject {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// Readable once it has ended.
impl AsRawFd for Subject {
    fn as_raw_fd(&self) -> RawFd {
        self.pidfd.as_raw_fd()
    }
}

/// Whether some thread of the process lives.
pub(super) fn lives(pid: u32) -> bool {
    // A leader that has ended stays as long as other threads are there.
    Status::read(pid).is_ok_and(|status| {
        let ended = status.field("State:").is_none_or(|state| state.starts_with(['Z', 'X']));
        !ended || status.number("Threads:").is_some_and(|threads| threads > 1)
    })
}

fn status(pid: u32) -> Result<Status> {
    let error = match Status::read(pid) {
        Ok(status) => return Ok(status),
        Err(error) => error,
    };
    if error.kind() != ErrorKind::NotFound && error.raw_os_error() != Some(libc::ESRCH) {
        return Err(error).with_context(|| format!("look at process {pid}: run as root"));
    }
    let hidden = i32::try_from(pid).is_ok_and(|pid| kill(Pid::from_raw(pid), None) != Err(nix::errno::Errno::ESRCH));
    if hidden {
        bail!("there is a process {pid}, but /proc does not show it: run as root");
    }
    bail!("there is no process {pid}: `ps -e` lists those that there are")
}

fn is_kernel_thread(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| stat.flags & PF_KTHREAD != 0)
}

fn pidfd_open(pid: u32) -> io::Result<OwnedFd> {
    // SAFETY: numbers only.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: the kernel just gave us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        process::{Command, Stdio},
    };

    use super::*;

    #[test]
    fn what_cannot_be_followed_is_said_with_the_reason() {
        if !sees_all_pids() {
            assert!(format!("{:#}", Subject::open(1).unwrap_err()).contains("pid namespace"));
            return;
        }
        let refused = |pid| format!("{:#}", Subject::open(pid).unwrap_err());
        // More than the kernel can have.
        assert!(refused(5_000_000).contains("there is no process 5000000"), "{}", refused(5_000_000));
        let own = std::process::id();
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || {
            tell.send(nix::unistd::gettid().as_raw().cast_unsigned()).unwrap();
            let _ = ended.recv();
        });
        assert!(refused(told.recv().unwrap()).contains(&format!("is a thread of process {own}: give {own}")));
        drop(end);
        other.join().unwrap();
        let mut child = Command::new("sh").args(["-c", "read x"]).stdin(Stdio::piped()).spawn().unwrap();
        let subject = Subject::open(child.id()).unwrap();
        assert!(!subject.has_ended().unwrap() && lives(child.id()));
        subject.must_live().unwrap();
        drop(child.stdin.take());
        while !subject.has_ended().unwrap() {
            std::thread::yield_now();
        }
        assert!(!lives(child.id()));
        assert!(refused(child.id()).contains("only waits for its parent"), "{}", refused(child.id()));
        assert!(subject.must_live().is_err());
        child.wait().unwrap();
    }

    #[test]
    fn kernel_threads_are_told_from_processes() {
        assert!(!is_kernel_thread(std::process::id()));
        // kthreadd, where it can be seen.
        if fs::read_to_string("/proc/2/comm").is_ok_and(|comm| comm == "kthreadd\n") {
            assert!(is_kernel_thread(2));
            assert!(format!("{:#}", Subject::open(2).unwrap_err()).contains("is a thread of the kernel"));
        }
    }
}
