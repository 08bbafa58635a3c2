//! Whether memory stays flat while cgroups come and go: `cargo bench --bench scale -- --churn 60` (seconds;
//! 3600 is the whole proof). Each cgroup is made, a command runs in it, and it is removed; a recorder that
//! watches the tree keeps their histories within its budget.

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use traceloop::{
    cgroup::{Rules, v2_mount},
    recorder::{Budget, Recorder, Settings, Watching},
    syscall::plan::Wanted,
};

use crate::place::in_cgroup;

/// So often the memory is told.
const ROWS: u32 = 10;
/// Cgroups that come and go between two looks at what happened.
const AT_ONCE: usize = 20;
const BUDGET: usize = 16 << 20;

/// Prints the memory in use as time goes by, and fails if the process grew by a tenth behind the first row.
pub(crate) fn churn(time: Duration) -> Result<()> {
    let name = format!("traceloop-bench-churn-{}.slice", std::process::id());
    let slice = v2_mount()?.point.join(&name);
    fs::create_dir(&slice).context("make a cgroup: run as root")?;
    let told = come_and_go(&name, &slice, time);
    fs::remove_dir(&slice).context("remove the cgroup")?;
    told
}

fn come_and_go(name: &str, slice: &std::path::Path, time: Duration) -> Result<()> {
    let rules = Rules::new(&[format!("/{name}/**")], &[])?;
    let watching =
        Watching { rules, keep: Duration::from_secs(5), ready: AT_ONCE, profiles: Default::default(), keeper: None };
    let budget = Budget { ring: 64 << 10, total: BUDGET };
    let settings = Settings { wanted: Wanted::default(), budget, history: Default::default(), without: Vec::new() };
    let (mut recorder, _) = Recorder::watch(&settings, watching)?;
    println!(
        "| seconds | cgroups that came and went | tracks | rings, KiB | the process, KiB |\n|---|---|---|---|---|"
    );
    let (began, mut row, mut made, mut first) = (Instant::now(), 1, 0_usize, None);
    while row <= ROWS {
        for _ in 0..AT_ONCE {
            let cgroup = slice.join(format!("n{made}.service"));
            fs::create_dir(&cgroup).context("make a cgroup")?;
            let mut command = Command::new("true");
            let ran = in_cgroup(command.stdin(Stdio::null()), &cgroup).status().context("run a command");
            // A process may be there for a moment after it was waited for.
            while fs::remove_dir(&cgroup).is_err_and(|error| error.raw_os_error() == Some(libc::EBUSY)) {
                std::thread::yield_now();
            }
            ran?;
            made += 1;
        }
        recorder.tidy()?;
        if began.elapsed() >= time * row / ROWS {
            let (tracks, rings) = (recorder.identities().count(), recorder.memory() / 1024);
            let resident = resident()?;
            println!("| {:.0} | {made} | {tracks} | {rings} | {resident} |", began.elapsed().as_secs_f64());
            let first = *first.get_or_insert(resident);
            ensure!(resident <= first + first / 10, "the process grew from {first} to {resident} KiB");
            row += 1;
        }
    }
    Ok(())
}

/// What of this process is in memory, its rings among it as far as they were read, KiB.
fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("read our own memory use")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    line.trim().trim_end_matches(" kB").parse().context("read our own memory use")
}
