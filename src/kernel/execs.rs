//! Whether this kernel shows what execve was given once more, before the memory that it is in goes.

use libbpf_rs::btf::{Btf, types::Typedef};

use crate::skel::OpenTraceloopSkel;

/// Loads the program where its tracepoint is: from Linux 6.10 on.
pub(super) fn choose(open: &mut OpenTraceloopSkel<'_>, registers: bool) {
    let shown =
        Btf::from_vmlinux().is_ok_and(|btf| btf.type_by_name::<Typedef<'_>>("btf_trace_sched_prepare_exec").is_some());
    open.progs.on_prepare_exec.set_autoload(shown && registers);
}
