//! The threads that are alive in a cgroup: id, process and name, as /proc tells them, where its numbers are the
//! records' numbers.

use std::fs;

use crate::{cgroup::Cgroup, kernel::sees_all_pids, model::Process};

/// All threads of the cgroup and of those below it. One that ends meanwhile is left out.
pub(super) fn of(cgroup: &Cgroup) -> Vec<Process> {
    if !sees_all_pids() {
        return Vec::new();
    }
    let below = cgroup.descendants();
    std::iter::once(cgroup).chain(&below).flat_map(Cgroup::threads).filter_map(thread).collect()
}

fn thread(tid: u32) -> Option<Process> {
    let status = fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let pid = field("Tgid:")?.parse().ok()?;
    Some(Process { tid, pid, comm: field("Name:")?.to_owned() })
}
