//! What the calls of sockets have besides structures: types, protocols, and addresses that come with a
//! length which the kernel changes.

use super::{address, inet, netlink};
use crate::{
    decode::{
        raw::{Raw, int},
        text::Text,
    },
    syscall::words::net,
    wire::Part,
};

/// A socket's type and flags.
pub(in crate::decode) fn kind(text: &mut Text<'_>, value: u32) {
    let (kind, flags) = (u64::from(value & 0xf), u64::from(value & !0xf));
    if net::SOCKET_TYPES.word(kind).is_none() {
        return text.flags(&net::SOCKET_FLAGS, value.into());
    }
    text.word(&net::SOCKET_TYPES, kind);
    if flags != 0 {
        text.push("|");
        text.flags(&net::SOCKET_FLAGS, flags);
    }
}

/// A socket's protocol, by the family in argument 0.
pub(in crate::decode) fn protocol(text: &mut Text<'_>, raw: &Raw<'_>, value: u32) {
    const AF_KCM: i32 = 41;
    const AF_SMC: i32 = 43;
    let words = match int(raw.register(0)) {
        libc::AF_INET | libc::AF_INET6 => &net::IP_PROTOCOLS,
        libc::AF_NETLINK => &net::NETLINK_PROTOCOLS,
        libc::AF_PACKET => return inet::ethernet(text, swapped(value)),
        libc::AF_AX25 => {
            text.hex(value);
            let word = net::AX25_PROTOCOLS.word(value.into()).unwrap_or(net::AX25_PROTOCOLS.unknown);
            return text.push(&format!(" /* {word} */"));
        }
        libc::AF_IRDA => &net::IRDA_PROTOCOLS,
        libc::AF_CAN => &net::CAN_PROTOCOLS,
        libc::AF_BLUETOOTH => &net::BLUETOOTH_PROTOCOLS,
        libc::AF_RXRPC => &net::FAMILIES,
        libc::AF_ISDN => &net::ISDN_PROTOCOLS,
        libc::AF_PHONET => &net::PHONET_PROTOCOLS,
        libc::AF_CAIF => &net::CAIF_PROTOCOLS,
        libc::AF_NFC => &net::NFC_PROTOCOLS,
        AF_KCM => &net::KCM_PROTOCOLS,
        AF_SMC => &net::SMC_PROTOCOLS,
        _ => return text.unsigned(value),
    };
    text.word(words, value.into());
}

#[allow(clippy::cast_possible_truncation, reason = "the protocol is sixteen bits wide")]
fn swapped(value: u32) -> u16 {
    (value as u16).swap_bytes()
}

/// The length that a call found where the kernel writes it: known if there is room for an address too.
pub(in crate::decode) fn given_length(raw: &Raw<'_>, address: u8, length: u8) -> Option<i32> {
    let given = raw.piece(length, Part::PART_START)?.first_chunk::<4>()?;
    (raw.register(address) != 0).then(|| i32::from_ne_bytes(*given))
}

/// The length that the kernel wrote.
fn written_length(raw: &Raw<'_>, length: u8) -> Option<i32> {
    raw.data(length)?.first_chunk::<4>().map(|bytes| i32::from_ne_bytes(*bytes))
}

/// The address of a peer: no more of it than there was room for.
pub(in crate::decode) fn peer(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, length: u8) {
    let lengths = given_length(raw, index, length).zip(written_length(raw, length)).filter(|_| !raw.failed());
    match lengths {
        Some((given, written)) => {
            let captured = raw.data(index);
            address::behind(text, raw.register(index), given.min(written), captured, raw.abi.word());
        }
        None => text.addr(raw.register(index)),
    }
}

/// Its length: `[16]`, `[128 => 16]`, or the pointer.
pub(in crate::decode) fn peer_length(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, address: u8) {
    let Some(given) = given_length(raw, address, index) else { return text.addr(raw.register(index)) };
    let written = written_length(raw, index).filter(|_| !raw.failed());
    text.bracketed(|text| {
        text.signed(given);
        if let Some(written) = written.filter(|written| *written != given) {
            text.push(" => ");
            text.signed(written);
        }
    });
}

/// What is sent or received: data, or netlink messages. `length`: how much of it there is.
pub(in crate::decode) fn data(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, length: u64) {
    let Some(bytes) = raw.joined(index) else { return text.addr(raw.register(index)) };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let shown = &bytes[..bytes.len().min(length)];
    match raw.number(index, Part::PART_NETLINK) {
        Some(protocol) => netlink::messages(text, shown, length, protocol, raw.abi.word()),
        None => text.string(shown, length > shown.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text::written;

    #[test]
    fn types_and_flags() {
        let stream = libc::SOCK_STREAM.cast_unsigned();
        let cloexec = libc::SOCK_CLOEXEC.cast_unsigned();
        assert_eq!(written(|text| kind(text, stream)), "SOCK_STREAM");
        assert_eq!(written(|text| kind(text, stream | cloexec)), "SOCK_STREAM|SOCK_CLOEXEC");
        assert_eq!(written(|text| kind(text, stream | 0x100)), "SOCK_STREAM|0x100 /* SOCK_??? */");
        assert_eq!(written(|text| kind(text, 15)), "0xf /* SOCK_??? */");
    }
}
