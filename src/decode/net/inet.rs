//! Internet addresses and ports.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::interface;
use crate::{
    decode::{memory::Memory, style::Constants, text::Text},
    syscall::words::net,
};

/// `sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")`.
pub(super) fn inet(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    port(text.field("sin_port"), memory.be16());
    text.field("sin_addr");
    inet_addr(text, memory.be32());
}

/// The fields of struct sockaddr_in6 behind its family.
pub(super) fn inet6(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    port(text.field("sin6_port"), memory.be16());
    let flow = memory.be32();
    text.field("sin6_flowinfo").either(
        |text| text.whole_hex_string(&flow.to_be_bytes()),
        |text| {
            text.push("htonl(");
            text.unsigned(flow);
            text.push(")");
        },
    );
    let address = bits(memory);
    inet_pton(text, address, Some("sin6_addr"));
    if memory.left() > 0 {
        let scope = memory.u32();
        let [first, second, ..] = address.octets();
        let link_local = first == 0xfe && second & 0xc0 == 0x80 || first == 0xff && second & 0x0f == 2;
        text.field("sin6_scope_id");
        if link_local { interface::index(text, scope) } else { text.unsigned(scope) }
    }
}

/// `htons(80)`.
pub(super) fn port(text: &mut Text<'_>, port: u16) {
    text.either(
        |text| text.whole_hex_string(&port.to_be_bytes()),
        |text| {
            text.push("htons(");
            text.unsigned(port);
            text.push(")");
        },
    );
}

/// `htons(ETH_P_IP)`, of a number in the host's order.
pub(in crate::decode) fn ethernet(text: &mut Text<'_>, protocol: u16) {
    text.push("htons(");
    text.word(&net::ETHERNET_PROTOCOLS, protocol.into());
    text.push(")");
}

/// `inet_addr("127.0.0.1")`, of a number in the host's order.
pub(in crate::decode) fn inet_addr(text: &mut Text<'_>, address: u32) {
    text.either(
        |text| text.whole_hex_string(&address.to_be_bytes()),
        |text| {
            text.push("inet_addr(");
            text.whole_string(Ipv4Addr::from(address).to_string().as_bytes());
            text.push(")");
        },
    );
}

/// Sixteen bytes as an address.
pub(super) fn bits(memory: &mut Memory<'_>) -> Ipv6Addr {
    let raw: [u8; 16] = memory.raw(16).try_into().unwrap_or_default();
    Ipv6Addr::from(raw)
}

/// `inet_pton(AF_INET6, "::1", &sin6_addr)`; in front of it a comma, if it is a field.
pub(in crate::decode) fn inet_pton(text: &mut Text<'_>, address: Ipv6Addr, field: Option<&str>) {
    let constants = text.constants();
    match field {
        Some(field) if constants != Constants::Abbrev => {
            text.field(field);
        }
        Some(_) => text.separate(),
        None => {}
    }
    // The field's name is told once.
    let field = field.filter(|_| constants == Constants::Abbrev);
    text.either(|text| text.whole_hex_string(&address.octets()), |text| inet_pton_words(text, address, field));
}

fn inet_pton_words(text: &mut Text<'_>, address: Ipv6Addr, field: Option<&str>) {
    text.push("inet_pton(AF_INET6, ");
    let shown = match address.segments() {
        // An IPv4 address in the last four bytes is written as such by C libraries.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
            format!("::{}", Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
        }
        _ => address.to_string(),
    };
    text.whole_string(shown.as_bytes());
    if let Some(field) = field {
        text.push(&format!(", &{field}"));
    }
    text.push(")");
}

/// An address of a family that stands alone: `inet_addr(...)`, `inet_pton(...)`, or its bytes.
pub(super) fn by_family(text: &mut Text<'_>, family: i32, bytes: &[u8], field: Option<&str>) {
    let mut memory = Memory::new(bytes, 0, 8);
    let name = |text: &mut Text<'_>| {
        if let Some(field) = field {
            text.field(field);
        }
    };
    match (family, bytes.len()) {
        (libc::AF_INET, 4..) => {
            name(text);
            inet_addr(text, memory.be32());
        }
        (libc::AF_INET6, 16..) => inet_pton(text, bits(&mut memory), field),
        _ => {
            name(text);
            text.hex_string(bytes, false);
        }
    }
}
