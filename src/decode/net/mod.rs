//! Sockets and what goes through them: addresses, options, messages, control messages, netlink.
//!
//! `socket` has the calls' own arguments, `address` and `rare` the families of sockaddr, `option`
//! socket options, `message` msghdr and `control` what stands beside a message. `netlink` prints
//! netlink messages by `attribute`'s tables, which `link`, `route`, `diag` and `netfilter` fill.

use super::{
    raw::{Raw, int, uint},
    text::Text,
};
use crate::syscall::{Kind, Len, Shape};

pub(super) mod address;
mod attribute;
mod bridge;
pub(super) mod control;
mod diag;
mod header;
mod inet;
mod inet_diag;
pub(super) mod interface;
mod interfaces;
mod link;
pub(super) mod message;
mod neighbour;
mod netfilter;
mod netlink;
mod nexthop;
pub(super) mod option;
mod rare;
pub(super) mod request;
mod route;
mod rule;
pub(super) mod socket;
mod traffic;

pub(super) use interfaces::list as interfaces;

/// Writes an argument that only a socket's call has; others as pointers.
pub(super) fn argument(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, kind: &Kind) {
    let register = raw.register(index);
    match kind {
        Kind::SocketType => socket::kind(text, uint(register)),
        Kind::SocketProtocol => socket::protocol(text, raw, uint(register)),
        Kind::GetOption => option::name(text, raw, uint(register), true),
        Kind::SetOption => option::name(text, raw, uint(register), false),
        Kind::PeerAddress(length) => socket::peer(text, raw, index, *length),
        Kind::PeerLength(address) => socket::peer_length(text, raw, index, *address),
        Kind::In(Shape::Sockaddr, Len::Arg(length)) => {
            let length = int(raw.register(*length));
            address::behind(text, register, length, raw.data(index), raw.abi.word());
        }
        Kind::In(Shape::Message, _) => message::sent(text, raw, index),
        Kind::InOut(Shape::Message, _) => message::received(text, raw, index),
        Kind::OutAlways(Shape::Messages, _) => message::many(text, raw, index, false),
        Kind::InOut(Shape::Messages, _) => message::many(text, raw, index, true),
        Kind::In(Shape::SockOpt, _) => option::set(text, raw, index),
        Kind::Out(Shape::SockOpt, Len::At(length)) => option::got(text, raw, index, *length),
        Kind::Out(Shape::SocketData, _) if raw.failed() => text.addr(register),
        Kind::In(Shape::SocketData, len) | Kind::Out(Shape::SocketData, len) => {
            socket::data(text, raw, index, raw.count(*len));
        }
        _ => text.addr(register),
    }
}

/// Whether an address's place is told at the start of the call: there is nothing to wait for.
pub(super) fn is_known_at_start(raw: &Raw<'_>, index: u8, kind: &Kind) -> bool {
    let (address, length) = match kind {
        Kind::PeerAddress(length) => (index, *length),
        Kind::PeerLength(address) => (*address, index),
        _ => return false,
    };
    let nowhere = raw.register(address) == 0 || raw.register(length) == 0;
    nowhere || raw.ret.is_some() && socket::given_length(raw, address, length).is_none()
}
