//! Structures of processes, futexes and security.

use super::{Field::*, layouts};
use crate::syscall::words;

layouts! {
    /// A futex that futex_waitv waits for.
    pub FUTEX_WAITV {
        val: Hex64, uaddr: Addr64, flags: Flags32(&words::sched::FUTEX_WAITV), __reserved: NonZero(&Hex32),
    }
    /// struct landlock_net_port_attr.
    pub NET_PORT { allowed_access: Flags64(&words::security::LANDLOCK_NET), port: U64 }
    /// struct rseq, up to its first size.
    pub RSEQ {
        cpu_id_start: U32, cpu_id: Signed(&words::process::RSEQ_CPU), rseq_cs: Addr64, flags: Hex32, node_id: U32,
        mm_cid: U32, slice_ctrl: Inner(&RSEQ_SLICE), __reserved: U32,
    }
    /// struct rseq_slice_ctrl's halves.
    pub RSEQ_SLICE { request: U8, granted: U8, __reserved: U16 }
    /// struct iovec of another process's memory.
    pub REMOTE_IOVEC { iov_base: Addr, iov_len: Word }
    /// struct kcmp_epoll_slot.
    pub EPOLL_SLOT { efd: Fd, tfd: Fd, toff: U32 }
    /// struct seccomp_notif_sizes.
    pub NOTIF_SIZES { seccomp_notif: U16, seccomp_notif_resp: U16, seccomp_data: U16 }
    /// struct landlock_path_beneath_attr.
    pub PATH_BENEATH { allowed_access: Flags64(&words::security::LANDLOCK_FS), parent_fd: Fd }
    /// struct user_cap_header_struct.
    pub CAP_HEADER { version: Enum32(&words::prctl::CAP_VERSION), pid: I32 }
    /// ptrace's struct of PTRACE_PEEKSIGINFO.
    pub PEEK_SIGINFO { off: U64, flags: Flags32(&words::ptrace::PEEK_SIGINFO), nr: U32 }
}
