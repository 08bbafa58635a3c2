//! Calls that have not ended: the task iterator tells registers, /proc/PID/mem what they point to.
//!
//! The thread goes on meanwhile: what its memory holds now is what is told, and a thread that has
//! left the call in between just has it twice; the decoder keeps the ended one.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
};

use super::{network, pids::sees_all_pids, walk::Walker};
use crate::{
    model::{Process, plain},
    syscall::{self, Abi, Arg, Kind, Len, Row, Shape},
    wire::{self, Part, inflight},
};

type Piece = wire::OwnedPiece;

/// A call that has not ended.
#[derive(Clone, Debug)]
pub struct InFlight {
    /// Where its end will be written.
    pub slot: u32,
    /// The cgroup that its thread is in.
    pub cgroup: u64,
    /// Its thread.
    pub thread: Process,
    /// It, as a record; where its thread is stands in front of it, if that is wanted.
    pub record: Vec<u8>,
}

/// The wanted calls in flight, out of what the iterator wrote. A call whose start was not seen is told
/// at `now`.
pub(super) fn records(
    lines: &[u8],
    string_limit: u32,
    now: u64,
    wanted: impl Fn(u32, u64) -> bool,
    walker: &mut Walker,
) -> Vec<InFlight> {
    lines
        .chunks_exact(size_of::<inflight>())
        .map(line)
        .filter(|call| wanted(call.slot, call.cgroup))
        .map(|call| {
            let mut bytes = sees_all_pids().then(|| walker.stack(&call)).flatten().unwrap_or_default();
            bytes.extend(record(&call, string_limit, now));
            InFlight { slot: call.slot, cgroup: call.cgroup, thread: thread(&call), record: bytes }
        })
        .collect()
}

fn thread(call: &inflight) -> Process {
    let name = call.comm.split(|byte| *byte == 0).next().unwrap_or_default();
    Process { tid: call.tid, pid: call.tgid, comm: plain(&String::from_utf8_lossy(name)).into_owned() }
}

fn line(bytes: &[u8]) -> inflight {
    let u64_at = |at: usize| bytes.get(at..at + 8).and_then(|raw| raw.try_into().ok()).map_or(0, u64::from_ne_bytes);
    let u32_at = |at: usize| bytes.get(at..at + 4).and_then(|raw| raw.try_into().ok()).map_or(0, u32::from_ne_bytes);
    use std::mem::offset_of;
    let mut call = inflight {
        tid: u32_at(offset_of!(inflight, tid)),
        tgid: u32_at(offset_of!(inflight, tgid)),
        entered: u64_at(offset_of!(inflight, entered)),
        sp: u64_at(offset_of!(inflight, sp)),
        ip: u64_at(offset_of!(inflight, ip)),
        bp: u64_at(offset_of!(inflight, bp)),
        cgroup: u64_at(offset_of!(inflight, cgroup)),
        slot: u32_at(offset_of!(inflight, slot)),
        ..Default::default()
    };
    for (n, arg) in call.args.iter_mut().enumerate() {
        *arg = u64_at(offset_of!(inflight, args) + 8 * n);
    }
    let tail = u32_at(offset_of!(inflight, nr)).to_ne_bytes();
    call.nr = u16::from_ne_bytes([tail[0], tail[1]]);
    call.flags.0 = tail[2];
    let comm = offset_of!(inflight, comm);
    for (to, from) in call.comm.iter_mut().zip(bytes.get(comm..).unwrap_or_default()) {
        *to = *from;
    }
    call
}

fn record(call: &inflight, string_limit: u32, now: u64) -> Vec<u8> {
    let mut call = *call;
    if call.entered == 0 {
        call.entered = now;
    }
    let by_number = sees_all_pids();
    if call.args == [0; 6] && by_number {
        call.args = registers_of_proc(call.tid).unwrap_or_default();
    }
    let abi = Abi::native(call.flags.0 & wire::record_flag::FLAG_COMPAT.0 != 0);
    let row = syscall::row(abi, call.nr);
    let memory = File::open(format!("/proc/{}/mem", call.tid)).ok().filter(|_| by_number);
    let args = row.map_or(&[][..], Row::args);
    let registers = args.iter().map(|arg| arg.index + 1).max().unwrap_or(if row.is_some() { 0 } else { 6 });
    let mut pieces = memory.map_or_else(Vec::<Piece>::new, |memory| {
        args.iter().flat_map(|arg| pieces(&memory, &call, abi, arg, &arg.kind, string_limit)).collect()
    });
    if !pieces.is_empty()
        && let Some(other) = other_network(call.tid)
    {
        pieces.insert(0, (0, Part::PART_NETWORK, Ok(other.to_ne_bytes().to_vec())));
    }
    wire::in_flight_record(&call, registers.min(6), &pieces)
}

/// The thread's network namespace, unless it is the recorder's.
fn other_network(tid: u32) -> Option<u32> {
    let its = network::of(tid);
    if its.is_some() && its == network::own() { None } else { Some(its.unwrap_or(0)) }
}

/// /proc/TID/syscall: number, six arguments, stack pointer, program counter; in hexadecimal.
fn registers_of_proc(tid: u32) -> Option<[u64; 6]> {
    let text = fs::read_to_string(format!("/proc/{tid}/syscall")).ok()?;
    let mut words = text.split_whitespace().skip(1);
    let mut args = [0; 6];
    for arg in &mut args {
        *arg = u64::from_str_radix(words.next()?.trim_start_matches("0x"), 16).ok()?;
    }
    Some(args)
}

/// What the call reads can be told; what it is to write cannot yet.
fn pieces(memory: &File, call: &inflight, abi: Abi, arg: &Arg, kind: &Kind, string_limit: u32) -> Vec<Piece> {
    let from = call.args.get(usize::from(arg.index)).copied().unwrap_or(0);
    let limit = string_limit as usize;
    if from == 0 {
        return Vec::new();
    }
    match kind {
        Kind::Path => vec![(arg.index, Part::PART_DATA, string(memory, from, 4096))],
        Kind::Str => vec![(arg.index, Part::PART_DATA, string(memory, from, limit + 2))],
        Kind::In(shape, len) => bytes(memory, call, abi, arg.index, *shape, *len, limit, Part::PART_DATA),
        Kind::InOut(shape, len) => bytes(memory, call, abi, arg.index, *shape, *len, limit, Part::PART_START),
        Kind::If(_, _, inner) | Kind::Label(_, inner) => pieces(memory, call, abi, arg, inner, string_limit),
        _ => Vec::new(),
    }
}

#[allow(clippy::too_many_arguments, reason = "one argument's whereabouts")]
fn bytes(
    memory: &File,
    call: &inflight,
    abi: Abi,
    index: u8,
    shape: Shape,
    len: Len,
    limit: usize,
    part: Part,
) -> Vec<Piece> {
    let from = call.args[usize::from(index)];
    let register =
        |arg: u8| usize::try_from(call.args.get(usize::from(arg)).copied().unwrap_or(0)).unwrap_or(usize::MAX);
    let count = match len {
        Len::One => 1,
        Len::Arg(arg) => register(arg),
        Len::Bits(arg) => register(arg).div_ceil(64).saturating_mul(8),
        _ => return Vec::new(),
    };
    if matches!(shape, Shape::Iovec | Shape::Message | Shape::Messages | Shape::SigFrame) {
        return Vec::new();
    }
    let most = if shape.is_string() { limit + 1 } else { 4096 };
    let length = count.saturating_mul(shape.size(abi.word())).min(most);
    vec![(index, part, read(memory, from, length))]
}

fn read(memory: &File, from: u64, length: usize) -> Result<Vec<u8>, i32> {
    let mut bytes = vec![0; length];
    match memory.read_at(&mut bytes, from) {
        Ok(got) => {
            bytes.truncate(got);
            Ok(bytes)
        }
        Err(error) => Err(error.raw_os_error().unwrap_or(libc::EFAULT)),
    }
}

/// A string with its NUL; at most `most` bytes, read no further than its page's end at a time.
fn string(memory: &File, from: u64, most: usize) -> Result<Vec<u8>, i32> {
    let mut string = Vec::new();
    while string.len() < most {
        let at = from + string.len() as u64;
        let here = usize::try_from(4096 - at % 4096).unwrap_or(4096).min(most - string.len());
        let chunk = read(memory, at, here)?;
        if chunk.is_empty() {
            return Err(libc::EFAULT);
        }
        match chunk.iter().position(|byte| *byte == 0) {
            Some(end) => {
                string.extend_from_slice(&chunk[..=end]);
                return Ok(string);
            }
            None => string.extend_from_slice(&chunk),
        }
    }
    Ok(string)
}
