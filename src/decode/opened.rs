//! What a call tells of descriptors by its arguments alone: which it makes, copies and closes.

use super::{
    fds::{CWD, Change, Descriptors},
    memory::Memory,
    net,
    raw::{Raw, int, uint},
};
use crate::{
    model::{File, REDACTED},
    syscall::{Kind, Ret, Shape},
    wire::Part,
};

/// The changes that a call has made; none if it failed or goes on.
pub(super) fn changes(raw: &Raw<'_>, descriptors: &Descriptors, pid: u32) -> Vec<Change> {
    let Some(row) = raw.row else { return Vec::new() };
    let Some(ret) = raw.ret.and_then(|ret| i32::try_from(ret).ok()) else { return Vec::new() };
    // Even a close that fails has closed, unless there was nothing to close.
    if row.name == "close" {
        let fd = int(raw.register(0));
        return if ret == -libc::EBADF { Vec::new() } else { vec![Change::Closed { from: fd, to: fd }] };
    }
    // A reset that arrived is told once, and the socket has no addresses any more.
    if [-libc::ECONNRESET, -libc::EPIPE].contains(&ret)
        && row.args().first().is_some_and(|arg| matches!(arg.kind, Kind::Fd))
    {
        return vec![Change::Reset { fd: int(raw.register(0)) }];
    }
    if ret < 0 {
        return Vec::new();
    }
    let here = |index| absolute(raw, descriptors, pid, None, index);
    let at = |dirfd, index| absolute(raw, descriptors, pid, Some(int(raw.register(dirfd))), index);
    let flag = |index: u8, bit: i32| raw.register(index) & u64::from(bit.unsigned_abs()) != 0;
    let anonymous = |name: &str| Some(File { path: format!("anon_inode:{name}"), ..File::default() });
    let opened = |file, cloexec| vec![Change::Opened { fd: ret, file, cloexec, sure: false }];
    match row.name {
        "open" => opened(here(0), flag(1, libc::O_CLOEXEC)),
        "creat" => opened(here(0), false),
        "openat" => {
            opened(at(0, 1).filter(|_| !flag(2, libc::O_TMPFILE & !libc::O_DIRECTORY)), flag(2, libc::O_CLOEXEC))
        }
        "openat2" => {
            let how = raw.data(2).map(|bytes| Memory::new(bytes, 0, 8).u64());
            opened(at(0, 1), how.is_some_and(|how| how & u64::from(libc::O_CLOEXEC.unsigned_abs()) != 0))
        }
        "chdir" => vec![Change::Opened { fd: CWD, file: here(0), cloexec: false, sure: false }],
        "fchdir" => vec![Change::Copied { from: int(raw.register(0)), to: CWD, cloexec: false }],
        "dup" => vec![Change::Copied { from: int(raw.register(0)), to: ret, cloexec: false }],
        "dup2" | "dup3" if int(raw.register(0)) == ret && row.name == "dup2" => Vec::new(),
        "dup2" => vec![Change::Copied { from: int(raw.register(0)), to: ret, cloexec: false }],
        "dup3" => vec![Change::Copied { from: int(raw.register(0)), to: ret, cloexec: flag(2, libc::O_CLOEXEC) }],
        "fcntl" | "fcntl64" => fcntl(raw, ret),
        "close_range" => close_range(raw),
        "clone" => shared(raw.register(0), ret),
        "clone3" => shared(raw.data(0).map_or(0, |bytes| Memory::new(bytes, 0, 8).u64()), ret),
        "unshare" if flag(0, libc::CLONE_FILES) => Vec::new(),
        "socket" => opened(None, flag(1, libc::SOCK_CLOEXEC)),
        "accept4" => opened(None, flag(3, libc::SOCK_CLOEXEC)),
        "eventfd" => opened(anonymous("[eventfd]"), false),
        "eventfd2" => opened(anonymous("[eventfd]"), flag(1, libc::O_CLOEXEC)),
        "epoll_create" => opened(anonymous("[eventpoll]"), false),
        "epoll_create1" => opened(anonymous("[eventpoll]"), flag(0, libc::O_CLOEXEC)),
        "timerfd_create" => opened(anonymous("[timerfd]"), flag(1, libc::O_CLOEXEC)),
        "signalfd" | "signalfd4" if int(raw.register(0)) == ret => Vec::new(),
        "signalfd4" => opened(anonymous("[signalfd]"), flag(3, libc::O_CLOEXEC)),
        "inotify_init" => opened(anonymous("inotify"), false),
        "inotify_init1" => opened(anonymous("inotify"), flag(0, libc::O_CLOEXEC)),
        "fanotify_init" => opened(anonymous("[fanotify]"), flag(0, 1)),
        "perf_event_open" => opened(anonymous("[perf_event]"), flag(4, 8)),
        "userfaultfd" => opened(anonymous("[userfaultfd]"), flag(0, libc::O_CLOEXEC)),
        "io_uring_setup" => opened(anonymous("[io_uring]"), true),
        "pidfd_open" => {
            let file =
                File { path: "anon_inode:[pidfd]".to_owned(), process: Some(uint(raw.register(0))), ..File::default() };
            opened(Some(file), true)
        }
        "memfd_create" => opened(memory_file(raw), flag(1, 1)),
        "pipe" | "pipe2" | "socketpair" => pair(raw),
        "unlink" | "rmdir" => gone(here(0)),
        "unlinkat" => gone(at(0, 1)),
        "rename" => moved(here(0), here(1)),
        "renameat" => moved(at(0, 1), at(2, 3)),
        "renameat2" if !flag(4, EXCHANGE) => moved(at(0, 1), at(2, 3)),
        "sendmsg" | "recvmsg" => passed(raw, row.name == "sendmsg"),
        _ if matches!(raw.signature().1, Ret::Fd | Ret::NewFd) => opened(None, false),
        _ => Vec::new(),
    }
}

/// RENAME_EXCHANGE.
const EXCHANGE: i32 = 2;

fn gone(file: Option<File>) -> Vec<Change> {
    file.into_iter().map(|file| Change::Gone { path: file.path }).collect()
}

fn moved(from: Option<File>, to: Option<File>) -> Vec<Change> {
    let paths = from.zip(to).filter(|(from, to)| from.path != to.path);
    paths.into_iter().map(|(from, to)| Change::Moved { from: from.path, to: to.path }).collect()
}

/// The descriptors that a message carries.
fn passed(raw: &Raw<'_>, sent: bool) -> Vec<Change> {
    let control = raw.piece(1, Part::PART_CONTROL).unwrap_or_default();
    let descriptors = net::control::descriptors(control, raw.abi.word());
    if descriptors.is_empty() {
        return Vec::new();
    }
    let over = int(raw.register(0));
    let cloexec = raw.register(2) & u64::from(libc::MSG_CMSG_CLOEXEC.unsigned_abs()) != 0;
    vec![if sent { Change::Sent { over, descriptors } } else { Change::Received { over, descriptors, cloexec } }]
}

fn fcntl(raw: &Raw<'_>, ret: i32) -> Vec<Change> {
    let from = int(raw.register(0));
    match int(raw.register(1)) {
        libc::F_DUPFD => vec![Change::Copied { from, to: ret, cloexec: false }],
        libc::F_DUPFD_CLOEXEC => vec![Change::Copied { from, to: ret, cloexec: true }],
        libc::F_SETFD => vec![Change::Cloexec { fd: from, cloexec: raw.register(2) & 1 != 0 }],
        _ => Vec::new(),
    }
}

fn close_range(raw: &Raw<'_>) -> Vec<Change> {
    let bound = |index| i32::try_from(uint(raw.register(index))).unwrap_or(i32::MAX);
    let (from, to) = (bound(0), bound(1));
    if raw.register(2) & u64::from(libc::CLOSE_RANGE_CLOEXEC) == 0 {
        return vec![Change::Closed { from, to }];
    }
    const LOW: i32 = 1024;
    (from..=to.min(LOW)).map(|fd| Change::Cloexec { fd, cloexec: true }).collect()
}

fn shared(flags: u64, child: i32) -> Vec<Change> {
    let bit = |flag: i32| flags & u64::from(flag.unsigned_abs()) != 0;
    match u32::try_from(child) {
        Ok(with) if bit(libc::CLONE_FILES) && !bit(libc::CLONE_THREAD) => vec![Change::Shared { with }],
        _ => Vec::new(),
    }
}

/// The descriptors of a pipe or a pair of sockets.
fn pair(raw: &Raw<'_>) -> Vec<Change> {
    let (signature, _) = raw.signature();
    let is_pair = |kind: &Kind| matches!(kind, Kind::Out(Shape::FdPair, _));
    let Some(arg) = signature.iter().find(|arg| is_pair(&arg.kind)) else { return Vec::new() };
    let Some(bytes) = raw.data(arg.index).filter(|bytes| bytes.len() >= 8) else { return Vec::new() };
    let flags = raw.register(1);
    let cloexec = match raw.row.map(|row| row.name) {
        Some("pipe") => false,
        _ => flags & u64::from(libc::O_CLOEXEC.unsigned_abs()) != 0,
    };
    let mut memory = Memory::new(bytes, 0, 8);
    [memory.i32(), memory.i32()].map(|fd| Change::Opened { fd, file: None, cloexec, sure: false }).into()
}

fn memory_file(raw: &Raw<'_>) -> Option<File> {
    let name = raw.data(0)?.split(|byte| *byte == 0).next()?;
    let name = std::str::from_utf8(name).ok()?;
    Some(File { path: format!("/memfd:{name}"), deleted: true, ..File::default() })
}

/// A path argument from the root on, if it is known from where it leads and has no way back in it.
fn absolute(raw: &Raw<'_>, descriptors: &Descriptors, pid: u32, dirfd: Option<i32>, index: u8) -> Option<File> {
    let path = raw.data(index)?.split(|byte| *byte == 0).next()?;
    let path = std::str::from_utf8(path).ok()?;
    if path == REDACTED {
        return Some(File { path: path.to_owned(), ..File::default() });
    }
    let mut whole = if path.starts_with('/') {
        String::new()
    } else {
        let directory = descriptors.file(pid, dirfd.unwrap_or(CWD)).filter(|directory| !directory.deleted)?;
        directory.path.strip_prefix('/')?;
        directory.path.trim_end_matches('/').to_owned()
    };
    // What stands behind these is another process's, or changes with who looks.
    if path.starts_with("/proc/") || path.starts_with("/dev/fd/") {
        return None;
    }
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            return None;
        }
        whole.push('/');
        whole.push_str(part);
    }
    if whole.is_empty() {
        whole.push('/');
    }
    Some(File { path: whole, ..File::default() })
}
