//! The machine is suspended to memory while it records, and woken by its clock.

use std::fs;

use nix::time::{ClockId, clock_gettime};

use super::{
    super::support::{Recording, Scratch, compile, wait_asleep, wait_until},
    ours, rings, set_cpu_1,
};

const ALARM: &str = "/sys/class/rtc/rtc0/wakealarm";

/// Nanoseconds that the machine has been asleep.
fn slept() -> i64 {
    let at = |clock| clock_gettime(clock).map(|time| time.tv_sec() * 1_000_000_000 + time.tv_nsec()).expect("a clock");
    at(ClockId::CLOCK_BOOTTIME) - at(ClockId::CLOCK_MONOTONIC)
}

/// What was recorded before is there, a call across the sleep has lasted as long, and recording goes on.
#[test]
#[ignore = "needs a machine of its own"]
fn a_recording_goes_on_when_the_machine_has_slept() {
    ours();
    set_cpu_1(true);
    let scratch = Scratch::new();
    let program = compile(&scratch, "closes", &[]);
    let options = ["cgroups", "--dump-on-exit", "--format", "json", "--syscalls", "close,%process,clock_nanosleep"];
    let recording = Recording::start(&scratch.files.path().join("dump"), &options, &[&scratch.cgroup]);
    let run = |cpu: u32, fd: u32| super::run_on(cpu, &scratch, &format!("{} {fd} 100", program.display()));
    let mut sleeper = scratch.command("taskset -c 0 sleep 2").spawn().expect("start sleep");
    wait_asleep(&sleeper, "sleep");
    run(0, 2000);
    run(1, 2001);
    let before = slept();
    fs::write(ALARM, "0").expect("no alarm");
    fs::write(ALARM, "+8").expect("an alarm");
    fs::write("/sys/power/state", "mem").expect("sleep");
    let slept = slept() - before;
    println!("  suspend: {:.1} s asleep", slept as f64 / 1e9);
    assert!(slept > 0, "the machine did not sleep");
    run(0, 2002);
    // CPU 1 was taken away and brought back: it is recorded as soon as it has a new ring.
    run(1, 2003);
    wait_until("a new ring for CPU 1", || rings(recording.pid()) == 3);
    run(1, 2004);
    sleeper.wait().expect("wait for it");
    set_cpu_1(false);
    let text = recording.dump().text;

    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let closes =
        |fd: u32| lines.iter().filter(|line| line["syscall"] == "close" && line["args"][0]["value"] == fd).count();
    assert_eq!((closes(2000), closes(2002), closes(2004)), (100, 100, 100));
    let lost = lines[0]["window"]["lost"].as_array().expect("an array").iter();
    let lost: u64 = lost.map(|loss| loss["count"].as_u64().expect("a number")).sum();
    assert!((closes(2001) + closes(2003)) as u64 + lost >= 200, "{} and {}", lines[0], closes(2003));
    let times: Vec<f64> =
        lines.iter().filter(|line| line["syscall"].is_string()).filter_map(|line| line["ts"].as_f64()).collect();
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]), "out of order:\n{text}");
    let sleep = lines.iter().find(|line| line["syscall"] == "clock_nanosleep").expect("the sleep");
    assert!(sleep["duration_ns"].as_i64().expect("a duration") >= slept, "{sleep}");
}
