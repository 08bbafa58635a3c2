//! NETLINK_SOCK_DIAG: requests for sockets and what is told of them; inet's own parts are in `inet_diag`.

use super::{
    attribute::{self, Around, Attributes, Form::*},
    header::Header,
    inet_diag::{self, cookie},
    interface,
};
use crate::{
    decode::{file, memory::Memory, text::Text},
    syscall::words::net::{self, diag as words},
};

const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 1;

/// How a message begins, and its attributes behind that.
pub(super) struct Kind {
    /// The name of the family in front.
    pub(super) family: &'static str,
    /// Bytes of the structure.
    pub(super) size: usize,
    /// Its fields behind the family.
    pub(super) fields: fn(&mut Text<'_>, &mut Memory<'_>, u8),
    /// None: what stands behind it is not told.
    pub(super) attributes: Option<&'static Attributes>,
}

fn kind(header: Header, family: u8) -> Option<Kind> {
    // TCPDIAG_GETSOCK and DCCPDIAG_GETSOCK, from before there was SOCK_DIAG_BY_FAMILY.
    let old = matches!(header.kind, 18 | 19);
    let kind = |family, size, fields, attributes| Some(Kind { family, size, fields, attributes });
    match (i32::from(family), header.flags & NLM_F_REQUEST != 0) {
        (libc::AF_UNIX, true) => kind("sdiag_family", 24, unix_request, None),
        (libc::AF_UNIX, false) => kind("udiag_family", 16, unix_answer, Some(&UNIX)),
        (libc::AF_INET | libc::AF_INET6, true) if old => {
            kind("idiag_family", 60, inet_diag::old_request, Some(&inet_diag::REQUEST))
        }
        (libc::AF_INET | libc::AF_INET6, true) => {
            kind("sdiag_family", 56, inet_diag::request, Some(&inet_diag::REQUEST))
        }
        (libc::AF_INET | libc::AF_INET6, false) => {
            kind("idiag_family", 72, inet_diag::answer, Some(&inet_diag::ATTRIBUTES))
        }
        (libc::AF_NETLINK, true) => kind("sdiag_family", 20, netlink_request, None),
        (libc::AF_NETLINK, false) => kind("ndiag_family", 28, netlink_answer, Some(&NETLINK)),
        (libc::AF_PACKET, true) => kind("sdiag_family", 20, packet_request, None),
        (libc::AF_PACKET, false) => kind("pdiag_family", 16, packet_answer, Some(&PACKET)),
        _ => None,
    }
}

/// The payload of a message; false if it is none of this protocol's.
pub(super) fn payload(text: &mut Text<'_>, header: Header, bytes: &[u8], around: &mut Around) -> bool {
    if header.kind == NLMSG_DONE {
        return false;
    }
    let Some((family, rest)) = bytes.split_first() else { return false };
    let Some(kind) = kind(header, *family).filter(|_| !rest.is_empty()) else {
        text.braced(|text| {
            text.field("family").word(&net::FAMILIES, (*family).into());
            if !rest.is_empty() {
                text.field("data").hex_string(rest, false);
            }
        });
        return true;
    };
    let whole = bytes.len() >= kind.size;
    text.braced(|text| {
        text.field(kind.family).word(&net::FAMILIES, (*family).into());
        if whole {
            let mut memory = Memory::new(bytes, 0, 8);
            memory.skip(1);
            (kind.fields)(text, &mut memory, *family);
        } else {
            text.push(", ...");
        }
    });
    let rest = bytes.get(kind.size..).unwrap_or_default();
    if let Some(attributes) = kind.attributes.filter(|_| whole && !rest.is_empty()) {
        text.push(", ");
        attribute::list(text, rest, attributes, around);
    }
    true
}

fn unix_request(text: &mut Text<'_>, memory: &mut Memory<'_>, _: u8) {
    text.field("sdiag_protocol").unsigned(memory.u8());
    memory.skip(2);
    text.field("udiag_states").flags(&words::STATE_FLAGS, memory.u32().into());
    text.field("udiag_ino").unsigned(memory.u32());
    text.field("udiag_show").flags(&words::UNIX_SHOW, memory.u32().into());
    cookie(text, "udiag_cookie", memory);
}

fn unix_answer(text: &mut Text<'_>, memory: &mut Memory<'_>, _: u8) {
    text.field("udiag_type").word(&net::SOCKET_TYPES, memory.u8().into());
    text.field("udiag_state").word(&words::STATES, memory.u8().into());
    memory.skip(1);
    text.field("udiag_ino").unsigned(memory.u32());
    cookie(text, "udiag_cookie", memory);
}

static UNIX: Attributes = Attributes {
    words: &words::UNIX,
    forms: &[
        (Str, &["UNIX_DIAG_NAME"]),
        (Own(inode), &["UNIX_DIAG_VFS"]),
        (U32, &["UNIX_DIAG_PEER"]),
        (Array(4), &["UNIX_DIAG_ICONS"]),
        (Figures(&["udiag_rqueue", "udiag_wqueue"]), &["UNIX_DIAG_RQLEN"]),
        (Indexed(&net::netlink::MEMINFO, 4, false), &["UNIX_DIAG_MEMINFO"]),
        (U8, &["UNIX_DIAG_SHUTDOWN"]),
        (Id, &["UNIX_DIAG_UID"]),
    ],
};

fn inode(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    let (inode, device) = (memory.u32(), memory.u32());
    text.braced(|text| {
        file::device(text.field("udiag_vfs_dev"), device.into());
        text.field("udiag_vfs_ino").unsigned(inode);
    });
    !memory.is_short()
}

fn netlink_request(text: &mut Text<'_>, memory: &mut Memory<'_>, _: u8) {
    const NDIAG_PROTO_ALL: u8 = 255;
    text.field("sdiag_protocol");
    match memory.u8() {
        NDIAG_PROTO_ALL => text.push("NDIAG_PROTO_ALL"),
        protocol => text.word(&net::NETLINK_PROTOCOLS, protocol.into()),
    }
    memory.skip(2);
    text.field("ndiag_ino").unsigned(memory.u32());
    text.field("ndiag_show").flags(&words::NETLINK_SHOW, memory.u32().into());
    cookie(text, "ndiag_cookie", memory);
}

fn netlink_answer(text: &mut Text<'_>, memory: &mut Memory<'_>, _: u8) {
    text.field("ndiag_type").word(&net::SOCKET_TYPES, memory.u8().into());
    text.field("ndiag_protocol").word(&net::NETLINK_PROTOCOLS, memory.u8().into());
    text.field("ndiag_state").word(&words::NETLINK_STATES, memory.u8().into());
    for field in ["ndiag_portid", "ndiag_dst_portid", "ndiag_dst_group", "ndiag_ino"] {
        text.field(field).unsigned(memory.u32());
    }
    cookie(text, "ndiag_cookie", memory);
}

static NETLINK: Attributes = Attributes {
    words: &words::NETLINK,
    forms: &[
        (Indexed(&net::netlink::MEMINFO, 4, false), &["NETLINK_DIAG_MEMINFO"]),
        (Own(groups), &["NETLINK_DIAG_GROUPS"]),
        (
            Figures(&["ndr_block_size", "ndr_block_nr", "ndr_frame_size", "ndr_frame_nr"]),
            &["NETLINK_DIAG_RX_RING", "NETLINK_DIAG_TX_RING"],
        ),
        (Flags(&words::NETLINK_FLAGS, 4), &["NETLINK_DIAG_FLAGS"]),
    ],
};

fn groups(text: &mut Text<'_>, bytes: &[u8], around: &mut Around) -> bool {
    if bytes.len() < around.word {
        return false;
    }
    text.bracketed(|text| {
        for (n, element) in bytes.chunks_exact(around.word).enumerate() {
            text.separate();
            if n == text.style().string_limit {
                return text.push("...");
            }
            text.padded_hex(Memory::new(element, 0, around.word).word(), 2 * around.word);
        }
    });
    true
}

fn packet_request(text: &mut Text<'_>, memory: &mut Memory<'_>, _: u8) {
    text.field("sdiag_protocol").hex(memory.u8());
    memory.skip(2);
    text.field("pdiag_ino").unsigned(memory.u32());
    text.field("pdiag_show").flags(&words::PACKET_SHOW, memory.u32().into());
    cookie(text, "pdiag_cookie", memory);
}

fn packet_answer(text: &mut Text<'_>, memory: &mut Memory<'_>, _: u8) {
    text.field("pdiag_type").word(&net::SOCKET_TYPES, memory.u8().into());
    text.field("pdiag_num").word(&net::ETHERNET_PROTOCOLS, memory.u16().into());
    text.field("pdiag_ino").unsigned(memory.u32());
    cookie(text, "pdiag_cookie", memory);
}

static PACKET: Attributes = Attributes {
    words: &words::PACKET,
    forms: &[
        (Own(packet_info), &["PACKET_DIAG_INFO"]),
        (
            Figures(&[
                "pdr_block_size",
                "pdr_block_nr",
                "pdr_frame_size",
                "pdr_frame_nr",
                "pdr_retire_tmo",
                "pdr_sizeof_priv",
                "pdr_features",
            ]),
            &["PACKET_DIAG_RX_RING", "PACKET_DIAG_TX_RING"],
        ),
        (U32, &["PACKET_DIAG_FANOUT"]),
        (Id, &["PACKET_DIAG_UID"]),
        (Indexed(&net::netlink::MEMINFO, 4, false), &["PACKET_DIAG_MEMINFO"]),
    ],
};

fn packet_info(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        interface::index(text.field("pdi_index"), memory.u32());
        text.field("pdi_version").word(&words::PACKET_VERSIONS, memory.u32().into());
        for field in ["pdi_reserve", "pdi_copy_thresh", "pdi_tstamp"] {
            text.field(field).unsigned(memory.u32());
        }
        text.field("pdi_flags").flags(&words::PACKET_INFO, memory.u32().into());
    });
    !memory.is_short()
}
