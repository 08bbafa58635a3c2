//! `traceloop doctor`: what this machine can and cannot do, and the remedy for each.

use std::{fs, os::unix::net::UnixStream, path::Path, time::Duration};

use anyhow::Result;
use clap::Args;

use super::{End, health, signals::runtime};
use crate::{
    cgroup::v2_mount,
    control::{Client, SOCKET},
    kernel::{Uring, can_take_stacks},
    recorder::{Budget, Recorder, Settings},
    ring::leaves_events_to_admins,
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

/// A daemon that is busy.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Capabilities that recording needs, by number (include/uapi/linux/capability.h).
const CAP_SYS_PTRACE: u32 = 19;
const CAP_SYS_ADMIN: u32 = 21;
const CAP_PERFMON: u32 = 38;
const CAP_BPF: u32 = 39;

impl Doctor {
    pub(super) fn run(self) -> Result<End> {
        let checks: [(&str, Check); 12] = [
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
        ];
        let mut bad = false;
        for (name, check) in checks {
            match check() {
                Finding::Good(what) => println!("ok    {name}: {what}"),
                Finding::Weak(what, remedy) => println!("weak  {name}: {what}\n      {remedy}"),
                Finding::Bad(what, remedy) => {
                    bad = true;
                    println!("BAD   {name}: {what}\n      {remedy}");
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
    if UnixStream::connect(SOCKET).is_err() {
        return Finding::Good(format!("none runs that listens on {SOCKET}"));
    }
    let client = Client::new(Path::new(SOCKET));
    let asked = runtime()
        .and_then(|runtime| runtime.block_on(async { tokio::time::timeout(ANSWERS_WITHIN, client.status()).await? }));
    match asked {
        Err(error) => Finding::Weak(format!("it does not answer: {error:#}"), REMEDY),
        Ok(status) => match health::lines(&status).first() {
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
