//! `traceloop run -- COMMAND`: a cgroup of its own, recorded from the command's execve on.

use std::{
    env,
    ffi::{CString, OsString},
    fs::{self, File},
    io::{Read as _, Write as _},
    os::{
        fd::OwnedFd,
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use nix::{
    fcntl::OFlag,
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{ForkResult, Pid, access, execve, fork, pipe2, read},
};

use super::{
    End,
    output::Output,
    recording::{self, Recording},
    signals::{Request, Signals, runtime},
};
use crate::{
    cgroup::{Cgroup, v2_mount},
    decode::Style,
    model::Cause,
    recorder::Recorder,
};

/// Run a command and print its last calls when it ends
///
/// The command gets a cgroup of its own and is recorded from its execve on, with everything that it
/// starts. Exits with the command's status, 128 + N if signal N killed it.
#[derive(Args, Debug)]
pub(super) struct Run {
    #[command(flatten)]
    recording: Recording,
    #[command(flatten)]
    output: Output,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Run {
    pub(super) fn run(self) -> Result<End> {
        let program = Program::find(&self.command)?;
        runtime()?.block_on(self.record(&program))
    }

    async fn record(&self, program: &Program) -> Result<End> {
        let mut signals = Signals::new()?;
        let mut destination = self.output.open()?;
        let mut recorder = Recorder::prepare(1, &self.recording.settings(self.output.verbose))?;
        let place = Place::make()?;
        let waiting = program.start(&place)?.joined()?;
        recorder.record(vec![Cgroup::open(&place.path)?])?;
        recording::say_ready(&recorder, 1)?;
        let child = waiting.go()?;
        let style = Style {
            string_limit: self.recording.string_limit as usize,
            verbose: self.output.verbose,
            ..Style::default()
        };
        let status = loop {
            if let Some(status) = ended(child)? {
                break status;
            }
            match signals.next().await {
                Request::Dump => destination.dump(&recorder.dump(Cause::Request)?, &style)?,
                Request::End(libc::SIGTERM) => {
                    let _ = kill(child, Signal::SIGTERM);
                }
                // A terminal sends SIGINT to the command too.
                Request::End(_) | Request::Child => {}
            }
        };
        destination.dump(&recorder.dump(Cause::Command)?, &style)?;
        Ok(End::Status(status))
    }
}

/// The status to exit with, once the command has ended.
fn ended(child: Pid) -> Result<Option<u8>> {
    Ok(match waitpid(child, Some(WaitPidFlag::WNOHANG)).context("wait for the command")? {
        WaitStatus::Exited(_, status) => Some(u8::try_from(status & 0xff).unwrap_or(u8::MAX)),
        WaitStatus::Signaled(_, signal, _) => Some(u8::try_from(128 + signal as i32).unwrap_or(u8::MAX)),
        _ => None,
    })
}

/// A cgroup made for one command; it goes when nothing is in it any more.
struct Place {
    path: PathBuf,
}

impl Place {
    fn make() -> Result<Self> {
        let path = v2_mount()?.point.join(format!("traceloop-run-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("make the cgroup {}: run as root", path.display()))?;
        Ok(Self { path })
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

/// A forked child that waits to be let go.
struct Waiting {
    child: Pid,
    gate: OwnedFd,
    reports: File,
}

/// What the child reports once it is in the cgroup; an errno follows only if execve fails.
const JOINED: i32 = 0;

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

    /// Forks; the child joins the cgroup and waits. Nothing of that is recorded yet.
    fn start(&self, place: &Place) -> Result<Waiting> {
        let procs = File::options()
            .write(true)
            .open(place.path.join("cgroup.procs"))
            .with_context(|| format!("join the cgroup {}", place.path.display()))?;
        let (enter, gate) = pipe2(OFlag::O_CLOEXEC).context("make a pipe")?;
        let (reports, report) = pipe2(OFlag::O_CLOEXEC).context("make a pipe")?;
        // SAFETY: this process has one thread, and the child does nothing but write, read, close and execve.
        match unsafe { fork() }.context("start the command")? {
            ForkResult::Parent { child } => Ok(Waiting { child, gate, reports: reports.into() }),
            ForkResult::Child => {
                drop((gate, reports));
                let report = File::from(report);
                let tell = |errno: i32| (&report).write_all(&errno.to_ne_bytes());
                let joined = (&procs).write_all(b"0").map_err(|error| error.raw_os_error());
                let mut byte = [0];
                let errno = match joined {
                    Err(errno) => errno.unwrap_or(libc::EIO),
                    // From the end of the read on, this is recorded: nothing but execve may follow.
                    Ok(()) if tell(JOINED).is_ok() && read(&enter, &mut byte) == Ok(1) => {
                        execve(&self.path, &self.argv, &self.envp).unwrap_err() as i32
                    }
                    Ok(()) => libc::ECHILD,
                };
                let _ = tell(errno);
                // SAFETY: leaves without running the parent's exit handlers.
                unsafe { libc::_exit(127) }
            }
        }
    }
}

impl Waiting {
    /// Waits until the child is in its cgroup.
    fn joined(mut self) -> Result<Self> {
        match self.report().context("start the command")? {
            Some(JOINED) => Ok(self),
            errno => self.failed(errno).context("join the command's cgroup"),
        }
    }

    /// Lets the child execute the command.
    fn go(mut self) -> Result<Pid> {
        nix::unistd::write(&self.gate, b"x").context("start the command")?;
        match self.report().context("start the command")? {
            None => Ok(self.child),
            errno => self.failed(errno).context("execute the command"),
        }
    }

    fn report(&mut self) -> std::io::Result<Option<i32>> {
        let mut errno = [0; 4];
        let got = self.reports.read(&mut errno)?;
        Ok((got == errno.len()).then_some(i32::from_ne_bytes(errno)))
    }

    fn failed<T>(&self, errno: Option<i32>) -> std::io::Result<T> {
        let _ = waitpid(self.child, None);
        Err(std::io::Error::from_raw_os_error(errno.unwrap_or(libc::ECHILD)))
    }
}

fn search(name: &Path) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|file| file.is_file() && access(file, nix::unistd::AccessFlags::X_OK).is_ok())
}
