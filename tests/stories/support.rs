//! Runs traceloop and makes dump files.

use std::process::{Command, Output, Stdio};

use traceloop::{
    model::{Block, Cause, Dump, Recording},
    store,
};

pub(crate) fn traceloop(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_traceloop")).args(args).stdin(Stdio::null()).output().expect("run traceloop")
}

/// The same with these variables in its environment.
pub(crate) fn traceloop_with(variables: &[(&str, &str)], args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_traceloop"));
    command.args(args).envs(variables.iter().copied()).stdin(Stdio::null()).output().expect("run traceloop")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// x86-64's openat(AT_FDCWD, path, O_RDONLY) = -ENOENT by thread 7, as the kernel side writes it.
pub(crate) fn openat(path: impl AsRef<[u8]>, time: u64) -> Vec<u8> {
    openat_by(7, path, time, 2_500)
}

/// The same by any thread, and as long as one likes.
pub(crate) fn openat_by(tid: u64, path: impl AsRef<[u8]>, time: u64, duration: u64) -> Vec<u8> {
    let path = path.as_ref();
    let mut bytes = vec![0; 6];
    bytes.extend([1, 0]);
    bytes.extend(time.to_ne_bytes());
    bytes.extend(u32::try_from(tid).expect("a thread").to_ne_bytes());
    bytes.extend(257_u16.to_ne_bytes());
    bytes.extend([4, 1]);
    bytes.extend(duration.to_ne_bytes());
    bytes.extend((-2_i64).to_ne_bytes());
    for arg in [0xffff_ff9c_u64, 0x7fff_0000, 0, 0] {
        bytes.extend(arg.to_ne_bytes());
    }
    let length = i16::try_from(path.len() + 1).expect("a short path");
    bytes.extend([1, 0]);
    bytes.extend(length.to_ne_bytes());
    bytes.extend(path);
    bytes.push(0);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let size = u16::try_from(bytes.len()).expect("a small record");
    bytes[4..6].copy_from_slice(&size.to_ne_bytes());
    bytes
}

/// x86-64's write(1, data, of) = of by thread 7, of which so much was captured.
pub(crate) fn writing(data: &[u8], of: u64, time: u64) -> Vec<u8> {
    let mut bytes = head(0, 1, time, 7);
    bytes.extend([1, 0, 3, 1]);
    bytes.extend(2_500_u64.to_ne_bytes());
    [of, 1, 0x7fff_0000, of].iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
    bytes.extend([1, 0]);
    bytes.extend(i16::try_from(data.len()).expect("little data").to_ne_bytes());
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let size = u16::try_from(bytes.len()).expect("a small record");
    bytes[4..6].copy_from_slice(&size.to_ne_bytes());
    bytes
}

/// x86-64's execve(path, ...) by this thread, and how it ended, as the kernel side writes both.
pub(crate) fn execve(tid: u32, path: &str, time: u64, ret: i64) -> [Vec<u8>; 2] {
    let mut begun = head(0, 2, time, tid);
    begun.extend([59, 0, 3, 1]);
    begun.resize(40, 0);
    [0x7fff_0000_u64, 0, 0].iter().for_each(|arg| begun.extend(arg.to_ne_bytes()));
    begun.extend([0, 0]);
    begun.extend(i16::try_from(path.len() + 1).expect("a short path").to_ne_bytes());
    begun.extend(path.as_bytes());
    begun.push(0);
    begun.resize(begun.len().next_multiple_of(8), 0);
    let size = u16::try_from(begun.len()).expect("a small record");
    begun[4..6].copy_from_slice(&size.to_ne_bytes());
    let mut ended = head(40, 1, time + 1_000, tid);
    ended.extend([59, 0, 0, 0]);
    ended.extend(1_000_u64.to_ne_bytes());
    ended.extend(ret.to_ne_bytes());
    [begun, ended]
}

/// x86-64's read(5, ...) by this thread, which had not ended at the dump, as the reader makes it.
pub(crate) fn reading(tid: u32, time: u64) -> Vec<u8> {
    let mut bytes = head(64, 2, time, tid);
    bytes[7] = 16;
    bytes.extend([0, 0, 3, 0]);
    bytes.resize(40, 0);
    [5_u64, 0x7fff_0000, 512].iter().for_each(|arg| bytes.extend(arg.to_ne_bytes()));
    bytes
}

/// A record of a task: a fork, exec, exit, name or move, by its kind, as the kernel side writes it.
pub(crate) fn task(kind: u8, time: u64, tid: u32, words: [u32; 3], comm: &[u8]) -> Vec<u8> {
    let mut bytes = head(64, kind, time, tid);
    [tid].iter().chain(&words).chain(&[0]).for_each(|word| bytes.extend(word.to_ne_bytes()));
    bytes.extend(comm);
    bytes.resize(64, 0);
    bytes
}

/// A signal without siginfo: delivered to `tid`, or sent by it to `target`.
pub(crate) fn signal(kind: u8, time: u64, tid: u32, signo: u32, target: u32, comm: &[u8]) -> Vec<u8> {
    let mut bytes = head(104, kind, time, tid);
    [signo, target, 0].iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
    bytes.resize(80, 0);
    [tid, 0].iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
    bytes.extend(comm);
    bytes.resize(104, 0);
    bytes
}

fn head(size: u16, kind: u8, time: u64, tid: u32) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend(size.to_ne_bytes());
    bytes.extend([kind, 0]);
    bytes.extend(time.to_ne_bytes());
    bytes.extend(tid.to_ne_bytes());
    bytes
}

/// A dump file with these records.
pub(crate) fn dump(records: &[Vec<u8>]) -> Vec<u8> {
    dump_of(header(), records)
}

/// What a dump file says of itself.
pub(crate) fn header() -> Dump {
    Dump {
        traceloop: "0.1.0".into(),
        host: "elsewhere".into(),
        boot_id: "b".into(),
        kernel: "6.1.0".into(),
        arch: "x86_64".into(),
        clock_offset: 1_700_000_000_000_000_000,
        taken: 9_000_000_000,
        began: 1_000_000_000,
        cgroups: vec!["/system.slice/a.service".into()],
        cause: Cause::Exit,
        ..Dump::default()
    }
}

/// A dump file that says this of itself.
pub(crate) fn dump_of(dump: Dump, records: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    store::write(&mut file, &recording_of(dump, records)).expect("write a dump");
    file
}

/// A recording that says this of itself.
pub(crate) fn recording_of(dump: Dump, records: &[Vec<u8>]) -> Recording {
    Recording { dump, blocks: vec![Block::of(Some(0), 0, records.concat())] }
}

/// A dump file as the first version of the format had it: none of the fields that came later.
pub(crate) fn older_dump(records: &[Vec<u8>]) -> Vec<u8> {
    let header = br#"{"traceloop":"0.1.0","host":"h","boot_id":"b","kernel":"6.1.0","arch":"x86_64",
        "clock_offset":1700000000000000000,"taken":9000000000,"began":1000000000,
        "cgroups":["/system.slice/a.service"],"cause":"exit",
        "window":{"complete_from":null,"further":[],"lost":[],"records":1,"overwritten":0},
        "processes":[{"tid":7,"pid":7,"comm":"cat"}]}"#;
    let mut file = b"traceloop\0\x01\0".to_vec();
    for (kind, cpu, data) in [(1, u32::MAX, &header[..]), (2, 0, &records.concat()), (3, u32::MAX, b"")] {
        let packed = zstd::bulk::compress(data, 1).expect("pack");
        let mut head = vec![kind, 0, 0, 0];
        let size = |bytes: &[u8]| u32::try_from(bytes.len()).expect("a small block");
        [cpu, size(data), size(&packed)].iter().for_each(|word| head.extend(word.to_le_bytes()));
        let sum = crc32c::crc32c_append(crc32c::crc32c(&head), &packed);
        head.extend(sum.to_le_bytes());
        file.extend(head);
        file.extend(packed);
    }
    file
}
