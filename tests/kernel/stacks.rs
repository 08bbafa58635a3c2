//! Where in the program calls were made: frames by file and function, after the process has died, and how far
//! frame pointers lead.

use std::{fs, path::PathBuf, process::Command};

use serde_json::Value;

use super::support::{Recording, Scratch, TRACELOOP, WAYS, compile};

const FLAGS: [&str; 3] = ["-fno-omit-frame-pointer", "-fno-optimize-sibling-calls", "-g"];

/// The dump file of programs/stacks.c, which has ended.
fn recorded(scratch: &Scratch, options: &[&str]) -> PathBuf {
    let program = compile(scratch, "stacks", &FLAGS);
    let file = scratch.files.path().join("dump");
    let options = [&["cgroups", "--dump-on-exit", "--format", "raw"], options].concat();
    let recording = Recording::start(&file, &options, &[&scratch.cgroup]);
    let status = scratch.command(&program.display().to_string()).status().expect("run it");
    assert!(status.code().is_some(), "{status}");
    recording.signal(nix::sys::signal::Signal::SIGINT);
    recording.end();
    file
}

fn shown(file: &std::path::Path, options: &[&str]) -> String {
    let output = Command::new(TRACELOOP).arg("show").args(options).arg(file).output().expect("show it");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The functions of the stack of the first call that this text begins.
fn functions(json: &str, syscall: &str, errno: Option<&str>) -> Vec<String> {
    let lines = json.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let mut calls = lines.filter(|line| line["syscall"] == syscall && line["errno"].as_str() == errno);
    // The loader's calls come first.
    let call = calls.next_back().unwrap_or_else(|| panic!("no {syscall} in:\n{json}"));
    let frames = call["stack"]["frames"].as_array().cloned().unwrap_or_default();
    frames.iter().map(|frame| frame["function"].as_str().unwrap_or("?").to_owned()).collect()
}

fn must_lead_through(functions: &[String], names: &[&str]) {
    let mut rest = functions.iter();
    for name in names {
        assert!(rest.any(|function| function == name), "no {name} in its place in {functions:?}");
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn stacks_of_a_dead_process_are_named() {
    for way in WAYS {
        let scratch = Scratch::new();
        let file = recorded(&scratch, &[&["--stacks"], way].concat());
        let json = shown(&file, &["--format", "json"]);
        let open = functions(&json, "openat", Some("ENOENT"));
        must_lead_through(&open, &["syscall", "innermost", "middle", "outermost", "main"]);
        must_lead_through(&functions(&json, "write", None), &["middle", "outermost", "main"]);
        // What takes the program with it is told by the stack of its start.
        let exit = functions(&json, "exit_group", None);
        assert!(exit[0].eq_ignore_ascii_case("_exit") && exit[1] == "main", "{exit:?}");
        let text = shown(&file, &[]);
        assert!(text.contains("(innermost+0x") && text.contains("] stacks.c:"), "{text}");
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn stacks_of_chosen_calls_only() {
    let with_stacks = |options: &[&str]| {
        let scratch = Scratch::new();
        let file = recorded(&scratch, options);
        let json = shown(&file, &["--format", "json"]);
        let lines = json.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let stacked: Vec<_> = lines.filter(|line| line.get("stack").is_some()).collect();
        assert!(!stacked.is_empty(), "{options:?}:\n{json}");
        (stacked, json)
    };
    let (failed, json) = with_stacks(&["--stacks=failed"]);
    assert!(failed.iter().all(|call| call["ret"] == -1), "{failed:?}");
    must_lead_through(&functions(&json, "openat", Some("ENOENT")), &["innermost", "middle", "outermost"]);
    let (slow, json) = with_stacks(&["--stacks=duration>40ms"]);
    assert!(slow.iter().all(|call| call["duration_ns"].as_u64() >= Some(40_000_000)), "{slow:?}");
    must_lead_through(&functions(&json, "nanosleep", None), &["syscall", "slow", "outermost", "main"]);
    let scratch = Scratch::new();
    assert!(!shown(&recorded(&scratch, &[]), &["--format", "json"]).contains("\"stack\""));
}

#[test]
#[ignore = "needs root and BPF"]
fn a_call_in_flight_tells_where_it_hangs() {
    let scratch = Scratch::new();
    let program = compile(&scratch, "stacks", &FLAGS);
    let file = scratch.files.path().join("dump");
    let options = ["cgroups", "--dump-on-exit", "--format", "raw", "--stacks=duration>100ms"];
    let recording = Recording::start(&file, &options, &[&scratch.cgroup]);
    let mut hanging = scratch.command(&format!("{} hang", program.display())).spawn().expect("run it");
    // The shell has become the program, and its last call is read.
    let call = format!("/proc/{}/syscall", hanging.id());
    let hangs = || {
        let program = fs::read_link(format!("/proc/{}/exe", hanging.id())).is_ok_and(|exe| exe == program);
        program && fs::read_to_string(&call).is_ok_and(|call| call.starts_with("0 "))
    };
    for _ in 0..3000 {
        if hangs() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    recording.signal(nix::sys::signal::Signal::SIGINT);
    recording.end();
    hanging.kill().expect("end it");
    hanging.wait().expect("wait for it");
    let json = shown(&file, &["--format", "json"]);
    must_lead_through(&functions(&json, "read", None), &["hang", "outermost", "main"]);
    let text = shown(&file, &[]);
    assert!(text.contains("<in flight>\n"), "{text}");
}

/// The file that is there now is another one than that which ran: its functions are not told for it.
#[test]
#[ignore = "needs root and BPF"]
fn another_file_of_that_name_names_nothing() {
    let scratch = Scratch::new();
    let file = recorded(&scratch, &["--stacks"]);
    let program = scratch.files.path().join("stacks");
    if !program.exists() {
        return;
    }
    fs::copy("/bin/true", &program).expect("write over it");
    let output = Command::new(TRACELOOP).arg("show").arg(&file).output().expect("show it");
    let (text, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let own = format!(" > {}() [0x", program.display());
    assert!(text.contains(&own) && !text.contains("innermost"), "{text}");
    assert!(told.contains("the file of that path is another one"), "{told}");
}

/// The program's part of a stack is what `strace -k` prints.
#[test]
#[ignore = "needs root and BPF"]
fn strace_prints_the_same_frames() {
    let scratch = Scratch::new();
    let file = recorded(&scratch, &["--stacks"]);
    let program = scratch.files.path().join("stacks");
    let reference =
        Command::new("strace").args(["-k", "-e", "trace=openat"]).arg(&program).output().expect("run strace");
    let of = |text: &str| {
        let mut lines = text.lines().skip_while(|line| !line.contains("/nonexistent")).skip(1);
        let frames = lines.by_ref().take_while(|line| line.starts_with(" > "));
        frames.filter(|line| line.contains("stacks(")).map(str::to_owned).collect::<Vec<_>>()
    };
    let (ours, theirs) = (of(&shown(&file, &["--format", "strace"])), of(&String::from_utf8_lossy(&reference.stderr)));
    // Where main was called from is not in frames of its own.
    let theirs: Vec<_> = theirs.into_iter().filter(|line| !line.contains("_start+")).collect();
    assert!(theirs.len() >= 4, "strace: {}", String::from_utf8_lossy(&reference.stderr));
    assert_eq!(ours, theirs);
}
