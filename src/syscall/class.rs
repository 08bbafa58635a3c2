//! Classes of system calls, as strace names them.

/// A class of calls: `%name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words are strace's")]
pub enum Class {
    Desc,
    File,
    Memory,
    Process,
    Signal,
    Ipc,
    Network,
    Creds,
    Clock,
    Stat,
    Lstat,
    Fstat,
    StatLike,
    Statfs,
    Fstatfs,
    StatfsLike,
    Pure,
}

impl Class {
    /// Every class with its name and what it is about.
    pub const ALL: [(Self, &'static str, &'static str); 17] = [
        (Self::File, "file", "calls that take a path"),
        (Self::Desc, "desc", "calls that take or return a descriptor"),
        (Self::Process, "process", "processes begin, run a program, end, wait"),
        (Self::Network, "network", "sockets; also %net"),
        (Self::Signal, "signal", "signals"),
        (Self::Ipc, "ipc", "System V semaphores, messages, shared memory"),
        (Self::Memory, "memory", "mappings of memory"),
        (Self::Creds, "creds", "users, groups, capabilities"),
        (Self::Clock, "clock", "reading and setting clocks"),
        (Self::Stat, "stat", "stat"),
        (Self::Lstat, "lstat", "lstat"),
        (Self::Fstat, "fstat", "fstat, fstatat, statx"),
        (Self::StatLike, "%stat", "%stat, %lstat and %fstat together"),
        (Self::Statfs, "statfs", "statfs"),
        (Self::Fstatfs, "fstatfs", "fstatfs"),
        (Self::StatfsLike, "%statfs", "%statfs, %fstatfs and ustat together"),
        (Self::Pure, "pure", "calls that take nothing and cannot fail"),
    ];

    pub(super) fn of(name: &str) -> Option<Self> {
        let name = if name == "net" { "network" } else { name };
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|(class, ..)| *class)
    }

    /// The classes that could once be named without `%`.
    pub(super) fn of_old(name: &str) -> Option<Self> {
        ["desc", "file", "memory", "process", "signal", "ipc", "network"]
            .contains(&name)
            .then(|| Self::of(name))
            .flatten()
    }

    /// Its name, without the `%` before it.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(class, ..)| *class == self).map_or("", |(_, name, _)| name)
    }
}
