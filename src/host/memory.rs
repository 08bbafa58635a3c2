//! Records of calls that have not ended: the task iterator tells registers, /proc/PID/mem what they point to.
//!
//! The thread goes on meanwhile: what its memory holds now is what is told, and a thread that has
//! left the call in between just has it twice; the decoder keeps the ended one.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
};

use super::walk::Walker;
use crate::{
    kernel::{line, network_of, own_network, sees_all_pids},
    model::{Module, Stacks},
    syscall::{self, Abi, Arg, Kind, Len, Row, Shape},
    wire::{self, Part, inflight},
};

type Piece = wire::OwnedPiece;

/// What records of calls in flight are made of, for one dump.
pub(super) struct Memory {
    /// When a call is told that began nobody knows when.
    now: u64,
    string_limit: u32,
    walker: Walker,
}

impl Memory {
    pub(super) fn new(now: u64, string_limit: u32, stacks: Stacks) -> Self {
        Self { now, string_limit, walker: Walker::new(stacks, now) }
    }

    /// A call in flight as a record; where its thread is stands in front of it, if that is wanted.
    pub(super) fn record(&mut self, bytes: &[u8]) -> Vec<u8> {
        let call = line(bytes);
        let mut told = sees_all_pids().then(|| self.walker.stack(&call)).flatten().unwrap_or_default();
        told.extend(record(&call, self.string_limit, self.now));
        told
    }

    /// So many files of stacks have numbers already.
    pub(super) fn count_modules_from(&mut self, numbered: usize) {
        self.walker.count_from(numbered);
    }

    /// The files that stacks lead through and that were not told of yet.
    pub(super) fn new_modules(&mut self) -> Vec<Module> {
        self.walker.new_modules()
    }
}

/// The same without a look at its process: what it points to is shown as addresses.
pub(super) fn record_unseen(bytes: &[u8], now: u64) -> Vec<u8> {
    let call = line(bytes);
    let entered = if call.entered == 0 { now } else { call.entered };
    wire::in_flight_record(&inflight { entered, ..call }, registers(&call).min(6), &[])
}

fn registers(call: &inflight) -> u8 {
    let row = syscall::row(Abi::native(call.flags.0 & wire::record_flag::FLAG_COMPAT.0 != 0), call.nr);
    let args = row.map_or(&[][..], Row::args);
    args.iter().map(|arg| arg.index + 1).max().unwrap_or(if row.is_some() { 0 } else { 6 })
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
    let mut pieces = memory.map_or_else(Vec::<Piece>::new, |memory| {
        args.iter().flat_map(|arg| pieces(&memory, &call, abi, arg, &arg.kind, string_limit)).collect()
    });
    if !pieces.is_empty()
        && let Some(other) = other_network(call.tid)
    {
        pieces.insert(0, (0, Part::PART_NETWORK, Ok(other.to_ne_bytes().to_vec())));
    }
    wire::in_flight_record(&call, registers(&call).min(6), &pieces)
}

/// The thread's network namespace, unless it is the recorder's.
fn other_network(tid: u32) -> Option<u32> {
    let its = network_of(tid);
    if its.is_some() && its == own_network() { None } else { Some(its.unwrap_or(0)) }
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
