//! Interfaces go by the names of the network namespace that a call was made in, or by their numbers.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use super::support::{Scratch, WAYS};

/// How interfaces are named in a process's calls, in order.
fn named(dump: &str, pid: u32) -> Vec<String> {
    let own = dump.lines().filter(|line| line.starts_with(&format!("{pid} ")) && line.contains(" connect("));
    own.filter_map(|line| Some(line.split_once("sin6_scope_id=")?.1.split('}').next()?.to_owned())).collect()
}

#[test]
#[ignore = "needs root and BPF"]
fn interfaces_of_another_network_never_go_by_names_of_this_one() {
    let (index, name) = traceloop::recorder::interfaces().into_iter().find(|(index, _)| *index > 1).expect(
        "an interface besides the loopback: the names of this network are what must not be told of the other one",
    );
    let here = format!("if_nametoindex(\"{name}\")");
    let program = format!("python3 {}/tests/kernel/programs/networks.py {index}", env!("CARGO_MANIFEST_DIR"));
    for way in WAYS {
        let scratch = Scratch::new();
        let recording = scratch.record(&[&["--buffer-size", "4M"], way].concat());
        let mut gone = scratch.command(&program).stdin(Stdio::null()).spawn().expect("run it");
        let status = gone.wait().expect("wait for it");
        assert!(status.success(), "{status}: is unshare allowed here?");
        let mut stays = scratch
            .command(&format!("{program} stay"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("run it");
        let mut ready = String::new();
        BufReader::new(stays.stdout.take().expect("its output")).read_line(&mut ready).expect("read its output");
        assert_eq!(ready, "ready\n");
        let dump = recording.dump().text;
        drop(stays.stdin.take());
        assert!(stays.wait().expect("wait for it").success());
        // Nobody can tell any more how they were called.
        assert_eq!(named(&dump, gone.id()), [&here, &index.to_string(), "1"], "{way:?}\n{dump}");
        assert_eq!(named(&dump, stays.id()), [&here, &index.to_string(), "if_nametoindex(\"other0\")"], "{way:?}");
    }
}
