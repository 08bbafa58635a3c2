//! Readiness: poll, select, epoll.

use super::{memory::Memory, raw::Raw, text::Text, time};
use crate::{model::StraceForm, syscall::words, wire::Part};

/// struct pollfd as it was asked for.
pub(super) fn pollfd(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (fd, events) = (memory.i32(), memory.u16());
    text.braced(|text| {
        text.field("fd").fd(fd);
        if fd >= 0 {
            text.field("events").flags(&words::time::POLL, events.into());
        }
    });
}

/// struct epoll_event.
pub(super) fn epoll_event(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (events, data) = (memory.u32(), memory.u64());
    event(text, events, data);
}

/// The same where its second half is aligned.
pub(super) fn epoll_event_wide(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let events = memory.u32();
    memory.skip(4);
    event(text, events, memory.u64());
}

fn event(text: &mut Text<'_>, events: u32, data: u64) {
    text.braced(|text| {
        text.field("events").flags(&words::time::EPOLL, events.into());
        text.field("data");
        match text.style().strace {
            StraceForm::V6_1 => text.braced(|text| {
                text.field("u32").unsigned(super::raw::uint(data));
                text.field("u64").unsigned(data);
            }),
            StraceForm::Newest => text.hex(data),
        }
    });
}

/// strace puts a result's text together in so many bytes.
const ROOM: usize = 1024;

/// A bit set: `[0 1]`; `print` writes the number of a bit that is set.
pub(super) fn bits(text: &mut Text<'_>, bytes: &[u8], limit: usize, print: fn(&mut Text<'_>, i32)) {
    text.bracketed(|text| {
        let mut first = true;
        for bit in set_bits(bytes, limit) {
            if !std::mem::take(&mut first) {
                text.push(" ");
            }
            print(text, i32::try_from(bit).unwrap_or(i32::MAX));
        }
    });
}

fn set_bits(bytes: &[u8], limit: usize) -> impl Iterator<Item = usize> {
    (0..(bytes.len() * 8).min(limit)).filter(|bit| bytes[bit / 8] >> (bit % 8) & 1 == 1)
}

/// How many descriptors select was asked for.
fn descriptors(register: u64) -> usize {
    usize::try_from(super::raw::int(register)).unwrap_or(0)
}

/// Descriptors of a set that are captured.
const SET_MOST: usize = 1024;

/// select's set of descriptors; its address where none are asked for.
pub(super) fn fd_set(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, bytes: &[u8]) {
    let word = raw.abi.word();
    match descriptors(raw.register(0)) {
        0 => text.addr(raw.register(index)),
        // Of a set in whole words, less than the kernel would read.
        limit if bytes.len() < limit.min(SET_MOST).div_ceil(8).next_multiple_of(word) => text.addr(raw.register(index)),
        limit => bits(text, bytes, limit, |text, fd| text.fd(fd)),
    }
}

/// ` ([{fd=3, revents=POLLIN}], left {tv_sec=1, tv_nsec=0})`, ` (Timeout)`.
pub(super) fn poll_result(text: &mut Text<'_>, raw: &Raw<'_>, ready: i64) {
    if ready == 0 {
        return text.push(" (Timeout)");
    }
    let Some(bytes) = raw.data(0).filter(|bytes| !bytes.is_empty()) else { return };
    let from = text.len();
    text.push(" (");
    let start = text.len();
    let limit = if raw.style.verbose { usize::MAX } else { raw.style.string_limit };
    let mut shown = 0;
    for element in bytes.chunks_exact(8) {
        let mut memory = Memory::new(element, 0, 8);
        let (fd, _, revents) = (memory.i32(), memory.u16(), memory.u16());
        if revents == 0 {
            continue;
        }
        text.push(if text.len() == start { "[" } else { ", " });
        let before = text.len();
        text.braced(|text| {
            text.field("fd").signed(fd);
            text.field("revents").flags(&words::time::POLL, revents.into());
        });
        if shown >= limit || text.len() - start >= ROOM - 27 {
            text.truncate(before);
            text.push("...");
            break;
        }
        shown += 1;
    }
    if text.len() > start {
        text.push("]");
    }
    if raw.row.is_some_and(|row| row.name.starts_with("ppoll")) {
        left(text, raw, 2, start);
    }
    if text.len() == start { text.truncate(from) } else { text.push(")") }
}

/// ` (in [3], left {tv_sec=1, tv_usec=0})`, ` (Timeout)`.
pub(super) fn select_result(text: &mut Text<'_>, raw: &Raw<'_>, ready: i64) {
    if ready == 0 {
        return text.push(" (Timeout)");
    }
    text.push(" (");
    let start = text.len();
    let sets = [raw.data(1), raw.data(2), raw.data(3)];
    ready_sets(text, &sets, descriptors(raw.register(0)), ready);
    left(text, raw, 4, start);
    text.push(")");
}

/// The descriptors of each set that are ready, as many as the result says.
fn ready_sets(text: &mut Text<'_>, sets: &[Option<&[u8]>; 3], limit: usize, ready: i64) {
    let start = text.len();
    let mut ready = ready;
    for (set, name) in sets.iter().zip(["in", "out", "except"]) {
        let Some(bytes) = set.filter(|_| ready > 0) else { continue };
        let mut first = true;
        for fd in set_bits(bytes, limit) {
            if text.len() - start < ROOM - 25 {
                if first {
                    text.push(if text.len() > start { ", " } else { "" });
                    text.push(name);
                    text.push(" [");
                } else {
                    text.push(" ");
                }
                first = false;
                text.unsigned(fd as u64);
            }
            ready -= 1;
            if ready == 0 {
                break;
            }
        }
        if !first {
            text.push("]");
        }
    }
}

/// What is left of the time: the kernel writes it back.
fn left(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, start: usize) {
    if raw.register(index) == 0 {
        return;
    }
    text.push(if text.len() > start { ", left " } else { "left " });
    let name = raw.row.map_or("", |row| row.name);
    let print = match name {
        "select" | "_newselect" => time::timeval,
        _ if name.ends_with("_time64") => time::timespec64,
        _ => time::timespec,
    };
    match raw.data(index) {
        Some(bytes) => print(text, &mut Memory::new(bytes, 0, raw.abi.word())),
        None => text.addr(raw.register(index)),
    }
}

/// i386's select of one pointer: its five arguments, in braces as strace has none.
pub(super) fn old_select(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) {
    let Some(args) = raw.piece(index, Part::PART_START) else { return text.addr(raw.register(index)) };
    let mut memory = Memory::new(args, 0, 4);
    let count = memory.i32();
    let limit = usize::try_from(count).unwrap_or(0);
    text.signed(count);
    for part in [Part::PART_FIRST, Part::PART_SECOND, Part::PART_THIRD] {
        let address = memory.word();
        text.push(", ");
        // The pieces of the start come first.
        match raw.piece(index, part).filter(|_| limit > 0) {
            Some(bytes) => bits(text, bytes, limit, |text, fd| text.fd(fd)),
            None => text.addr(address),
        }
    }
    text.push(", ");
    let address = memory.word();
    match raw.piece(index, Part::PART_ITEM) {
        Some(bytes) => time::timeval(text, &mut Memory::new(bytes, 0, 4)),
        None => text.addr(address),
    }
}

/// Its result: the pieces of the end come behind those of the start.
pub(super) fn old_select_result(text: &mut Text<'_>, raw: &Raw<'_>, ready: i64) {
    if ready == 0 {
        return text.push(" (Timeout)");
    }
    text.push(" (");
    let start = text.len();
    let last = |part| raw.last_piece(0, part);
    let limit = raw.number(0, Part::PART_DATA).map_or(0, |count| descriptors(count.into()));
    let sets = [last(Part::PART_FIRST), last(Part::PART_SECOND), last(Part::PART_THIRD)];
    ready_sets(text, &sets, limit, ready);
    if let Some(bytes) = last(Part::PART_ITEM) {
        text.push(if text.len() > start { ", left " } else { "left " });
        time::timeval(text, &mut Memory::new(bytes, 0, 4));
    }
    text.push(")");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn as_many_descriptors_as_are_ready() {
        let style = Style::default();
        let mut text = Text::new(&style);
        ready_sets(&mut text, &[Some(&[0b1010]), None, Some(&[0b1])], 8, 3);
        assert_eq!(text.finish(), "in [1 3], except [0]");
    }

    #[test]
    fn bits_behind_the_limit_do_not_count() {
        let style = Style::default();
        let mut text = Text::new(&style);
        bits(&mut text, &[0xff], 3, |text, fd| text.fd(fd));
        assert_eq!(text.finish(), "[0 1 2]");
    }
}
