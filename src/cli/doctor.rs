//! `traceloop doctor`: what this machine can and cannot do, and the remedy for each.

use std::{
    fs, io,
    os::unix::{fs::MetadataExt, net::UnixStream},
    path::Path,
    time::Duration,
};

use anyhow::Result;
use clap::Args;

use super::{End, health, signals::runtime};
use crate::{
    cgroup::v2_mount,
    control::{Client, SOCKET, Status},
    kernel::{Uring, can_take_stacks},
    model::plain_lines,
    recorder::{Budget, Recorder, Settings},
    render::size,
    ring::leaves_events_to_admins,
    store::{DIRECTORY, Store},
    syscall::plan::Wanted,
};

/// Tell what this machine can and cannot do, with the remedy for each
#[derive(Args, Debug)]
pub(super) struct Doctor {}

/// What was found.
enum Finding {
    /// As it should be.
    Good(String),
    /// Recording works, but not as well as it could.
    Weak(String, &'static str),
    /// Recording does not work.
    Bad(String, &'static str),
}

type Check = fn() -> Finding;

/// A daemon that is busy is not waited for any longer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Capabilities that recording needs, by number (include/uapi/linux/capability.h).
const CAP_SYS_PTRACE: u32 = 19;
const CAP_SYS_ADMIN: u32 = 21;
const CAP_PERFMON: u32 = 38;
const CAP_BPF: u32 = 39;

impl Doctor {
    pub(super) fn run(self) -> Result<End> {
        let checks: [(&str, Check); 15] = [
            ("kernel", kernel),
            ("BTF", btf),
            ("cgroup v2", cgroup2),
            ("capabilities", capabilities),
            ("perf events", perf_events),
            ("locked memory", memlock),
            ("tracefs", tracefs),
            ("process memory", ptrace),
            ("io_uring", io_uring),
            ("stacks", stacks),
            ("recording", recording),
            ("daemon", daemon),
            ("keeper", keeper),
            ("store", store),
            ("limits", limits),
        ];
        let mut bad = false;
        let say = |text: &str| println!("{}", plain_lines(text));
        for (name, check) in checks {
            match check() {
                Finding::Good(what) => say(&format!("ok    {name}: {what}")),
                Finding::Weak(what, remedy) => say(&format!("weak  {name}: {what}\n      {remedy}")),
                Finding::Bad(what, remedy) => {
                    bad = true;
                    say(&format!("BAD   {name}: {what}\n      {remedy}"));
                }
            }
        }
        Ok(if bad { End::NoMatch } else { End::Done })
    }
}

fn kernel() -> Finding {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = release.trim();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version < (5, 10) {
        return Finding::Bad(format!("Linux {release}"), "use Linux 5.10 or later");
    }
    Finding::Good(format!("Linux {release} {}", std::env::consts::ARCH))
}

fn btf() -> Finding {
    const PATH: &str = "/sys/kernel/btf/vmlinux";
    match fs::metadata(PATH) {
        Ok(file) => Finding::Good(format!("{PATH}, {} KiB", file.len() / 1024)),
        Err(error) => Finding::Bad(
            format!("{PATH}: {error}"),
            "use a kernel built with CONFIG_DEBUG_INFO_BTF=y (every distribution's is), and mount sysfs",
        ),
    }
}

fn cgroup2() -> Finding {
    match v2_mount() {
        Ok(mount) => Finding::Good(format!("mounted at {}", mount.point.display())),
        Err(error) => Finding::Bad(
            format!("{error:#}"),
            "mount -t cgroup2 none /sys/fs/cgroup, or boot with systemd.unified_cgroup_hierarchy=1",
        ),
    }
}

fn effective_capabilities() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    line.and_then(|text| u64::from_str_radix(text.trim(), 16).ok()).unwrap_or(0)
}

fn capabilities() -> Finding {
    let have = effective_capabilities();
    let has = |capability: u32| have >> capability & 1 == 1;
    if has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON)) {
        let words = if has(CAP_SYS_ADMIN) { "CAP_SYS_ADMIN" } else { "CAP_BPF and CAP_PERFMON" };
        return Finding::Good(words.to_owned());
    }
    Finding::Bad(
        format!("CAP_BPF is {}, CAP_PERFMON is {}", missing(has(CAP_BPF)), missing(has(CAP_PERFMON))),
        "run as root, or give both: setpriv --ambient-caps +bpf,+perfmon",
    )
}

fn perf_events() -> Finding {
    match leaves_events_to_admins() {
        None => Finding::Good("CAP_PERFMON may open rings".to_owned()),
        Some(level) if effective_capabilities() >> CAP_SYS_ADMIN & 1 == 1 => Finding::Good(format!(
            "kernel.perf_event_paranoid is {level}: CAP_SYS_ADMIN, which is there, may open rings"
        )),
        Some(level) => Finding::Bad(
            format!("kernel.perf_event_paranoid is {level}, which leaves rings to CAP_SYS_ADMIN on this kernel"),
            "give CAP_SYS_ADMIN, or let CAP_PERFMON do: sysctl kernel.perf_event_paranoid=2",
        ),
    }
}

fn missing(there: bool) -> &'static str {
    if there { "there" } else { "missing" }
}

fn memlock() -> Finding {
    match nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_MEMLOCK) {
        Ok((libc::RLIM_INFINITY, _)) => Finding::Good("no limit".to_owned()),
        Ok((soft, _)) if soft >= 8 << 20 => Finding::Good(format!("{} KiB", soft / 1024)),
        Ok((soft, _)) => Finding::Weak(
            format!("{} KiB", soft / 1024),
            "kernels before 5.11 count BPF maps against it: ulimit -l unlimited, or LimitMEMLOCK=infinity",
        ),
        Err(error) => Finding::Weak(error.to_string(), "ulimit -l tells the limit"),
    }
}

fn tracefs() -> Finding {
    let places = ["/sys/kernel/tracing/events", "/sys/kernel/debug/tracing/events"];
    match places.iter().find(|place| Path::new(place).is_dir()) {
        Some(place) => Finding::Good((*place).to_owned()),
        None => Finding::Weak(
            "not mounted".to_owned(),
            "only kernels from 7.2 on need it: mount -t tracefs none /sys/kernel/tracing",
        ),
    }
}

fn ptrace() -> Finding {
    if effective_capabilities() >> CAP_SYS_PTRACE & 1 == 1 {
        return Finding::Good("CAP_SYS_PTRACE: what calls in flight point to can be told".to_owned());
    }
    Finding::Weak(
        "CAP_SYS_PTRACE is missing".to_owned(),
        "calls in flight at a dump are shown without their strings; give CAP_SYS_PTRACE",
    )
}

fn io_uring() -> Finding {
    let told = Uring::probe();
    if told.is_whole() {
        return Finding::Good(told.to_string());
    }
    Finding::Weak(
        told.to_string(),
        "what io_uring does is not shown, or in part only: a kernel with CONFIG_IO_URING=y and BTF tells it",
    )
}

fn stacks() -> Finding {
    if can_take_stacks() {
        return Finding::Good("--stacks: by frame pointers, with files by build id".to_owned());
    }
    Finding::Weak("--stacks is not possible".to_owned(), "use Linux 5.17 or later: before, it cannot tell mapped files")
}

/// The daemon at the usual socket, if one runs.
fn daemon() -> Finding {
    const REMEDY: &str = "journalctl -u traceloop -u traceloop-keeper says what it has met";
    match asked() {
        None => Finding::Good(format!("none runs that listens on {SOCKET}")),
        Some(Err(error)) => Finding::Weak(format!("it does not answer: {error:#}"), REMEDY),
        Some(Ok(status)) => match health::lines(&status).first() {
            Some(what) if !status.recording => Finding::Bad(what.trim_start_matches("# ").to_owned(), REMEDY),
            Some(what) => Finding::Weak(what.trim_start_matches("# ").to_owned(), REMEDY),
            None => Finding::Good(format!("it records {} cgroups", status.tracks)),
        },
    }
}

fn recording() -> Finding {
    let settings = Settings {
        wanted: Wanted::default(),
        budget: Budget { ring: 64 << 10, total: 64 << 20 },
        history: Default::default(),
        without: Vec::new(),
    };
    match Recorder::prepare(1, &settings) {
        Ok(recorder) => Finding::Good(format!("the programs load and attach, with {}", recorder.features())),
        Err(error) => {
            Finding::Bad(format!("{error:#}"), "TRACELOOP_LOG=debug traceloop doctor shows the verifier's log")
        }
    }
}

/// What the daemon at the usual socket says of itself; `None`: there is none that we may ask.
fn asked() -> Option<Result<Status>> {
    UnixStream::connect(SOCKET).ok()?;
    let client = Client::new(Path::new(SOCKET));
    let answer = |runtime: tokio::runtime::Runtime| {
        runtime.block_on(async { tokio::time::timeout(ANSWERS_WITHIN, client.status()).await? })
    };
    Some(runtime().and_then(answer))
}

fn keeper() -> Finding {
    if !Path::new(SOCKET).with_file_name("keeper.sock").exists() {
        return Finding::Weak(
            "there is none: the history ends with the daemon".to_owned(),
            "systemctl enable --now traceloop-keeper.service",
        );
    }
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let command = fs::read(entry.path().join("cmdline")).ok()?;
        let mut words = command.split(|byte| *byte == 0);
        let is_it = words.next()?.ends_with(b"traceloop") && words.next()? == b"keep";
        is_it.then(|| (name, fs::read_link(entry.path().join("exe")).ok()))
    });
    match processes.into_iter().next() {
        None => Finding::Weak(
            "its socket is there, and no process that holds it is seen".to_owned(),
            "systemctl restart traceloop-keeper",
        ),
        Some((pid, Some(program))) if program.to_string_lossy().ends_with(" (deleted)") => Finding::Weak(
            format!("pid {pid} runs a program that was replaced since"),
            "systemctl restart traceloop-keeper: the daemon holds the recording meanwhile",
        ),
        Some((pid, _)) => Finding::Good(format!("pid {pid} holds the recording while the daemon is away")),
    }
}

fn store() -> Finding {
    let about = match fs::metadata(DIRECTORY) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Finding::Good(format!("{DIRECTORY} is not there yet: no dump was stored"));
        }
        Err(error) => return Finding::Weak(format!("{DIRECTORY}: {error}"), "look at it as root"),
    };
    let is_empty = || fs::read_dir(DIRECTORY).is_ok_and(|mut entries| entries.next().is_none());
    if about.mode() & 0o077 != 0 && is_empty() {
        return Finding::Good(format!("{DIRECTORY} is empty, and the daemon closes it to others when it starts"));
    }
    if about.mode() & 0o077 != 0 {
        let what =
            format!("others may enter {DIRECTORY} (mode {:04o}), and the daemon refuses it", about.mode() & 0o7777);
        return Finding::Bad(what, "chmod 0700 /var/lib/traceloop");
    }
    let store = match Store::existing(Path::new(DIRECTORY)) {
        Ok(store) => store,
        Err(error) => return Finding::Weak(format!("{error:#}"), "look at it as root"),
    };
    let dumps = match store.entries() {
        Ok(dumps) => dumps,
        Err(error) => return Finding::Bad(format!("{error:#}"), "the disk may be broken: dmesg"),
    };
    let damaged = dumps.iter().filter(|dump| store.header(dump).is_err()).count();
    let used = size(dumps.iter().map(|dump| dump.used).sum());
    let free = nix::sys::statvfs::fstatvfs(&store).map_or(0, |disk| disk.blocks_available() * disk.fragment_size());
    let what = format!("{} dumps, {used}, in {DIRECTORY}; {} of the file system are free", dumps.len(), size(free));
    match (damaged, free) {
        (0, 1..) => Finding::Good(what),
        (0, 0) => Finding::Bad(what, "no dump can be stored: make room, or traceloop vacuum --max-use SIZE"),
        _ => Finding::Weak(
            format!("{what}; of {damaged} the head cannot be read"),
            "traceloop list shows which: traceloop delete ID",
        ),
    }
}

fn limits() -> Finding {
    let limited = match asked() {
        Some(Ok(status)) => status.limited,
        _ => return Finding::Good("no daemon tells of any that were reached".to_owned()),
    };
    if limited.is_empty() {
        return Finding::Good("none has cost a dump".to_owned());
    }
    let told = limited.iter().map(|of| format!("{}: {} deaths without a dump, for {}", of.target, of.times, of.limit));
    Finding::Weak(told.collect::<Vec<_>>().join("; "), "a larger limit in [triggers] of traceloop.toml keeps them")
}
