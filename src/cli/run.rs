//! `traceloop run -- COMMAND`: a cgroup of its own, recorded from the command's execve on. `--pid` is `attached`'s.

use std::{
    env,
    ffi::{CString, OsString},
    fs, io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use nix::{
    fcntl::OFlag,
    sys::{
        signal::{Signal, kill},
        wait::waitpid,
    },
    unistd::{Pid, access, execve, pipe2, read, write},
};

use super::{
    End,
    attached::Attached,
    output::Output,
    recording::{self, Recording},
    signals::{Request, Signals, runtime},
};
use crate::{
    cgroup::{Cgroup, v2_mount},
    decode,
    model::{Cause, duration},
    recorder::Recorder,
};

/// Run a command, or take processes that run, and print the last calls at the end
///
/// The command gets a cgroup of its own and is recorded from its execve on, with everything that it
/// starts. Exits with the command's status, 128 + N if signal N killed it. With --pid processes are recorded that are
/// there already, where they are, until they have ended or it is told to end.
#[derive(Args, Debug)]
// --pid says here what is recorded.
#[command(mut_arg("processes", |arg| arg.long("only-pid").hide(true)))]
pub(super) struct Run {
    #[command(flatten)]
    recording: Recording,
    #[command(flatten)]
    output: Output,
    /// Record these processes, with the children that they make from now on; they stay in their cgroups
    #[arg(
        long,
        num_args = 1..,
        value_delimiter = ',',
        conflicts_with = "command",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(i32::MAX))
    )]
    pid: Vec<u32>,
    /// With --pid: end after so long: 200ms, 1.5s
    #[arg(long = "for", value_name = "TIME", requires = "pid", conflicts_with = "command", value_parser = duration)]
    time: Option<Duration>,
    /// The command and its arguments
    #[arg(last = true, required_unless_present = "pid", value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Run {
    pub(super) fn run(self) -> Result<End> {
        self.recording.check(&self.output)?;
        if !self.pid.is_empty() {
            return runtime()?.block_on(Attached::new(&self.recording, &self.output, self.time).record(&self.pid));
        }
        let program = Program::find(&self.command)?;
        runtime()?.block_on(self.record(&program))
    }

    async fn record(&self, program: &Program) -> Result<End> {
        let mut signals = Signals::new()?;
        let mut destination = self.output.open()?;
        let mut recorder = Recorder::prepare(1, &self.recording.settings(self.output.needs()))?;
        let place = Place::make()?;
        let cgroup = Cgroup::open(&place.path)?;
        let directory = cgroup.directory().try_clone_to_owned().context("hold the command's cgroup")?;
        recorder.record(vec![cgroup])?;
        recording::say_ready(&recorder, &recording::counted(1, "cgroup", "cgroups"))?;
        let child = program.start(&directory, &signals)?;
        let style = self.output.style(self.recording.string_limit as usize);
        let mut second = recording::seconds();
        let status = loop {
            if let Some(status) = ended(child)? {
                break status;
            }
            let request = tokio::select! {
                request = signals.next() => request,
                _ = second.tick() => {
                    recorder.follow_cpus()?;
                    continue;
                }
            };
            match request {
                Request::Dump => {
                    destination.dump(&decode::summed_up(recorder.dump(Cause::Request)?), &style)?;
                }
                Request::End(libc::SIGTERM) => {
                    let _ = kill(child, Signal::SIGTERM);
                }
                // A terminal sends SIGINT to the command too.
                Request::End(_) | Request::Child => {}
            }
        };
        destination.dump(&decode::summed_up(recorder.dump(Cause::Command)?), &style)?;
        Ok(End::Status(status))
    }
}

/// The status to exit with, once the command has ended. Real-time signals end commands, too: nix knows none of them.
fn ended(child: Pid) -> Result<Option<u8>> {
    let mut status = 0;
    // SAFETY: the status is written to a local of this function.
    let pid = unsafe { libc::waitpid(child.as_raw(), &raw mut status, libc::WNOHANG) };
    if pid < 0 {
        return Err(std::io::Error::last_os_error()).context("wait for the command");
    }
    Ok(match pid {
        0 => None,
        _ if libc::WIFEXITED(status) => Some(u8::try_from(libc::WEXITSTATUS(status) & 0xff).unwrap_or(u8::MAX)),
        _ if libc::WIFSIGNALED(status) => Some(u8::try_from(128 + libc::WTERMSIG(status)).unwrap_or(u8::MAX)),
        _ => None,
    })
}

/// So many names are tried for a cgroup.
const MOST_OF_A_NAME: usize = 100;

/// A cgroup made for one command; it goes when nothing is in it any more.
struct Place {
    path: PathBuf,
}

impl Place {
    fn make() -> Result<Self> {
        let top = v2_mount()?.point;
        let own = format!("traceloop-run-{}", std::process::id());
        // Another one that was killed, that has left processes behind, or that has this pid in another namespace.
        let others = (1..MOST_OF_A_NAME).map(|n| format!("{own}.{n}"));
        for name in std::iter::once(own.clone()).chain(others) {
            let path = top.join(name);
            match fs::create_dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    made.with_context(|| format!("make the cgroup {}: run as root", path.display()))?;
                    return Ok(Self { path });
                }
            }
        }
        bail!("cgroups named {} are all there: remove them with rmdir", top.join(own + "*").display())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The last task's exit may still be under way.
        for _ in 0..50 {
            if fs::remove_dir(&self.path).is_ok() {
                return;
            }
            if fs::read_to_string(self.path.join("cgroup.procs")).is_ok_and(|procs| !procs.is_empty()) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        eprintln!(
            "traceloop: the command has left processes behind in {}; they are no longer recorded",
            self.path.display()
        );
    }
}

/// What execve wants, ready before the fork.
struct Program {
    path: CString,
    argv: Vec<CString>,
    envp: Vec<CString>,
}

impl Program {
    /// Looks the command up as a shell would.
    fn find(command: &[OsString]) -> Result<Self> {
        let Some(name) = command.first() else { bail!("give a command behind `--`") };
        let c_string = |bytes: Vec<u8>| CString::new(bytes).context("a NUL byte in the command");
        let path = if name.as_bytes().contains(&b'/') { Some(PathBuf::from(name)) } else { search(Path::new(name)) };
        let Some(path) = path else { bail!("there is no command {}", name.display()) };
        let argv = command.iter().map(|arg| c_string(arg.as_bytes().to_vec())).collect::<Result<_>>()?;
        let envp = env::vars_os()
            .map(|(key, value)| c_string([key.as_bytes(), b"=", value.as_bytes()].concat()))
            .collect::<Result<_>>()?;
        Ok(Self { path: c_string(path.into_os_string().into_vec())?, argv, envp })
    }

    /// Starts the command in the cgroup: the child is born in it, and its first call is execve.
    fn start(&self, cgroup: &OwnedFd, signals: &Signals) -> Result<Pid> {
        let (reports, report) = pipe2(OFlag::O_CLOEXEC).context("make a pipe")?;
        // Here and not in the child, whose first recorded call is its execve.
        let as_they_were = signals.as_they_were();
        let made = clone_into(cgroup);
        match made.context("start the command in its cgroup")? {
            None => {
                let errno = execve(&self.path, &self.argv, &self.envp).unwrap_err() as i32;
                let _ = write(&report, &errno.to_ne_bytes());
                // SAFETY: leaves without running the parent's exit handlers.
                unsafe { libc::_exit(127) }
            }
            Some(child) => {
                drop((report, as_they_were));
                let mut errno = [0; 4];
                if read(&reports, &mut errno).context("start the command")? < errno.len() {
                    return Ok(child);
                }
                let _ = waitpid(child, None);
                Err(std::io::Error::from_raw_os_error(i32::from_ne_bytes(errno))).context("execute the command")
            }
        }
    }
}

/// fork(2), but the child is in the cgroup from the beginning (clone3, Linux 5.7). `None` in the child.
fn clone_into(cgroup: &OwnedFd) -> std::io::Result<Option<Pid>> {
    let args = linux_raw_sys::general::clone_args {
        flags: linux_raw_sys::general::CLONE_INTO_CGROUP,
        pidfd: 0,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: libc::SIGCHLD.unsigned_abs().into(),
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: cgroup.as_raw_fd().unsigned_abs().into(),
    };
    // SAFETY: `args` is a whole clone_args; without CLONE_VM this is fork. This process has one thread,
    // and the child does nothing but execve, write and _exit.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of_val(&args)) };
    match i32::try_from(pid) {
        Ok(0) => Ok(None),
        Ok(pid @ 1..) => Ok(Some(Pid::from_raw(pid))),
        _ => Err(std::io::Error::last_os_error()),
    }
}

fn search(name: &Path) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|file| file.is_file() && access(file, nix::unistd::AccessFlags::X_OK).is_ok())
}
