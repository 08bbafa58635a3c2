//! `traceloop doctor`: what this machine can and cannot do, and the remedy for each.

use std::{
    borrow::Cow,
    fs,
    io::{self, Write},
    os::unix::{fs::MetadataExt, net::UnixStream},
    path::Path,
    time::Duration,
};

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::{End, health, json::Json, place::Place, signals::runtime, stored::stdout};
use crate::{
    cgroup::v2_mount,
    control::{Cost, Status},
    kernel::{Capabilities, Uring, can_take_stacks},
    recorder::{Budget, Recorder, Settings, cpu_times_are_known},
    render::size,
    ring::leaves_events_to_admins,
    store::{Sealed, Store},
    syscall::plan::Wanted,
};

/// Tell what this machine can and cannot do, with the remedy for each
#[derive(Args, Debug)]
pub(super) struct Doctor {
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    pub(super) place: Place,
}

/// What was found.
struct Finding {
    state: State,
    what: String,
    remedy: Option<Cow<'static, str>>,
}

/// The same for programs.
#[derive(Serialize)]
struct Told<'a> {
    check: &'a str,
    state: State,
    what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    #[serde(rename = "ok")]
    Good,
    /// Recording works, but not as well as it could.
    Weak,
    /// Recording does not work.
    Bad,
}

fn good(what: impl Into<String>) -> Finding {
    Finding { state: State::Good, what: what.into(), remedy: None }
}

fn weak(what: impl Into<String>, remedy: impl Into<Cow<'static, str>>) -> Finding {
    Finding { state: State::Weak, what: what.into(), remedy: Some(remedy.into()) }
}

fn bad(what: impl Into<String>, remedy: impl Into<Cow<'static, str>>) -> Finding {
    Finding { state: State::Bad, what: what.into(), remedy: Some(remedy.into()) }
}

type Check = fn(&Place) -> Finding;

/// A daemon that is busy is not waited for any longer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Capabilities that recording needs, by number (include/uapi/linux/capability.h).
const CAP_SYS_PTRACE: u32 = 19;
const CAP_SYS_ADMIN: u32 = 21;
const CAP_PERFMON: u32 = 38;
const CAP_BPF: u32 = 39;

impl Doctor {
    pub(super) fn run(self) -> Result<End> {
        let checks: [(&str, Check); 17] = [
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
            ("refusals", refusals),
            ("recording", recording),
            ("daemon", daemon),
            ("overhead", overhead),
            ("keeper", keeper),
            ("store", store),
            ("limits", limits),
        ];
        let mut works = true;
        let mut out = stdout();
        for (name, check) in checks {
            let Finding { state, what, remedy } = check(&self.place);
            works &= state != State::Bad;
            if self.json.is_wanted() {
                self.json.write(&mut out, &Told { check: name, state, what: &what, remedy: remedy.as_deref() })?;
                out.flush()?;
                continue;
            }
            let word = match state {
                State::Good => "ok  ",
                State::Weak => "weak",
                State::Bad => "BAD ",
            };
            writeln!(out, "{word}  {name}: {what}")?;
            if let Some(remedy) = remedy {
                writeln!(out, "      {remedy}")?;
            }
            // The checks take their time.
            out.flush()?;
        }
        Ok(if works { End::Done } else { End::NoMatch })
    }
}

fn kernel(_: &Place) -> Finding {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = release.trim();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version < (5, 10) {
        return bad(format!("Linux {release}"), "use Linux 5.10 or later");
    }
    good(format!("Linux {release} {}", std::env::consts::ARCH))
}

fn btf(_: &Place) -> Finding {
    const PATH: &str = "/sys/kernel/btf/vmlinux";
    match fs::metadata(PATH) {
        Ok(file) => good(format!("{PATH}, {} KiB", file.len() / 1024)),
        Err(error) => bad(
            format!("{PATH}: {error}"),
            "use a kernel built with CONFIG_DEBUG_INFO_BTF=y (every distribution's is), and mount sysfs",
        ),
    }
}

fn cgroup2(_: &Place) -> Finding {
    match v2_mount() {
        Ok(mount) => good(format!("mounted at {}", mount.point.display())),
        Err(error) => bad(
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

fn capabilities(_: &Place) -> Finding {
    let have = effective_capabilities();
    let has = |capability: u32| have >> capability & 1 == 1;
    if has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON)) {
        let words = if has(CAP_SYS_ADMIN) { "CAP_SYS_ADMIN" } else { "CAP_BPF and CAP_PERFMON" };
        return good(words.to_owned());
    }
    bad(
        format!("CAP_BPF is {}, CAP_PERFMON is {}", missing(has(CAP_BPF)), missing(has(CAP_PERFMON))),
        "run as root, or give both: setpriv --ambient-caps +bpf,+perfmon",
    )
}

fn perf_events(_: &Place) -> Finding {
    match leaves_events_to_admins() {
        None => good("CAP_PERFMON may open rings".to_owned()),
        Some(level) if effective_capabilities() >> CAP_SYS_ADMIN & 1 == 1 => {
            good(format!("kernel.perf_event_paranoid is {level}: CAP_SYS_ADMIN, which is there, may open rings"))
        }
        Some(level) => bad(
            format!("kernel.perf_event_paranoid is {level}, which leaves rings to CAP_SYS_ADMIN on this kernel"),
            "give CAP_SYS_ADMIN, or let CAP_PERFMON do: sysctl kernel.perf_event_paranoid=2",
        ),
    }
}

fn missing(there: bool) -> &'static str {
    if there { "there" } else { "missing" }
}

fn memlock(_: &Place) -> Finding {
    match nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_MEMLOCK) {
        Ok((libc::RLIM_INFINITY, _)) => good("no limit".to_owned()),
        Ok((soft, _)) if soft >= 8 << 20 => good(format!("{} KiB", soft / 1024)),
        Ok((soft, _)) => weak(
            format!("{} KiB", soft / 1024),
            "kernels before 5.11 count BPF maps against it: ulimit -l unlimited, or LimitMEMLOCK=infinity",
        ),
        Err(error) => weak(error.to_string(), "ulimit -l tells the limit"),
    }
}

fn tracefs(_: &Place) -> Finding {
    let places = ["/sys/kernel/tracing/events", "/sys/kernel/debug/tracing/events"];
    match places.iter().find(|place| Path::new(place).is_dir()) {
        Some(place) => good((*place).to_owned()),
        None => weak(
            "not mounted".to_owned(),
            "only kernels from 7.2 on need it: mount -t tracefs none /sys/kernel/tracing",
        ),
    }
}

fn ptrace(_: &Place) -> Finding {
    if effective_capabilities() >> CAP_SYS_PTRACE & 1 == 1 {
        return good("CAP_SYS_PTRACE: what calls in flight point to can be told".to_owned());
    }
    weak(
        "CAP_SYS_PTRACE is missing".to_owned(),
        "calls in flight at a dump are shown without their strings; give CAP_SYS_PTRACE",
    )
}

fn io_uring(_: &Place) -> Finding {
    let told = Uring::probe();
    if told.is_whole() {
        return good(told.to_string());
    }
    weak(
        told.to_string(),
        "what io_uring does is not shown, or in part only: a kernel with CONFIG_IO_URING=y and BTF tells it",
    )
}

fn stacks(_: &Place) -> Finding {
    if can_take_stacks() {
        return good("--stacks: by frame pointers, with files by build id".to_owned());
    }
    weak("--stacks is not possible".to_owned(), "use Linux 5.17 or later: before, it cannot tell mapped files")
}

fn refusals(_: &Place) -> Finding {
    let seen = Capabilities::probe();
    match seen {
        Capabilities::Unseen => weak(
            seen.to_string(),
            "use Linux 6.14 or later, or one with CONFIG_FUNCTION_TRACER=y that lets BPF programs hang on functions",
        ),
        _ => good(seen.to_string()),
    }
}

/// The daemon at the socket, if one runs.
fn daemon(place: &Place) -> Finding {
    const REMEDY: &str = "journalctl -u traceloop -u traceloop-keeper says what it has met";
    match asked(place) {
        None => good(format!("none runs that listens on {}", place.socket().display())),
        Some(Err(error)) => weak(format!("it does not answer: {error:#}"), REMEDY),
        Some(Ok(status)) => match health::lines(&status).first() {
            Some(what) if !status.recording => bad(what.trim_start_matches("# ").to_owned(), REMEDY),
            Some(what) => weak(what.trim_start_matches("# ").to_owned(), REMEDY),
            None => good(format!("it records {} cgroups", status.tracks)),
        },
    }
}

fn overhead(place: &Place) -> Finding {
    if !cpu_times_are_known() {
        return weak(
            "the CPU time that units use cannot be had: `max-overhead` limits nothing",
            "each cgroup of the v2 tree has a file cpu.stat from Linux 4.15 on",
        );
    }
    let Some(cost) = asked(place).and_then(Result::ok).and_then(|status| status.cost) else {
        return good("CPU times of units can be had; what recording costs is measured when a daemon starts");
    };
    let Cost { call_ns, byte_ns, skipped_ns, unkept_ns, measured } = cost;
    let how = if measured { "measured when the recording began" } else { "not measured here: usual values" };
    good(format!(
        "a recorded call costs {call_ns:.0} ns and {byte_ns:.1} ns a byte, one that is left out {skipped_ns:.0} ns, or \
         {unkept_ns:.0} ns at its end ({how})"
    ))
}

fn recording(_: &Place) -> Finding {
    let settings = Settings {
        wanted: Wanted::default(),
        budget: Budget { ring: 64 << 10, total: 64 << 20 },
        history: Default::default(),
        without: Vec::new(),
    };
    match Recorder::prepare(1, &settings) {
        Ok(recorder) => good(format!("the programs load and attach, with {}", recorder.features())),
        Err(error) => bad(format!("{error:#}"), "TRACELOOP_LOG=debug traceloop doctor shows the verifier's log"),
    }
}

/// What the daemon at the socket says of itself; `None`: there is none that we may ask.
fn asked(place: &Place) -> Option<Result<Status>> {
    UnixStream::connect(place.socket()).ok()?;
    let client = place.client();
    let answer = |runtime: tokio::runtime::Runtime| {
        runtime.block_on(async { tokio::time::timeout(ANSWERS_WITHIN, client.status()).await? })
    };
    Some(runtime().and_then(answer))
}

fn keeper(place: &Place) -> Finding {
    let Some(socket) = place.keeper() else {
        return good("the configuration wants none: the history ends with the daemon");
    };
    if !socket.exists() {
        return weak(
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
        None => weak(
            "its socket is there, and no process that holds it is seen".to_owned(),
            "systemctl restart traceloop-keeper",
        ),
        Some((pid, Some(program))) if program.to_string_lossy().ends_with(" (deleted)") => weak(
            format!("pid {pid} runs a program that was replaced since"),
            "systemctl restart traceloop-keeper: the daemon holds the recording meanwhile",
        ),
        Some((pid, _)) => good(format!("pid {pid} holds the recording while the daemon is away")),
    }
}

fn store(place: &Place) -> Finding {
    let (directory, name) = (place.directory(), place.directory().display());
    let about = match fs::metadata(directory) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return good(format!("{name} is not there yet: no dump was stored"));
        }
        Err(error) => return weak(format!("{name}: {error}"), "look at it as root"),
    };
    let is_empty = || fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none());
    if about.mode() & 0o077 != 0 && is_empty() {
        return good(format!("{name} is empty, and the daemon closes it to others when it starts"));
    }
    if about.mode() & 0o077 != 0 {
        let what = format!("others may enter {name} (mode {:04o}), and the daemon refuses it", about.mode() & 0o7777);
        return bad(what, format!("chmod 0700 {name}"));
    }
    let store = match Store::existing(directory) {
        Ok(store) => store,
        Err(error) => return weak(format!("{error:#}"), "look at it as root"),
    };
    let dumps = match store.entries() {
        Ok(dumps) => dumps,
        Err(error) => return bad(format!("{error:#}"), "the disk may be broken: dmesg"),
    };
    let damaged = dumps.iter().filter(|dump| store.header(dump).is_err_and(|error| !error.is::<Sealed>())).count();
    let used = size(dumps.iter().map(|dump| dump.used).sum());
    let free = nix::sys::statvfs::fstatvfs(&store).map_or(0, |disk| disk.blocks_available() * disk.fragment_size());
    let what = format!("{} dumps, {used}, in {name}; {} of the file system are free", dumps.len(), size(free));
    match (damaged, free) {
        (0, 1..) => good(what),
        (0, 0) => bad(what, "no dump can be stored: make room, or traceloop vacuum --max-use SIZE"),
        _ => weak(
            format!("{what}; of {damaged} the head cannot be read"),
            "traceloop list shows which: traceloop delete ID",
        ),
    }
}

fn limits(place: &Place) -> Finding {
    let limited = match asked(place) {
        Some(Ok(status)) => status.limited,
        _ => return good("no daemon tells of any that were reached".to_owned()),
    };
    if limited.is_empty() {
        return good("none has cost a dump".to_owned());
    }
    let told = limited.iter().map(|of| format!("{}: {} deaths without a dump, for {}", of.target, of.times, of.limit));
    weak(told.collect::<Vec<_>>().join("; "), "a larger limit in [triggers] of traceloop.toml keeps them")
}
