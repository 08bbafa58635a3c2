//! Real records hold to what the fuzzer asks of any; and the fuzzer's corpus is made of them: with
//! TRACELOOP_CORPUS=tests/fuzz/corpus this test writes it anew.

#[path = "../fuzz/checks/decoder.rs"]
mod decoder;
#[path = "../fuzz/checks/reader.rs"]
mod reader;
#[path = "../fuzz/checks/ring.rs"]
mod ring;

use std::{
    collections::BTreeMap,
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use traceloop::{
    decode,
    model::{Block, Recording},
    store,
    wire::{self, Record},
};

use super::support::TRACELOOP;

/// No file of the corpus is larger, bytes.
const FILE_MOST: usize = 700;

fn recorded(command: &[&str]) -> Recording {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("dump");
    let mut run = Command::new(TRACELOOP);
    run.args(["run", "--format", "raw", "--buffer-size", "4M", "-o"]).arg(&file).arg("--").args(command);
    run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().expect("run traceloop");
    store::read(fs::File::open(&file).expect("a dump")).expect("read it").0
}

/// What tells one record's form from another's.
fn form(record: &Record<'_>) -> (u8, i32, bool) {
    let call = record.call();
    (record.kind().0, call.map_or(0, |call| call.nr()), call.is_some_and(|call| call.ret() < 0))
}

#[test]
#[ignore = "needs root and BPF"]
fn real_records_hold_to_what_is_asked_of_any() {
    let kinds = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kernel/programs/kinds.py");
    let recordings = [
        recorded(&["python3", kinds]),
        recorded(&["sh", "-c", "ls -l / | sort; cat /nonexistent; sleep 0.1 & wait; kill -SEGV $$"]),
    ];
    let mut forms: BTreeMap<(u8, i32, bool), Vec<u8>> = BTreeMap::new();
    for recording in &recordings {
        let mut file = Vec::new();
        store::write(&mut file, recording).expect("write it");
        reader::check(&[&[0], &file[..]].concat());
        let plain: Vec<_> = recording.blocks.iter().map(|block| block.plain().expect("they are plain")).collect();
        for record in plain.iter().flat_map(|bytes| wire::records(bytes)) {
            let kept = forms.entry(form(&record)).or_insert_with(|| record.bytes().to_vec());
            if record.bytes().len() < kept.len() {
                *kept = record.bytes().to_vec();
            }
        }
    }
    println!("{} forms of records", forms.len());
    assert!(forms.len() > 60, "{} forms", forms.len());
    for record in forms.values() {
        for style in [0, 1, 0x22, 0x7f, 0x80] {
            decoder::check(&[&[style], &record[..]].concat());
        }
        ring::check(&event(record));
    }
    if let Some(corpus) = env::var_os("TRACELOOP_CORPUS") {
        write(Path::new(&corpus), &recordings[1], &forms);
    }
}

/// A record as it stands in a ring, behind how much of the ring is whole.
fn event(record: &[u8]) -> Vec<u8> {
    let size = u16::try_from(record.len() + 8).expect("a small record");
    [&u16::MAX.to_le_bytes()[..], &9_u32.to_ne_bytes(), &[0, 0], &size.to_ne_bytes(), record].concat()
}

fn write(corpus: &Path, recording: &Recording, forms: &BTreeMap<(u8, i32, bool), Vec<u8>>) {
    let put = |target: &str, n: usize, bytes: &[u8]| {
        fs::write(corpus.join(target).join(format!("{n:02}")), bytes).expect("write the corpus");
    };
    let mut files: Vec<Vec<u8>> = vec![Vec::new()];
    for record in forms.values().filter(|record| record.len() < FILE_MOST / 2) {
        if files.last().is_some_and(|file| file.len() + record.len() > FILE_MOST) {
            files.push(Vec::new());
        }
        files.last_mut().expect("a file").extend(record);
    }
    for (n, file) in files.iter().enumerate() {
        put("decoder", n, &[&[u8::try_from(n * 37 % 256).expect("a byte")], &file[..]].concat());
    }
    for (n, record) in forms.values().filter(|record| record.len() < FILE_MOST).step_by(12).enumerate() {
        put("ring", n, &[event(record), event(record).split_off(2)].concat());
    }
    // Some of one recording, and what a header says of it.
    let blocks = vec![Block::of(Some(0), 0, files[0].clone())];
    let mut dump = recording.dump.clone();
    dump.processes.truncate(1);
    (dump.files, dump.files_before, dump.interfaces, dump.generic_families) = Default::default();
    (dump.host, dump.boot_id) = ("host".into(), "boot".into());
    let small = Recording { dump, blocks };
    let summed_up = decode::summed_up(small.clone());
    for (n, recording) in [small, summed_up.clone()].iter().enumerate() {
        let mut file = Vec::new();
        store::write(&mut file, recording).expect("write it");
        put("reader", n, &[&[0], &file[..]].concat());
    }
    // The same by parts, of which checks/reader.rs makes a file.
    let header = serde_json::to_vec(&summed_up.dump).expect("a header");
    let mut parts = vec![1];
    for (kind, data) in [(1, &header), (2, &files[0]), (3, &Vec::new())] {
        parts.extend([kind, 0]);
        parts.extend(u16::try_from(data.len()).expect("a small block").to_le_bytes());
        parts.extend(data);
    }
    put("reader", 2, &parts);
}
