//! Processes, threads, credentials, scheduling, limits.

use super::prctl::{PRCTL_CASES, PTRACE_CASES};
use crate::syscall::{
    Cases,
    Kind::*,
    Len::*,
    Row,
    Shape::*,
    Told,
    case::{cases, rows},
    layout::process,
    words,
};

pub(super) const CLONE_PARENT: u64 = (libc::CLONE_PARENT_SETTID | libc::CLONE_PIDFD) as u64;
pub(super) const CLONE_TLS: u64 = libc::CLONE_SETTLS as u64;
pub(super) const CLONE_CHILD: u64 = (libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID) as u64;

pub(super) static ROWS: &[Row] = rows! {
    sched_yield [] () -> Int;
    getpid [Pure] () -> Int;
    clone [Process] (newsp @ 1: Label("child_stack", &Addr), clone_flags @ 0: Label("flags", &CloneFlags), parent_tidptr @ 2: If(0, CLONE_PARENT, &Label("parent_tid", &Out(PidCell, One))), tls @ 4: If(0, CLONE_TLS, &Label("tls", &Addr)), child_tidptr @ 3: If(0, CLONE_CHILD, &Label("child_tidptr", &Addr))) -> Int;
    fork [Process] () -> Int;
    vfork [Process] () -> Int;
    execve [File Process] (filename: Path, argv: Strings, envp: StringCount) -> Gone;
    exit [Process] (error_code: Int) -> Never;
    wait4 [Process] (upid: Pid, stat_addr: OutIfAny(WaitStatus), options: Flags(&words::process::WAIT), ru: OutIfAny(Rusage)) -> Int;
    umask [] (mask: Mode) -> Octal;
    getrlimit [] (resource: Enum(&words::process::RESOURCES), rlim: Out(Rlimit, One)) -> Int;
    getrusage [] (who: Enum(&words::process::RUSAGE), ru: Out(Rusage, One)) -> Int;
    ptrace [] (request: LongEnum(&words::ptrace::REQUESTS), pid: Pid, addr: Addr, data: Addr) -> Int by &PTRACE_CASES;
    getuid [Creds Pure] () -> Int;
    getgid [Creds Pure] () -> Int;
    setuid [Creds] (uid: Id) -> Int;
    setgid [Creds] (gid: Id) -> Int;
    geteuid [Creds Pure] () -> Int;
    getegid [Creds Pure] () -> Int;
    setpgid [] (pid: Pid, pgid: Pid) -> Int;
    getppid [Pure] () -> Int;
    getpgrp [Pure] () -> Int;
    setsid [] () -> Int;
    setreuid [Creds] (ruid: Id, euid: Id) -> Int;
    setregid [Creds] (rgid: Id, egid: Id) -> Int;
    getgroups [Creds] (gidsetsize: Int, grouplist: Out(IdCell, Ret)) -> Int;
    setgroups [Creds] (gidsetsize: Int, grouplist: In(IdCell, Arg(gidsetsize))) -> Int;
    setresuid [Creds] (ruid: Id, euid: Id, suid: Id) -> Int;
    getresuid [Creds] (ruidp: Out(IdCell, One), euidp: Out(IdCell, One), suidp: Out(IdCell, One)) -> Int;
    setresgid [Creds] (rgid: Id, egid: Id, sgid: Id) -> Int;
    getresgid [Creds] (rgidp: Out(IdCell, One), egidp: Out(IdCell, One), sgidp: Out(IdCell, One)) -> Int;
    getpgid [] (pid: Pid) -> Int;
    setfsuid [Creds] (uid: Id) -> Int;
    setfsgid [Creds] (gid: Id) -> Int;
    getsid [] (pid: Pid) -> Int;
    capget [Creds] (header: Before(Struct(&process::CAP_HEADER), One), dataptr: Out(CapData, One)) -> Int;
    capset [Creds] (header: Before(Struct(&process::CAP_HEADER), One), data: In(CapData, One)) -> Int;
    personality [] (personality: Personality) -> Told(Told::Personality);
    getpriority [] (which: Enum(&words::process::PRIORITY), who: Int) -> Int;
    setpriority [] (which: Enum(&words::process::PRIORITY), who: Int, niceval: Int) -> Int;
    sched_setparam [] (pid: Pid, param: In(SchedParam, One)) -> Int;
    sched_getparam [] (pid: Pid, param: Out(SchedParam, One)) -> Int;
    sched_setscheduler [] (pid: Pid, policy: Enum(&words::sched::SCHED), param: In(SchedParam, One)) -> Int;
    sched_getscheduler [] (pid: Pid) -> Word(&words::sched::SCHED);
    sched_get_priority_max [] (policy: Enum(&words::sched::SCHED)) -> Int;
    sched_get_priority_min [] (policy: Enum(&words::sched::SCHED)) -> Int;
    sched_rr_get_interval [] (pid: Pid, interval: Out(Timespec, One)) -> Int;
    prctl [Creds] (option: Enum(&words::prctl::PRCTL), arg2: Hex, arg3: Hex, arg4: Hex, arg5: Hex) -> Int by &PRCTL_CASES;
    arch_prctl [] (option: Enum(&words::process::ARCH_PRCTL), arg2: Hex) -> Int by &ARCH_PRCTL_CASES;
    setrlimit [] (resource: Enum(&words::process::RESOURCES), rlim: In(Rlimit, One)) -> Int;
    get_kernel_syms [] (table: Addr) -> Int;
    gettid [Pure] () -> Int;
    futex [] (uaddr: Addr, op: FutexOp, val: Uint, utime: Addr, uaddr2: Addr, val3: Hex32) -> Int by &FUTEX_CASES;
    sched_setaffinity [] (pid: Pid, len: Uint, user_mask_ptr: In(CpuSet, Arg(len))) -> Int;
    sched_getaffinity [] (pid: Pid, len: Uint, user_mask_ptr: Out(CpuSet, Ret)) -> Int;
    // The entry is read once more at the end: the kernel may have chosen it.
    set_thread_area [] (u_info: Before(UserDesc, One), chosen @ 0: If(0, 0, &Out(Uint32, One))) -> Told(Told::Entry);
    get_thread_area [] (u_info: Before(UserDescEntry, One), found @ 0: If(0, 0, &Out(UserDesc, One))) -> Int;
    set_tid_address [] (tidptr: Hex) -> Int;
    restart_syscall [] () -> Int;
    exit_group [Process] (error_code: Int) -> Never;
    waitid [Process] (which: Enum(&words::process::WAITID), upid: Pid, infop: Out(SigInfo, One), options: Flags(&words::process::WAIT), ru: Out(Rusage, One)) -> Int;
    ioprio_set [] (which: Enum(&words::sched::IOPRIO_WHO), who: Int, ioprio: IoPriority) -> Int;
    ioprio_get [] (which: Enum(&words::sched::IOPRIO_WHO), who: Int) -> Told(Told::IoPriority);
    unshare [] (unshare_flags: LongFlags(&words::process::UNSHARE)) -> Int;
    set_robust_list [] (head: Addr, len: Size) -> Int;
    get_robust_list [] (pid: Pid, head_ptr: Out(AddrCell, One), len_ptr: Out(SizeCell, One)) -> Int;
    prlimit64 [] (pid: Pid, resource: Enum(&words::process::RESOURCES), new_rlim: In(Rlimit64, One), old_rlim: Out(Rlimit64, One)) -> Int;
    setns [Desc] (fd: Fd, flags: Flags(&words::process::SETNS)) -> Int;
    process_vm_readv [] (pid: Pid, lvec: Out(Iovec, Arg(liovcnt)), liovcnt: Size, rvec: OutAlways(Struct(&process::REMOTE_IOVEC), Arg(riovcnt)), riovcnt: Size, flags: Size) -> Int;
    process_vm_writev [] (pid: Pid, lvec: In(Iovec, Arg(liovcnt)), liovcnt: Size, rvec: In(Struct(&process::REMOTE_IOVEC), Arg(riovcnt)), riovcnt: Size, flags: Size) -> Int;
    kcmp [] (pid1: Pid, pid2: Pid, r#type: Enum(&words::process::KCMP), idx1: Hex, idx2: Hex) -> Int by &KCMP_CASES;
    sched_setattr [] (pid: Pid, uattr: Corrected(SchedAttr, 0), flags: Uint) -> Int;
    sched_getattr [] (pid: Pid, uattr: Out(SchedAttr, One), usize: Uint, flags: Uint) -> Int;
    seccomp [] (op: Enum(&words::security::SECCOMP_OPS), flags: Hex32, uargs: Addr) -> Int by &SECCOMP_CASES;
    execveat [Desc File Process] (fd: DirFd, filename: Path, argv: Strings, envp: StringCount, flags: Flags(&words::file::AT)) -> Gone;
    rseq [] (rseq: Before(Rseq, One), rseq_len: RseqLength, flags: Flags(&words::process::RSEQ), sig: Hex32) -> Int;
    pidfd_send_signal [Desc Signal Process] (pidfd: Fd, sig: Signal, info: In(SigInfo, One), flags: Flags(&words::process::PIDFD_SIGNAL)) -> Int;
    pidfd_open [Desc] (pid: Pid, flags: Flags(&words::process::PIDFD_OPEN)) -> Fd;
    clone3 [Process] (uargs: In(CloneArgs, Arg(size)), size: Size) -> Int;
    pidfd_getfd [Desc] (pidfd: Fd, fd: Fd, flags: Hex32) -> Fd;
    landlock_create_ruleset [Desc] (attr: In(Landlock, Arg(size)), size: Size, flags: Flags(&words::security::LANDLOCK_CREATE)) -> Fd;
    landlock_add_rule [Desc] (ruleset_fd: Fd, rule_type: Enum(&words::security::LANDLOCK_RULES), rule_attr: Addr, flags: Hex32) -> Int by &LANDLOCK_CASES;
    landlock_restrict_self [Desc] (ruleset_fd: Fd, flags: Flags(&words::security::LANDLOCK_RESTRICT)) -> Int;
    futex_waitv [] (waiters: In(Struct(&process::FUTEX_WAITV), Arg(nr_futexes)), nr_futexes: Uint, flags: Hex32, timeout: In(Timespec64, One), clockid: Enum(&words::time::CLOCKS)) -> Int;
    futex_wake [] (uaddr: Addr, mask: LongEnum(&words::sched::FUTEX_MASKS), nr: Int, flags: Split(3, &words::sched::FUTEX2_SIZES, &words::sched::FUTEX2)) -> Int;
    futex_wait [] (uaddr: Addr, val: Size, mask: LongEnum(&words::sched::FUTEX_MASKS), flags: Split(3, &words::sched::FUTEX2_SIZES, &words::sched::FUTEX2), timeout: In(Timespec64, One), clockid: Enum(&words::time::CLOCKS)) -> Int;
    futex_requeue [] (waiters: In(FutexPair, One), flags: Hex, nr_wake: Int, nr_requeue: Int) -> Int;
    lsm_get_self_attr [] (attr: Enum(&words::security::LSM_ATTR), ctx: Addr, size: InOut(Uint32, One), flags: Flags(&words::security::LSM_FLAGS)) -> Int;
    lsm_set_self_attr [] (attr: Enum(&words::security::LSM_ATTR), ctx: Addr, size: Uint, flags: Hex) -> Int;
    lsm_list_modules [] (ids: Out(LsmId, Ret), size: InOut(Uint32, One), flags: Hex) -> Int;
    futex_time64 [] (uaddr: Addr, op: FutexOp, val: Uint, utime: Addr, uaddr2: Addr, val3: Hex32) -> Int by &FUTEX64_CASES;
    sched_rr_get_interval_time64 [] (pid: Pid, interval: Out(Timespec64, One)) -> Int;
};

static ARCH_PRCTL_CASES: Cases = cases! {
    by 0, mask 0xffff_ffff;
    [0x1003, 0x1004] (option: Enum(&words::process::ARCH_PRCTL), arg2: Out(AddrCell, One)) -> Int;
    [0x1011] (option: Enum(&words::process::ARCH_PRCTL)) -> Int;
    [0x1021, 0x1022, 0x1024] (option: Enum(&words::process::ARCH_PRCTL), arg2: Out(XFeatures, One)) -> Int;
    [0x1023, 0x1025] (option: Enum(&words::process::ARCH_PRCTL), arg2: HexCommented(&words::process::XFEATURE_BITS)) -> Bits(&words::process::XFEATURES);
};

/// futex's arguments, by operation without its two flags.
static FUTEX_CASES: Cases = cases! {
    by 1, mask 0x7f;
    [0] (uaddr: Addr, op: FutexOp, val: Uint, utime: In(Timespec, One)) -> Int;
    [6, 13] (uaddr: Addr, op: FutexOp, utime @ 3: In(Timespec, One)) -> Int;
    [7, 8] (uaddr: Addr, op: FutexOp) -> Int;
    [1, 2] (uaddr: Addr, op: FutexOp, val: Uint) -> Int;
    [3] (uaddr: Addr, op: FutexOp, val: Uint, utime: Uint, uaddr2: Addr) -> Int;
    [4, 12] (uaddr: Addr, op: FutexOp, val: Uint, utime: Uint, uaddr2: Addr, val3: Uint) -> Int;
    [5] (uaddr: Addr, op: FutexOp, val: Uint, utime: Uint, uaddr2: Addr, val3: WakeOp) -> Int;
    [9] (uaddr: Addr, op: FutexOp, val: Uint, utime: In(Timespec, One), val3 @ 5: FutexBits) -> Int;
    [10] (uaddr: Addr, op: FutexOp, val: Uint, val3 @ 5: FutexBits) -> Int;
    [11] (uaddr: Addr, op: FutexOp, val: Uint, utime: In(Timespec, One), uaddr2: Addr) -> Int;
};

/// The same with 64-bit times.
static FUTEX64_CASES: Cases = cases! {
    by 1, mask 0x7f;
    [0] (uaddr: Addr, op: FutexOp, val: Uint, utime: In(Timespec64, One)) -> Int;
    [6, 13] (uaddr: Addr, op: FutexOp, utime @ 3: In(Timespec64, One)) -> Int;
    [7, 8] (uaddr: Addr, op: FutexOp) -> Int;
    [1, 2] (uaddr: Addr, op: FutexOp, val: Uint) -> Int;
    [3] (uaddr: Addr, op: FutexOp, val: Uint, utime: Uint, uaddr2: Addr) -> Int;
    [4, 12] (uaddr: Addr, op: FutexOp, val: Uint, utime: Uint, uaddr2: Addr, val3: Uint) -> Int;
    [5] (uaddr: Addr, op: FutexOp, val: Uint, utime: Uint, uaddr2: Addr, val3: WakeOp) -> Int;
    [9] (uaddr: Addr, op: FutexOp, val: Uint, utime: In(Timespec64, One), val3 @ 5: FutexBits) -> Int;
    [10] (uaddr: Addr, op: FutexOp, val: Uint, val3 @ 5: FutexBits) -> Int;
    [11] (uaddr: Addr, op: FutexOp, val: Uint, utime: In(Timespec64, One), uaddr2: Addr) -> Int;
};

static KCMP_CASES: Cases = cases! {
    by 2, mask 0xffff_ffff;
    [0] (pid1: Pid, pid2: Pid, r#type: Enum(&words::process::KCMP), idx1: Fd, idx2: Fd) -> Int;
    [7] (pid1: Pid, pid2: Pid, r#type: Enum(&words::process::KCMP), idx1: Fd, idx2: In(Struct(&process::EPOLL_SLOT), One)) -> Int;
    [1, 2, 3, 4, 5, 6] (pid1: Pid, pid2: Pid, r#type: Enum(&words::process::KCMP)) -> Int;
};

static SECCOMP_CASES: Cases = cases! {
    by 0, mask 0xffff_ffff;
    [1] (op: Enum(&words::security::SECCOMP_OPS), flags: Flags(&words::security::SECCOMP_FLAGS), uargs: In(SockFprog, One)) -> Int;
    [2] (op: Enum(&words::security::SECCOMP_OPS), flags: Hex32, uargs: In(SeccompAction, One)) -> Int;
    [3] (op: Enum(&words::security::SECCOMP_OPS), flags: Hex32, uargs: Out(Struct(&process::NOTIF_SIZES), One)) -> Int;
};

static LANDLOCK_CASES: Cases = cases! {
    by 1, mask 0xffff_ffff;
    [1] (ruleset_fd: Fd, rule_type: Enum(&words::security::LANDLOCK_RULES), rule_attr: In(Struct(&process::PATH_BENEATH), One), flags: Hex32) -> Int;
    [2] (ruleset_fd: Fd, rule_type: Enum(&words::security::LANDLOCK_RULES), rule_attr: In(Struct(&process::NET_PORT), One), flags: Hex32) -> Int;
};
