//! What watches the subject: nothing, the floor, the recorder and its peers. Dropping one ends it.

use std::{
    fs::{self, File},
    os::fd::{FromRawFd, OwnedFd},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use libbpf_rs::libbpf_sys;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use traceloop::{
    cgroup::{Cgroup, Rules},
    kernel::Feature,
    recorder::{Budget, Recorder, Settings},
    syscall::plan::Wanted,
};

use crate::place::Place;

/// Where the bench has tracefs mounted, in a mount namespace of its own.
pub(crate) const TRACEFS: &str = "/sys/kernel/tracing";

/// A way to watch the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watcher {
    Nothing,
    EmptyPrograms,
    Ftrace,
    NotRecorded,
    Recorded,
    NotWatched,
    Watched,
    PerfRecord,
    Bpftrace,
    PerfTrace,
    Strace,
}

impl Watcher {
    pub(crate) const ALL: [Self; 11] = [
        Self::Nothing,
        Self::EmptyPrograms,
        Self::Ftrace,
        Self::NotRecorded,
        Self::Recorded,
        Self::NotWatched,
        Self::Watched,
        Self::PerfRecord,
        Self::Bpftrace,
        Self::PerfTrace,
        Self::Strace,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing (the call itself)",
            Self::EmptyPrograms => "empty BPF programs on sys_enter and sys_exit",
            Self::Ftrace => "ftrace raw_syscalls, its own ring, no strings",
            Self::NotRecorded => "traceloop, in a cgroup that is not recorded",
            Self::Recorded => "traceloop, recorded",
            Self::NotWatched => "traceloop's daemon, in a cgroup that is not recorded",
            Self::Watched => "traceloop's daemon, recorded",
            Self::PerfRecord => "perf record -e raw_syscalls:* --overwrite",
            Self::Bpftrace => "bpftrace, printf of the number",
            Self::PerfTrace => "perf trace",
            Self::Strace => "strace -f",
        }
    }

    /// The program that it needs.
    fn program(self) -> Option<&'static str> {
        match self {
            Self::PerfRecord | Self::PerfTrace => Some("perf"),
            Self::Bpftrace => Some("bpftrace"),
            Self::Strace => Some("strace"),
            _ => None,
        }
    }

    /// Why it cannot be measured, if it cannot.
    pub(crate) fn absence(self) -> Option<String> {
        let program = self.program()?;
        (!is_installed(program)).then(|| format!("{program} is not installed"))
    }

    /// Whether it is somebody else's program.
    pub(crate) fn is_peer(self) -> bool {
        self.program().is_some()
    }

    /// Whether a call takes microseconds under it: fewer calls are made then.
    pub(crate) fn is_slow(self) -> bool {
        matches!(self, Self::Bpftrace | Self::PerfTrace | Self::Strace)
    }

    /// Begins to watch the subject, which is in `place`.
    pub(crate) fn start(self, subject: u32, place: &Place, without: &[Feature]) -> Result<Watching> {
        let pid = subject.to_string();
        Ok(match self {
            Self::Nothing => Watching::Nothing,
            Self::EmptyPrograms => {
                Watching::Links { _links: vec![empty_program(c"sys_enter")?, empty_program(c"sys_exit")?] }
            }
            Self::Ftrace => Watching::Ftrace(Ftrace::start()?),
            Self::NotRecorded => Watching::Traceloop { _recorder: recorder(&place.other, without)? },
            Self::Recorded => Watching::Traceloop { _recorder: recorder(&place.subject, without)? },
            Self::NotWatched => Watching::Traceloop { _recorder: watching(&place.other, without)? },
            Self::Watched => Watching::Traceloop { _recorder: watching(&place.subject, without)? },
            Self::PerfRecord => {
                tool("perf", &["record", "-q", "-e", "raw_syscalls:*", "--overwrite", "-o", "/dev/null", "-p", &pid])?
            }
            Self::Bpftrace => {
                let script =
                    format!("tracepoint:raw_syscalls:sys_enter /pid == {pid}/ {{ printf(\"%d\\n\", args->id); }}");
                // Its own limit of locked memory; where it cannot be raised, bpftrace says so and goes on.
                tool("bpftrace", &["-e", &script])?
            }
            Self::PerfTrace => tool("perf", &["trace", "-o", "/dev/null", "-p", &pid])?,
            Self::Strace => tool("strace", &["-f", "-o", "/dev/null", "-p", &pid])?,
        })
    }
}

/// Something that watches until it is dropped.
pub(crate) enum Watching {
    Nothing,
    Links { _links: Vec<OwnedFd> },
    Ftrace(Ftrace),
    Traceloop { _recorder: Box<Recorder> },
    Tool(Child),
}

impl Drop for Watching {
    fn drop(&mut self) {
        match self {
            Self::Tool(child) => {
                let _ = kill(Pid::from_raw(i32::try_from(child.id()).unwrap_or(0)), Signal::SIGINT);
                let _ = child.wait();
            }
            Self::Ftrace(ftrace) => ftrace.stop(),
            Self::Nothing | Self::Links { .. } | Self::Traceloop { .. } => {}
        }
    }
}

/// A recorder of one cgroup, as `traceloop cgroups` makes it by default.
pub(crate) fn recorder(cgroup: &Path, without: &[Feature]) -> Result<Box<Recorder>> {
    let mut recorder = Box::new(Recorder::prepare(1, &settings(without))?);
    recorder.record(vec![Cgroup::open(cgroup)?])?;
    Ok(recorder)
}

/// A recorder of the cgroups whose path is that of this one, as the daemon makes it by default.
fn watching(cgroup: &Path, without: &[Feature]) -> Result<Box<Recorder>> {
    let name = cgroup.file_name().unwrap_or_default().to_string_lossy();
    let rules = Rules::new(&[format!("/{name}")], &[])?;
    let watching = traceloop::recorder::Watching {
        rules,
        keep: Duration::from_secs(60),
        ready: 4,
        profiles: Default::default(),
        keeper: None,
    };
    let mut recorder = Box::new(Recorder::watch(&settings(without), watching)?.0);
    recorder.tidy()?;
    Ok(recorder)
}

fn settings(without: &[Feature]) -> Settings {
    Settings {
        wanted: Wanted::default(),
        budget: Budget { ring: 256 << 10, total: 64 << 20 },
        history: Default::default(),
        without: without.to_vec(),
    }
}

/// `return 0`, attached to a raw tracepoint until the descriptor is closed.
fn empty_program(tracepoint: &std::ffi::CStr) -> Result<OwnedFd> {
    const MOV_R0_0: libbpf_sys::bpf_insn = instruction(0xb7);
    const EXIT: libbpf_sys::bpf_insn = instruction(0x95);
    let program = [MOV_R0_0, EXIT];
    // SAFETY: two valid instructions and C strings; no options.
    let link = unsafe {
        let program = libbpf_sys::bpf_prog_load(
            libbpf_sys::BPF_PROG_TYPE_RAW_TRACEPOINT,
            c"empty".as_ptr(),
            c"GPL".as_ptr(),
            program.as_ptr(),
            program.len() as libbpf_sys::size_t,
            std::ptr::null_mut(),
        );
        ensure!(program >= 0, "load an empty program: {}", std::io::Error::last_os_error());
        let program = OwnedFd::from_raw_fd(program);
        libbpf_sys::bpf_raw_tracepoint_open(tracepoint.as_ptr(), std::os::fd::AsRawFd::as_raw_fd(&program))
    };
    ensure!(link >= 0, "attach an empty program: {}", std::io::Error::last_os_error());
    // SAFETY: the kernel just gave us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(link) })
}

const fn instruction(code: u8) -> libbpf_sys::bpf_insn {
    libbpf_sys::bpf_insn {
        code,
        _bitfield_align_1: [],
        _bitfield_1: libbpf_sys::__BindgenBitfieldUnit::new([0]),
        off: 0,
        imm: 0,
    }
}

/// An instance of ftrace of our own.
pub(crate) struct Ftrace {
    instance: PathBuf,
}

/// Before the bench's pid in the names of its instances.
const INSTANCE: &str = "traceloop-bench-";

impl Ftrace {
    fn start() -> Result<Self> {
        let instances = Path::new(TRACEFS).join("instances");
        for left in fs::read_dir(&instances).context("list the instances of ftrace")?.filter_map(Result::ok) {
            // Each that a bench has left behind when it was killed slows every call of the machine.
            let name = left.file_name();
            let pid = name.to_str().and_then(|name| name.strip_prefix(INSTANCE));
            if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                Self { instance: left.path() }.stop();
            }
        }
        let instance = instances.join(format!("{INSTANCE}{}", std::process::id()));
        fs::create_dir(&instance).context("make an instance of ftrace")?;
        let ftrace = Self { instance };
        ftrace.set("buffer_size_kb", "256")?;
        ftrace.set("events/raw_syscalls/enable", "1")?;
        Ok(ftrace)
    }

    fn set(&self, file: &str, value: &str) -> Result<()> {
        fs::write(self.instance.join(file), value).with_context(|| format!("write {value} to ftrace's {file}"))
    }

    fn stop(&self) {
        let _ = self.set("events/raw_syscalls/enable", "0");
        let _ = fs::remove_dir(&self.instance);
    }
}

/// Whether a program can be found.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|path| path.join(program).is_file())
}

/// Starts a tool and gives it time to attach.
fn tool(program: &str, args: &[&str]) -> Result<Watching> {
    let null = || File::options().write(true).open("/dev/null").map(Stdio::from);
    let child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(null()?)
        .stderr(null()?)
        .spawn()
        .with_context(|| format!("start {program}"))?;
    let mut watching = Watching::Tool(child);
    sleep(Duration::from_millis(if program == "bpftrace" { 4000 } else { 1500 }));
    if let Watching::Tool(child) = &mut watching {
        ensure!(child.try_wait()?.is_none(), "{program} ended at once");
    }
    Ok(watching)
}
