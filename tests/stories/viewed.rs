//! A dump is looked through on a terminal; where there is none, that is said.

use std::{fs, path::Path, process::Command};

use traceloop::model::{Block, Recording};

use super::support::{header, openat_by, stderr, task, traceloop};

const CALLS: u64 = 40_000;
const FAILS: u64 = 21_234;

/// Calls, ten microseconds apart, in blocks as a daemon makes them; one of them fails.
fn recording() -> Recording {
    let call = |n: u64| {
        let mut call = openat_by(7, format!("/file-{n}"), 1_000_000_000 + n * 10_000, 2_500);
        if n != FAILS {
            call[32..40].copy_from_slice(&3_i64.to_ne_bytes());
        }
        call
    };
    let mut blocks: Vec<Block> = (0..CALLS / 1_000)
        .map(|n| Block::of(Some(0), 0, (n * 1_000..(n + 1) * 1_000).flat_map(call).collect()))
        .collect();
    let end = 1_000_000_000 + CALLS * 10_000;
    blocks.push(Block::of(Some(0), 0, task(7, end, 9, [9, 0, 0], b"last")));
    let mut dump = header();
    dump.taken = end + 1_000_000;
    Recording { dump, blocks }
}

#[test]
fn a_dump_is_looked_through_on_a_terminal() {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("a.dump");
    let out = fs::File::create(&file).expect("make a file");
    traceloop::store::write(out, &recording()).expect("write a dump");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/views/view.sh");
    let output = Command::new(script)
        .arg(env!("CARGO_BIN_EXE_traceloop"))
        .arg(&file)
        .args([CALLS.to_string(), FAILS.to_string()])
        .output()
        .expect("run view.sh, which needs tmux");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let output = traceloop(&["view", "-1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("standard output is none: `traceloop show` prints"), "{}", stderr(&output));
    let output = traceloop(&["view", "-n", "10", "-1"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    // script(1) gives it a terminal.
    let dumb = Command::new("script")
        .args(["-qec", concat!(env!("CARGO_BIN_EXE_traceloop"), " view -1"), "/dev/null"])
        .env("TERM", "dumb")
        .output()
        .expect("run script");
    let said = String::from_utf8_lossy(&dumb.stdout);
    assert!(!dumb.status.success() && said.contains("TERM is \"dumb\""), "{said}");
}
