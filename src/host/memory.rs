//! Records of calls that have not ended: the task iterator tells registers, /proc/PID/mem what they point to.
//!
//! The thread goes on meanwhile: what its memory holds now is what is told, and a thread that has
//! left the call in between just has it twice; the decoder keeps the ended one.

use std::fs::{self, File};

use super::{pieces::Reader, walk::Walker};
use crate::{
    kernel::{line, network_of, own_network, sees_all_pids},
    model::{Module, Stacks},
    redact,
    syscall::{self, Abi, Row},
    wire::{self, Part, inflight},
};

/// What records of calls in flight are made of, for one dump.
pub(super) struct Memory {
    /// When those whose start was not seen are looked at.
    now: u64,
    string_limit: u32,
    contents: bool,
    walker: Walker,
}

impl Memory {
    pub(super) fn new(now: u64, string_limit: u32, contents: bool, stacks: Stacks) -> Self {
        Self { now, string_limit, contents, walker: Walker::new(stacks, now) }
    }

    /// A call in flight as a record; where its thread is stands in front of it, if that is wanted.
    pub(super) fn record(&mut self, bytes: &[u8]) -> Vec<u8> {
        let call = line(bytes);
        let mut told = sees_all_pids().then(|| self.walker.stack(&call)).flatten().unwrap_or_default();
        let record = record(&call, self.string_limit, self.now);
        told.extend(if self.contents { record } else { redact::without_contents(&record) });
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
    wire::in_flight_record(&inflight { entered: since(&call, now), ..call }, registers(&call).min(6), &[])
}

/// When a call began. Of one whose start nobody saw it is known at most for how long its thread has slept.
pub(super) fn since(call: &inflight, now: u64) -> u64 {
    if call.entered == 0 { now.saturating_sub(call.asleep) } else { call.entered }
}

fn registers(call: &inflight) -> u8 {
    let row = syscall::row(Abi::native(call.flags.0 & wire::record_flag::FLAG_COMPAT.0 != 0), call.nr);
    let args = row.map_or(&[][..], Row::args);
    args.iter().map(|arg| arg.index + 1).max().unwrap_or(if row.is_some() { 0 } else { 6 })
}

fn record(call: &inflight, string_limit: u32, now: u64) -> Vec<u8> {
    let mut call = *call;
    call.entered = since(&call, now);
    let by_number = sees_all_pids();
    call = with_registers(call);
    let abi = Abi::native(call.flags.0 & wire::record_flag::FLAG_COMPAT.0 != 0);
    let row = syscall::row(abi, call.nr);
    let memory = File::open(format!("/proc/{}/mem", call.tid)).ok().filter(|_| by_number);
    let known = memory.zip(row).map(|(memory, row)| Reader::new(&memory, &call, abi, row, string_limit).pieces());
    let (mut pieces, is_cut) = known.unwrap_or_default();
    if is_cut {
        call.flags.0 |= wire::record_flag::FLAG_CUT.0;
    }
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

/// The same with its arguments, where the iterator could not tell them.
pub(super) fn with_registers(call: inflight) -> inflight {
    let unknown = call.args == [0; 6] && sees_all_pids();
    let args = if unknown { registers_of_proc(call.tid).unwrap_or_default() } else { call.args };
    inflight { args, ..call }
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
