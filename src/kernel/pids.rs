//! Whether the numbers by which the kernel side knows processes are those of our /proc.
//!
//! Records, notices and the task iterator have the numbers of the first pid namespace. In another one (nspawn,
//! a container without the host's) the same number is another process or none, so nothing may be looked up by it:
//! what /proc would have told is left out there.

use std::{fs, os::unix::fs::MetadataExt, sync::LazyLock};

/// The first pid namespace has a fixed inode (PROC_PID_INIT_INO, include/linux/proc_ns.h).
const FIRST: u64 = 0xefff_fffc;

static SEES_ALL: LazyLock<bool> =
    LazyLock::new(|| fs::metadata("/proc/self/ns/pid").is_ok_and(|namespace| namespace.ino() == FIRST));

/// Whether /proc/N is the process that the kernel side calls N.
pub fn sees_all_pids() -> bool {
    *SEES_ALL
}
