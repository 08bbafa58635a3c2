//! A whole program: the throughput left to sysbench under each tool.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    place::{Place, in_cgroup},
    quantile,
    watcher::{is_installed, recorder},
};
use anyhow::{Context, Result, ensure};

const TESTS: [(&str, &[&str]); 3] = [
    ("fileio", &["fileio", "--file-total-size=32M", "--file-num=16", "--file-test-mode=rndrw", "--file-fsync-freq=0"]),
    ("threads", &["threads", "--threads=4"]),
    ("cpu", &["cpu"]),
];
const ROUNDS: usize = 5;

/// What stands before `sysbench` on the command line.
const TOOLS: [(&str, &[&str]); 4] = [
    ("untraced", &[]),
    ("traceloop", &[]),
    ("perf trace", &["perf", "trace", "-o", "/dev/null", "--"]),
    ("strace -f", &["strace", "-f", "-o", "/dev/null"]),
];

/// Prints which share of its events a second is left to sysbench under each tool.
pub(crate) fn throughput() -> Result<()> {
    if !is_installed("sysbench") {
        println!("Throughput is not measured: sysbench is not installed.");
        return Ok(());
    }
    let tools: Vec<_> = TOOLS
        .iter()
        .filter(|(name, before)| {
            before.first().is_none_or(|tool| {
                let there = is_installed(tool);
                if !there {
                    println!("{name} is not measured: {tool} is not installed.");
                }
                there
            })
        })
        .collect();
    let scratch = tempfile::tempdir().context("make a directory for sysbench's files")?;
    let fileio = TESTS[0].1;
    let made =
        Command::new("sysbench").args(fileio).arg("prepare").current_dir(&scratch).stdout(Stdio::null()).status();
    ensure!(made.context("start sysbench")?.success(), "sysbench does not prepare its files");
    let mut rates = vec![[const { Vec::new() }; TESTS.len()]; tools.len()];
    for _ in 0..ROUNDS {
        for (tool, (name, before)) in tools.iter().enumerate() {
            for (test, (_, args)) in TESTS.iter().enumerate() {
                let place = Place::make()?;
                let recorder = (*name == "traceloop").then(|| recorder(&place.subject, &[])).transpose()?;
                let rate = events_a_second(before, args, scratch.path(), &place.subject);
                drop(recorder);
                match rate {
                    Ok(rate) => rates[tool][test].push(rate),
                    Err(error) => println!("{name} was not measured in a round: {error:#}."),
                }
            }
        }
    }
    println!(
        "Events a second of sysbench, and the share of the same round that is left; medians of {ROUNDS} rounds.\n"
    );
    println!("| | {} |\n|---|---|---|---|", TESTS.map(|(name, _)| format!("sysbench {name}")).join(" | "));
    for ((name, _), rates_of) in tools.iter().zip(&rates) {
        let cells = rates_of.iter().zip(&rates[0]).map(|(of, untraced)| {
            let shares: Vec<f64> = of.iter().zip(untraced).map(|(rate, most)| 100.0 * rate / most).collect();
            format!(
                "{:.0}/s, {:.1} % ({:.0}-{:.0})",
                quantile(of, 0.5),
                quantile(&shares, 0.5),
                quantile(&shares, 0.0),
                quantile(&shares, 1.0)
            )
        });
        println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    println!();
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
