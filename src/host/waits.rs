//! What calls in flight wait for, as /proc tells: the other end of a pipe, the peer of a socket, who holds the lock, the
//! child, the descriptors that are watched.
//!
//! Two steps: what a call is on is asked of its own process (`of`), which may be one that nobody can look into; who has
//! the other ends is looked for in all processes at once (`holders`). What is not found is left out, never guessed.

use std::{
    collections::HashMap,
    fs::{self, File},
    os::unix::fs::{FileExt, PermissionsExt},
};

use serde::{Deserialize, Serialize};

use super::{
    files::{self, Networks},
    memory, threads,
};
use crate::{
    kernel::line,
    model::{Process, WaitsOn},
    syscall::{self, Abi, Kind},
    wire::{inflight, record_flag},
};

/// Descriptors of all processes that are looked at for other ends.
const SCANNED_MOST: usize = 200_000;
/// Descriptors that are watched and told.
const WATCHED_MOST: usize = 16;
/// Processes that are told.
pub(super) const WHOM_MOST: usize = 8;

/// What a call is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) on: WaitsOn,
    pub(super) whom: Vec<Process>,
    /// What else those have who are waited for.
    pub(super) end: Option<End>,
}

/// The other end of a pipe or socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct End {
    /// What descriptors for it lead to.
    link: String,
    /// Whether it is the one for writing; `None`: it is for both.
    writes: Option<bool>,
    /// Whether only those count that hold a lock of it.
    locks: bool,
}

/// Of a call as the iterator tells it; `None`: nothing is known.
pub(super) fn of(bytes: &[u8], networks: &mut Networks) -> Option<Waiting> {
    let call = memory::with_registers(line(bytes));
    let abi = Abi::native(call.flags.0 & record_flag::FLAG_COMPAT.0 != 0);
    let row = syscall::row(abi, call.nr)?;
    let known = |on, whom: Vec<Process>| Waiting { on, whom, end: None };
    match row.name {
        "futex" | "futex_time64" => owner(&call).map(|(on, owner)| known(on, vec![owner])),
        "flock" => Some(locked(&call)),
        "fcntl" | "fcntl64" if waits_for_lock(call.args[1]) => Some(locked(&call)),
        "wait4" | "waitpid" | "waitid" => Some(known(WaitsOn::Child, children(&call, row.name == "waitid"))),
        "poll" | "ppoll" | "ppoll_time64" => watched(polled(&call), &call, networks),
        "epoll_wait" | "epoll_pwait" | "epoll_pwait2" => watched(epolled(&call), &call, networks),
        "select" | "pselect6" | "pselect6_time64" => watched(selected(&call, abi.word()), &call, networks),
        name => {
            let first = row.args().first()?;
            let fd = matches!(first.kind, Kind::Fd).then(|| int(call.args[usize::from(first.index)]))?;
            descriptor(&call, fd, !(name.contains("write") || name.starts_with("send")), networks)
        }
    }
}

/// The lower half of a register.
#[allow(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
fn int(register: u64) -> i32 {
    (register as u32).cast_signed()
}

/// Who has the other ends: one list for each.
pub(super) fn holders(ends: &[End]) -> Vec<Vec<Process>> {
    let mut of_link: HashMap<&str, Vec<usize>> = HashMap::new();
    for (n, end) in ends.iter().enumerate() {
        of_link.entry(&end.link).or_default().push(n);
    }
    let mut found = vec![Vec::new(); ends.len()];
    let mut left = SCANNED_MOST;
    for pid in numbers("/proc") {
        for fd in numbers(&format!("/proc/{pid}/fd")) {
            let Some(fewer) = left.checked_sub(1) else { return found };
            left = fewer;
            let place = format!("/proc/{pid}/fd/{fd}");
            let Some(wanted) = files::link(&place).and_then(|link| of_link.get(link.as_str())) else { continue };
            let Ok(about) = fs::symlink_metadata(&place) else { continue };
            let can = |writes| about.permissions().mode() & if writes { 0o200 } else { 0o400 } != 0;
            let holds_lock =
                || fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).is_ok_and(|info| info.contains("\nlock:"));
            let is_it = |end: &End| end.writes.is_none_or(can) && (!end.locks || holds_lock());
            for n in wanted.iter().filter(|n| is_it(&ends[**n])) {
                let holders: &mut Vec<Process> = &mut found[*n];
                if holders.last().is_none_or(|last| last.pid != pid) {
                    holders.extend(threads::thread(pid));
                }
            }
        }
    }
    found
}

/// The names in a directory that are numbers.
fn numbers(directory: &str) -> impl Iterator<Item = u32> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// What a descriptor leads to: a pipe's other end, a socket's peer, or a file that has nobody behind it.
fn descriptor(call: &inflight, fd: i32, reads: bool, networks: &mut Networks) -> Option<Waiting> {
    let link = files::link(&format!("/proc/{}/fd/{fd}", call.tgid))?;
    if link.starts_with("pipe:[") || (link.starts_with('/') && files::is_fifo(call.tgid, fd, networks)) {
        let end = Some(End { link, writes: Some(reads), locks: false });
        return Some(Waiting { on: WaitsOn::Pipe { reads }, whom: Vec::new(), end });
    }
    if let Some(inode) = files::inode(&link) {
        let peer = networks.peer(call.tgid, inode);
        let end = peer.map(|peer| End { link: format!("socket:[{peer}]"), writes: None, locks: false });
        return Some(Waiting { on: WaitsOn::Socket, whom: Vec::new(), end });
    }
    None
}

/// Some descriptors at once; of one, who is behind it.
fn watched(fds: Vec<(i32, bool)>, call: &inflight, networks: &mut Networks) -> Option<Waiting> {
    let end = match fds[..] {
        [] => return None,
        [(fd, reads)] => descriptor(call, fd, reads, networks).and_then(|waiting| waiting.end),
        _ => None,
    };
    let on = WaitsOn::Descriptors(fds.iter().map(|(fd, _)| *fd).take(WATCHED_MOST).collect());
    Some(Waiting { on, whom: Vec::new(), end })
}

/// struct pollfd: descriptor, events, what happened.
fn polled(call: &inflight) -> Vec<(i32, bool)> {
    let most = usize::try_from(call.args[1]).unwrap_or(WATCHED_MOST).min(WATCHED_MOST);
    let bytes = read(call, call.args[0], 8 * most).unwrap_or_default();
    let (entries, _) = bytes.as_chunks::<8>();
    let entry = |entry: &[u8; 8]| {
        let fd = i32::from_ne_bytes([entry[0], entry[1], entry[2], entry[3]]);
        let events = i16::from_ne_bytes([entry[4], entry[5]]);
        (fd >= 0).then_some((fd, events & libc::POLLOUT == 0))
    };
    entries.iter().filter_map(entry).collect()
}

/// What the kernel tells of an epoll descriptor: `tfd:        5 events:       19 data: ...`.
fn epolled(call: &inflight) -> Vec<(i32, bool)> {
    let info = fs::read_to_string(format!("/proc/{}/fdinfo/{}", call.tgid, int(call.args[0]))).unwrap_or_default();
    let fds = info.lines().filter_map(|line| {
        let mut words = line.strip_prefix("tfd:")?.split_whitespace();
        let fd = words.next()?.parse().ok()?;
        let events = u32::from_str_radix(words.nth(1)?, 16).ok()?;
        Some((fd, events & libc::EPOLLIN.cast_unsigned() != 0))
    });
    fds.take(WATCHED_MOST).collect()
}

/// The sets of select: for reading, for writing, for the rest.
fn selected(call: &inflight, word: usize) -> Vec<(i32, bool)> {
    let count = usize::try_from(call.args[0]).unwrap_or(0).min(1024);
    let length = count.div_ceil(8 * word) * word;
    let mut fds = Vec::new();
    for (set, reads) in [(call.args[1], true), (call.args[2], false), (call.args[3], true)] {
        let bytes = if set == 0 { Vec::new() } else { read(call, set, length).unwrap_or_default() };
        let is_in = |fd: &usize| bytes.get(fd / 8).is_some_and(|byte| byte >> (fd % 8) & 1 != 0);
        fds.extend((0..count).filter(is_in).filter_map(|fd| Some((i32::try_from(fd).ok()?, reads))));
    }
    fds.truncate(WATCHED_MOST);
    fds
}

fn read(call: &inflight, from: u64, length: usize) -> Option<Vec<u8>> {
    let memory = File::open(format!("/proc/{}/mem", call.tid)).ok()?;
    let mut bytes = vec![0; length];
    memory.read_exact_at(&mut bytes, from).ok()?;
    Some(bytes)
}

fn read_word(call: &inflight, at: u64) -> Option<u32> {
    read(call, at, 4)?.try_into().ok().map(u32::from_ne_bytes)
}

/// Of a word that a thread waits at, who has to change it. The kernel's own protocol has the owner in the word. In the C
/// library's mutex (glibc's pthread_mutex_t) the word is 2 where somebody waits and the owner stands 8 bytes behind; a
/// thread that is joined has its number in the word. Only a thread of this process is believed.
fn owner(call: &inflight) -> Option<(WaitsOn, Process)> {
    /// Futex words of locks: FUTEX_TID_MASK.
    const TID: u32 = 0x3fff_ffff;
    let (address, expected) = (call.args[0], int(call.args[2]).cast_unsigned());
    let word = read_word(call, address)?;
    let thread = |tid: u32| threads::thread(tid).filter(|thread| tid != 0 && tid != call.tid && thread.tid == tid);
    let own = |tid: u32| thread(tid).filter(|thread| thread.pid == call.tgid);
    match call.args[1] & 0x7f {
        6 | 13 => thread(word & TID).map(|owner| (WaitsOn::Mutex, owner)),
        0 | 9 if word != expected => None,
        0 | 9 if word == 2 => own(read_word(call, address.checked_add(8)?)?).map(|owner| (WaitsOn::Mutex, owner)),
        0 | 9 => own(word).map(|joined| (WaitsOn::Thread, joined)),
        _ => None,
    }
}

/// F_SETLKW, F_SETLKW64 and F_OFD_SETLKW.
fn waits_for_lock(command: u64) -> bool {
    matches!(command, 7 | 14 | 38)
}

/// The lock that a process waits for. Who has taken it may be gone and have left it to whoever has the file open from
/// him, as a shell has that called flock(1).
fn locked(call: &inflight) -> Waiting {
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let fd = int(call.args[0]);
    let pids = blockers(&locks, call.tgid, files::info(call.tgid, fd, "ino:"));
    let whom: Vec<Process> = pids.into_iter().filter_map(threads::thread).collect();
    let link = files::link(&format!("/proc/{}/fd/{fd}", call.tgid)).filter(|_| whom.is_empty());
    Waiting { on: WaitsOn::FileLock, whom, end: link.map(|link| End { link, writes: None, locks: true }) }
}

/// The same out of /proc/locks: `1: FLOCK  ADVISORY  WRITE 3568 08:01:2752 0 EOF`, and below a lock those that wait for
/// it, with an arrow behind the number. Who waits with several threads does so for different files.
fn blockers(locks: &str, waiter: u32, inode: Option<u64>) -> Vec<u32> {
    let parse = |line: &str| {
        let (number, rest) = line.split_once(':')?;
        let waits = rest.trim_start().starts_with("->");
        let mut words = rest.split_whitespace().skip_while(|word| *word == "->").skip(3);
        let pid: u32 = words.next()?.parse().ok()?;
        let file: u64 = words.next()?.rsplit(':').next()?.parse().ok()?;
        Some((number.to_owned(), waits, pid, file))
    };
    let locks: Vec<_> = locks.lines().filter_map(parse).collect();
    let waited = locks
        .iter()
        .filter(|(_, waits, pid, file)| *waits && *pid == waiter && inode.is_none_or(|inode| inode == *file));
    let mut pids: Vec<u32> = waited
        .flat_map(|(number, ..)| locks.iter().filter(move |(other, waits, ..)| !waits && other == number))
        .map(|(_, _, pid, _)| *pid)
        .collect();
    pids.sort_unstable();
    pids.dedup();
    pids
}

/// The children that are waited for.
fn children(call: &inflight, is_waitid: bool) -> Vec<Process> {
    let (which, id) = (call.args[0], int(call.args[1]));
    let one = match (is_waitid, which) {
        (false, _) => u32::try_from(int(which)).ok().filter(|pid| *pid != 0),
        (true, 1) => u32::try_from(id).ok(),
        (true, 3) => files::info(call.tgid, id, "Pid:").and_then(|pid| u32::try_from(pid).ok()),
        _ => None,
    };
    if let Some(pid) = one {
        return threads::thread(pid).into_iter().collect();
    }
    let tasks = numbers(&format!("/proc/{}/task", call.tgid)).collect::<Vec<_>>();
    let lists =
        tasks.iter().filter_map(|tid| fs::read_to_string(format!("/proc/{}/task/{tid}/children", call.tgid)).ok());
    let pids: Vec<u32> =
        lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect();
    pids.into_iter().take(64).filter_map(threads::thread).collect()
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn who_holds_a_lock() {
        let locks = "1: FLOCK  ADVISORY  WRITE 100 08:01:2752 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 101 08:01:2752 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 102 08:01:2752 0 EOF\n\
                     2: POSIX  ADVISORY  READ  103 00:2a:77 0 9\n\
                     2: -> POSIX  ADVISORY  WRITE 101 00:2a:77 0 EOF\n\
                     3: OFDLCK ADVISORY  WRITE -1 08:01:5 0 EOF\nnonsense\n";
        assert_eq!(blockers(locks, 102, None), [100]);
        assert_eq!(blockers(locks, 101, Some(77)), [103]);
        assert_eq!(blockers(locks, 101, None), [100, 103]);
        assert_eq!(blockers(locks, 100, None), [0_u32; 0]);
    }

    #[test]
    fn who_has_the_other_end() {
        let (reader, writer) = std::io::pipe().unwrap();
        let own = std::process::id();
        let call = inflight { tgid: own, tid: own, ..inflight::default() };
        let waiting = descriptor(&call, reader.as_raw_fd(), true, &mut Networks::default()).unwrap();
        assert_eq!(waiting.on, WaitsOn::Pipe { reads: true });
        let has = |end: &End| holders(std::slice::from_ref(end))[0].iter().any(|holder| holder.pid == own);
        let end = waiting.end.unwrap();
        assert!(has(&end));
        drop(writer);
        assert!(!has(&end), "only the end for reading is left");
    }
}
