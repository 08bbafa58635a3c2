//! What a file told of itself, in the words of /proc and of strace.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::escape::escape;
use crate::{
    model::{File, REDACTED},
    syscall::words,
    wire::FileRecord,
};

const PIPEFS: u32 = 0x5049_5045;
const SOCKFS: u32 = 0x534f_434b;
const ANON_INODES: u32 = 0x0904_1934;
const PIDFS: u32 = 0x5049_4446;

/// The file, or nothing if its name does not say what it is.
pub(super) fn file(told: &FileRecord<'_>) -> Option<File> {
    let inode = told.inode();
    let plain = |path: String| Some(File { path, ..File::default() });
    match told.magic() {
        _ if told.is_hidden() => return plain(REDACTED.to_owned()),
        SOCKFS => {
            return Some(File { path: format!("socket:[{inode}]"), socket: Some(socket(told)?), ..File::default() });
        }
        PIPEFS => return plain(format!("pipe:[{inode}]")),
        PIDFS => return pidfd(told),
        _ => {}
    }
    let mut names = told.names();
    if !told.is_whole() {
        // A file that never had a place in the tree: its one name says what it is.
        let name = String::from_utf8(names.next()?.to_vec()).ok().filter(|_| names.next().is_none())?;
        return match (told.magic(), name.as_str()) {
            (ANON_INODES, "[pidfd]") => pidfd(told),
            (ANON_INODES, _) => plain(format!("anon_inode:{name}")),
            (_, name) if name.starts_with("memfd:") => {
                Some(File { path: format!("/{name}"), deleted: true, ..File::default() })
            }
            _ => None,
        };
    }
    let mut path = String::new();
    for name in names.rev() {
        path.push('/');
        path.push_str(std::str::from_utf8(name).ok()?);
    }
    if path.is_empty() {
        path.push('/');
    }
    let deleted = told.is_unhashed() && path != "/";
    Some(File { device: device(told).filter(|_| !deleted), path, deleted, ..File::default() })
}

fn pidfd(told: &FileRecord<'_>) -> Option<File> {
    let process = u32::try_from(told.peer()).ok().filter(|process| *process != 0);
    Some(File { path: "anon_inode:[pidfd]".to_owned(), process, ..File::default() })
}

fn device(told: &FileRecord<'_>) -> Option<String> {
    let kind = match told.mode() & libc::S_IFMT {
        libc::S_IFCHR => "char",
        libc::S_IFBLK => "block",
        _ => return None,
    };
    let (major, minor) = told.device();
    Some(format!("{kind} {major}:{minor}"))
}

/// Whether more than its inode is known of a socket.
pub(super) fn has_address(file: &File) -> bool {
    let inode = file.path.strip_prefix("socket:");
    file.socket.as_deref().zip(inode).is_some_and(|(socket, inode)| !socket.ends_with(inode))
}

/// `TCP:[127.0.0.1:1234->127.0.0.1:80]`, `UNIX-STREAM:[12->13,"/run/socket"]`, `UDP:[77]`.
fn socket(told: &FileRecord<'_>) -> Option<String> {
    let name = std::str::from_utf8(told.protocol_name()).ok().filter(|name| !name.is_empty())?;
    let inode = told.inode();
    let inside = match told.family() {
        libc::AF_INET | libc::AF_INET6 => internet(told),
        libc::AF_UNIX => unix(told),
        libc::AF_NETLINK => netlink(told),
        _ => None,
    };
    Some(inside.map_or_else(|| format!("{name}:[{inode}]"), |inside| format!("{name}:[{inside}]")))
}

fn internet(told: &FileRecord<'_>) -> Option<String> {
    let show = |(address, port): ([u8; 16], u16)| {
        if told.family() == libc::AF_INET {
            let four = [address[0], address[1], address[2], address[3]];
            (format!("{}:{port}", Ipv4Addr::from(four)), four != [0; 4])
        } else {
            (format!("[{}]:{port}", Ipv6Addr::from(address)), address != [0; 16])
        }
    };
    let ((source, _), source_port) = (show(told.source()), told.source().1);
    let ((target, has_target), target_port) = (show(told.target()), told.target().1);
    if source_port == 0 {
        return None;
    }
    Some(if target_port != 0 || has_target { format!("{source}->{target}") } else { source })
}

fn unix(told: &FileRecord<'_>) -> Option<String> {
    let path = told.address().get(2..).unwrap_or_default();
    if told.peer() == 0 && path.is_empty() {
        return None;
    }
    let mut text = told.inode().to_string();
    if told.peer() != 0 {
        text.push_str(&format!("->{}", told.peer()));
    }
    if !path.is_empty() {
        let (abstract_mark, path) = match path {
            [0, name @ ..] => ("@", name),
            path => ("", path.split(|byte| *byte == 0).next().unwrap_or_default()),
        };
        text.push_str(&format!(",{abstract_mark}\""));
        escape(&mut text, path);
        text.push('"');
    }
    Some(text)
}

fn netlink(told: &FileRecord<'_>) -> Option<String> {
    if told.peer() == 0 {
        return None;
    }
    let protocol = u64::from(told.protocol());
    Some(match words::net::NETLINK_PROTOCOLS.word(protocol) {
        Some(word) => format!("{}:{}", word.trim_start_matches("NETLINK_"), told.peer()),
        None => protocol.to_string(),
    })
}
