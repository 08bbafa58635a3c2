//! Readiness: poll, select, epoll.

use super::{call::Raw, memory::Memory, text::Text, time};
use crate::{
    syscall::words,
    wire::Part,
};

/// struct pollfd as it was asked for.
pub(super) fn pollfd(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (fd, events) = (memory.i32(), memory.u16());
    text.braced(|text| {
        text.field("fd").signed(fd);
        if fd >= 0 {
            text.field("events").flags(&words::time::POLL, events.into());
        }
    });
}

/// struct epoll_event.
pub(super) fn epoll_event(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (events, data) = (memory.u32(), memory.u64());
    text.braced(|text| {
        text.field("events").flags(&words::time::EPOLL, events.into());
        text.field("data").braced(|text| {
            text.field("u32").unsigned(super::argument::uint(data));
            text.field("u64").unsigned(data);
        });
    });
}

/// select's set: `[3 5]`.
pub(super) fn fd_set(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let bytes = memory.rest();
    text.bracketed(|text| {
        let mut first = true;
        for fd in (0..bytes.len() * 8).filter(|fd| bytes[fd / 8] >> (fd % 8) & 1 == 1) {
            if !std::mem::take(&mut first) {
                text.push(" ");
            }
            text.unsigned(fd as u64);
        }
    });
}

/// ` ([{fd=3, revents=POLLIN}], left {tv_sec=1, tv_nsec=0})`, ` (Timeout)`.
pub(super) fn poll_result(text: &mut Text<'_>, raw: &Raw<'_>, ready: i64) {
    if ready == 0 {
        return text.push(" (Timeout)");
    }
    let Some(bytes) = raw.data(0) else { return };
    text.push(" (");
    text.bracketed(|text| {
        for element in bytes.chunks_exact(8) {
            let mut memory = Memory::new(element, 0, 8);
            let (fd, _, revents) = (memory.i32(), memory.u16(), memory.u16());
            if revents == 0 {
                continue;
            }
            text.separate();
            text.braced(|text| {
                text.field("fd").signed(fd);
                text.field("revents").flags(&words::time::POLL, revents.into());
            });
        }
    });
    left(text, raw, 2, time::timespec);
    text.push(")");
}

/// ` (in [3], left {tv_sec=1, tv_usec=0})`, ` (Timeout)`.
pub(super) fn select_result(text: &mut Text<'_>, raw: &Raw<'_>, ready: i64) {
    if ready == 0 {
        return text.push(" (Timeout)");
    }
    let from = text.len();
    for (index, name) in [(1, "in "), (2, "out "), (3, "except ")] {
        let Some(bytes) = raw.data(index).filter(|bytes| bytes.iter().any(|byte| *byte != 0)) else { continue };
        text.push(if text.len() == from { " (" } else { ", " });
        text.push(name);
        fd_set(text, &mut Memory::new(bytes, 0, 8));
    }
    if text.len() == from {
        return;
    }
    let print = if raw.row.is_some_and(|row| row.name.starts_with("pselect")) { time::timespec } else { time::timeval };
    left(text, raw, 4, print);
    text.push(")");
}

/// What is left of the time: the kernel writes it back.
fn left(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, print: fn(&mut Text<'_>, &mut Memory<'_>)) {
    if raw.piece(index, Part::PART_START).is_some()
        && let Some(bytes) = raw.data(index)
    {
        text.push(", left ");
        print(text, &mut Memory::new(bytes, 0, raw.abi.word()));
    }
}
