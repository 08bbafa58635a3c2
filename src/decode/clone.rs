//! New threads and processes.

use super::{memory::Memory, signal, text::Text};
use crate::syscall::words;

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
        text.push(&signal::name(i32::try_from(exit_signal).unwrap_or(0)));
    } else if flags == 0 {
        text.push("0");
    }
}

/// clone3's struct clone_args.
pub(super) fn args(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let flags = memory.u64();
    let (pidfd, child_tid, parent_tid, exit_signal) = (memory.u64(), memory.u64(), memory.u64(), memory.u64());
    let (stack, stack_size, tls) = (memory.u64(), memory.u64(), memory.u64());
    let has = |bit: i32| flags & u64::from(bit.cast_unsigned()) != 0;
    text.braced(|text| {
        text.field("flags").flags(&words::process::CLONE, flags);
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
            Ok(0) | Err(_) => text.unsigned(exit_signal),
            Ok(signo) => text.push(&signal::name(signo)),
        }
        text.field("stack").addr(stack);
        text.field("stack_size").hex(stack_size);
        if has(libc::CLONE_SETTLS) {
            text.field("tls").hex(tls);
        }
    });
}
