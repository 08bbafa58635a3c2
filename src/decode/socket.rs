//! Sockets: addresses and messages.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{argument, call::Raw, io, memory::Memory, text::Text};
use crate::{
    syscall::words,
    wire::Part,
};

/// A socket's type and flags.
pub(super) fn kind(text: &mut Text<'_>, value: u32) {
    text.word(&words::net::SOCKET_TYPES, (value & 0xf).into());
    text.more_flags(&words::net::SOCKET_FLAGS, (value & !0xf).into());
}

/// A socket's protocol.
pub(super) fn protocol(text: &mut Text<'_>, raw: &Raw<'_>, value: u32) {
    match i32::try_from(raw.register(0)) {
        Ok(libc::AF_INET | libc::AF_INET6) => text.word(&words::net::IP_PROTOCOLS, value.into()),
        _ => text.unsigned(value),
    }
}

/// struct sockaddr, by its family.
pub(super) fn address(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let family = memory.u16();
    text.braced(|text| {
        argument::family(text.field("sa_family"), family.into());
        match i32::from(family) {
            libc::AF_UNIX => unix(text, memory.rest()),
            libc::AF_INET => {
                text.field("sin_port").push("htons(");
                text.unsigned(memory.be16());
                text.push(")");
                text.field("sin_addr").push(&format!("inet_addr(\"{}\")", Ipv4Addr::from(memory.be32())));
            }
            libc::AF_INET6 => {
                text.field("sin6_port").push("htons(");
                text.unsigned(memory.be16());
                text.push(")");
                text.field("sin6_flowinfo").push("htonl(");
                text.unsigned(memory.be32());
                text.push(")");
                let raw: [u8; 16] = memory.raw(16).try_into().unwrap_or_default();
                text.separate();
                text.push(&format!("inet_pton(AF_INET6, \"{}\", &sin6_addr)", Ipv6Addr::from(raw)));
                text.field("sin6_scope_id").unsigned(memory.u32());
            }
            libc::AF_NETLINK => {
                memory.skip(2);
                text.field("nl_pid").signed(memory.i32());
                text.field("nl_groups").push(&format!("{:#010x}", memory.u32()).replacen("0x00000000", "00000000", 1));
            }
            _ => {
                let rest = memory.rest();
                text.field("sa_data").string(rest, false);
            }
        }
    });
}

fn unix(text: &mut Text<'_>, path: &[u8]) {
    match path {
        [] => {}
        [0, name @ ..] => {
            text.field("sun_path").push("@");
            text.whole_string(name);
        }
        path => {
            let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
            text.field("sun_path").whole_string(&path[..end]);
        }
    }
}

/// sendmsg's and recvmsg's struct msghdr.
pub(super) fn message(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) {
    let Some(head) = raw.data(index) else { return text.addr(raw.register(index)) };
    let find = |part| raw.piece(index, part);
    let items = raw.pieces(index).filter(|piece| piece.part == Part::PART_ITEM).map(|piece| piece.bytes.ok());
    let received = raw.row.is_some_and(|row| row.name.starts_with("recv"));
    let transferred = raw.ret.and_then(|ret| u64::try_from(ret).ok()).filter(|_| received);
    header(text, raw, head, find(Part::PART_NAME), find(Part::PART_IOV), items, find(Part::PART_CONTROL), transferred);
}

/// sendmmsg's and recvmmsg's array.
pub(super) fn messages(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) {
    text.addr(raw.register(index));
}

#[allow(clippy::too_many_arguments, reason = "the parts of one msghdr")]
fn header<'a>(
    text: &mut Text<'_>,
    raw: &Raw<'_>,
    head: &[u8],
    name: Option<&[u8]>,
    iov: Option<&[u8]>,
    items: impl Iterator<Item = Option<&'a [u8]>>,
    control: Option<&[u8]>,
    transferred: Option<u64>,
) {
    let word = raw.abi.word();
    let mut memory = Memory::new(head, 0, word);
    let (name_at, name_length) = (memory.word(), memory.u32());
    if word == 8 {
        memory.skip(4);
    }
    let (iov_at, iov_count, control_at, control_length) = (memory.word(), memory.word(), memory.word(), memory.word());
    let flags = memory.u32();
    text.braced(|text| {
        text.field("msg_name");
        match name {
            Some(name) if name.len() >= 2 => address(text, &mut Memory::new(name, 0, word)),
            _ => text.addr(name_at),
        }
        text.field("msg_namelen").unsigned(name_length);
        text.field("msg_iov");
        match iov {
            Some(array) => io::vectors(text, raw, iov_at, array, iov_count, items, transferred),
            None => text.addr(iov_at),
        }
        text.field("msg_iovlen").unsigned(iov_count);
        if control.is_some() {
            text.field("msg_control").addr(control_at);
        }
        text.field("msg_controllen").unsigned(control_length);
        text.field("msg_flags").flags(&words::net::MSG, flags.into());
    });
}
