//! Of a large dump a part is shown as it stands in the whole, and only its blocks are read.

use std::{
    collections::HashSet,
    fs,
    io::Read,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::Value;
use traceloop::model::{Block, Completeness, Dump, Recording, Stretch, Window};

use super::support::{header, openat_by, reading, stderr, stdout, task, traceloop};

const SECOND: u64 = 1_000_000_000;
/// So many calls of each ring.
const CALLS: u64 = 8_000;

struct Stored {
    _place: tempfile::TempDir,
    file: PathBuf,
}

/// Calls in two rings; some last for half of the dump, one is in flight.
fn recording(dump: Dump) -> Recording {
    let ring = |cpu: u32| {
        let mut records = vec![task(6, SECOND, 70 + cpu, [70 + cpu, 0, 70 + cpu], b"early")];
        for n in 0..CALLS {
            let time = SECOND + 2000 * n + 1000 * u64::from(cpu) + 900;
            let (tid, duration) =
                if n % 2500 == 2499 { (90 + u64::from(cpu), 2000 * n / 2) } else { (70 + u64::from(cpu), 300) };
            records.push(openat_by(tid, format!("/{cpu}/{n}"), time, duration));
        }
        Block::cut(Some(cpu), 0, &records.concat()).collect::<Vec<_>>()
    };
    let mut blocks = ring(0);
    blocks.extend(ring(1));
    blocks.push(Block::of(None, 0, reading(95, SECOND + 7777)));
    Recording { dump: Dump { taken: 2 * SECOND, ..dump }, blocks }
}

fn stored(recording: &Recording) -> Stored {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("a.dump");
    let mut bytes = Vec::new();
    traceloop::store::write(&mut bytes, &traceloop::decode::summed_up(recording.clone())).expect("write a dump");
    fs::write(&file, bytes).expect("write a file");
    Stored { _place: place, file }
}

impl Stored {
    fn show(&self, options: &[&str]) -> std::process::Output {
        traceloop(&[&["show"], options, &[self.file.to_str().expect("a path")]].concat())
    }

    /// The lines of JSON behind the first, which are the events.
    fn events(&self, options: &[&str]) -> Vec<Value> {
        let output = self.show(&[&["--format", "json"], options].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output).lines().skip(1).map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

fn is_call(event: &&Value) -> bool {
    event["type"] == "call"
}

#[test]
fn the_last_calls_are_the_end_of_all_of_them() {
    let stored = stored(&recording(header()));
    let all = stored.events(&[]);
    assert!(all.is_sorted_by_key(|event| event["ts"].as_f64().map(f64::to_bits)));
    assert_eq!(all.iter().filter(is_call).count() as u64, 2 * CALLS + 1);
    for last in [1, 100, 5000] {
        let shown = stored.events(&["-n", &last.to_string()]);
        assert_eq!(shown, all[all.len() - last..], "-n {last}");
    }
    let of_one = stored.events(&["-n", "2", "--tid", "90"]);
    assert_eq!(of_one, all.iter().filter(|event| event["tid"] == 90).skip(1).cloned().collect::<Vec<_>>());
    let since = stored.events(&["--since", "-990ms"]);
    let known: HashSet<String> = all.iter().map(Value::to_string).collect();
    assert!(since.len() > 1000 && since.iter().all(|event| known.contains(&event.to_string())));
}

#[test]
fn only_the_blocks_of_a_part_are_read() {
    let whole = recording(header());
    let stored = stored(&whole);
    let mut bytes = fs::read(&stored.file).expect("read it");
    // In the records of the first block.
    let middle = bytes.windows(4).position(|bytes| bytes == [0x28, 0xb5, 0x2f, 0xfd]).expect("the header");
    let records = middle
        + 4
        + bytes[middle + 4..].windows(4).position(|bytes| bytes == [0x28, 0xb5, 0x2f, 0xfd]).expect("a block");
    bytes[records + 100] ^= 0xff;
    fs::write(&stored.file, bytes).expect("write it");
    let all = stored.show(&[]);
    assert_eq!(all.status.code(), Some(1));
    let missing = format!("--- {} records missing", whole.blocks[0].records);
    assert!(
        stdout(&all).contains(&missing) && stdout(&all).contains("a block is damaged"),
        "{}",
        stdout(&all).lines().take(20).collect::<Vec<_>>().join("\n")
    );
    assert!(stderr(&all).contains("checksum"), "{}", stderr(&all));
    // What stands before a part is read for the state in which it begins, as far as it matters.
    let part = stored.show(&["-n", "10", "--format", "json"]);
    assert_eq!(stdout(&part).lines().filter(|line| line.contains("\"type\":\"call\"")).count(), 10);
}

#[test]
fn a_terminal_is_shown_the_newest_part() {
    let stored = stored(&recording(header()));
    let terminal = nix::pty::openpty(None, None).expect("a terminal");
    let mut command = Command::new(env!("CARGO_BIN_EXE_traceloop"));
    command.args(["show", "--color", "never"]).arg(&stored.file).env("PAGER", "cat");
    command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(terminal.slave);
    let mut child = command.spawn().expect("run traceloop");
    drop(command);
    let mut shown = Vec::new();
    // When the last who writes to it is gone, it fails.
    let _ = fs::File::from(terminal.master).read_to_end(&mut shown);
    assert!(child.wait().expect("wait for it").success());
    let text = String::from_utf8_lossy(&shown).replace('\r', "");
    let calls: Vec<&str> = text.lines().filter(|line| !line.starts_with('#') && line.contains("openat(")).collect();
    assert_eq!(calls.len(), 1000, "{}", text.lines().take(10).collect::<Vec<_>>().join("\n"));
    assert!(calls[999].contains(&format!("/1/{}", CALLS - 1)), "{}", calls[999]);
    let said = format!("# shown are the newest 1000 of {} calls: more with -n N", 2 * CALLS);
    assert!(text.lines().any(|line| line.starts_with(&said)), "{text}");
    // Into a pipe all of them.
    let all = stdout(&stored.show(&[]));
    let calls = all.lines().filter(|line| !line.starts_with('#') && line.contains("openat(")).count();
    assert_eq!(calls as u64, 2 * CALLS);
}

#[test]
fn a_gap_is_a_line_where_it_is() {
    let gap = Completeness::Gap { records: 12, reason: "they were overwritten before they could be copied".into() };
    let stretches = vec![
        Stretch { from: 0, to: SECOND + 4_000_500, state: Completeness::Complete },
        Stretch { from: SECOND + 4_000_500, to: SECOND + 5_000_500, state: gap },
        Stretch { from: SECOND + 5_000_500, to: 2 * SECOND, state: Completeness::Complete },
    ];
    let stored = stored(&recording(Dump { window: Window { stretches, ..Window::default() }, ..header() }));
    let text = stdout(&stored.show(&[]));
    let line = text.lines().position(|line| line.contains("---")).expect("a line");
    let lines: Vec<&str> = text.lines().skip(line - 1).take(3).collect();
    assert!(
        lines[1].ends_with(" --- 12 records missing, for 1ms: they were overwritten before they could be copied ---"),
        "{lines:?}"
    );
    assert!(lines[0].contains("/1/1999") && lines[2].contains("/0/2000"), "{lines:?}");
    let events = stored.events(&[]);
    let gap = events.iter().find(|event| event["type"] == "gap").expect("an object");
    assert_eq!(
        (&gap["records"], gap["until"].as_f64().map(|until| until - gap["ts"].as_f64().unwrap_or(0.0) > 0.0009)),
        (&12.into(), Some(true))
    );
}
