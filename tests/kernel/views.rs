//! What the views rest on: the kernel keeps only slow calls, and counts calls without recording them.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use super::support::{Scratch, TRACELOOP, WAYS};

/// Some fast calls of each kind, and one that takes its time.
const SLOW: &str = "sh -c 'cat /etc/hostname; sleep 0.3; cat /nonexistent'";

#[test]
#[ignore = "needs root and BPF"]
fn only_slower_calls_are_kept() {
    for way in WAYS {
        let dump = Scratch::new().run(&[way, &["--only-slower", "200ms"]].concat(), SLOW);
        let text = &dump.text;
        assert!(text.contains("nanosleep("), "{way:?}: {text}");
        for fast in ["openat(", "read(", "mmap(", "close("] {
            assert!(!text.contains(fast), "{way:?}: {fast} in {text}");
        }
        // What is told of a call at its start is told to its end, however short it was.
        assert_eq!(dump.count("<unfinished ...>"), dump.count(" resumed>"), "{way:?}: {text}");
        assert!(dump.has("execve(") && dump.has("wait4("), "{way:?}: {text}");
        assert!(text.contains("+++ exited with 0 +++"), "{way:?}: {text}");
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn top_counts_each_call_of_a_cgroup() {
    let scratch = Scratch::new();
    let cgroup = scratch.cgroup.to_str().expect("a path");
    // It joins before the counting begins and makes its calls in the middle of it.
    let program = "python3 -c 'import os, sys, time\nprint(flush=True)\nsys.stdin.readline()\n\
                   for _ in range(5000): os.getppid()\n\
                   for _ in range(70): os.access(\"/nonexistent/x\", 0)\n\
                   print(flush=True)\nsys.stdin.readline()'";
    let mut child =
        scratch.command(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("run the program");
    let mut said = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut tell = child.stdin.take().expect("a pipe");
    let mut line = String::new();
    said.read_line(&mut line).expect("it runs");
    let top = Command::new(TRACELOOP)
        .args(["top", "--json", "--once", "--by", "call", "--delay", "5", cgroup])
        .stdout(Stdio::piped())
        .spawn()
        .expect("run top");
    std::thread::sleep(std::time::Duration::from_secs(3));
    tell.write_all(b"\n").expect("tell it to go on");
    said.read_line(&mut line).expect("it has made its calls");
    let output = top.wait_with_output().expect("top ends");
    drop(tell);
    child.wait().expect("it ends");
    let rows: Vec<serde_json::Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object a line"))
        .collect();
    let of = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name}: {rows:?}"));
    assert_eq!((&of("getppid")["calls"], &of("getppid")["errors"]), (&5000.into(), &0.into()));
    assert_eq!((&of("access")["calls"], &of("access")["errors"]), (&70.into(), &70.into()));
    assert!(of("getppid")["time_ns"].as_u64().is_some_and(|time| time > 0), "{rows:?}");
}
