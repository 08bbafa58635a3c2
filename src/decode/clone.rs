//! New threads and processes.

use super::{ldt, memory::Memory, raw::Raw, signal, text::Text};
use crate::{syscall::words, wire::Part};

/// clone's flags with the exit signal behind them.
pub(super) fn flags(text: &mut Text<'_>, flags: u64) {
    let (exit_signal, flags) = (flags & 0xff, flags & !0xff);
    if flags != 0 {
        text.flags(&words::process::CLONE, flags);
        if exit_signal != 0 {
            text.push("|");
        }
    }
    if exit_signal != 0 {
        signal::number(text, i32::try_from(exit_signal).unwrap_or(0));
    } else if flags == 0 {
        text.push("0");
    }
}

/// Size of the first clone_args.
const FIRST_SIZE: usize = 64;
/// Size of the one that is told whole.
const LAST_SIZE: u64 = 88;

/// clone3's struct clone_args: what was asked for, and behind it what the kernel wrote where it points.
pub(super) fn args(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, bytes: &[u8]) {
    let size = raw.register(1);
    if bytes.len() < FIRST_SIZE || (bytes.len() as u64) < size.min(LAST_SIZE) {
        return text.addr(raw.register(index));
    }
    let mut memory = Memory::new(&bytes[..bytes.len().min(88)], 0, 8);
    let flags = memory.clone().u64();
    text.braced(|text| {
        asked(text, raw, index, &mut memory);
        if size > LAST_SIZE {
            more(text, bytes, size);
        }
    });
    text.known_until_here();
    if raw.ret.is_none() || raw.failed() {
        return;
    }
    let written =
        [(libc::CLONE_PIDFD, "pidfd", Part::PART_SECOND), (libc::CLONE_PARENT_SETTID, "parent_tid", Part::PART_THIRD)];
    let mut open = false;
    for (bit, name, part) in written.into_iter().filter(|(bit, ..)| flags & u64::from(bit.cast_unsigned()) != 0) {
        text.push(if std::mem::replace(&mut open, true) { ", " } else { " => {" });
        text.push(name);
        text.push("=");
        match raw.number(index, part) {
            Some(number) if bit == libc::CLONE_PIDFD => text.bracketed(|text| text.new_fd(number.cast_signed())),
            Some(number) => text.bracketed(|text| text.signed(number.cast_signed())),
            None => text.addr(pointer(bytes, part)),
        }
    }
    text.push(if open { "}" } else { "" });
}

/// The pointer in the structure that a piece was read through.
fn pointer(bytes: &[u8], part: Part) -> u64 {
    let mut memory = Memory::new(bytes, 0, 8);
    memory.seek(if part == Part::PART_SECOND { 8 } else { 24 });
    memory.u64()
}

/// Bytes behind the fields that are known, if any of them is not 0.
fn more(text: &mut Text<'_>, bytes: &[u8], size: u64) {
    let Some(rest) = bytes.get(88..).filter(|rest| rest.iter().any(|byte| *byte != 0)) else { return };
    text.push(", /* bytes 88..");
    text.unsigned(size.min(4096) - 1);
    text.push(" */ ");
    text.hex_string(rest, false);
}

fn asked(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, memory: &mut Memory<'_>) {
    let flags = memory.u64();
    let (pidfd, child_tid, parent_tid, exit_signal) = (memory.u64(), memory.u64(), memory.u64(), memory.u64());
    let (stack, stack_size, tls) = (memory.u64(), memory.u64(), memory.u64());
    let has = |bit: i32| flags & u64::from(bit.cast_unsigned()) != 0;
    text.field("flags").flags(&words::process::CLONE3, flags);
    if has(libc::CLONE_PIDFD) {
        text.field("pidfd").addr(pidfd);
    }
    if has(libc::CLONE_CHILD_SETTID) || has(libc::CLONE_CHILD_CLEARTID) {
        text.field("child_tid").addr(child_tid);
    }
    if has(libc::CLONE_PARENT_SETTID) {
        text.field("parent_tid").addr(parent_tid);
    }
    text.field("exit_signal");
    match i32::try_from(exit_signal) {
        Ok(signo) if signo < i32::MAX => signal::number(text, signo),
        _ => text.unsigned(exit_signal),
    }
    text.field("stack").addr(stack);
    text.field("stack_size").hex(stack_size);
    if has(libc::CLONE_SETTLS) {
        text.field("tls");
        match raw.piece(index, Part::PART_FOURTH).filter(|bytes| bytes.len() == 16 && tls != 0) {
            Some(bytes) => ldt::descriptor(text, &mut Memory::new(bytes, 0, raw.abi.word())),
            None => text.addr(tls),
        }
    }
    if memory.left() >= 16 {
        chosen_tids(text, raw, index, memory);
    }
    if memory.left() >= 8 {
        let cgroup = memory.u64();
        if cgroup != 0 || flags & INTO_CGROUP != 0 {
            text.field("cgroup").unsigned(cgroup);
        }
    }
}

const INTO_CGROUP: u64 = 1 << 33;

/// The thread ids that the caller wants.
fn chosen_tids(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, memory: &mut Memory<'_>) {
    let (tids, count) = (memory.u64(), memory.u64());
    if tids == 0 && count == 0 {
        return;
    }
    text.field("set_tid");
    match raw.piece(index, Part::PART_FIRST).filter(|_| tids != 0 && (1..=32).contains(&count)) {
        Some(bytes) => text.bracketed(|text| {
            for (n, tid) in bytes.chunks_exact(4).enumerate() {
                text.push(if n > 0 { ", " } else { "" });
                text.signed(Memory::new(tid, 0, 8).i32());
            }
        }),
        None => text.addr(tids),
    }
    text.field("set_tid_size").unsigned(count);
}
