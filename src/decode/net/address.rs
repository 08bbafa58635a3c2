//! struct sockaddr: the families that programs use daily. `rare` has the others.

use super::{
    inet::{self, ethernet},
    interface, rare,
};
use crate::{
    decode::{memory::Memory, text::Text},
    syscall::words::net,
};

/// Bytes of struct sockaddr_storage: no address is longer.
const MOST: usize = 128;
/// Bytes of struct sockaddr_un.
const UNIX_MOST: usize = 110;

/// An address that a pointer points to; returns its family. `length` is the caller's or the kernel's.
pub(in crate::decode) fn behind(
    text: &mut Text<'_>,
    pointer: u64,
    length: i32,
    captured: Option<&[u8]>,
    word: usize,
) -> Option<u16> {
    let length = usize::try_from(length).unwrap_or(0).min(MOST);
    match captured.and_then(|bytes| bytes.get(..length)).filter(|bytes| bytes.len() >= 2 && pointer != 0) {
        Some(bytes) => Some(sockaddr(text, bytes, word)),
        None => {
            text.addr(pointer);
            None
        }
    }
}

/// struct sockaddr of all of `bytes`; returns its family.
pub(in crate::decode) fn sockaddr(text: &mut Text<'_>, bytes: &[u8], word: usize) -> u16 {
    let mut memory = Memory::new(bytes, 0, word);
    let family = memory.u16();
    text.braced(|text| {
        text.field("sa_family").word(&net::FAMILIES, family.into());
        if bytes.len() > 2 && !known(text, family.into(), bytes, memory) {
            text.field("sa_data").whole_string(&bytes[2..]);
        }
    });
    family
}

/// An address that is all there is to read.
pub(in crate::decode) fn whole(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let word = memory.word_size();
    sockaddr(text, memory.rest(), word);
}

/// The fields behind the family, if the family is known and the address long enough for it.
fn known(text: &mut Text<'_>, family: i32, bytes: &[u8], mut memory: Memory<'_>) -> bool {
    match family {
        libc::AF_UNIX => unix(text, &bytes[2..bytes.len().min(UNIX_MOST)]),
        libc::AF_INET if bytes.len() >= 16 => inet::inet(text, &mut memory),
        libc::AF_INET6 if bytes.len() >= 24 => inet::inet6(text, &mut memory),
        libc::AF_NETLINK if bytes.len() >= 12 => netlink(text, &mut memory),
        libc::AF_PACKET if bytes.len() >= 20 => packet(text, &mut memory, bytes.len()),
        _ => return rare::known(text, family, bytes, memory),
    }
    true
}

fn unix(text: &mut Text<'_>, path: &[u8]) {
    text.field("sun_path");
    match path {
        [0, name @ ..] => {
            text.push("@");
            text.whole_string(name);
        }
        path => text.whole_string(path.split(|byte| *byte == 0).next().unwrap_or_default()),
    }
}

fn netlink(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (pad, pid, groups) = (memory.u16(), memory.i32(), memory.u32());
    if pad != 0 {
        text.field("nl_pad").hex(pad);
    }
    text.field("nl_pid").signed(pid);
    text.field("nl_groups").padded_hex(groups, 8);
}

fn packet(text: &mut Text<'_>, memory: &mut Memory<'_>, length: usize) {
    let (protocol, index, hardware) = (memory.be16(), memory.u32(), memory.u16());
    let (kind, address_length) = (memory.u8(), memory.u8());
    text.field("sll_protocol");
    ethernet(text, protocol);
    text.field("sll_ifindex");
    interface::index(text, index);
    text.field("sll_hatype").word(&net::address::HARDWARE, hardware.into());
    text.field("sll_pkttype").word(&net::address::PACKET_TYPES, kind.into());
    text.field("sll_halen").unsigned(address_length);
    if address_length == 0 {
        return;
    }
    text.field("sll_addr").bracketed(|text| {
        for n in 0..usize::from(address_length) {
            text.separate();
            if n >= length - 12 {
                return text.push("...");
            }
            text.padded_hex(memory.u8(), 2);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;
    use crate::decode::text::written;

    fn shown(bytes: &[u8]) -> String {
        written(|text| {
            sockaddr(text, bytes, 8);
        })
    }

    #[test]
    fn unix_addresses() {
        assert_eq!(shown(b"\x01\0"), "{sa_family=AF_UNIX}");
        assert_eq!(shown(b"\x01\0/run/a\0zz"), r#"{sa_family=AF_UNIX, sun_path="/run/a"}"#);
        assert_eq!(shown(b"\x01\0\0abc\0"), r#"{sa_family=AF_UNIX, sun_path=@"abc\0"}"#);
        assert_eq!(shown(b"\x01\0\0"), r#"{sa_family=AF_UNIX, sun_path=@""}"#);
    }

    #[test]
    fn internet_addresses() {
        let bytes = [2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(shown(&bytes), r#"{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}"#);
        assert_eq!(shown(&bytes[..4]), r#"{sa_family=AF_INET, sa_data="\0P"}"#);
        let mut bytes = vec![10, 0, 0, 53, 0, 0, 0, 0];
        bytes.extend(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1).octets());
        bytes.extend([1, 0, 0, 0]);
        assert_eq!(
            shown(&bytes),
            "{sa_family=AF_INET6, sin6_port=htons(53), sin6_flowinfo=htonl(0), \
             inet_pton(AF_INET6, \"fe80::1\", &sin6_addr), sin6_scope_id=if_nametoindex(\"lo\")}"
        );
    }

    #[test]
    fn an_unknown_family_is_data() {
        assert_eq!(shown(b"\xff\0ab"), r#"{sa_family=0xff /* AF_??? */, sa_data="ab"}"#);
    }

    #[test]
    fn an_address_that_is_too_short_or_not_known_is_its_pointer() {
        let shown = |length, bytes| {
            written(|text| {
                behind(text, 0x1000, length, bytes, 8);
            })
        };
        assert_eq!(shown(1, Some(&b"\x01\0"[..])), "0x1000");
        assert_eq!(shown(16, Some(&b"\x01\0"[..])), "0x1000");
        assert_eq!(shown(-1, None), "0x1000");
    }
}
