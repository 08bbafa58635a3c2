//! How this kernel shows which capabilities it looks for: bpf/capability.h notes those that are not there, and a call
//! that fails with EPERM or EACCES names them.
//!
//! From Linux 6.14 on the function that looks has a tracepoint. Before, a program can hang on the function's end where
//! the kernel lets it: that is tried, with a program that does nothing. Where neither is there, calls name no capability,
//! and nothing else is missing. What a program here misses is no record: nothing is lost by it.

use std::{
    fmt, mem,
    os::fd::{FromRawFd, OwnedFd},
    ptr,
};

use anyhow::{Context, Result};
use libbpf_rs::{
    btf::{
        Btf,
        types::{Func, Typedef},
    },
    libbpf_sys,
};

use crate::skel::OpenTraceloopSkel;

/// The function, and the type by which BTF knows its tracepoint.
const FUNCTION: &str = "cap_capable";
const TRACEPOINT: &str = "btf_trace_cap_capable";

/// The programs that note what is not there.
pub(super) const PROGRAMS: [&str; 2] = ["on_capable", "on_capable_end"];

/// By what this kernel shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capabilities {
    /// The tracepoint cap_capable.
    Tracepoint,
    /// The end of the function.
    Function,
    /// By nothing.
    Unseen,
}

impl Capabilities {
    /// Asks the kernel.
    pub fn probe() -> Self {
        let Ok(btf) = Btf::from_vmlinux() else { return Self::Unseen };
        if btf.type_by_name::<Typedef<'_>>(TRACEPOINT).is_some() {
            return Self::Tracepoint;
        }
        let function = btf.type_by_name::<Func<'_>>(FUNCTION).map(|function| function.type_id().into());
        if function.is_some_and(can_end) { Self::Function } else { Self::Unseen }
    }

    /// Loads the program that this kernel takes, if any is wanted.
    pub(super) fn choose(wanted: bool, open: &mut OpenTraceloopSkel<'_>) -> Result<()> {
        let seen = if wanted { Self::probe() } else { Self::Unseen };
        open.progs.on_capable.set_autoload(seen == Self::Tracepoint);
        open.progs.on_capable_end.set_autoload(seen == Self::Function);
        let settings = open.maps.rodata_data.as_deref_mut().context("the BPF object has no settings")?;
        settings.tell_denied = seen != Self::Unseen;
        Ok(())
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tracepoint => "calls that are refused name the capability, by the tracepoint cap_capable",
            Self::Function => "calls that are refused name the capability, by the end of cap_capable",
            Self::Unseen => "calls that are refused name no capability",
        })
    }
}

/// Whether a program can hang on the end of the function with that number in BTF.
fn can_end(function: u32) -> bool {
    // r0 = 0; exit
    let code = [
        libbpf_sys::bpf_insn { code: 0xb7, ..Default::default() },
        libbpf_sys::bpf_insn { code: 0x95, ..Default::default() },
    ];
    let options = libbpf_sys::bpf_prog_load_opts {
        sz: mem::size_of::<libbpf_sys::bpf_prog_load_opts>() as libbpf_sys::size_t,
        expected_attach_type: libbpf_sys::BPF_TRACE_FEXIT,
        attach_btf_id: function,
        ..Default::default()
    };
    // SAFETY: the names end with NULs, the code is as long as it is said to be, the options name their own size; the
    // kernel keeps none of it.
    let program = unsafe {
        libbpf_sys::bpf_prog_load(
            libbpf_sys::BPF_PROG_TYPE_TRACING,
            c"traceloop_probe".as_ptr(),
            c"Dual MIT/GPL".as_ptr(),
            code.as_ptr(),
            code.len() as libbpf_sys::size_t,
            (&raw const options).cast_mut(),
        )
    };
    if program < 0 {
        return false;
    }
    // SAFETY: the kernel just gave us this descriptor.
    let _program = unsafe { OwnedFd::from_raw_fd(program) };
    // SAFETY: such a program's place is known without a name.
    let link = unsafe { libbpf_sys::bpf_raw_tracepoint_open(ptr::null(), program) };
    // SAFETY: the kernel just gave us this descriptor, too; it hangs there no longer than that is open.
    let link = (link >= 0).then(|| unsafe { OwnedFd::from_raw_fd(link) });
    link.is_some()
}
