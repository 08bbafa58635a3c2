//! Unix sockets, as the kernel's sock_diag(7) describes them: names come with their lengths, so that nothing in one can
//! pass for another socket's, as it could in the lines of /proc/net/unix. A kernel without unix_diag knows of none.

use std::{
    collections::HashMap,
    fs::File,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    thread,
};

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::{
    SockDiagMessage,
    unix::{ShowFlags, StateFlags, UnixRequest, UnixResponse, nlas::UnixDiagName},
};
use nix::{
    sched::{CloneFlags, setns},
    sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket},
};

use crate::kernel::{network_of, own_network};

/// What strace's brackets show of a socket, and who is at its other end.
#[derive(Debug, PartialEq)]
pub(super) struct Unix {
    pub(super) text: String,
    pub(super) peer: Option<u64>,
}

/// Those of a process's network, by inode.
pub(super) fn sockets(pid: u32) -> HashMap<u64, Unix> {
    let mut found = HashMap::new();
    let Some(kernel) = in_network_of(pid) else { return found };
    let request = UnixRequest {
        state_flags: StateFlags::from_bits_retain(u32::MAX),
        inode: 0,
        show_flags: ShowFlags::NAME | ShowFlags::PEER,
        cookie: [0xff; 8],
    };
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let mut question = NetlinkMessage::new(header, SockDiagMessage::UnixRequest(request).into());
    question.finalize();
    let mut bytes = vec![0; question.buffer_len()];
    question.serialize(&mut bytes);
    if send(kernel.as_raw_fd(), &bytes, MsgFlags::empty()).is_err() {
        return found;
    }
    let mut answer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = recv(kernel.as_raw_fd(), &mut answer, MsgFlags::empty()) {
        if !take(&answer[..length.min(answer.len())], &mut found) {
            break;
        }
    }
    found
}

/// A socket that asks about the network that a process is in: a thread goes there to open it.
fn in_network_of(pid: u32) -> Option<OwnedFd> {
    let open = || socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkSockDiag);
    let network = network_of(pid)?;
    if Some(network) == own_network() {
        return open().ok();
    }
    let there = File::open(format!("/proc/{pid}/ns/net")).ok()?;
    let goes = move || setns(&there, CloneFlags::CLONE_NEWNET).and_then(|()| open()).ok();
    thread::Builder::new().spawn(goes).ok()?.join().ok()?
}

/// Takes in messages; whether more of them come.
fn take(mut messages: &[u8], found: &mut HashMap<u64, Unix>) -> bool {
    while let Ok(message) = NetlinkBuffer::new_checked(messages) {
        let length = (message.length() as usize).next_multiple_of(4);
        match NetlinkMessage::<SockDiagMessage>::deserialize(messages).map(|message| message.payload) {
            Ok(NetlinkPayload::InnerMessage(SockDiagMessage::UnixResponse(socket))) => {
                found.extend(shown(&socket).map(|shown| (socket.header.inode.into(), shown)));
            }
            Ok(NetlinkPayload::Done(_) | NetlinkPayload::Error(_)) => return false,
            // What this library does not know is left out.
            _ => {}
        }
        messages = messages.get(length..).unwrap_or_default();
    }
    true
}

/// One without a name or peer is known by its inode alone.
fn shown(socket: &UnixResponse) -> Option<Unix> {
    let peer = socket.peer().map(u64::from);
    let name = socket.name().map(|name| match name {
        UnixDiagName::Pathname(path) => quoted(path.as_bytes()),
        UnixDiagName::Abstract(name) => format!("@{}", quoted(name)),
    });
    if peer.is_none() && name.is_none() {
        return None;
    }
    let mut text = socket.header.inode.to_string();
    text.extend(peer.map(|peer| format!("->{peer}")));
    text.extend(name.map(|name| format!(",{name}")));
    Some(Unix { text, peer })
}

/// As strace quotes names.
fn quoted(name: &[u8]) -> String {
    let mut text = String::from("\"");
    for (n, byte) in name.iter().enumerate() {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => {
                let short = ["\\t", "\\n", "\\v", "\\f", "\\r"];
                let digit_follows = name.get(n + 1).is_some_and(u8::is_ascii_digit);
                match byte.checked_sub(b'\t').and_then(|n| short.get(usize::from(n))) {
                    Some(short) => text.push_str(short),
                    None if digit_follows => text.push_str(&format!("\\{byte:03o}")),
                    None => text.push_str(&format!("\\{byte:o}")),
                }
            }
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use std::os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener, UnixStream},
    };

    use super::{super::files, *};

    fn inode(socket: &dyn AsRawFd) -> u64 {
        let link = files::link(&format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap();
        files::inode(&link).unwrap()
    }

    #[test]
    fn names_as_strace_quotes_them() {
        assert_eq!(quoted(b"a\x1b[1m\n\x011\xff\""), "\"a\\33[1m\\n\\0011\\377\\\"\"");
    }

    #[test]
    fn a_peer_is_the_socket_at_the_other_end() {
        let (one, other) = UnixStream::pair().unwrap();
        let found = sockets(std::process::id());
        let (from, to) = (inode(&one), inode(&other));
        assert_eq!(found.get(&from), Some(&Unix { text: format!("{from}->{to}"), peer: Some(to) }));
    }

    #[test]
    fn a_name_with_a_newline_is_nobody_elses() {
        let name = |name: String| SocketAddr::from_abstract_name(name).unwrap();
        let own = format!("true-{}", std::process::id());
        let victim = UnixListener::bind_addr(&name(own.clone())).unwrap();
        let victims = inode(&victim);
        let line = format!("0000000000000000: 00000002 00000000 00010000 0001 01 {victims} /run/forged");
        let other = u64::from(u32::MAX) - 1;
        let of_nobody = format!("0000000000000000: 00000002 00000000 00010000 0001 01 {other} /run/forged");
        let forger = [&line, &of_nobody].map(|line| UnixListener::bind_addr(&name(format!("x\n{line}"))).unwrap());
        let found = sockets(std::process::id());
        assert_eq!(found.get(&victims).map(|socket| &*socket.text), Some(&*format!("{victims},@\"{own}\"")));
        assert_eq!(found.get(&other), None);
        let forged = inode(&forger[0]);
        let text = &found[&forged].text;
        assert_eq!(*text, format!("{forged},@\"x\\n{line}\""));
    }

    #[test]
    fn what_is_cut_or_foreign_is_left_out() {
        let mut found = HashMap::new();
        assert!(take(&[], &mut found));
        assert!(take(&[200, 0, 0, 0, 20, 0], &mut found));
        let mut unknown = vec![20, 0, 0, 0, 20, 0, 0, 0];
        unknown.resize(20, 0);
        assert!(take(&unknown, &mut found));
        assert!(found.is_empty());
    }
}
