//! Every system call, one row each, a file a family.
//!
//! A row is the call's number (through its name), signature, classes, decoding and capture plan at
//! once; see `Kind` for the words. Argument names are the kernel's.
#![allow(clippy::enum_glob_use, unused_imports, reason = "rows are read as words")]

mod aarch64;
mod file;
mod ia32;
mod ioctl;
mod ipc;
mod memory;
mod net;
mod prctl;
mod process;
mod signal;
mod system;
mod time;

use super::row::Row;

/// Every row but those that are one ABI's own.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [file::ROWS, ipc::ROWS, memory::ROWS, net::ROWS, process::ROWS, signal::ROWS, system::ROWS, time::ROWS]
        .into_iter()
        .flatten()
}

/// Rows that hold for aarch64's calls only.
pub fn aarch64_rows() -> impl Iterator<Item = &'static Row> {
    aarch64::ROWS.iter()
}

/// Rows that hold for 32-bit x86 calls only.
pub fn ia32_rows() -> impl Iterator<Item = &'static Row> {
    ia32::ROWS.iter()
}
