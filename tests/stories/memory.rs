//! Showing a dump takes no more memory for its size.

use std::{
    fs,
    io::Read,
    process::{Command, Stdio},
};

use super::support::{dump, openat_by};

const MIB: usize = 1 << 20;
/// So much for any dump: the program itself, blocks of one moment, events on their way into order.
const MOST: usize = 64 * MIB;

#[test]
fn a_large_dump_is_shown_in_no_more_memory_than_a_small_one() {
    let records: Vec<Vec<u8>> = (0..)
        .map(|n: u64| openat_by(10 + n % 50, format!("/usr/share/doc/{n}/README"), 1_000_000_000 + n * 1_000, 40_000))
        .scan(0, |size, record| {
            *size += record.len();
            (*size <= 48 * MIB).then_some(record)
        })
        .collect();
    let size: usize = records.iter().map(Vec::len).sum();
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("large.dump");
    fs::write(&file, dump(&records)).expect("write a dump");
    let file = file.to_str().expect("a path");
    for options in [&["--format", "strace"][..], &["-yy"], &["-n", "1000"]] {
        let (peak, shown) = peak_of(&[&["show", file], options].concat());
        println!("{options:?}: {} MiB of records, {} MiB shown, {} MiB at most", size / MIB, shown / MIB, peak / MIB);
        assert!(shown > 1000 * 40, "{options:?} shows only {shown} bytes");
        assert!(peak <= MOST, "{options:?}: {} MiB for {} MiB", peak / MIB, size / MIB);
    }
}

/// The most memory that traceloop had while it wrote, and how much it wrote, bytes.
fn peak_of(args: &[&str]) -> (usize, usize) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_traceloop"))
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("run traceloop");
    let status = format!("/proc/{}/status", child.id());
    let mut out = child.stdout.take().expect("its output");
    let (mut peak, mut shown, mut buffer) = (0, 0, vec![0; 1 << 16]);
    loop {
        let got = out.read(&mut buffer).expect("read its output");
        // It is the high-water mark, so the last look counts; the process is gone behind its last byte.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(mark.unwrap_or(0_usize) * 1024);
        if got == 0 {
            break;
        }
        shown += got;
    }
    assert!(child.wait().expect("wait for traceloop").success(), "{args:?}");
    assert!(peak > 0, "no memory was told");
    (peak, shown)
}
