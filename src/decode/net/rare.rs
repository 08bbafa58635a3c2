//! struct sockaddr: families that few programs use.

use super::{inet, interface};
use crate::{
    decode::{memory::Memory, text::Text},
    syscall::words::{Words, net, net::address as words},
};

const AF_QIPCRTR: i32 = 42;
const AF_XDP: i32 = 44;
const AF_MCTP: i32 = 45;

/// The fields behind the family, if the family is known and the address long enough for it.
pub(super) fn known(text: &mut Text<'_>, family: i32, bytes: &[u8], mut memory: Memory<'_>) -> bool {
    let length = bytes.len();
    let memory = &mut memory;
    match family {
        libc::AF_AX25 if length >= 16 => ax25(text, memory, length),
        libc::AF_IPX if length >= 16 => ipx(text, memory),
        libc::AF_X25 if length >= 18 => text.field("sx25_addr").braced(|text| {
            text.field("x25_addr").cstring(memory.raw(16));
        }),
        libc::AF_BLUETOOTH => return bluetooth(text, memory, length),
        libc::AF_RXRPC if length >= 36 => rxrpc(text, memory, length),
        libc::AF_IEEE802154 if length >= 20 => ieee802154(text, memory),
        libc::AF_ALG if length >= 25 => alg(text, memory),
        libc::AF_NFC if length >= 16 => nfc(text, memory, length),
        libc::AF_VSOCK if length >= 16 => vsock(text, memory),
        AF_QIPCRTR if length >= 12 => {
            memory.skip(2);
            text.field("sq_node").word(&words::QRTR_NODES, memory.u32().into());
            text.field("sq_port").word(&words::QRTR_PORTS, memory.u32().into());
        }
        AF_XDP if length >= 16 => xdp(text, memory),
        AF_MCTP if length >= 12 => mctp(text, memory),
        _ => return false,
    }
    true
}

/// A number with its word in a comment, where there is one.
fn explained(text: &mut Text<'_>, words: &Words, value: u64) {
    text.hex(value);
    match words.word(value) {
        Some(word) => text.push(&format!(" /* {word} */")),
        None if words.unknown.is_empty() => {}
        None => text.push(&format!(" /* {} */", words.unknown)),
    }
}

fn ax25(text: &mut Text<'_>, memory: &mut Memory<'_>, length: usize) {
    let call = memory.raw(7);
    memory.skip(3);
    let count = memory.i32();
    let full = count != 0 || length > 16;
    let base = |text: &mut Text<'_>| {
        callsign(text.field("sax25_call"), call);
        text.field("sax25_ndigis").signed(count);
    };
    if !full {
        return base(text);
    }
    text.field("fsa_ax25").braced(base);
    let has = ((length - 16) / 7).min(8);
    let wanted = usize::try_from(count).unwrap_or(0).min(8);
    if wanted > 0 {
        text.field("fsa_digipeater").bracketed(|text| {
            for _ in 0..wanted.min(has) {
                text.separate();
                callsign(text, memory.raw(7));
            }
            if wanted > has {
                text.separate();
                text.push("...");
            }
        });
    }
    if length > 16 + 7 * has {
        text.separate();
        text.push("...");
    }
}

/// An AX.25 address: its letters are shifted, its last byte holds a number.
fn callsign(text: &mut Text<'_>, call: &[u8]) {
    let [letters @ .., last] = call else { return };
    let shown: Vec<u8> = letters.iter().map(|byte| byte >> 1).collect();
    let raw = |text: &mut Text<'_>| text.braced(|text| text.field("ax25_call").whole_hex_string(call));
    if shown.iter().any(|byte| !(b' '..=b'~').contains(byte) || matches!(byte, b'*' | b'/')) {
        return raw(text);
    }
    let name = shown.trim_ascii_end();
    let odd = letters.iter().any(|byte| byte & 1 != 0)
        || name.iter().any(|byte| !byte.is_ascii_digit() && !byte.is_ascii_uppercase())
        || last & !0x1e != 0
        || name.is_empty() && *last != 0;
    let number = last >> 1 & 0xf;
    let written = match (name, number) {
        ([], 0) => "*".to_owned(),
        (name, number) => format!("{}-{number}", String::from_utf8_lossy(name)),
    };
    if odd {
        raw(text);
        text.push(&format!(" /* {written} */"));
    } else {
        text.push(&written);
    }
}

fn ipx(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    inet::port(text.field("sipx_port"), memory.be16());
    text.field("sipx_network").push("htonl(");
    text.hex(memory.be32());
    text.push(")");
    text.field("sipx_node").bracketed(|text| {
        for byte in memory.raw(6) {
            text.separate();
            text.padded_hex(*byte, 2);
        }
    });
    text.field("sipx_type").padded_hex(memory.u8(), 2);
    let zero = memory.u8();
    if zero != 0 {
        text.field("sipx_zero").hex(zero);
    }
}

/// Which of Bluetooth's addresses it is, only its length tells.
fn bluetooth(text: &mut Text<'_>, memory: &mut Memory<'_>, length: usize) -> bool {
    match length {
        4 | 6 => {
            text.field("hci_dev").push("htobs(");
            text.unsigned(memory.u16());
            text.push(")");
            if length == 6 {
                text.field("hci_channel").word(&words::HCI_CHANNELS, memory.u16().into());
            }
        }
        8 => interface::hardware(text.field("sco_bdaddr"), memory.raw(6)),
        10 => {
            interface::hardware(text.field("rc_bdaddr"), memory.raw(6));
            text.field("rc_channel").unsigned(memory.u8());
        }
        12 | 14 => {
            let psm = memory.u16();
            shifted(
                text.field("l2_psm"),
                &words::L2_PSM,
                psm,
                &[(0x80, 0xff, "L2CAP_PSM_LE_DYN_START"), (0x1001, 0xffff, "L2CAP_PSM_DYN_START")],
            );
            interface::hardware(text.field("l2_bdaddr"), memory.raw(6));
            let cid = memory.u16();
            shifted(text.field("l2_cid"), &words::L2_CID, cid, &[(0x40, 0xffff, "L2CAP_CID_DYN_START")]);
            if length == 14 {
                text.field("l2_bdaddr_type").word(&words::BLUETOOTH_ADDRESS, memory.u8().into());
            }
        }
        _ => return false,
    }
    true
}

/// `htobs(WORD)`, or `htobs(FIRST + 3)` inside a range that has a word for its first.
fn shifted(text: &mut Text<'_>, words: &Words, value: u16, ranges: &[(u16, u16, &str)]) {
    text.push("htobs(");
    let range = ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&value));
    match (words.word(value.into()), range) {
        (Some(word), _) => text.push(word),
        (None, Some((first, _, word))) => text.push(&format!("{word}+{}", value - first)),
        (None, None) => explained(text, words, value.into()),
    }
    text.push(")");
}

fn rxrpc(text: &mut Text<'_>, memory: &mut Memory<'_>, length: usize) {
    let service = memory.u16();
    explained(text.field("srx_service"), &words::RXRPC_SERVICES, service.into());
    text.field("transport_type").word(&net::SOCKET_TYPES, memory.u16().into());
    let claimed = usize::from(memory.u16());
    text.field("transport_len").unsigned(claimed as u64);
    let transport = memory.rest();
    let transport = &transport[..transport.len().min(claimed.min(length - 8)).max(2)];
    let mut memory = Memory::new(transport, 0, 8);
    let family = memory.u16();
    let rest = |text: &mut Text<'_>| {
        if transport.len() > 2 {
            text.separate();
            text.whole_string(&transport[2..]);
        }
    };
    text.field("transport").braced(|text| match i32::from(family) {
        libc::AF_INET => text.field("sin").braced(|text| {
            text.field("sin_family").word(&net::FAMILIES, family.into());
            if claimed >= 16 { inet::inet(text, &mut memory) } else { rest(text) }
        }),
        libc::AF_INET6 => text.field("sin6").braced(|text| {
            text.field("sin6_family").word(&net::FAMILIES, family.into());
            if claimed >= 24 { inet::inet6(text, &mut memory) } else { rest(text) }
        }),
        _ => {
            text.field("family").word(&net::FAMILIES, family.into());
            rest(text);
        }
    });
}

fn ieee802154(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    memory.skip(2);
    let (kind, pan) = (memory.u32(), memory.u16());
    text.field("addr").braced(|text| {
        explained(text.field("addr_type"), &words::IEEE802154_TYPES, kind.into());
        explained(text.field("pan_id"), &words::IEEE802154_PANS, pan.into());
        match kind {
            0 => {}
            2 => explained(text.field("short_addr"), &words::IEEE802154_ADDRESSES, memory.u16().into()),
            _ => interface::hardware(text.field("hwaddr"), memory.raw(8)),
        }
    });
}

fn alg(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.field("salg_type").cstring(memory.raw(14));
    for field in ["salg_feat", "salg_mask"] {
        text.field(field).explained_flags(&words::ALG_FLAGS, memory.u32().into());
    }
    text.field("salg_name").cstring(memory.rest());
}

fn nfc(text: &mut Text<'_>, memory: &mut Memory<'_>, length: usize) {
    memory.skip(2);
    interface::index(text.field("dev_idx"), memory.u32());
    text.field("target_idx").hex(memory.u32());
    text.field("nfc_protocol").word(&words::NFC_PROTO, memory.u32().into());
    let (length_at, whole) = if memory.word_size() == 8 { (88, 96) } else { (84, 88) };
    if length < whole {
        if length > 16 {
            text.separate();
            text.push("...");
        }
        return;
    }
    explained(text.field("dsap"), &words::NFC_SAPS, memory.u8().into());
    explained(text.field("ssap"), &words::NFC_SAPS, memory.u8().into());
    let name = memory.raw(63);
    memory.seek(length_at);
    let name_length = memory.word();
    let shown = usize::try_from(name_length).unwrap_or(usize::MAX).min(name.len());
    text.field("service_name").whole_string(&name[..shown]);
    text.field("service_name_len").unsigned(name_length);
}

fn vsock(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (reserved, port, cid) = (memory.u16(), memory.u32(), memory.u32());
    let (flags, zero) = (memory.u8(), memory.raw(3));
    if reserved != 0 {
        text.field("svm_reserved1").hex(reserved);
    }
    text.field("svm_cid").word(&words::VSOCK_CIDS, cid.into());
    text.field("svm_port").word(&words::VSOCK_PORTS, port.into());
    text.field("svm_flags").flags(&words::VSOCK_FLAGS, flags.into());
    if zero.iter().any(|byte| *byte != 0) {
        text.field("svm_zero").whole_hex_string(zero);
    }
}

fn xdp(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    const XDP_SHARED_UMEM: u16 = 1;
    let (flags, index, queue, fd) = (memory.u16(), memory.u32(), memory.u32(), memory.u32());
    text.field("sxdp_flags").flags(&words::XDP_FLAGS, flags.into());
    interface::index(text.field("sxdp_ifindex"), index);
    text.field("sxdp_queue_id").unsigned(queue);
    if flags & XDP_SHARED_UMEM != 0 {
        text.field("sxdp_shared_umem_fd").signed(fd.cast_signed());
    } else if fd != 0 {
        text.field("sxdp_shared_umem_fd").hex(fd);
    }
}

fn mctp(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (pad, network, address) = (memory.u16(), memory.u32(), memory.u8());
    if pad != 0 {
        text.field("__smctp_pad0").hex(pad);
    }
    text.field("smctp_network").word(&words::MCTP_NETS, network.into());
    text.field("smctp_addr").braced(|text| text.field("s_addr").word(&words::MCTP_ADDRESSES, address.into()));
    text.field("smctp_type").hex(memory.u8());
    text.field("smctp_tag").hex(memory.u8());
    let pad = memory.u8();
    if pad != 0 {
        text.field("__smctp_pad1").hex(pad);
    }
}

#[cfg(test)]
mod tests {
    use crate::decode::{net::address::sockaddr, text::written};

    fn shown(bytes: &[u8]) -> String {
        written(|text| {
            sockaddr(text, bytes, 8);
        })
    }

    #[test]
    fn vsock() {
        let bytes = [40, 0, 0, 0, 0x34, 0x12, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(shown(&bytes), "{sa_family=AF_VSOCK, svm_cid=VMADDR_CID_HOST, svm_port=0x1234, svm_flags=0}");
    }

    #[test]
    fn alg() {
        let mut bytes = vec![0; 88];
        bytes[0] = 38;
        bytes[2..6].copy_from_slice(b"hash");
        bytes[24..30].copy_from_slice(b"sha256");
        assert_eq!(
            shown(&bytes),
            r#"{sa_family=AF_ALG, salg_type="hash", salg_feat=0, salg_mask=0, salg_name="sha256"}"#
        );
    }

    #[test]
    fn bluetooth_by_length() {
        assert_eq!(
            shown(&[31, 0, 1, 0, 0, 0]),
            "{sa_family=AF_BLUETOOTH, hci_dev=htobs(1), hci_channel=HCI_CHANNEL_RAW}"
        );
        assert_eq!(shown(&[31, 0, 1, 0, 0]), r#"{sa_family=AF_BLUETOOTH, sa_data="\1\0\0"}"#);
    }
}
