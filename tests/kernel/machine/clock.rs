//! The clock is set while it is recorded.

use nix::time::{ClockId, clock_gettime, clock_settime};
use traceloop::recorder::{boottime, realtime_offset};

use super::{
    super::support::{Recording, Scratch, wait_asleep},
    ours,
};

fn step(seconds: i64) {
    let now = clock_gettime(ClockId::CLOCK_REALTIME).expect("the time");
    let then = nix::sys::time::TimeSpec::new(now.tv_sec() + seconds, now.tv_nsec());
    clock_settime(ClockId::CLOCK_REALTIME, then).expect("set the clock");
}

/// Times are told by the clock as it is at the dump: the order and the distances are what they were.
#[test]
#[ignore = "needs a machine of its own"]
fn when_the_clock_is_set_order_and_durations_stay_true() {
    ours();
    let scratch = Scratch::new();
    let options = ["cgroups", "--dump-on-exit", "--format", "json"];
    let recording = Recording::start(&scratch.files.path().join("dump"), &options, &[&scratch.cgroup]);
    let mut sleeper = scratch.command("sleep 3").spawn().expect("start sleep");
    wait_asleep(&sleeper, "sleep");
    let mut ran = Vec::new();
    for (name, seconds) in [("first", 3600), ("second", -86_400), ("third", 7200)] {
        let before = boottime();
        let status = scratch.command(&format!("/bin/true {name}")).status().expect("run it");
        assert!(status.success());
        ran.push((name, before, boottime()));
        step(seconds);
    }
    sleeper.wait().expect("wait for it");
    let text = recording.dump().text;
    let offset = realtime_offset();

    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let calls: Vec<_> = lines.filter(|line| line["syscall"].is_string()).collect();
    let time = |call: &serde_json::Value| call["ts"].as_f64().expect("a time");
    assert!(calls.windows(2).all(|pair| time(&pair[0]) <= time(&pair[1])), "out of order:\n{text}");
    for (name, before, after) in ran {
        let is_it = |call: &&serde_json::Value| call["syscall"] == "execve" && call["args"].to_string().contains(name);
        let at = time(calls.iter().find(is_it).expect("its execve"));
        // Printed with microseconds.
        let seconds = |boottime: u64| (i64::try_from(boottime).expect("a time") + offset) as f64 / 1e9;
        let span = seconds(before) - 0.001..seconds(after) + 0.001;
        assert!(span.contains(&at), "{name} at {at}, not in {span:?}");
    }
    let sleep = calls.iter().find(|call| call["syscall"] == "clock_nanosleep").expect("the sleep");
    let duration = sleep["duration_ns"].as_u64().expect("a duration") / 1_000_000_000;
    assert!((3..3000).contains(&duration), "{duration} s");
}
