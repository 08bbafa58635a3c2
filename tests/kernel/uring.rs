//! What io_uring does inside the kernel: requests and completions as lines of their own.

use std::process::Command;

use serde_json::Value;

use super::support::{Dump, Recording, Scratch, compile};

/// A dump of programs/uring.c that ran in the cgroup, with another outside of it.
fn recorded(format: &str, options: &[&str], way: &str) -> Dump {
    let scratch = Scratch::new();
    let program = compile(&scratch, "uring", &[]);
    let options = [&["cgroups", "--dump-on-exit", "--format", format], options].concat();
    let recording = Recording::start(&scratch.files.path().join("dump"), &options, &[&scratch.cgroup]);
    let command = format!("{} /etc/hostname {way}", program.display());
    let inside = scratch.command(&command).output().expect("run it");
    assert_eq!(inside.status.code(), Some(0), "{inside:?}: is io_uring allowed here? (kernel.io_uring_disabled)");
    let outside = Command::new(&program).args(["/etc/passwd", way]).output().expect("run it");
    assert!(outside.status.success());
    recording.dump()
}

fn requests(dump: &Dump, step: &str) -> Vec<Value> {
    let lines = dump.text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter(|line| line["type"] == "uring" && line["step"] == step).collect()
}

#[test]
#[ignore = "needs root and BPF"]
fn requests_and_completions_belong_together() {
    for way in ["", "poll"] {
        let dump = recorded("json", &[], way);
        let (submitted, completed) = (requests(&dump, "submitted"), requests(&dump, "completed"));
        let word = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let of = |user_data: u64| {
            let find = |lines: &[Value]| {
                let mut found = lines.iter().filter(|line| line["user_data"] == user_data).cloned();
                let one = found.next().unwrap_or_else(|| panic!("{way}: no {user_data:#x} in:\n{}", dump.text));
                assert!(found.next().is_none(), "{user_data:#x} is there twice");
                one
            };
            let (begin, end) = (find(&submitted), find(&completed));
            for key in ["ring", "request", "op", "pid", "tid"] {
                assert_eq!(begin[key], end[key], "{key} of {user_data:#x}");
            }
            let long = end["duration_ns"].as_u64().expect("both were seen");
            (begin, end, long)
        };
        let field = |line: &Value, name: &str| {
            line["fields"].as_array().into_iter().flatten().find(|field| field["name"] == name).cloned().expect(name)
        };
        // Five requests, and none of those outside.
        assert_eq!((submitted.len(), completed.len()), (5, 5), "{way}:\n{}", dump.text);
        let (open, opened, _) = of(0xa1);
        assert_eq!(word(&open, "op"), "IORING_OP_OPENAT");
        assert_eq!(field(&open, "path")["value"], "/etc/hostname");
        assert_eq!(field(&open, "open_flags")["text"], "O_RDONLY");
        let file = opened["res"].as_i64().expect("a descriptor");
        let (read, _, _) = of(0xa2);
        assert_eq!(field(&read, "fd")["value"], file);
        assert_eq!((&field(&read, "len")["value"], &field(&read, "off")["value"]), (&16.into(), &2.into()));
        let (_, failed, _) = of(0xa3);
        assert_eq!((word(&failed, "errno"), &failed["res"]), ("EBADF".into(), &(-9).into()));
        let (_, timeout, long) = of(0xa4);
        assert_eq!(word(&timeout, "errno"), "ETIME");
        assert!(long >= 20_000_000, "the timeout took {long} ns");
        // A worker of the kernel's did it, for the thread that asked.
        let (worker, late, long) = of(0xa5);
        assert_eq!((field(&worker, "flags")["text"].clone(), late["res"].clone()), ("IOSQE_ASYNC".into(), 5.into()));
        assert!(long >= 10_000_000, "the pipe's reader took {long} ns");
        let polled = word(&open, "comm").starts_with("iou-sqp-");
        assert_eq!(polled, way == "poll", "{}", word(&open, "comm"));
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn a_line_cannot_be_taken_for_a_call() {
    let dump = recorded("text", &[], "");
    dump.must_have("io_uring: #2 IORING_OP_READ fd=").must_have(" completed: -EBADF (Bad file descriptor) <0.");
    let ours: Vec<_> = dump.text.lines().filter(|line| line.contains("] io_uring: ")).collect();
    assert_eq!(ours.len(), 10, "{}", dump.text);
    assert!(ours.iter().all(|line| !line.contains('(') || line.contains("completed: -")), "{ours:?}");
    let dump = recorded("strace", &[], "");
    dump.must_have("io_uring_setup(8, ");
    assert!(!dump.has("io_uring: ") && !dump.has("IORING_OP_"), "{}", dump.text);
}

#[test]
#[ignore = "needs root and BPF"]
fn they_are_chosen_as_their_calls_are() {
    let dump = recorded("text", &["--syscalls", "!io_uring_enter"], "");
    assert!(!dump.has("io_uring: "), "{}", dump.text);
    let dump = recorded("text", &["-Z"], "");
    assert_eq!(dump.count("] io_uring: "), 2, "{}", dump.text);
    let dump = recorded("text", &["--only-slower", "15ms"], "");
    assert_eq!((dump.count("] io_uring: "), dump.count(" completed: ")), (2, 2), "{}", dump.text);
}
