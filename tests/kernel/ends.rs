//! How a process died: status, signal, fault, killer, and the call it died in.

use std::process::Command;

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::support::{Scratch, TRACELOOP, WAYS, compile, wait_asleep};

#[test]
#[ignore = "needs root and BPF"]
fn forty_of_forty_runs_hold_their_execve_and_pass_the_status_on() {
    for n in 0..40 {
        let output = Command::new(TRACELOOP)
            .args(["run", "--format", "strace", "--", "sh", "-c", "exit 7"])
            .output()
            .expect("run traceloop");
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(7), "run {n}: {}", String::from_utf8_lossy(&output.stderr));
        let first = text.lines().next().unwrap_or_default();
        assert!(first.contains(r#" execve("/"#) && first.contains(r#"["sh", "-c", "exit 7"]"#), "run {n}: {first}");
        assert!(text.contains("+++ exited with 7 +++"), "run {n}");
    }
}

/// Kills a process in `sleep 1000` and dumps.
fn killed_by(way: &[&str], signal: Signal) -> super::support::Dump {
    let scratch = Scratch::new();
    let recording = scratch.record(way);
    let mut child = scratch.command("sleep 1000").spawn().expect("start sleep");
    wait_asleep(&child, "sleep");
    kill(Pid::from_raw(i32::try_from(child.id()).expect("a pid")), signal).expect("kill it");
    child.wait().expect("wait for it");
    recording.dump()
}

#[test]
#[ignore = "needs root and BPF"]
fn a_process_killed_in_sleep_shows_the_sleep() {
    for way in WAYS {
        let dump = killed_by(way, Signal::SIGKILL);
        dump.must_have("clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=1000, tv_nsec=0}")
            .must_have("+++ killed by SIGKILL +++");
        assert_eq!(dump.count("--- SIGKILL"), 0, "strace has no such line");
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn the_signal_that_was_sent_and_by_whom() {
    for way in WAYS {
        let sender = std::process::id();
        killed_by(way, Signal::SIGTERM)
            .must_have(&format!("--- SIGTERM {{si_signo=SIGTERM, si_code=SI_USER, si_pid={sender}, si_uid=0}} ---"))
            .must_have("+++ killed by SIGTERM +++");
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn a_fault_shows_its_address() {
    for way in WAYS {
        let scratch = Scratch::new();
        let program = compile(&scratch, "fault", &[]);
        scratch
            .run(way, program.to_str().expect("a path"))
            .must_have("--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x1234} ---")
            .must_have("+++ killed by SIGSEGV");
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn a_call_in_flight_is_shown_with_its_arguments() {
    for way in WAYS {
        let scratch = Scratch::new();
        let recording = scratch.record(way);
        let mut child = scratch.command("sleep 1000").spawn().expect("start sleep");
        wait_asleep(&child, "sleep");
        let dump = recording.dump();
        child.kill().expect("kill it");
        child.wait().expect("wait for it");
        let last = dump.text.lines().last().unwrap_or_default();
        assert!(
            last.contains("clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=1000, tv_nsec=0} ")
                && last.ends_with("<unfinished ...>"),
            "{way:?}: {last}"
        );
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn run_tells_the_signal_in_its_status() {
    let scratch = Scratch::new();
    let program = compile(&scratch, "fault", &[]);
    let output = Command::new(TRACELOOP).arg("run").arg("--").arg(program).output().expect("run traceloop");
    assert_eq!(output.status.code(), Some(128 + 11));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("was killed by SIGSEGV"), "{text}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_call_that_began_before_the_recording_is_shown_too() {
    for way in WAYS.into_iter().take(3) {
        let scratch = Scratch::new();
        let mut child = scratch.command("sleep 1000").spawn().expect("start sleep");
        let mut reader = scratch.command("cat").stdin(std::process::Stdio::piped()).spawn().expect("start cat");
        wait_asleep(&child, "sleep");
        wait_asleep(&reader, "cat");
        let recording = scratch.record(way);
        drop(reader.stdin.take());
        reader.wait().expect("wait for it");
        let dump = recording.dump();
        child.kill().expect("kill it");
        child.wait().expect("wait for it");
        dump.must_have("clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=1000, tv_nsec=0} <unfinished ...>")
            .must_have("read(0, \"\", 131072)")
            .must_have("+++ exited with 0 +++");
    }
}
