//! The addresses of sockets by inode, as /proc/net and sock_diag(7) know them.

use std::{
    collections::HashMap,
    fs,
    net::{Ipv4Addr, Ipv6Addr},
};

use super::unix::{self, Unix};

/// What stands between the brackets of strace's `TCP:[...]`, by inode. Each kind of socket has its own: what one is
/// called must not pass for another's address.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    internet: HashMap<u64, String>,
    unix: HashMap<u64, Unix>,
    netlink: HashMap<u64, String>,
}

impl Addresses {
    /// Of a socket of this protocol, as the kernel calls it.
    pub(super) fn get(&self, protocol: &str, inode: u64) -> Option<&String> {
        match protocol {
            _ if protocol.starts_with("UNIX") => self.unix.get(&inode).map(|socket| &socket.text),
            "NETLINK" => self.netlink.get(&inode),
            _ => self.internet.get(&inode),
        }
    }

    /// The socket at the other end of a socket's connection, if that is in the same network.
    pub(super) fn peer(&self, inode: u64) -> Option<u64> {
        if let Some(socket) = self.unix.get(&inode) {
            return socket.peer;
        }
        let (local, remote) = self.internet.get(&inode)?.split_once("->")?;
        let wanted = format!("{remote}->{local}");
        self.internet.iter().find(|(_, address)| **address == wanted).map(|(inode, _)| *inode)
    }
}

/// Those of the sockets of a process's network.
pub(super) fn addresses(pid: u32) -> Addresses {
    let table = |name: &str| fs::read_to_string(format!("/proc/{pid}/net/{name}")).unwrap_or_default();
    let mut addresses = Addresses::default();
    for name in ["tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6"] {
        addresses.internet.extend(lines(&table(name)).filter_map(internet));
    }
    addresses.unix = unix::sockets(pid);
    addresses.netlink.extend(lines(&table("netlink")).filter_map(netlink));
    addresses
}

/// Behind the heading.
fn lines(table: &str) -> impl Iterator<Item = &str> {
    table.lines().skip(1)
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
        let line = "0000000000000000 0   1234   00000000 0 0 0 2 0 555";
        assert_eq!(netlink(line), Some((555, "ROUTE:1234".to_owned())));
        assert_eq!(internet(""), None);
    }
}
