//! The threads that are alive in a cgroup or in processes: id, process and name, as /proc tells them, where its numbers
//! are the records' numbers.

use std::{fs, io};

use procfs::process::Stat;

use crate::{
    cgroup::Cgroup,
    kernel::sees_all_pids,
    model::{Process, plain},
};

/// All threads of the cgroup and of those below it. One that ends meanwhile is left out.
pub(super) fn of(cgroup: &Cgroup) -> Vec<Process> {
    if !sees_all_pids() {
        return Vec::new();
    }
    let below = cgroup.descendants();
    std::iter::once(cgroup).chain(&below).flat_map(Cgroup::threads).filter_map(thread).collect()
}

/// All threads of the processes. One that ends meanwhile is left out.
pub(super) fn of_processes(pids: impl IntoIterator<Item = u32>) -> Vec<Process> {
    let tasks = pids.into_iter().filter_map(|pid| fs::read_dir(format!("/proc/{pid}/task")).ok());
    let tids = tasks.flatten().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    tids.filter_map(thread).collect()
}

/// What /proc tells of a thread.
pub fn thread(tid: u32) -> Option<Process> {
    let status = Status::read(tid).ok()?;
    Some(Process { tid, pid: status.number("Tgid:")?, comm: plain(status.field("Name:")?).into_owned() })
}

/// /proc/PID/stat: names in it may hold anything.
pub fn stat(pid: u32) -> Option<Stat> {
    procfs::process::Process::new(i32::try_from(pid).ok()?).ok()?.stat().ok()
}

/// /proc/PID/status.
#[derive(Debug)]
pub struct Status(String);

impl Status {
    /// Of this thread.
    pub fn read(tid: u32) -> io::Result<Self> {
        Ok(Self(String::from_utf8_lossy(&fs::read(format!("/proc/{tid}/status"))?).into_owned()))
    }

    /// The rest of the line that begins so.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
    }

    /// The same as a number.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.field(name)?.parse().ok()
    }
}
