//! Netlink messages: headers, acknowledgements, and whose the payload is.

use super::{
    attribute::{self, Around, Attributes, Form},
    diag,
    header::Header,
    netfilter, route,
};
use crate::{
    decode::{errno, memory::Memory, text::Text},
    syscall::words::{Words, net::netlink as words},
};

const HEAD: usize = 16;

/// The protocols whose messages are decoded.
mod protocol {
    pub(super) const ROUTE: u32 = 0;
    pub(super) const SOCK_DIAG: u32 = 4;
    pub(super) const XFRM: u32 = 6;
    pub(super) const SELINUX: u32 = 7;
    pub(super) const AUDIT: u32 = 9;
    pub(super) const NETFILTER: u32 = 12;
    pub(super) const KOBJECT_UEVENT: u32 = 15;
    pub(super) const GENERIC: u32 = 16;
    pub(super) const CRYPTO: u32 = 21;
}

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// Types below this mean the same in every protocol.
const NLMSG_MIN_TYPE: u16 = 16;
const NLM_F_CAPPED: u16 = 0x100;

/// The messages of a buffer of `length` bytes, of which `bytes` were captured: one by itself, several in
/// brackets. `word`: bytes of a long of the caller.
pub(super) fn messages(text: &mut Text<'_>, bytes: &[u8], length: usize, protocol: u32, word: usize) {
    if protocol == protocol::KOBJECT_UEVENT {
        return event(text, bytes, length);
    }
    let mut array = false;
    let (mut left, mut claimed, mut shown) = (bytes, length, 0);
    loop {
        if claimed < HEAD {
            text.hex_string(left, false);
            break;
        }
        // The record had no room for the rest.
        if shown == text.style().string_limit || left.len() < HEAD {
            text.push("...");
            break;
        }
        let header = Header::read(left);
        let whole = header.length().min(claimed);
        let next = header.length().checked_next_multiple_of(4).unwrap_or(usize::MAX);
        let rest = if header.length() >= HEAD { claimed.saturating_sub(next) } else { 0 };
        if !array && rest > 0 {
            text.push("[");
            array = true;
        }
        if left.len() < whole {
            text.push("...");
            break;
        }
        message(text, header, &left[..left.len().min(claimed)], protocol, word);
        if rest == 0 {
            break;
        }
        text.push(", ");
        left = left.get(next..).unwrap_or_default();
        claimed = rest;
        shown += 1;
    }
    if array {
        text.push("]");
    }
}

/// A header with the payload behind it in brackets; the payload ends with the message, or with `bytes`.
fn message(text: &mut Text<'_>, header: Header, bytes: &[u8], protocol: u32, word: usize) {
    let payload = bytes.get(HEAD..header.length().min(bytes.len())).filter(|payload| !payload.is_empty());
    let Some(payload) = payload else { return head(text, header, protocol) };
    text.bracketed(|text| {
        head(text, header, protocol);
        text.push(", ");
        self::payload(text, header, payload, protocol, word);
    });
}

fn head(text: &mut Text<'_>, header: Header, protocol: u32) {
    text.braced(|text| {
        text.field("nlmsg_len").unsigned(header.length);
        kind(text.field("nlmsg_type"), header.kind, protocol);
        text.field("nlmsg_flags").flags(flags(header.kind, protocol), header.flags.into());
        text.field("nlmsg_seq").unsigned(header.sequence);
        text.field("nlmsg_pid").signed(header.pid);
    });
}

fn kind(text: &mut Text<'_>, kind: u16, protocol: u32) {
    let words = match protocol {
        _ if kind < NLMSG_MIN_TYPE => &words::TYPES,
        protocol::ROUTE => &words::ROUTE,
        protocol::SOCK_DIAG => &words::SOCK_DIAG,
        protocol::XFRM => &words::XFRM,
        protocol::SELINUX => &words::SELINUX,
        protocol::AUDIT => &words::AUDIT,
        protocol::NETFILTER => return netfilter::kind(text, kind),
        protocol::GENERIC => match text.style().generic_families.get(&kind) {
            Some(name) => return text.push(name),
            None => &GENERIC,
        },
        protocol::CRYPTO => &words::CRYPTO,
        _ => &words::TYPES,
    };
    text.word(words, kind.into());
}

/// The controller of generic netlink; other families get their numbers when they register.
static GENERIC: Words = Words { unknown: "GENERIC_FAMILY_???", list: &[(16, "nlctrl")] };

/// What the flags mean, by what the message does.
fn flags(kind: u16, protocol: u32) -> &'static Words {
    match protocol {
        _ if kind == NLMSG_ERROR => &words::ACK_FLAGS,
        _ if kind < NLMSG_MIN_TYPE => &words::FLAGS,
        protocol::ROUTE => route::flags(kind),
        protocol::SOCK_DIAG => &words::GET_FLAGS,
        protocol::NETFILTER => netfilter::flags(kind),
        // CRYPTO_MSG_NEWALG, _DELALG, _GETALG, _DELRNG.
        protocol::CRYPTO => match kind {
            16 => &words::NEW_FLAGS,
            17 | 20 => &words::DELETE_FLAGS,
            19 => &words::GET_FLAGS,
            _ => &words::FLAGS,
        },
        // XFRM_MSG_NEWSA, _NEWPOLICY, _NEWAE, _NEWSADINFO, _NEWSPDINFO; _DELSA, _DELPOLICY; _GET*.
        protocol::XFRM => match kind {
            0x10 | 0x13 | 0x1e | 0x22 | 0x24 => &words::NEW_FLAGS,
            0x11 | 0x14 => &words::DELETE_FLAGS,
            0x12 | 0x15 | 0x1f | 0x23 | 0x25 => &words::GET_FLAGS,
            _ => &words::FLAGS,
        },
        _ => &words::FLAGS,
    }
}

fn payload(text: &mut Text<'_>, header: Header, bytes: &[u8], protocol: u32, word: usize) {
    if header.kind == NLMSG_ERROR {
        return acknowledgement(text, header, bytes, protocol, word);
    }
    let mut around = Around { word, ..Around::default() };
    let own = header.kind >= NLMSG_MIN_TYPE || header.kind == NLMSG_DONE;
    let done = own
        && match protocol {
            protocol::ROUTE => route::payload(text, header, bytes, &mut around),
            protocol::SOCK_DIAG => diag::payload(text, header, bytes, &mut around),
            protocol::NETFILTER => netfilter::payload(text, header, bytes, &mut around),
            protocol::SELINUX => selinux(text, header, bytes),
            _ => false,
        };
    if done {
        return;
    }
    match bytes.first_chunk::<4>() {
        Some(number) if header.kind == NLMSG_DONE && bytes.len() == 4 => text.signed(i32::from_ne_bytes(*number)),
        _ => text.hex_string(bytes, false),
    }
}

static ERROR_ATTRIBUTES: Attributes = Attributes {
    words: &words::ERROR_ATTRS,
    forms: &[
        (Form::Str, &["NLMSGERR_ATTR_MSG"]),
        (Form::U32, &["NLMSGERR_ATTR_OFFS"]),
        (Form::Array(1), &["NLMSGERR_ATTR_COOKIE"]),
    ],
};

/// NLMSG_ERROR: an errno and the message that it answers, whole or only its head.
fn acknowledgement(text: &mut Text<'_>, header: Header, bytes: &[u8], protocol: u32, word: usize) {
    if bytes.len() < 4 + HEAD {
        return text.hex_string(bytes, false);
    }
    let error = Memory::new(bytes, 0, 8).i32();
    let behind = &bytes[4..];
    let answered = Header::read(behind);
    let length = if header.flags & NLM_F_CAPPED != 0 { HEAD } else { answered.length().max(HEAD) };
    let (answered_bytes, attributes) = behind.split_at(length.min(behind.len()));
    let body = |text: &mut Text<'_>| {
        text.braced(|text| {
            text.field("error");
            match errno::name(error.saturating_neg()).filter(|_| error != 0) {
                Some(name) => text.push(&format!("-{name}")),
                None => text.signed(error),
            }
            text.field("msg");
            message(text, answered, answered_bytes, protocol, word);
        });
    };
    if attributes.is_empty() {
        return body(text);
    }
    text.bracketed(|text| {
        body(text);
        text.push(", ");
        attribute::list(text, attributes, &ERROR_ATTRIBUTES, &mut Around::default());
    });
}

fn selinux(text: &mut Text<'_>, header: Header, bytes: &[u8]) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    match header.kind {
        16 | 17 if bytes.len() < 4 => text.hex_string(bytes, false),
        16 => text.braced(|text| text.field("val").signed(memory.i32())),
        17 => text.braced(|text| text.field("seqno").unsigned(memory.u32())),
        _ => return false,
    }
    true
}

/// A device's event: udev's have a header, the kernel's are text.
fn event(text: &mut Text<'_>, bytes: &[u8], length: usize) {
    const UDEV: usize = 40;
    let more = |shown: &[u8], length: usize| length > shown.len();
    if bytes.len() < UDEV || !bytes.starts_with(b"libudev\0") {
        return text.string(bytes, more(bytes, length));
    }
    let mut memory = Memory::new(bytes, 0, 8);
    memory.skip(8);
    let fields = |text: &mut Text<'_>, memory: &mut Memory<'_>| {
        text.braced(|text| {
            text.field("prefix").whole_string(b"libudev");
            network(text, "magic", memory);
            for field in ["header_size", "properties_off", "properties_len"] {
                text.field(field).unsigned(memory.u32());
            }
            let hashes = ["filter_subsystem_hash", "filter_devtype_hash", "filter_tag_bloom_hi", "filter_tag_bloom_lo"];
            hashes.iter().for_each(|field| network(text, field, memory));
        });
    };
    if length == UDEV {
        return fields(text, &mut memory);
    }
    text.bracketed(|text| {
        fields(text, &mut memory);
        text.push(", ");
        let rest = &bytes[UDEV..];
        text.string(rest, more(rest, length - UDEV));
    });
}

fn network(text: &mut Text<'_>, field: &str, memory: &mut Memory<'_>) {
    text.field(field).push("htonl(");
    text.hex(memory.be32());
    text.push(")");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text::written;

    fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(HEAD + payload.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend([1, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(payload);
        bytes
    }

    fn shown(bytes: &[u8], length: usize, protocol: u32) -> String {
        written(|text| messages(text, bytes, length, protocol, 8))
    }

    #[test]
    fn a_dump_ends() {
        let bytes = message(NLMSG_DONE, 2, &[0; 4]);
        let done = "[{nlmsg_len=20, nlmsg_type=NLMSG_DONE, nlmsg_flags=NLM_F_MULTI, nlmsg_seq=1, nlmsg_pid=0}, 0]";
        assert_eq!(shown(&bytes, 20, protocol::ROUTE), done);
        assert_eq!(shown(&bytes, 40, protocol::ROUTE), format!("[{done}, ...]"));
    }

    #[test]
    fn an_error_names_its_cause() {
        let cause = message(16, 5, &[]);
        let mut payload = (-libc::ENODEV).to_ne_bytes().to_vec();
        payload.extend(cause);
        let bytes = message(NLMSG_ERROR, 0, &payload);
        assert_eq!(
            shown(&bytes, bytes.len(), protocol::ROUTE),
            "[{nlmsg_len=36, nlmsg_type=NLMSG_ERROR, nlmsg_flags=0, nlmsg_seq=1, nlmsg_pid=0}, \
             {error=-ENODEV, msg={nlmsg_len=16, nlmsg_type=RTM_NEWLINK, nlmsg_flags=NLM_F_REQUEST|NLM_F_ACK, \
             nlmsg_seq=1, nlmsg_pid=0}}]"
        );
    }

    #[test]
    fn what_is_no_message_is_bytes() {
        assert_eq!(shown(&[1, 2], 2, protocol::ROUTE), r#""\x01\x02""#);
        assert_eq!(shown(b"add@/devices/x", 14, protocol::KOBJECT_UEVENT), r#""add@/devices/x""#);
    }
}
