//! What the fuzzer throws at traceloop, thrown here too: its corpus, and each file of it changed in many ways.
//! `tests/fuzz/run` looks for more.

#[path = "../fuzz/checks/config.rs"]
mod config;
#[path = "../fuzz/checks/decoder.rs"]
mod decoder;
#[path = "../fuzz/checks/expression.rs"]
mod expression;
#[path = "../fuzz/checks/reader.rs"]
mod reader;
#[path = "../fuzz/checks/request.rs"]
mod request;
#[path = "../fuzz/checks/ring.rs"]
mod ring;

use std::{fs, path::Path};

/// Changes of each file.
const CHANGES: u32 = if cfg!(debug_assertions) { 60 } else { 1500 };

/// A sequence of numbers that is the same each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).expect("a word") % below.max(1)
    }
}

/// The same bytes with some of them changed, gone, repeated, or another file's.
fn changed(bytes: &[u8], other: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    const TELLING: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'\\', 0x1b];
    let mut bytes = bytes.to_vec();
    for _ in 0..=numbers.next(6) {
        let (at, byte) = (numbers.next(bytes.len()), numbers.next(256));
        match numbers.next(6) {
            0 => bytes.truncate(at),
            1 => bytes.splice(at..at, other.iter().copied().skip(numbers.next(other.len())).take(64)).for_each(drop),
            2 => bytes.drain(at..bytes.len().min(at + numbers.next(32))).for_each(drop),
            3 if !bytes.is_empty() => bytes[at] = TELLING[byte % TELLING.len()],
            4 if !bytes.is_empty() => bytes[at] ^= 1 << (byte % 8),
            _ if !bytes.is_empty() => bytes[at] = u8::try_from(byte).expect("a byte"),
            _ => bytes.push(u8::try_from(byte).expect("a byte")),
        }
    }
    bytes
}

fn throw(target: &str, check: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(corpus).expect("the corpus").flatten().map(|entry| entry.path()).collect();
    files.sort();
    let files: Vec<Vec<u8>> = files.iter().map(|path| fs::read(path).expect("read it")).collect();
    assert!(files.len() >= 3, "{target} has {} files", files.len());
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for (n, bytes) in files.iter().enumerate() {
        check(bytes);
        for _ in 0..CHANGES {
            check(&changed(bytes, &files[(n + numbers.next(files.len())) % files.len()], &mut numbers));
        }
    }
}

#[test]
fn dump_files() {
    throw("reader", reader::check);
}

#[test]
fn records() {
    throw("decoder", decoder::check);
}

#[test]
fn rings() {
    throw("ring", ring::check);
}

#[test]
fn configurations() {
    throw("config", config::check);
}

#[test]
fn requests() {
    throw("request", request::check);
}

#[test]
fn expressions() {
    throw("expression", expression::check);
}
