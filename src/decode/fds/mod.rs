//! What descriptors stand for, followed per process through the history.
//!
//! Three sources, the surest first: what the file itself told when a call made the descriptor (records
//! of a recording that was asked for it), what the calls tell, and what /proc showed when the recording
//! began and when the dump was made. /proc's answer holds for all the time in which no call in the
//! history made the descriptor anew: the history is followed twice, and what is seen at its end is
//! known from the descriptor's beginning on. What nobody told stays a number.

mod naming;
mod passing;

use std::{
    collections::{HashMap, VecDeque},
    rc::Rc,
};

use super::identity;
use crate::{
    model::{File, Files},
    wire::Record,
};

/// The descriptor that stands for the working directory.
pub(super) const CWD: i32 = libc::AT_FDCWD;

/// A descriptor's life: from the call that made it, or from before the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Life {
    /// The so-manieth that the history tells of.
    Made(u32),
    /// A process's descriptor from before.
    Before(u32, i32),
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// `None`: closed.
    life: Option<Life>,
    cloexec: bool,
}

#[derive(Clone, Debug)]
struct Table {
    /// The process from which it has what the history does not tell of.
    origin: u32,
    slots: HashMap<i32, Slot>,
    /// What the history does not tell of is not known at all: it is there in part only.
    in_part: bool,
}

/// What a call does to its process's descriptors.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    /// A descriptor stands for a file, as far as that is known. `sure`: the file itself told.
    Opened { fd: i32, file: Option<File>, cloexec: bool, sure: bool },
    /// A descriptor stands for what another does.
    Copied { from: i32, to: i32, cloexec: bool },
    /// Descriptors are closed.
    Closed { from: i32, to: i32 },
    /// execve will close it, or not.
    Cloexec { fd: i32, cloexec: bool },
    /// The new process shares the table.
    Shared { with: u32 },
    /// A path leads to its file no more.
    Gone { path: String },
    /// A file has another path.
    Moved { from: String, to: String },
    /// A socket's connection is no more.
    Reset { fd: i32 },
    /// Descriptors are sent to another process.
    Sent { over: i32, descriptors: Vec<i32> },
    /// Descriptors have come from another process.
    Received { over: i32, descriptors: Vec<i32>, cloexec: bool },
}

/// The descriptors of all processes, as of the records that were followed so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Descriptors {
    tables: HashMap<u32, Table>,
    /// Processes that share another's table.
    shared: HashMap<u32, u32>,
    known: HashMap<Life, Rc<File>>,
    /// What was known when the history began.
    initial: HashMap<Life, Rc<File>>,
    /// What was found out at the end of the history.
    foreknown: HashMap<Life, Rc<File>>,
    made: u32,
    /// What files told of themselves before the record of the call that opened them, by thread.
    pending: HashMap<u32, Vec<Change>>,
    /// Descriptors that were sent and did not yet arrive, by the receiving socket's inode.
    passing: HashMap<u64, VecDeque<Vec<Option<Life>>>>,
}

impl Descriptors {
    /// Notes what /proc showed when the history began.
    pub(super) fn begin(&mut self, processes: &[Files]) {
        for process in processes {
            for (fd, file) in entries(process) {
                self.known.insert(Life::Before(process.pid, fd), Rc::new(file.clone()));
            }
        }
        self.initial = self.known.clone();
    }

    /// Ends the first way through the history: what /proc showed at its end is known from each
    /// descriptor's beginning on in the second way, which starts here.
    pub(super) fn again(mut self, processes: &[Files]) -> Self {
        self.end_part();
        let mut foreknown = HashMap::new();
        for process in processes {
            for (fd, file) in entries(process) {
                if let Some(life) = self.life(process.pid, fd) {
                    foreknown.insert(life, Rc::new(file.clone()));
                }
            }
        }
        Self { known: self.initial.clone(), initial: self.initial, foreknown, ..Self::default() }
    }

    fn owner(&self, pid: u32) -> u32 {
        self.shared.get(&pid).copied().unwrap_or(pid)
    }

    fn table(&mut self, pid: u32) -> &mut Table {
        let pid = self.owner(pid);
        self.tables.entry(pid).or_insert_with(|| Table { origin: pid, slots: HashMap::new(), in_part: false })
    }

    fn life(&self, pid: u32, fd: i32) -> Option<Life> {
        let pid = self.owner(pid);
        let Some(table) = self.tables.get(&pid) else { return Some(Life::Before(pid, fd)) };
        let before = (!table.in_part).then_some(Life::Before(table.origin, fd));
        table.slots.get(&fd).map_or(before, |slot| slot.life)
    }

    /// Where the history is there in part, calls are missing that closed and opened: nothing is known of a process's
    /// descriptors but what is told with the very call. `part`: whether it is.
    pub(super) fn stand(&mut self, pid: u32, part: bool) {
        let owner = self.owner(pid);
        let was = self.tables.get(&owner).is_some_and(|table| table.in_part);
        if part && !was {
            self.tables.insert(owner, Table { origin: owner, slots: HashMap::new(), in_part: true });
        } else if was && !part {
            self.tables.remove(&owner);
        }
    }

    /// In part, a call is over.
    pub(super) fn forget(&mut self, pid: u32) {
        let owner = self.owner(pid);
        if let Some(table) = self.tables.get_mut(&owner).filter(|table| table.in_part) {
            table.slots.clear();
        }
    }

    /// The history goes on complete.
    pub(super) fn end_part(&mut self) {
        self.tables.retain(|_, table| !table.in_part);
    }

    /// What a process's descriptor stands for.
    pub(super) fn file(&self, pid: u32, fd: i32) -> Option<&File> {
        self.of(self.life(pid, fd)?)
    }

    fn of(&self, life: Life) -> Option<&File> {
        self.known.get(&life).or_else(|| self.foreknown.get(&life)).map(Rc::as_ref)
    }

    /// What was found out later of a descriptor that these changes, which come next, make.
    pub(super) fn foreknown_next(&self, changes: &[Change], fd: i32) -> Option<&File> {
        let opened = changes.iter().filter_map(|change| match change {
            Change::Opened { fd, .. } => Some(*fd),
            _ => None,
        });
        let (_, made) = opened.zip(self.made + 1..).find(|(opened, _)| *opened == fd)?;
        self.foreknown.get(&Life::Made(made)).map(Rc::as_ref)
    }

    /// A record that is no call.
    pub(super) fn note(&mut self, record: &Record<'_>) {
        if let Some(told) = record.file() {
            let change =
                Change::Opened { fd: told.fd(), file: identity::file(&told), cloexec: told.is_cloexec(), sure: true };
            if told.is_by_call() {
                self.pending.entry(record.tid()).or_default().push(change);
            } else {
                self.apply(told.tgid(), change);
            }
        }
    }

    /// A process began with a copy of its parent's descriptors.
    pub(super) fn forked(&mut self, parent: u32, child: u32) {
        if parent != child && parent != 0 {
            let table = self.table(parent).clone();
            self.shared.remove(&child);
            self.tables.insert(child, table);
        }
    }

    /// A process runs a new program.
    pub(super) fn executed(&mut self, pid: u32) {
        if let Some(with) = self.shared.remove(&pid) {
            let table = self.table(with).clone();
            self.tables.insert(pid, table);
        }
        for slot in self.table(pid).slots.values_mut().filter(|slot| slot.cloexec) {
            slot.life = None;
            slot.cloexec = false;
        }
    }

    /// A process ended: its id may come again.
    pub(super) fn ended(&mut self, pid: u32) {
        self.tables.remove(&pid);
        self.shared.remove(&pid);
    }

    /// What a call that has returned does: what the files told of themselves, or else what the call tells.
    pub(super) fn surest(&mut self, tid: u32, mut changes: Vec<Change>) -> Vec<Change> {
        for surer in self.pending.remove(&tid).unwrap_or_default() {
            let fd = |change: &Change| match change {
                Change::Opened { fd, .. } | Change::Copied { to: fd, .. } => Some(*fd),
                _ => None,
            };
            changes.retain(|change| fd(change).is_none() || fd(change) != fd(&surer));
            changes.push(surer);
        }
        changes
    }

    /// Makes a change.
    pub(super) fn apply(&mut self, pid: u32, change: Change) {
        match change {
            Change::Opened { fd, file, cloexec, sure } => {
                // A socket that is told of again with its address lives on.
                let told = |file: &File| file.path.starts_with("socket:[").then(|| file.path.clone());
                let before = self.file(pid, fd).and_then(told);
                let same = file.as_ref().and_then(told).is_some_and(|path| Some(path) == before);
                let life = match self.life(pid, fd) {
                    Some(life) if same => life,
                    _ => {
                        self.made += 1;
                        Life::Made(self.made)
                    }
                };
                if let Some(socket) = file.as_ref().and_then(|file| file.socket.as_deref()) {
                    self.accepted(socket);
                }
                match file.filter(|_| sure || !self.foreknown.contains_key(&life)) {
                    Some(file) => {
                        let known = self.known.get(&life).filter(|known| same && identity::has_address(known));
                        if known.is_none() {
                            self.known.insert(life, Rc::new(file));
                        }
                    }
                    None => {
                        self.known.remove(&life);
                    }
                }
                self.table(pid).slots.insert(fd, Slot { life: Some(life), cloexec });
            }
            Change::Copied { from, to, cloexec } => {
                let life = self.life(pid, from);
                self.table(pid).slots.insert(to, Slot { life, cloexec });
            }
            Change::Closed { from, to } => self.close(pid, from, to),
            Change::Cloexec { fd, cloexec } => {
                let life = self.life(pid, fd);
                self.table(pid).slots.insert(fd, Slot { life, cloexec });
            }
            Change::Gone { path } => self.gone(&path),
            Change::Moved { from, to } => self.moved(&from, &to),
            Change::Reset { fd } => self.reset(pid, fd),
            Change::Sent { over, descriptors } => self.sent(pid, over, &descriptors),
            Change::Received { over, descriptors, cloexec } => self.received(pid, over, &descriptors, cloexec),
            Change::Shared { with } => {
                let owner = self.owner(pid);
                if with != owner && with != 0 {
                    self.tables.remove(&with);
                    self.shared.insert(with, owner);
                }
            }
        }
    }

    fn close(&mut self, pid: u32, from: i32, to: i32) {
        let table = self.table(pid);
        let closed = Slot { life: None, cloexec: false };
        if from == to {
            table.slots.insert(from, closed);
            return;
        }
        // Of those from before the history only the lowest can be in use in numbers.
        const LOW: i32 = 1024;
        for fd in from.max(0)..=to.min(LOW) {
            table.slots.insert(fd, closed);
        }
        for (_, slot) in table.slots.iter_mut().filter(|(fd, _)| (from..=to).contains(*fd)) {
            *slot = closed;
        }
    }
}

fn entries(process: &Files) -> impl Iterator<Item = (i32, &File)> {
    let directory = process.directory.iter().map(|directory| (CWD, directory));
    directory.chain(process.descriptors.iter().map(|(fd, file)| (*fd, file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> File {
        File { path: path.to_owned(), ..File::default() }
    }

    fn open(fd: i32, path: Option<&str>) -> Change {
        Change::Opened { fd, file: path.map(file), cloexec: false, sure: false }
    }

    fn path(descriptors: &Descriptors, pid: u32, fd: i32) -> &str {
        descriptors.file(pid, fd).map_or("", |file| &file.path)
    }

    #[test]
    fn copies_forks_and_closes() {
        let mut descriptors = Descriptors::default();
        descriptors.apply(1, open(3, Some("/a")));
        descriptors.apply(1, Change::Copied { from: 3, to: 5, cloexec: true });
        descriptors.forked(1, 2);
        descriptors.apply(1, Change::Closed { from: 3, to: 3 });
        assert_eq!((path(&descriptors, 1, 3), path(&descriptors, 1, 5)), ("", "/a"));
        assert_eq!((path(&descriptors, 2, 3), path(&descriptors, 2, 5)), ("/a", "/a"));
        descriptors.executed(2);
        assert_eq!((path(&descriptors, 2, 3), path(&descriptors, 2, 5)), ("/a", ""));
        descriptors.apply(2, Change::Closed { from: 3, to: i32::MAX });
        assert_eq!(path(&descriptors, 2, 3), "");
    }

    #[test]
    fn what_is_seen_at_the_end_holds_from_the_beginning() {
        let history = |descriptors: &mut Descriptors| {
            descriptors.forked(1, 2);
            descriptors.apply(2, open(4, None));
            descriptors.apply(1, Change::Closed { from: 0, to: 0 });
        };
        let mut first = Descriptors::default();
        history(&mut first);
        let end = Files { pid: 2, directory: None, descriptors: vec![(0, file("/dev/null")), (4, file("socket:[9]"))] };
        let mut second = first.again(&[end]);
        assert_eq!(path(&second, 1, 0), "/dev/null", "a child has it from its parent");
        history(&mut second);
        assert_eq!(path(&second, 2, 4), "socket:[9]");
        assert_eq!(path(&second, 1, 0), "");
    }

    #[test]
    fn in_part_only_the_very_call_says_what_a_descriptor_is() {
        let seen = |n: u8| {
            let mut first = Descriptors::default();
            let mut told = Vec::new();
            let mut go = |descriptors: &mut Descriptors| {
                descriptors.stand(1, true);
                told.push(path(descriptors, 1, 3).to_owned());
                descriptors.apply(1, open(4, Some("/a")));
                told.push(path(descriptors, 1, 4).to_owned());
                descriptors.forget(1);
                descriptors.stand(1, true);
                told.push(path(descriptors, 1, 4).to_owned());
                descriptors.stand(1, false);
                told.push(path(descriptors, 1, 3).to_owned());
            };
            go(&mut first);
            if n > 1 {
                let mut second =
                    first.again(&[Files { pid: 1, directory: None, descriptors: vec![(3, file("/end"))] }]);
                go(&mut second);
            }
            told.split_off(told.len() - 4)
        };
        assert_eq!(seen(1), ["", "/a", "", ""]);
        assert_eq!(seen(2), ["", "/a", "", "/end"], "the end's does not hold where calls are missing");
    }

    #[test]
    fn shared_tables() {
        let mut descriptors = Descriptors::default();
        descriptors.apply(1, Change::Shared { with: 2 });
        descriptors.apply(2, open(3, Some("/a")));
        assert_eq!(path(&descriptors, 1, 3), "/a");
        descriptors.executed(2);
        descriptors.apply(2, open(3, Some("/b")));
        assert_eq!((path(&descriptors, 1, 3), path(&descriptors, 2, 3)), ("/a", "/b"));
    }
}
