//! What happens to the machine while it records: CPUs go and come, the clock is set, it sleeps.
//!
//! These tests do that to the machine that they run on. tests/matrix/run gives them one of their own;
//! elsewhere they are left out by `--skip machine::`, and refuse.

mod clock;
mod cpus;
mod sleeps;

use std::{env, fs};

use super::support::{Dump, Scratch};

/// Asserts that nobody else uses this machine.
#[track_caller]
fn ours() {
    let ours = env::var_os("TRACELOOP_TEST_MACHINE").is_some_and(|whose| whose == "own");
    assert!(ours, "this test takes CPUs away or sets the clock: run tests/matrix/run, and here add `--skip machine::`");
}

/// Takes CPU 1 away or brings it back.
#[track_caller]
fn set_cpu_1(online: bool) {
    fs::write("/sys/devices/system/cpu/cpu1/online", if online { "1" } else { "0" }).expect("switch CPU 1");
}

/// Runs a command in the recorded cgroup, on one CPU.
fn run_on(cpu: u32, scratch: &Scratch, command: &str) {
    let status = scratch.command(&format!("taskset -c {cpu} {command}")).status().expect("run it");
    assert!(status.success(), "{command}: {status}");
}

/// How many records a dump says were lost.
fn lost(dump: &Dump) -> usize {
    // Each dump is told of; the last is this one.
    let last = dump.told.rfind("traceloop: complete ").map_or("", |at| &dump.told[at..]);
    let count = |line: &str| line.strip_prefix("traceloop: lost ")?.split(' ').next()?.parse::<usize>().ok();
    last.lines().filter_map(count).sum()
}

/// The rings that a recorder has mapped.
fn rings(recorder: u32) -> usize {
    let maps = fs::read_to_string(format!("/proc/{recorder}/maps")).expect("its mappings");
    maps.lines().filter(|line| line.contains("[perf_event]")).count()
}
