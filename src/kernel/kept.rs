//! Which calls are recorded of a slot whose calls cost more than they may (bpf/kept.h).

use std::mem::offset_of;

use anyhow::{Context, Result};
use libbpf_rs::{MapCore, MapFlags};

use super::{Kernel, row::row};
use crate::{
    skel::types::{kept, kept_call},
    syscall::Kept,
};

impl Kernel {
    /// By number, those of the 32-bit ABI behind the others.
    pub fn set_kept(&self, calls: &[Kept]) -> Result<()> {
        for (key, value) in (0_u32..).zip(calls.iter().map(bytes_of)) {
            let kept_calls = &self.skel.maps.kept_calls;
            kept_calls.update(&key.to_ne_bytes(), &value, MapFlags::ANY).context("write which calls are kept")?;
        }
        Ok(())
    }
}

fn bytes_of(call: &Kept) -> Vec<u8> {
    let named = [
        (call.always, kept::KEPT_ALWAYS),
        (call.failed, kept::KEPT_FAILED),
        (call.timed, kept::KEPT_TIMED),
        (call.least.is_some(), kept::KEPT_SLOW),
        (call.flags.is_some(), kept::KEPT_WRITING),
    ];
    let which = named.into_iter().filter(|(is, _)| *is).fold(0, |all, (_, one)| all | one.0);
    row::<kept_call>(&[
        (offset_of!(kept_call, least), &call.least.unwrap_or(0).to_ne_bytes()),
        (offset_of!(kept_call, kept), &[which]),
        (offset_of!(kept_call, flags_arg), &[call.flags.unwrap_or(0)]),
    ])
}
