//! getsockopt and setsockopt: levels, options and their values.

use super::{address, control::ucred, inet, interface};
use crate::{
    decode::{
        errno,
        memory::Memory,
        raw::{Raw, int},
        text::Text,
    },
    syscall::words::{Words, net::option as words},
    wire::Part,
};

const SOL_RAW: i32 = libc::SOL_RAW;
const AF_VSOCK: i32 = libc::AF_VSOCK;

/// An option by its level. `get`: getsockopt's.
pub(in crate::decode) fn name(text: &mut Text<'_>, raw: &Raw<'_>, value: u32, get: bool) {
    let level = int(raw.register(1));
    let value = u64::from(value);
    let own = |common: &'static Words, get_only: &'static Words, set_only: &'static Words| {
        let own = if get { get_only } else { set_only };
        if own.word(value).is_some() && common.word(value).is_none() { own } else { common }
    };
    let words = match level {
        libc::SOL_SOCKET => own(&words::SOCKET, &words::GET_SOCKET, &words::SET_SOCKET),
        libc::SOL_IP => own(&words::IP, &words::GET_IP, &words::SET_IP),
        libc::SOL_IPV6 => own(&words::IPV6, &words::GET_IPV6, &words::SET_IPV6),
        AF_VSOCK => &words::VSOCK,
        256 => &words::IPX,
        257 => &words::AX25,
        libc::SOL_PACKET => &words::PACKET,
        libc::SOL_TCP => &words::TCP,
        libc::SOL_CAN_RAW => &words::CAN_RAW,
        132 => &words::SCTP,
        SOL_RAW => &words::RAW,
        libc::SOL_NETLINK => &words::NETLINK,
        libc::SOL_UDP => &words::UDP,
        libc::SOL_IRDA => &words::IRDA,
        libc::SOL_LLC => &words::LLC,
        libc::SOL_DCCP => &words::DCCP,
        libc::SOL_TIPC => &words::TIPC,
        libc::SOL_RXRPC => &words::RXRPC,
        libc::SOL_PPPOL2TP => &words::PPPOL2TP,
        libc::SOL_BLUETOOTH => &words::BLUETOOTH,
        libc::SOL_PNPIPE => &words::PNPIPE,
        libc::SOL_RDS => &words::RDS,
        libc::SOL_IUCV => &words::IUCV,
        libc::SOL_CAIF => &words::CAIF,
        libc::SOL_ALG => &words::ALG,
        libc::SOL_NFC => &words::NFC,
        281 => &words::KCM,
        libc::SOL_TLS => &words::TLS,
        libc::SOL_XDP => &words::XDP,
        _ => return text.unsigned(value),
    };
    text.word(words, value);
}

/// What an option's value is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// An int, whatever its length claims from four bytes on.
    Int,
    Linger,
    Ucred,
    Filter,
    Error,
    Rehash,
    PacketStats,
    PacketRing,
    PacketMembership,
    IcmpFilter,
    Groups,
    Membership,
    Membership6,
    GroupRequest,
    /// An int if it is as long as one, else data.
    Other,
}

/// The value of a SOL_SOCKET option; those that are not here are data.
fn socket_form(option: i32, get: bool) -> Form {
    match option {
        libc::SO_LINGER => Form::Linger,
        libc::SO_PEERCRED if get => Form::Ucred,
        libc::SO_ATTACH_FILTER => Form::Filter,
        libc::SO_ATTACH_REUSEPORT_CBPF if !get => Form::Filter,
        libc::SO_ERROR if get => Form::Error,
        74 => Form::Rehash,
        libc::SO_DEBUG
        | libc::SO_REUSEADDR
        | libc::SO_DONTROUTE..=libc::SO_PRIORITY
        | libc::SO_BSDCOMPAT
        | libc::SO_REUSEPORT
        | libc::SO_PASSCRED
        | libc::SO_RCVLOWAT
        | libc::SO_SNDLOWAT
        | libc::SO_DETACH_FILTER
        | libc::SO_TIMESTAMP
        | libc::SO_ACCEPTCONN
        | libc::SO_SNDBUFFORCE
        | libc::SO_RCVBUFFORCE
        | libc::SO_PASSSEC
        | libc::SO_TIMESTAMPNS
        | libc::SO_MARK
        | libc::SO_TIMESTAMPING
        | libc::SO_RXQ_OVFL..=libc::SO_BUSY_POLL
        | libc::SO_INCOMING_CPU
        | libc::SO_CNX_ADVICE
        | libc::SO_INCOMING_NAPI_ID
        | libc::SO_ZEROCOPY
        // SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW, SO_TIMESTAMPING_NEW, SO_DETACH_REUSEPORT_BPF,
        // SO_PREFER_BUSY_POLL, SO_BUSY_POLL_BUDGET, SO_RESERVE_MEM, SO_RCVMARK.
        | 63..=65
        | 68..=70
        | 73
        | 75 => Form::Int,
        _ => Form::Other,
    }
}

fn form(level: i32, option: i32, get: bool) -> Form {
    const ICMP_FILTER: i32 = 1;
    const MCAST_JOIN_GROUP: i32 = 42;
    const MCAST_LEAVE_GROUP: i32 = 45;
    match (level, option, get) {
        (libc::SOL_SOCKET, _, _) => socket_form(option, get),
        (libc::SOL_PACKET, libc::PACKET_STATISTICS, true) => Form::PacketStats,
        (libc::SOL_PACKET, libc::PACKET_RX_RING | libc::PACKET_TX_RING, false) => Form::PacketRing,
        (libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP | libc::PACKET_DROP_MEMBERSHIP, false) => Form::PacketMembership,
        (SOL_RAW, ICMP_FILTER, _) => Form::IcmpFilter,
        (libc::SOL_NETLINK, libc::NETLINK_LIST_MEMBERSHIPS, true) => Form::Groups,
        (libc::SOL_NETLINK, _, _) => Form::Int,
        (libc::SOL_IP, libc::IP_ADD_MEMBERSHIP | libc::IP_DROP_MEMBERSHIP, false) => Form::Membership,
        (libc::SOL_IPV6, libc::IPV6_ADD_MEMBERSHIP | libc::IPV6_DROP_MEMBERSHIP, false) => Form::Membership6,
        (libc::SOL_IPV6, 27 | 28, false) => Form::Membership6,
        (libc::SOL_IP | libc::SOL_IPV6, MCAST_JOIN_GROUP | MCAST_LEAVE_GROUP, false) => Form::GroupRequest,
        _ => Form::Other,
    }
}

/// setsockopt's value.
pub(in crate::decode) fn set(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) {
    let (level, option, length) = (int(raw.register(1)), int(raw.register(2)), int(raw.register(4)));
    let address = raw.register(index);
    let form = form(level, option, false);
    let Some(bytes) = raw.data(index).filter(|_| address != 0) else { return text.addr(address) };
    // A negative length is a huge one to what copies data.
    let claimed = usize::try_from(length).unwrap_or(usize::MAX);
    let exact = match form {
        Form::PacketRing => Some(16),
        Form::PacketMembership => Some(16),
        Form::Filter => Some(2 * raw.abi.word()),
        _ => None,
    };
    let least = match form {
        Form::Linger | Form::Membership => 8,
        Form::Membership6 => 20,
        Form::GroupRequest => raw.abi.word() + 128,
        Form::Int | Form::Rehash => 4,
        Form::IcmpFilter => 1,
        _ => 0,
    };
    if exact.is_some_and(|exact| claimed != exact) || form != Form::Other && (length < 0 || claimed < least) {
        return text.addr(address);
    }
    value(text, raw, form, address, bytes, claimed);
}

/// getsockopt's value: as long as the kernel says, in a buffer as long as the caller said.
pub(in crate::decode) fn got(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, length: u8) {
    let address = raw.register(index);
    let given = raw.number(length, Part::PART_START).map(u32::cast_signed);
    let written = raw.number(length, Part::PART_DATA).map(u32::cast_signed);
    let lengths = given.zip(written).filter(|(given, written)| *given > 0 && *written > 0);
    let (Some((given, written)), Some(bytes)) = (lengths, raw.data(index).filter(|_| address != 0 && !raw.failed()))
    else {
        return text.addr(address);
    };
    let claimed = usize::try_from(written).unwrap_or(0);
    let (level, option) = (int(raw.register(1)), int(raw.register(2)));
    let form = form(level, option, true);
    match form {
        Form::Filter => text.addr(address),
        Form::Int if level == libc::SOL_NETLINK => value(text, raw, form, address, bytes, claimed.max(4)),
        Form::Int | Form::Error | Form::Rehash if claimed < 4 => {
            text.hex_string(&bytes[..bytes.len().min(claimed)], false);
        }
        Form::Groups => {
            let claimed = claimed.min(usize::try_from(given).unwrap_or(0));
            value(text, raw, form, address, bytes, claimed);
        }
        _ => value(text, raw, form, address, bytes, claimed),
    }
}

/// A value whose length is right for its form.
fn value(text: &mut Text<'_>, raw: &Raw<'_>, form: Form, address: u64, bytes: &[u8], claimed: usize) {
    let word = raw.abi.word();
    let mut memory = Memory::new(bytes, 0, word);
    let from = text.len();
    match form {
        Form::Int => text.bracketed(|text| text.signed(memory.i32())),
        Form::Other if claimed == 4 => text.bracketed(|text| text.signed(memory.i32())),
        Form::Other => {
            let shown = &bytes[..bytes.len().min(claimed)];
            return text.string(shown, claimed > shown.len());
        }
        Form::Linger => fields(text, &mut memory, claimed, &["l_onoff", "l_linger"], true),
        Form::Ucred if claimed >= 12 => ucred(text, &mut memory),
        Form::Ucred => fields(text, &mut memory, claimed, &["pid", "uid", "gid"], true),
        Form::PacketStats => {
            fields(text, &mut memory, claimed, &["tp_packets", "tp_drops", "tp_freeze_q_cnt"], false);
        }
        Form::PacketRing => {
            let names = ["tp_block_size", "tp_block_nr", "tp_frame_size", "tp_frame_nr"];
            fields(text, &mut memory, claimed, &names, false);
        }
        Form::Error => {
            let error = memory.i32();
            text.bracketed(|text| match errno::name(error) {
                Some(name) if error != 0 => text.push(name),
                _ => text.unsigned(error.cast_unsigned()),
            });
        }
        Form::Rehash => {
            let value = memory.u32();
            text.bracketed(|text| match words::TXREHASH.word(value.into()) {
                Some(word) => text.push(word),
                None => {
                    text.signed(value.cast_signed());
                    text.push(&format!(" /* {} */", words::TXREHASH.unknown));
                }
            });
        }
        Form::Filter => {
            let length = memory.u16();
            memory.seek(word);
            let filter = memory.word();
            text.braced(|text| {
                text.field("len").unsigned(length);
                text.field("filter").addr(filter);
            });
        }
        Form::IcmpFilter => icmp_filter(text, bytes, claimed),
        Form::Groups => numbers(text, bytes, claimed / 4),
        Form::Membership => text.braced(|text| {
            for name in ["imr_multiaddr", "imr_interface"] {
                text.field(name);
                inet::inet_addr(text, memory.be32());
            }
        }),
        Form::Membership6 => text.braced(|text| {
            inet::inet_pton(text, inet::bits(&mut memory), Some("ipv6mr_multiaddr"));
            interface::index(text.field("ipv6mr_interface"), memory.u32());
        }),
        Form::GroupRequest => text.braced(|text| {
            interface::index(text.field("gr_interface"), memory.u32());
            memory.seek(word);
            address::sockaddr(text.field("gr_group"), memory.raw(128), word);
        }),
        Form::PacketMembership => packet_membership(text, &mut memory),
    }
    if memory.is_short() {
        text.truncate(from);
        text.addr(address);
    }
}

/// Numbers of four bytes, as far as `claimed` reaches; a part of one is shown byte by byte.
fn fields(text: &mut Text<'_>, memory: &mut Memory<'_>, claimed: usize, names: &[&str], signed: bool) {
    text.braced(|text| {
        for (n, name) in names.iter().enumerate().take(claimed.div_ceil(4)) {
            text.field(name);
            match claimed - 4 * n {
                left @ 1..=3 => text.whole_hex_string(memory.raw(left)),
                _ if signed => text.signed(memory.i32()),
                _ => text.unsigned(memory.u32()),
            }
        }
    });
}

/// `[1, 2]`, no more than the string limit allows.
fn numbers(text: &mut Text<'_>, bytes: &[u8], count: usize) {
    let limit = text.style().string_limit;
    text.bracketed(|text| {
        for element in bytes.as_chunks::<4>().0.iter().take(count.min(limit)) {
            text.separate();
            text.unsigned(u32::from_ne_bytes(*element));
        }
        if count > limit {
            text.separate();
            text.push("...");
        }
    });
}

/// The types that pass, or `~` and those that do not, whichever are fewer.
fn icmp_filter(text: &mut Text<'_>, bytes: &[u8], claimed: usize) {
    let mut set = [0xff; 4];
    for (to, from) in set.iter_mut().zip(bytes.iter().take(claimed)) {
        *to = *from;
    }
    let mut set = u32::from_ne_bytes(set);
    if set.count_ones() > 16 {
        set = !set;
        text.push("~");
    }
    text.bracketed(|text| {
        let mut first = true;
        for bit in (0..32_u64).filter(|bit| set >> bit & 1 == 1) {
            if !std::mem::take(&mut first) {
                text.push(" ");
            }
            text.word(&words::ICMP_FILTER, bit);
        }
    });
}

fn packet_membership(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (index, kind, length, address) = (memory.u32(), memory.u16(), memory.u16(), memory.raw(8));
    text.braced(|text| {
        interface::index(text.field("mr_ifindex"), index);
        text.field("mr_type").word(&words::PACKET_MREQ, kind.into());
        text.field("mr_alen").unsigned(length);
        interface::hardware(text.field("mr_address"), &address[..address.len().min(usize::from(length))]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text::written;

    #[test]
    fn a_linger_that_is_cut() {
        let bytes = [1, 0, 0, 0, 9, 0];
        let shown = written(|text| fields(text, &mut Memory::new(&bytes, 0, 8), 6, &["l_onoff", "l_linger"], true));
        assert_eq!(shown, r#"{l_onoff=1, l_linger="\x09\x00"}"#);
    }

    #[test]
    fn an_icmp_filter() {
        assert_eq!(written(|text| icmp_filter(text, &[1, 0, 0, 0], 4)), "[ICMP_ECHOREPLY]");
        assert_eq!(written(|text| icmp_filter(text, &[0xfe, 0xff, 0xff, 0xff], 4)), "~[ICMP_ECHOREPLY]");
    }
}
