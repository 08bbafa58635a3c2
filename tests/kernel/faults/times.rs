//! Time namespaces: the recorder's and the program's clocks of the time since boot differ, times are true.

use std::{
    process::{Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use super::super::support::TRACELOOP;

/// Another time for whatever is behind it: eleven days have passed that have not.
const ELSEWHERE: [&str; 4] = ["unshare", "--time", "--boottime=1000000", "--fork"];

/// The calls of a program that sleeps, with the seconds since 1970 between which they were made.
fn calls_of(command: &[&str]) -> (Vec<Value>, std::ops::Range<f64>) {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs_f64();
    let before = now();
    let output = Command::new(command[0]).args(&command[1..]).stdin(Stdio::null()).output().expect("run it");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {told}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let calls: Vec<_> = lines.filter(|line| line["syscall"].is_string()).collect();
    assert!(calls.len() > 20, "{text}");
    // Printed with microseconds.
    (calls, before - 0.001..now() + 0.001)
}

#[track_caller]
fn must_be_true(command: &[&str]) {
    let (calls, span) = calls_of(command);
    for call in &calls {
        let at = call["ts"].as_f64().expect("a time");
        assert!(span.contains(&at), "{command:?}: {at} is not in {span:?}: {call}");
    }
    let sleep = calls.iter().find(|call| call["syscall"] == "clock_nanosleep").expect("the sleep");
    let took = sleep["duration_ns"].as_u64().expect("a duration") / 1_000_000;
    assert!((200..60_000).contains(&took), "{command:?}: {took} ms");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_recorder_in_a_time_namespace_tells_true_times() {
    must_be_true(&[&ELSEWHERE[..], &[TRACELOOP, "run", "--format", "json", "--", "sleep", "0.2"]].concat());
}

#[test]
#[ignore = "needs root and BPF"]
fn a_program_in_a_time_namespace_is_told_with_true_times() {
    must_be_true(&[&[TRACELOOP, "run", "--format", "json", "--"], &ELSEWHERE[..], &["sleep", "0.2"]].concat());
}
