//! msghdr and mmsghdr: what sendmsg, recvmsg, sendmmsg and recvmmsg point to.

use std::borrow::Cow;

use super::{address, control, netlink};
use crate::{
    decode::{memory::Memory, raw::Raw, text::Text, time},
    syscall::words::net,
    wire::Part,
};

/// One message's captured parts.
#[derive(Debug, Default)]
struct Message<'a> {
    head: Option<&'a [u8]>,
    name: Option<&'a [u8]>,
    iov: Option<&'a [u8]>,
    /// The buffers, as far as they were copied; `None`: not readable.
    items: Vec<Option<Cow<'a, [u8]>>>,
    control: Option<&'a [u8]>,
    netlink: Option<u32>,
}

/// The messages of an argument: each begins with its header.
fn messages<'a>(raw: &Raw<'a>, index: u8) -> Vec<Message<'a>> {
    let mut messages: Vec<Message<'a>> = Vec::new();
    for piece in raw.pieces(index) {
        let bytes = piece.bytes.ok();
        if piece.part == Part::PART_DATA {
            messages.push(Message { head: bytes, ..Message::default() });
            continue;
        }
        let Some(message) = messages.last_mut() else { continue };
        match piece.part {
            Part::PART_NAME => message.name = bytes,
            Part::PART_IOV => message.iov = bytes,
            Part::PART_ITEM => message.items.push(bytes.map(Cow::Borrowed)),
            Part::PART_REST => {
                if let (Some(Some(item)), Some(rest)) = (message.items.last_mut(), bytes) {
                    item.to_mut().extend_from_slice(rest);
                }
            }
            Part::PART_CONTROL => message.control = bytes,
            Part::PART_NETLINK => {
                message.netlink = bytes.and_then(|bytes| bytes.first_chunk()).map(|bytes| u32::from_ne_bytes(*bytes));
            }
            _ => {}
        }
    }
    messages
}

/// sendmsg's message.
pub(in crate::decode) fn sent(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) {
    match messages(raw, index).first() {
        Some(message) if message.is_whole(raw.abi.word()) => message.print(text, raw.abi.word(), None, u64::MAX),
        _ => text.addr(raw.register(index)),
    }
}

/// recvmsg's message: of one that did not come, only the room for its address is known.
pub(in crate::decode) fn received(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) {
    let given = raw.number(index, Part::PART_START).map(u32::cast_signed);
    let messages = messages(raw, index);
    match (given, messages.first()) {
        (Some(given), _) if raw.failed() => text.braced(|text| text.field("msg_namelen").signed(given)),
        (Some(given), Some(message)) if message.is_whole(raw.abi.word()) => {
            let transferred = raw.ret.and_then(|ret| u64::try_from(ret).ok()).unwrap_or(0);
            message.print(text, raw.abi.word(), Some(given), transferred);
        }
        _ => text.addr(raw.register(index)),
    }
}

/// sendmmsg's and recvmmsg's array: messages that went or came have a length besides.
pub(in crate::decode) fn many(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, received: bool) {
    let word = raw.abi.word();
    let pointer = raw.register(index);
    let done = raw.ret.and_then(|ret| usize::try_from(ret).ok()).unwrap_or(0);
    let asked = usize::try_from(raw.register(2) & 0xffff_ffff).unwrap_or(usize::MAX);
    let count = if received { done } else { asked };
    if pointer == 0 || received && raw.failed() {
        return text.addr(pointer);
    }
    if count == 0 {
        return text.push("[]");
    }
    let messages = messages(raw, index);
    if messages.first().is_none_or(|message| !message.is_whole(word)) {
        return text.addr(pointer);
    }
    let limit = text.style().string_limit.min(count);
    let lengths = given_lengths(raw, index);
    text.bracketed(|text| {
        for (n, message) in messages.iter().enumerate().take(limit) {
            text.separate();
            let Some(head) = message.head.filter(|_| message.is_whole(word)) else {
                text.push("...");
                return text.push(&format!(" /* {:#x} */", pointer + (n * mmsghdr(word)) as u64));
            };
            text.braced(|text| {
                text.field("msg_hdr");
                let mut behind = Memory::new(head, 0, word);
                behind.seek(msghdr(word));
                let length = behind.u32();
                let transferred = if received { length.into() } else { u64::MAX };
                message.print(text, word, lengths.get(n).copied().filter(|_| received), transferred);
                if n < done {
                    text.field("msg_len").unsigned(length);
                }
            });
        }
        if count > messages.len().min(limit) {
            text.separate();
            text.push("...");
        }
    });
}

/// How much room for an address each message had at the start.
fn given_lengths(raw: &Raw<'_>, index: u8) -> Vec<i32> {
    let word = raw.abi.word();
    let heads = raw.piece(index, Part::PART_START).unwrap_or_default();
    let length = |head: &[u8]| {
        let mut memory = Memory::new(head, 0, word);
        memory.skip(word);
        memory.i32()
    };
    heads.chunks_exact(mmsghdr(word)).map(length).collect()
}

/// Bytes of a msghdr.
fn msghdr(word: usize) -> usize {
    7 * word
}

/// Bytes of a mmsghdr.
fn mmsghdr(word: usize) -> usize {
    8 * word
}

impl Message<'_> {
    fn is_whole(&self, word: usize) -> bool {
        self.head.is_some_and(|head| head.len() >= msghdr(word))
    }

    /// `given`: the room for an address before the call; `transferred`: how many bytes came.
    fn print(&self, text: &mut Text<'_>, word: usize, given: Option<i32>, transferred: u64) {
        let mut head = Memory::new(self.head.unwrap_or_default(), 0, word);
        let (name, length) = (head.word(), head.i32());
        head.seek(2 * word);
        let (iov, iov_count) = (head.word(), head.word());
        let (control, control_length, flags) = (head.word(), head.word(), head.u32());
        text.braced(|text| {
            text.field("msg_name");
            let shown = given.map_or(length, |given| given.min(length));
            let family = address::behind(text, name, shown, self.name, word);
            text.field("msg_namelen");
            if let Some(given) = given.filter(|given| *given != length) {
                text.signed(given);
                text.push(" => ");
            }
            text.signed(length);
            text.field("msg_iov");
            let netlink = self.netlink.filter(|_| family.map(i32::from) == Some(libc::AF_NETLINK));
            self.vectors(text, word, (iov, iov_count), transferred, netlink);
            text.field("msg_iovlen").unsigned(iov_count);
            if control_length > 0 {
                control::list(text.field("msg_control"), self.control, control, control_length, word);
            }
            text.field("msg_controllen").unsigned(control_length);
            text.field("msg_flags").flags(&net::MSG, flags.into());
        });
    }

    fn vectors(
        &self,
        text: &mut Text<'_>,
        word: usize,
        (pointer, count): (u64, u64),
        transferred: u64,
        netlink: Option<u32>,
    ) {
        let array = self.iov.unwrap_or_default();
        if pointer == 0 || count > 0 && array.len() < 2 * word {
            return text.addr(pointer);
        }
        let limit = text.style().string_limit as u64;
        let mut items = self.items.iter();
        let mut left = transferred;
        text.bracketed(|text| {
            let mut shown = 0;
            for element in array.chunks_exact(2 * word) {
                if shown == limit.min(count) {
                    break;
                }
                let mut memory = Memory::new(element, 0, word);
                let (base, length) = (memory.word(), memory.word());
                text.separate();
                text.braced(|text| {
                    let here = length.min(left);
                    left -= here;
                    text.field("iov_base");
                    buffer(text, items.next().and_then(Option::as_deref), base, here, netlink, word);
                    text.field("iov_len").unsigned(length);
                });
                shown += 1;
            }
            if count > shown {
                text.separate();
                text.push("...");
                if shown < limit {
                    text.push(&format!(" /* {:#x} */", pointer + shown * 2 * word as u64));
                }
            }
        });
    }
}

/// One buffer: `length` bytes of it count.
fn buffer(text: &mut Text<'_>, item: Option<&[u8]>, base: u64, length: u64, netlink: Option<u32>, word: usize) {
    let Some(bytes) = item.filter(|_| base != 0) else { return text.addr(base) };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let bytes = &bytes[..bytes.len().min(length)];
    match netlink {
        Some(protocol) => netlink::messages(text, bytes, length, protocol, word),
        None => text.string(bytes, length > bytes.len()),
    }
}

/// Behind recvmmsg's result: what is left of the time, or that it is over.
pub(in crate::decode) fn time_left(text: &mut Text<'_>, raw: &Raw<'_>, messages: i64) {
    let left = raw.data(4).filter(|_| raw.register(4) != 0);
    if messages == 0 {
        text.push(" (Timeout)");
    } else if let Some(left) = left {
        text.push(" (left ");
        let word = if raw.name().is_some_and(|name| name.ends_with("time64")) { 8 } else { raw.abi.word() };
        time::timespec(text, &mut Memory::new(left, 0, word));
        text.push(")");
    }
}
