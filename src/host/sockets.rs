//! The addresses of sockets by inode, as /proc/net tells them.

use std::{
    collections::HashMap,
    fs,
    net::{Ipv4Addr, Ipv6Addr},
    os::fd::AsRawFd,
};

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

/// What stands between the brackets of strace's `TCP:[...]`, by inode. Each kind of socket has its own: what one is
/// called must not pass for another's address.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    internet: HashMap<u64, String>,
    unix: HashMap<u64, String>,
    netlink: HashMap<u64, String>,
}

impl Addresses {
    /// Of a socket of this protocol, as the kernel calls it.
    pub(super) fn get(&self, protocol: &str, inode: u64) -> Option<&String> {
        match protocol {
            _ if protocol.starts_with("UNIX") => self.unix.get(&inode),
            "NETLINK" => self.netlink.get(&inode),
            _ => self.internet.get(&inode),
        }
    }

    /// The socket at the other end of an internet socket's connection, if that is here.
    pub(super) fn peer(&self, inode: u64) -> Option<u64> {
        let (local, remote) = self.internet.get(&inode)?.split_once("->")?;
        let wanted = format!("{remote}->{local}");
        self.internet.iter().find(|(_, address)| **address == wanted).map(|(inode, _)| *inode)
    }
}

/// Those of the sockets of a process's network.
pub(super) fn addresses(pid: u32) -> Addresses {
    let table = |name: &str| fs::read(format!("/proc/{pid}/net/{name}")).unwrap_or_default();
    let mut addresses = Addresses::default();
    for name in ["tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6"] {
        addresses.internet.extend(lines(&table(name)).filter_map(|line| internet(str::from_utf8(line).ok()?)));
    }
    addresses.unix = unix_of(&table("unix"));
    addresses.netlink.extend(lines(&table("netlink")).filter_map(|line| netlink(str::from_utf8(line).ok()?)));
    addresses
}

/// The socket that a unix socket is connected to, as the kernel's sock_diag(7) tells of sockets in the recorder's own
/// network.
pub(super) fn unix_peer(inode: u64) -> Option<u64> {
    /// UDIAG_SHOW_PEER asks for it, an attribute of type UNIX_DIAG_PEER answers.
    const SHOW_PEER: u32 = 4;
    const PEER: u16 = 2;
    /// SOCK_DIAG_BY_FAMILY, and NLM_F_REQUEST.
    const BY_FAMILY: u16 = 20;
    const REQUEST: u16 = 1;
    let number = u32::try_from(inode).ok()?;
    // struct nlmsghdr and struct unix_diag_req.
    let mut question = Vec::with_capacity(40);
    question.extend(40_u32.to_ne_bytes());
    [BY_FAMILY, REQUEST].iter().for_each(|half| question.extend(half.to_ne_bytes()));
    [0, 0].iter().for_each(|word: &u32| question.extend(word.to_ne_bytes()));
    question.extend([u8::try_from(libc::AF_UNIX).unwrap_or(1), 0, 0, 0]);
    [u32::MAX, number, SHOW_PEER].iter().for_each(|word| question.extend(word.to_ne_bytes()));
    question.extend([0xff; 8]);
    let kernel =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkSockDiag).ok()?;
    send(kernel.as_raw_fd(), &question, MsgFlags::empty()).ok()?;
    let mut answer = [0; 1024];
    let length = recv(kernel.as_raw_fd(), &mut answer, MsgFlags::MSG_DONTWAIT).ok()?;
    let answer = answer.get(..length)?;
    let half = |at: usize| Some(u16::from_ne_bytes(answer.get(at..at + 2)?.try_into().ok()?));
    let word = |at: usize| Some(u32::from_ne_bytes(answer.get(at..at + 4)?.try_into().ok()?));
    // Behind the header: family, type, state, padding, the inode, a cookie; then attributes.
    if half(4)? != BY_FAMILY || word(20)? != number {
        return None;
    }
    let mut at = 32;
    loop {
        let (size, kind) = (usize::from(half(at)?), half(at + 2)?);
        if kind == PEER {
            return word(at + 4).map(u64::from);
        }
        at += size.max(4).next_multiple_of(4);
    }
}

/// Behind the heading.
fn lines(table: &[u8]) -> impl Iterator<Item = &[u8]> {
    table.split(|byte| *byte == b'\n').skip(1)
}

/// /proc/net/unix. The kernel writes names as they are, so that a newline in one begins a line that looks like another
/// socket's: an inode that is told twice has no name that can be believed.
fn unix_of(table: &[u8]) -> HashMap<u64, String> {
    let mut told: HashMap<u64, Option<String>> = HashMap::new();
    for (inode, name) in lines(table).filter_map(unix) {
        told.entry(inode).and_modify(|known| *known = None).or_insert(name);
    }
    told.into_iter().filter_map(|(inode, name)| Some((inode, name?))).collect()
}

/// A line of /proc/net/tcp: number, local, remote, state, queues, timer, retries, user, timeout, inode.
fn internet(line: &str) -> Option<(u64, String)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (local, remote) = (address(fields.get(1)?)?, address(fields.get(2)?)?);
    let inode = fields.get(9)?.parse().ok().filter(|inode| *inode != 0)?;
    let connected = remote.1 != 0 || remote.2;
    Some((inode, if connected { format!("{}->{}", local.0, remote.0) } else { local.0 }))
}

/// `0100007F:1F90` as text, its port, and whether the address is any but zero.
fn address(text: &str) -> Option<(String, u16, bool)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words = (0..address.len()).step_by(8).map(|at| u32::from_str_radix(address.get(at..at + 8)?, 16).ok());
    // Each word as this machine has it in memory.
    let bytes: Vec<u8> = words.collect::<Option<Vec<_>>>()?.into_iter().flat_map(u32::to_ne_bytes).collect();
    let some = bytes.iter().any(|byte| *byte != 0);
    let shown = match <[u8; 4]>::try_from(&bytes[..]) {
        Ok(four) => Ipv4Addr::from(four).to_string(),
        Err(_) => format!("[{}]", Ipv6Addr::from(<[u8; 16]>::try_from(&bytes[..]).ok()?)),
    };
    Some((format!("{shown}:{port}"), port, some))
}

/// A line of /proc/net/unix: pointer, references, protocol, flags, type, state, inode, path. Its peer
/// is not told.
fn unix(line: &[u8]) -> Option<(u64, Option<String>)> {
    let mut fields = line.splitn(2, |byte| *byte == b' ');
    let (_, mut rest) = (fields.next()?, fields.next()?);
    let mut field = || {
        let from = rest.iter().position(|byte| *byte != b' ')?;
        let until = rest[from..].iter().position(|byte| *byte == b' ').map_or(rest.len(), |length| from + length);
        let (text, behind) = (str::from_utf8(&rest[from..until]).ok()?, &rest[until..]);
        rest = behind;
        Some(text)
    };
    let (_, _, _, _, state) = (field()?, field()?, field()?, field()?, field()?);
    let inode: u64 = field()?.parse().ok()?;
    let path = rest.strip_prefix(b" ").unwrap_or_default();
    // A connected socket has a peer: half of the truth would look like the whole.
    let is_whole = state == "01" && !path.is_empty();
    let shown = match path.strip_prefix(b"@") {
        Some(name) => format!("@{}", quoted(name)),
        None => quoted(path),
    };
    Some((inode, is_whole.then(|| format!("{inode},{shown}"))))
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

/// A line of /proc/net/netlink: pointer, protocol, port, groups, memory, .., inode.
fn netlink(line: &str) -> Option<(u64, String)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (protocol, port): (u64, &str) = (fields.get(1)?.parse().ok()?, fields.get(2)?);
    let inode = fields.get(9)?.parse().ok()?;
    let text = match crate::syscall::words::net::NETLINK_PROTOCOLS.word(protocol) {
        Some(word) => format!("{}:{port}", word.trim_start_matches("NETLINK_")),
        None => protocol.to_string(),
    };
    (port != "0").then_some((inode, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_proc_net() {
        let line =
            "   1: 0100007F:1F90 0200007F:A455 01 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 20";
        assert_eq!(internet(line), Some((4711, "127.0.0.1:8080->127.0.0.2:42069".to_owned())));
        let line =
            "   0: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 99 1";
        assert_eq!(internet(line), Some((99, "[::1]:22".to_owned())));
        let line = "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/a";
        assert_eq!(unix(line.as_bytes()), Some((12345, Some("12345,\"/run/a\"".to_owned()))));
        assert_eq!(unix(b"0000000000000000: 00000002 00000000 00000000 0001 03 12345"), Some((12345, None)));
        let line = "0000000000000000 0   1234   00000000 0 0 0 2 0 555";
        assert_eq!(netlink(line), Some((555, "ROUTE:1234".to_owned())));
        assert_eq!(internet(""), None);
    }
    #[test]
    fn a_name_with_a_newline_is_nobody_elses() {
        let line =
            |inode: u32, name: &str| format!("0000000000000000: 00000002 00000000 00010000 0001 01 {inode} {name}\n");
        let forged = line(7, "/run/forged");
        let table = format!(
            "Num RefCount Protocol Flags Type St Inode Path\n{}{}",
            line(8, &format!("@x\n{forged}")),
            line(7, "/run/true")
        );
        let names = unix_of(table.as_bytes());
        assert_eq!(names.get(&7), None);
        assert_eq!(names.get(&8).map(String::as_str), Some("8,@\"x\""));
        assert_eq!(quoted(b"a\x1b[1m\n\x011\xff\""), "\"a\\33[1m\\n\\0011\\377\\\"\"");
        let addresses = Addresses { unix: names, ..Addresses::default() };
        assert_eq!(addresses.get("TCP", 8), None);
    }
}
