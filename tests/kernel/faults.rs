//! Hostile programs: whatever they do to their memory, their names and their number, the dump stays true.

use std::{fs, process::Stdio};

use super::support::{Dump, Recording, Scratch, compile};

/// Runs one of programs/hostile.c's faults in a recorded cgroup.
fn hostile(options: &[&str], fault: &str) -> Dump {
    let scratch = Scratch::new();
    let program = compile(&scratch, "hostile", &[]);
    let dump = scratch.run(options, &format!("{} {fault}", program.display()));
    dump.must_be_complete();
    dump
}

#[test]
#[ignore = "needs root and BPF"]
fn what_crosses_into_memory_that_is_not_there_is_told_as_far_as_it_is_true() {
    let dump = hostile(&[], "crosses");
    let line = |call: &str| dump.text.lines().rfind(|line| line.contains(call)).expect("the call").to_owned();
    assert!(line("EFAULT").contains("= -1 EFAULT (Bad address)"));
    assert!(dump.text.lines().any(|line| line.contains("openat(AT_FDCWD, 0x") && line.contains("EFAULT")));
    assert!(line("write(").contains("= 8"), "/dev/null reads no memory");
    assert!(!dump.has("four\\0"), "no byte behind the edge");
    dump.must_have(r#"execve("/bin/true", ["an-argument", "an-argument", "#);
}

#[test]
#[ignore = "needs root and BPF"]
fn a_buffer_that_goes_away_in_the_call_is_an_address() {
    let dump = hostile(&[], "unmaps");
    let read = dump.text.lines().rfind(|line| line.contains("EFAULT")).expect("the read");
    assert!(read.contains("0x") && read.contains("16) = -1 EFAULT") || read.contains("read resumed>"), "{read}");
    assert!(!read.contains("too late"), "{read}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_path_that_changes_in_the_call_is_one_string() {
    let dump = hostile(&[], "changes");
    let long = "/a-much-longer-path-than-before";
    let paths: Vec<_> = dump
        .text
        .lines()
        .filter(|line| line.contains("openat(AT_FDCWD, \"/") && line.contains("ENOENT"))
        .filter_map(|line| line.split('"').nth(1))
        .filter(|path| path.starts_with("/short") || path.starts_with("/a-"))
        .collect();
    assert!(paths.len() > 1000, "{} paths", paths.len());
    // Old and new bytes may mix, as the kernel's own copy does; nothing else may be there.
    assert!(paths.iter().all(|path| path.len() <= long.len() && path.is_ascii()), "{paths:?}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_million_arguments_are_cut() {
    let dump = hostile(&[], "million");
    let execve = dump.text.lines().find(|line| line.contains("E2BIG")).expect("the execve");
    assert!(execve.contains(r#"execve("/bin/true", ["x", "x", "#) && execve.contains("...]"), "{execve}");
    assert!(execve.len() < 1000, "{execve}");
}

#[test]
#[ignore = "needs root and BPF"]
fn names_reach_no_terminal_and_json_stays_json() {
    for format in ["text", "strace", "json"] {
        let scratch = Scratch::new();
        let program = compile(&scratch, "hostile", &[]);
        let cgroup = scratch.cgroup.join("a\u{1b}[2J\u{9b}b");
        fs::create_dir(&cgroup).expect("a cgroup");
        let file = scratch.files.path().join("dump");
        let options = ["cgroups", "--dump-on-exit", "--format", format];
        let recording = Recording::start(&file, &options, &[&cgroup]);
        let procs = scratch.files.path().join("procs");
        std::os::unix::fs::symlink(cgroup.join("cgroup.procs"), &procs).expect("a link without such a name");
        let script = format!("echo $$ > {}; exec {} names", procs.display(), program.display());
        let status = std::process::Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).status();
        assert!(status.expect("run it").success());
        let dump = recording.dump();
        let raw = dump.text.chars().find(|char| char.is_control() && *char != '\n');
        assert_eq!(raw, None, "{format}: {}", dump.text);
        assert!(dump.has("owned"), "{format}: {}", dump.text);
        assert!(!dump.told.contains('\u{1b}'), "{}", dump.told);
        let ended = dump.text.lines().filter(|line| line.starts_with('b') || line.trim().is_empty()).count();
        assert_eq!(ended, 0, "a newline in a name begins a line:\n{}", dump.text);
        if format == "json" {
            for line in dump.text.lines() {
                serde_json::from_str::<serde_json::Value>(line).expect("JSON");
            }
        }
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn ten_thousand_threads_are_all_there() {
    let scratch = Scratch::new();
    let program = compile(&scratch, "hostile", &[]);
    let recording = scratch.record(&["--buffer-size", "32M", "--memory-max", "256M"]);
    let status = scratch.command(&format!("{} threads", program.display())).status().expect("run it");
    assert!(status.success(), "{status}");
    let dump = recording.dump();
    dump.must_be_complete();
    assert_eq!(dump.count(" getppid("), 10_000);
    assert_eq!(dump.count("+++ exited with 0 +++"), 10_001);
}

#[test]
#[ignore = "needs root and BPF"]
fn a_fork_bomb_is_counted() {
    let dump = hostile(&[], "bomb");
    assert_eq!(dump.count("+++ exited with "), 1023);
}

/// A storm of cgroups below the recorded one: what comes after it is recorded from its first call on.
#[test]
#[ignore = "needs root and BPF"]
fn after_ten_thousand_cgroups_the_next_one_is_recorded() {
    let scratch = Scratch::new();
    let recording = scratch.record(&[]);
    for n in 0..10_000 {
        let cgroup = scratch.cgroup.join(format!("storm-{n}"));
        fs::create_dir(&cgroup).expect("make a cgroup");
        fs::remove_dir(&cgroup).expect("remove it");
    }
    let last = scratch.cgroup.join("last");
    fs::create_dir(&last).expect("make a cgroup");
    let script = format!("echo $$ > {}; exec /bin/true after-the-storm", last.join("cgroup.procs").display());
    assert!(std::process::Command::new("sh").args(["-c", &script]).status().expect("run it").success());
    let dump = recording.dump();
    dump.must_be_complete();
    dump.must_have(r#"["/bin/true", "after-the-storm"]"#);
}
