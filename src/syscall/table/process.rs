//! Processes, threads, credentials, scheduling, limits.

use crate::syscall::{
    Cases,
    Kind::*,
    Len::*,
    Row,
    Shape::*,
    case::{cases, rows},
    words,
};

const CLONE_PARENT: u64 = libc::CLONE_PARENT_SETTID as u64;
const CLONE_TLS: u64 = libc::CLONE_SETTLS as u64;
const CLONE_CHILD: u64 = (libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID) as u64;

pub(super) static ROWS: &[Row] = rows! {
    sched_yield [] () -> Int;
    getpid [Pure] () -> Int;
    clone [Process] (child_stack @ 1: Label("child_stack", &Addr), flags @ 0: Label("flags", &CloneFlags), parent_tid @ 2: If(0, CLONE_PARENT, &Label("parent_tid", &Out(PidCell, One))), tls @ 4: If(0, CLONE_TLS, &Label("tls", &Hex)), child_tidptr @ 3: If(0, CLONE_CHILD, &Label("child_tidptr", &Addr))) -> Int;
    fork [Process] () -> Int;
    vfork [Process] () -> Int;
    execve [File Process] (filename: Path, argv: Strings, envp: StringCount) -> Gone;
    exit [Process] (error_code: Int) -> Never;
    wait4 [Process] (upid: Pid, stat_addr: Out(WaitStatus, One), options: Flags(&words::process::WAIT), ru: Out(Rusage, One)) -> Int;
    umask [] (mask: Mode) -> Octal;
    getrlimit [] (resource: Enum(&words::process::RESOURCES), rlim: Out(Rlimit, One)) -> Int;
    getrusage [] (who: Enum(&words::process::RUSAGE), ru: Out(Rusage, One)) -> Int;
    ptrace [] (request: Long, pid: Pid, addr: Size, data: Size) -> Int;
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
    capget [Creds] (header: Hex, dataptr: Hex) -> Int;
    capset [Creds] (header: Hex, data: Hex) -> Int;
    personality [] (personality: Uint) -> Int;
    getpriority [] (which: Enum(&words::process::PRIORITY), who: Int) -> Int;
    setpriority [] (which: Enum(&words::process::PRIORITY), who: Int, niceval: Int) -> Int;
    sched_setparam [] (pid: Pid, param: Addr) -> Int;
    sched_getparam [] (pid: Pid, param: Addr) -> Int;
    sched_setscheduler [] (pid: Pid, policy: Int, param: Addr) -> Int;
    sched_getscheduler [] (pid: Pid) -> Int;
    sched_get_priority_max [] (policy: Int) -> Int;
    sched_get_priority_min [] (policy: Int) -> Int;
    sched_rr_get_interval [] (pid: Pid, interval: Addr) -> Int;
    prctl [Creds] (option: Int, arg2: Size, arg3: Size, arg4: Size, arg5: Size) -> Int;
    arch_prctl [] (code: Enum(&words::process::ARCH_PRCTL), addr: Hex) -> Int by &ARCH_PRCTL_CASES;
    setrlimit [] (resource: Enum(&words::process::RESOURCES), rlim: In(Rlimit, One)) -> Int;
    get_kernel_syms [] (arg0: Size) -> Int;
    gettid [Pure] () -> Int;
    futex [] (uaddr: Addr, op: FutexOp, val: Uint, utime: Addr, uaddr2: Addr, val3: Hex32) -> Int by &FUTEX_CASES;
    sched_setaffinity [] (pid: Pid, len: Uint, user_mask_ptr: In(CpuSet, Arg(len))) -> Int;
    sched_getaffinity [] (pid: Pid, len: Uint, user_mask_ptr: Out(CpuSet, Ret)) -> Int;
    set_thread_area [] (arg0: Size) -> Int;
    get_thread_area [] (arg0: Size) -> Int;
    set_tid_address [] (tidptr: Addr) -> Int;
    restart_syscall [] () -> Int;
    exit_group [Process] (error_code: Int) -> Never;
    waitid [Process] (which: Int, upid: Pid, infop: Addr, options: Int, ru: Addr) -> Int;
    ioprio_set [] (which: Int, who: Int, ioprio: Int) -> Int;
    ioprio_get [] (which: Int, who: Int) -> Int;
    unshare [] (unshare_flags: Hex) -> Int;
    set_robust_list [] (head: Addr, len: Size) -> Int;
    get_robust_list [] (pid: Pid, head_ptr: Addr, len_ptr: Addr) -> Int;
    prlimit64 [] (pid: Pid, resource: Enum(&words::process::RESOURCES), new_rlim: In(Rlimit64, One), old_rlim: Out(Rlimit64, One)) -> Int;
    setns [Desc] (fd: Fd, flags: Hex) -> Int;
    process_vm_readv [] (pid: Pid, lvec: Addr, liovcnt: Size, rvec: Addr, riovcnt: Size, flags: Hex) -> Int;
    process_vm_writev [] (pid: Pid, lvec: Addr, liovcnt: Size, rvec: Addr, riovcnt: Size, flags: Hex) -> Int;
    kcmp [] (pid1: Pid, pid2: Pid, r#type: Int, idx1: Size, idx2: Size) -> Int;
    sched_setattr [] (pid: Pid, uattr: Addr, flags: Hex) -> Int;
    sched_getattr [] (pid: Pid, uattr: Addr, usize: Uint, flags: Hex) -> Int;
    seccomp [] (op: Uint, flags: Hex, uargs: Addr) -> Int;
    execveat [Desc File Process] (fd: DirFd, filename: Path, argv: Strings, envp: StringCount, flags: Flags(&words::file::AT)) -> Gone;
    rseq [] (rseq: Addr, rseq_len: Hex32, flags: Int, sig: Hex32) -> Int;
    pidfd_send_signal [Desc Signal Process] (pidfd: Fd, sig: Signal, info: Addr, flags: Hex) -> Int;
    pidfd_open [Desc] (pid: Pid, flags: Hex) -> Int;
    clone3 [Process] (uargs: In(CloneArgs, Arg(size)), size: Size) -> Int;
    pidfd_getfd [Desc] (pidfd: Fd, fd: Fd, flags: Hex) -> Int;
    landlock_create_ruleset [Desc] (attr: Addr, size: Size, flags: Hex) -> Int;
    landlock_add_rule [Desc] (ruleset_fd: Int, rule_type: Hex, rule_attr: Addr, flags: Hex) -> Int;
    landlock_restrict_self [Desc] (ruleset_fd: Int, flags: Hex) -> Int;
    futex_waitv [] (waiters: Addr, nr_futexes: Uint, flags: Hex, timeout: Addr, clockid: Int) -> Int;
    futex_wake [] (uaddr: Addr, mask: Size, nr: Int, flags: Hex) -> Int;
    futex_wait [] (uaddr: Addr, val: Size, mask: Size, flags: Hex, timeout: Addr, clockid: Int) -> Int;
    futex_requeue [] (waiters: Addr, flags: Hex, nr_wake: Int, nr_requeue: Int) -> Int;
    lsm_get_self_attr [] (attr: Uint, ctx: Addr, size: Addr, flags: Hex) -> Int;
    lsm_set_self_attr [] (attr: Uint, ctx: Addr, size: Uint, flags: Hex) -> Int;
    lsm_list_modules [] (ids: Addr, size: Addr, flags: Hex) -> Int;
    futex_time64 [] () -> Int;
    sched_rr_get_interval_time64 [] () -> Int;
};

static ARCH_PRCTL_CASES: Cases = cases! {
    by 0, mask 0xffff_ffff;
    [0x1003, 0x1004] (code: Enum(&words::process::ARCH_PRCTL), addr: Out(AddrCell, One)) -> Int;
};

/// futex's arguments, by operation without its two flags.
static FUTEX_CASES: Cases = cases! {
    by 1, mask 0x7f;
    [0] (uaddr: Addr, op: FutexOp, val: Uint, utime: In(Timespec, One)) -> Int;
    [1] (uaddr: Addr, op: FutexOp, val: Uint) -> Int;
    [3] (uaddr: Addr, op: FutexOp, val: Uint, utime: Uint, uaddr2: Addr) -> Int;
    [4] (uaddr: Addr, op: FutexOp, val: Uint, utime: Uint, uaddr2: Addr, val3: Uint) -> Int;
    [9] (uaddr: Addr, op: FutexOp, val: Uint, utime: In(Timespec, One), uaddr2 @ 5: FutexBits) -> Int;
    [10] (uaddr: Addr, op: FutexOp, val: Uint, val3 @ 5: FutexBits) -> Int;
};
