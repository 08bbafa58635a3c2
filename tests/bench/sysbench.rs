//! Whole programs: the throughput left to sysbench, and how much history a ring keeps of `find /usr`.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use traceloop::{model::Cause, recorder::Recorder};

use crate::{
    place::{Place, mount_tracefs},
    watcher::{TRACEFS, recorder},
};

const TESTS: [(&str, &[&str]); 3] = [
    ("fileio", &["fileio", "--file-total-size=32M", "--file-num=16", "--file-test-mode=rndrw", "--file-fsync-freq=0"]),
    ("threads", &["threads", "--threads=4"]),
    ("cpu", &["cpu"]),
];
const ROUNDS: usize = 3;

/// What stands before `sysbench` on the command line.
const TOOLS: [(&str, &[&str]); 4] = [
    ("untraced", &[]),
    ("traceloop", &[]),
    ("perf trace", &["perf", "trace", "-o", "/dev/null", "--"]),
    ("strace -f", &["strace", "-f", "-o", "/dev/null"]),
];

/// Prints which share of its events a second is left to sysbench under each tool.
pub(crate) fn throughput() -> Result<()> {
    mount_tracefs(TRACEFS)?;
    let scratch = tempfile::tempdir().context("make a directory for sysbench's files")?;
    let fileio = TESTS[0].1;
    let made =
        Command::new("sysbench").args(fileio).arg("prepare").current_dir(&scratch).stdout(Stdio::null()).status();
    ensure!(made.context("start sysbench")?.success(), "sysbench does not prepare its files");
    println!("| | {} |\n|---|---|---|---|", TESTS.map(|(name, _)| format!("sysbench {name}")).join(" | "));
    let mut rates = vec![[0.0_f64; TESTS.len()]; TOOLS.len()];
    for _ in 0..ROUNDS {
        for (tool, (name, before)) in TOOLS.iter().enumerate() {
            for (test, (_, args)) in TESTS.iter().enumerate() {
                let place = Place::make()?;
                let recorder = (*name == "traceloop").then(|| recorder(&place.subject, &[])).transpose()?;
                let rate = events_a_second(before, args, scratch.path(), &place.subject);
                drop(recorder);
                rates[tool][test] = rates[tool][test].max(rate.unwrap_or(f64::NAN));
            }
        }
    }
    for ((name, _), rate) in TOOLS.iter().zip(&rates) {
        let cells = rate.iter().zip(&rates[0]).map(|(rate, most)| format!("{rate:.0}/s, {:.1} %", 100.0 * rate / most));
        println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    Ok(())
}

fn events_a_second(before: &[&str], args: &[&str], scratch: &Path, cgroup: &Path) -> Result<f64> {
    let words: Vec<&str> =
        before.iter().chain(&["sysbench"]).chain(args).chain(&["--time=2", "run"]).copied().collect();
    let output = in_cgroup(Command::new(words[0]).args(&words[1..]).current_dir(scratch), cgroup).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let number = |label: &str| {
        text.lines().find_map(|line| line.trim().strip_prefix(label)?.trim().trim_end_matches('s').parse::<f64>().ok())
    };
    let events = number("total number of events:").context("sysbench tells no number of events")?;
    Ok(events / number("total time:").context("sysbench tells no time")?)
}

/// The command begins in the cgroup.
fn in_cgroup<'a>(command: &'a mut Command, cgroup: &Path) -> &'a mut Command {
    let procs = cgroup.join("cgroup.procs");
    // SAFETY: the child opens, writes and closes a file, nothing else.
    unsafe { command.pre_exec(move || fs::write(&procs, "0")) }
}

/// Prints how many calls of `find /usr` a MiB of ring keeps.
pub(crate) fn history() -> Result<()> {
    let place = Place::make()?;
    let recorder = recorder(&place.subject, &[])?;
    let mut find = Command::new("find");
    find.arg("/usr").stdout(Stdio::null()).stderr(Stdio::null());
    in_cgroup(&mut find, &place.subject).status().context("start find")?;
    let (kept, bytes) = kept(&recorder)?;
    println!("`find /usr`: {:.0} calls a MiB of ring, {:.0} bytes a call.", kept / bytes * 1048576.0, bytes / kept);
    Ok(())
}

/// The records that full rings hold, and the rings' size.
#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn kept(recorder: &Recorder) -> Result<(f64, f64)> {
    let recording = recorder.dump(Cause::Request)?;
    let rings: Vec<_> = recording.blocks.iter().filter(|block| block.cpu.is_some()).collect();
    ensure!(!rings.is_empty(), "no rings");
    Ok((recording.dump.window.records as f64, recorder.memory() as f64))
}
