//! Records wait on each CPU to be sent together: makes a CPU send them.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use libbpf_rs::libbpf_sys;

/// include/uapi/linux/bpf.h
const BPF_F_TEST_RUN_ON_CPU: u32 = 1;

/// Runs the program on the CPU until it finds nobody writing there; false: the CPU is offline, and keeps
/// what it has.
pub(super) fn flush(program: BorrowedFd<'_>, cpu: u32) -> Result<bool> {
    const AT_ONCE: u32 = 1000;
    const TRIES: u32 = 1100;
    for n in 0..TRIES {
        match run(program, cpu) {
            Ok(0) => return Ok(true),
            // Whoever writes there has been preempted.
            Ok(_) if n >= AT_ONCE => thread::sleep(Duration::from_millis(1)),
            Ok(_) => {}
            Err(error) if error.raw_os_error() == Some(libc::ENXIO) => return Ok(false),
            Err(error) => return Err(error).with_context(|| format!("have cpu {cpu} send its records")),
        }
    }
    tracing::warn!(cpu, "a CPU keeps its newest records to itself");
    Ok(true)
}

/// The program's result.
fn run(program: BorrowedFd<'_>, cpu: u32) -> io::Result<u32> {
    let mut options = libbpf_sys::bpf_test_run_opts {
        sz: size_of::<libbpf_sys::bpf_test_run_opts>() as libbpf_sys::size_t,
        flags: BPF_F_TEST_RUN_ON_CPU,
        cpu,
        ..Default::default()
    };
    // SAFETY: `options` has the size that it names and no pointers.
    let failed = unsafe { libbpf_sys::bpf_prog_test_run_opts(program.as_raw_fd(), &raw mut options) };
    if failed == 0 { Ok(options.retval) } else { Err(io::Error::last_os_error()) }
}
