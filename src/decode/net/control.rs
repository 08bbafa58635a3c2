//! Control messages: what stands beside a message's data.

use super::{address, inet, interface};
use crate::{
    decode::{memory::Memory, text::Text, time},
    syscall::words::net::option as words,
};

type Printer = fn(&mut Text<'_>, &[u8], usize);

/// msg_control: `[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[3]}]`.
pub(super) fn list(text: &mut Text<'_>, captured: Option<&[u8]>, pointer: u64, length: u64, word: usize) {
    let head = word + 8;
    let claimed = usize::try_from(length).unwrap_or(usize::MAX);
    let Some(bytes) = captured.filter(|bytes| pointer != 0 && bytes.len() >= head && claimed >= head) else {
        return text.addr(pointer);
    };
    let bytes = &bytes[..bytes.len().min(claimed)];
    text.bracketed(|text| {
        let mut left = bytes;
        while left.len() >= head {
            let mut memory = Memory::new(left, 0, word);
            let (own, level, kind) = (memory.word(), memory.u32(), memory.u32());
            let own = usize::try_from(own).unwrap_or(usize::MAX);
            let data = left.get(head..own.min(left.len())).unwrap_or_default();
            text.separate();
            text.braced(|text| {
                text.field("cmsg_len").unsigned(own as u64);
                text.field("cmsg_level").word_else(&words::LEVELS, "SOL_???", level.into());
                text.field("cmsg_type");
                typed(text, level.cast_signed(), kind, data, word);
            });
            if own < head {
                left = &left[head..];
                break;
            }
            let next = own.checked_next_multiple_of(word).unwrap_or(usize::MAX);
            if next >= left.len() {
                left = &[];
                break;
            }
            left = &left[next..];
        }
        if !left.is_empty() {
            text.separate();
            text.push(&format!("... /* {:#x} */", pointer + (bytes.len() - left.len()) as u64));
        } else if bytes.len() < claimed {
            text.separate();
            text.push("...");
        }
    });
}

/// The type, and the data if its meaning is known and it is long enough.
fn typed(text: &mut Text<'_>, level: i32, kind: u32, data: &[u8], word: usize) {
    let printer = match level {
        libc::SOL_SOCKET => {
            text.word(&words::SCM, kind.into());
            socket_printer(kind)
        }
        libc::SOL_IP => {
            text.word(&words::IP_CMSG, kind.into());
            ip_printer(kind)
        }
        _ => return text.hex(kind),
    };
    if let Some((printer, _)) = printer.filter(|(_, least)| data.len() >= *least) {
        printer(text.field("cmsg_data"), data, word);
    }
}

/// The descriptors that control messages carry.
pub(in crate::decode) fn descriptors(mut control: &[u8], word: usize) -> Vec<i32> {
    let head = word + 8;
    let mut descriptors = Vec::new();
    while control.len() >= head {
        let mut memory = Memory::new(control, 0, word);
        let (own, level, kind) = (memory.word(), memory.i32(), memory.i32());
        let Some(own) = usize::try_from(own).ok().filter(|own| *own >= head) else { break };
        if (level, kind) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            let data = control.get(head..own.min(control.len())).unwrap_or_default();
            descriptors.extend(data.chunks_exact(4).map(|fd| Memory::new(fd, 0, word).i32()));
        }
        control = own.checked_next_multiple_of(word).and_then(|next| control.get(next..)).unwrap_or_default();
    }
    descriptors
}

/// What prints the data of a SOL_SOCKET message, and how many bytes it needs.
fn socket_printer(kind: u32) -> Option<(Printer, usize)> {
    Some(match kind.cast_signed() {
        libc::SCM_RIGHTS => (rights, 4),
        libc::SCM_CREDENTIALS => (|text, data, word| ucred(text, &mut Memory::new(data, 0, word)), 12),
        3 => (security, 1),
        libc::SO_TIMESTAMP => (|text, data, word| one_time(text, data, word, word, time::timeval), 1),
        libc::SO_TIMESTAMPNS => (|text, data, word| one_time(text, data, word, word, time::timespec), 1),
        libc::SO_TIMESTAMPING => (|text, data, word| three_times(text, data, word), 1),
        63 => (|text, data, _| one_time(text, data, 8, 8, time::timeval), 1),
        64 => (|text, data, _| one_time(text, data, 8, 8, time::timespec), 1),
        65 => (|text, data, _| three_times(text, data, 8), 1),
        _ => return None,
    })
}

/// What prints the data of a SOL_IP message, and how many bytes it needs.
fn ip_printer(kind: u32) -> Option<(Printer, usize)> {
    Some(match kind.cast_signed() {
        libc::IP_PKTINFO => (packet_info, 12),
        libc::IP_TTL | 23 => (numbers, 4),
        libc::IP_TOS | libc::IP_RECVOPTS | libc::IP_RETOPTS => (bytes, 1),
        libc::IP_RECVERR => (received_error, 32),
        libc::IP_ORIGDSTADDR => {
            let printer: Printer = |text, data, word| {
                address::sockaddr(text, &data[..data.len().min(128)], word);
            };
            (printer, 16)
        }
        3 => (security, 1),
        _ => return None,
    })
}

/// No more elements than the string limit allows.
fn elements(text: &mut Text<'_>, data: &[u8], size: usize, print: fn(&mut Text<'_>, &[u8])) {
    let limit = text.style().string_limit;
    text.bracketed(|text| {
        for (n, element) in data.chunks_exact(size).enumerate() {
            text.separate();
            if n == limit {
                return text.push("...");
            }
            print(text, element);
        }
    });
}

/// Descriptors that are sent, or that have come.
fn rights(text: &mut Text<'_>, data: &[u8], _: usize) {
    elements(text, data, 4, |text, element| text.new_fd(Memory::new(element, 0, 8).i32()));
}

fn numbers(text: &mut Text<'_>, data: &[u8], _: usize) {
    elements(text, data, 4, |text, element| text.unsigned(Memory::new(element, 0, 8).u32()));
}

fn bytes(text: &mut Text<'_>, data: &[u8], _: usize) {
    elements(text, data, 1, |text, element| text.hex(element[0]));
}

fn security(text: &mut Text<'_>, data: &[u8], _: usize) {
    text.whole_string(data);
}

/// struct ucred: ids of which -1 stays -1.
pub(super) fn ucred(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.braced(|text| {
        text.field("pid").signed(memory.i32());
        for field in ["uid", "gid"] {
            let id = memory.u32();
            if id == u32::MAX { text.field(field).signed(-1) } else { text.field(field).unsigned(id) }
        }
    });
}

/// A time, or the bytes of what is too short for one. `word`: bytes of its fields.
fn one_time(text: &mut Text<'_>, data: &[u8], word: usize, width: usize, print: fn(&mut Text<'_>, &mut Memory<'_>)) {
    if data.len() < 2 * width {
        return text.whole_hex_string(data);
    }
    print(text, &mut Memory::new(data, 0, word));
}

fn three_times(text: &mut Text<'_>, data: &[u8], word: usize) {
    if data.len() < 6 * word {
        return text.whole_hex_string(data);
    }
    let mut memory = Memory::new(data, 0, word);
    text.bracketed(|text| {
        for _ in 0..3 {
            text.separate();
            time::timespec(text, &mut memory);
        }
    });
}

fn packet_info(text: &mut Text<'_>, data: &[u8], word: usize) {
    let mut memory = Memory::new(data, 0, word);
    text.braced(|text| {
        interface::index(text.field("ipi_ifindex"), memory.u32());
        for field in ["ipi_spec_dst", "ipi_addr"] {
            text.field(field);
            inet::inet_addr(text, memory.be32());
        }
    });
}

fn received_error(text: &mut Text<'_>, data: &[u8], word: usize) {
    let mut memory = Memory::new(data, 0, word);
    text.braced(|text| {
        text.field("ee_errno").unsigned(memory.u32());
        for field in ["ee_origin", "ee_type", "ee_code"] {
            text.field(field).unsigned(memory.u8());
        }
        memory.skip(1);
        for field in ["ee_info", "ee_data"] {
            text.field(field).unsigned(memory.u32());
        }
        address::sockaddr(text.field("offender"), memory.raw(16), word);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text::written;

    #[test]
    fn rights_and_what_is_left() {
        let mut bytes = vec![20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0];
        let one = "{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[5]}";
        assert_eq!(written(|text| list(text, Some(&bytes), 0x1000, 24, 8)), format!("[{one}]"));
        assert_eq!(descriptors(&bytes, 8), [5]);
        bytes.extend([0; 4]);
        assert_eq!(written(|text| list(text, Some(&bytes), 0x1000, 28, 8)), format!("[{one}, ... /* 0x1018 */]"));
        assert_eq!(written(|text| list(text, Some(&bytes[..8]), 0x1000, 8, 8)), "0x1000");
    }

    #[test]
    fn the_narrow_layout() {
        let bytes = [16, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 64, 0, 0, 0];
        assert_eq!(
            written(|text| list(text, Some(&bytes), 0x1000, 16, 4)),
            "[{cmsg_len=16, cmsg_level=SOL_IP, cmsg_type=IP_TTL, cmsg_data=[64]}]"
        );
    }
}
