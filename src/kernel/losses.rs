//! Each program's own figures, as the kernel counts them.

use std::{
    io,
    mem::size_of,
    os::fd::{AsRawFd, BorrowedFd},
};

use anyhow::{Context, Result};
use libbpf_rs::libbpf_sys;

/// One program's figures.
#[derive(Clone, Debug)]
pub struct Figures {
    /// The program's name, cut at 15 bytes by the kernel.
    pub name: String,
    /// Instructions that the verifier processed.
    pub verified: u32,
    /// Instructions of the program as loaded, in bytes of bytecode.
    pub bytes: u32,
    /// How often it ran; counted only with kernel.bpf_stats_enabled.
    pub runs: u64,
    /// Nanoseconds that it ran.
    pub run_time: u64,
    /// How often it was left out because it was running already on that CPU.
    pub missed: u64,
}

fn info(program: BorrowedFd<'_>) -> Result<libbpf_sys::bpf_prog_info> {
    let mut info = libbpf_sys::bpf_prog_info::default();
    let mut length = u32::try_from(size_of::<libbpf_sys::bpf_prog_info>())?;
    // SAFETY: `info` is a zeroed bpf_prog_info of `length` bytes; the kernel fills no more.
    let failed =
        unsafe { libbpf_sys::bpf_obj_get_info_by_fd(program.as_raw_fd(), (&raw mut info).cast(), &raw mut length) };
    if failed != 0 {
        return Err(io::Error::last_os_error()).context("read a BPF program's figures");
    }
    Ok(info)
}

/// bpf_prog_info.recursion_misses: 0 on kernels before 5.12, which do not count them.
pub(super) fn recursion_misses(program: BorrowedFd<'_>) -> Result<u64> {
    Ok(info(program)?.recursion_misses)
}

pub(super) fn figures(program: BorrowedFd<'_>) -> Result<Figures> {
    let info = info(program)?;
    #[allow(clippy::cast_sign_loss, reason = "a name's bytes")]
    let name = info.name.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte as u8)).collect();
    Ok(Figures {
        name,
        verified: info.verified_insns,
        bytes: info.xlated_prog_len,
        runs: info.run_cnt,
        run_time: info.run_time_ns,
        missed: info.recursion_misses,
    })
}
