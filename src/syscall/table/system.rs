//! The rest: modules, clocks of the machine, tracing, asynchronous I/O.

use crate::syscall::{
    Bpf, Cases,
    Kind::*,
    Len::*,
    Registered, Row,
    Shape::*,
    Told,
    case::{cases, rows},
    layout::{process, system},
    words,
};

pub(super) static ROWS: &[Row] = rows! {
    uname [] (name: Out(Utsname, One)) -> Int;
    sysinfo [] (info: Out(Struct(&system::SYSINFO), One)) -> Int;
    syslog [] (r#type: Commented(&words::system::SYSLOG), buf: Addr, len: Int) -> Int by &SYSLOG_CASES;
    sysfs [] (option: Hex, arg1: Hex, arg2: Hex) -> Int;
    vhangup [] () -> Int;
    modify_ldt [] (func: Int, ptr: Switch(2, &[(16, &In(UserDesc, One))], &Addr), bytecount: Size) -> Told(Told::Narrow);
    _sysctl [] (args: Addr) -> Int;
    reboot [] (magic1: Enum(&words::system::REBOOT_MAGIC1), magic2: Enum(&words::system::REBOOT_MAGIC2), cmd: Enum(&words::system::REBOOT_CMD), arg: Switch(2, &[(0xa1b2_c3d4, &In(Name(255), One))], &Hidden)) -> Int;
    sethostname [] (name: In(Bytes, Arg(len)), len: Uint) -> Int;
    setdomainname [] (name: In(Bytes, Arg(len)), len: Uint) -> Int;
    iopl [] (level: Int) -> Int;
    ioperm [] (from: Hex, num: Hex, turn_on: Int) -> Int;
    create_module [] (name: Str, size: Size) -> Int;
    init_module [] (umod: Addr, len: Size, uargs: Str) -> Int;
    delete_module [] (name_user: Str, flags: Flags(&words::system::MODULE_DELETE)) -> Int;
    query_module [] (name: Str, which: Int, buf: Addr, bufsize: Size, ret: Addr) -> Int;
    nfsservctl [] (cmd: Int, argp: Addr, resp: Addr) -> Int;
    afs_syscall [] (arg0: Size, arg1: Size, arg2: Size, arg3: Size, arg4: Size) -> Int;
    tuxcall [] (arg0: Size, arg1: Size, arg2: Size) -> Int;
    security [] (arg0: Size, arg1: Size, arg2: Size) -> Int;
    io_setup [Memory] (nr_events: Uint, ctxp: Out(AddrCell, One)) -> Int;
    io_destroy [Memory] (ctx: Addr) -> Int;
    io_getevents [] (ctx_id: Addr, min_nr: Long, nr: Long, events: Out(Struct(&system::IO_EVENT), Ret), timeout: In(Timespec, One)) -> Int;
    io_submit [] (ctx_id: Addr, nr: Long, iocbpp: In(Iocbs, Arg(nr))) -> Int;
    io_cancel [] (ctx_id: Addr, iocb: In(Iocb, One), result: Out(Struct(&system::IO_EVENT), One)) -> Int;
    lookup_dcookie [] (cookie: Size, buf: Addr, len: Size) -> Int;
    vserver [] (arg0: Size, arg1: Size, arg2: Size, arg3: Size, arg4: Size) -> Int;
    kexec_load [] (entry: Addr, nr_segments: Size, segments: In(Struct(&system::KEXEC_SEGMENT), Arg(nr_segments)), flags: KexecFlags) -> Int;
    getcpu [] (cpup: Out(Uint32, One), nodep: Out(Uint32, One), unused: Addr) -> Int;
    io_pgetevents [] (ctx_id: Addr, min_nr: Long, nr: Long, events: Out(Struct(&system::IO_EVENT), Ret), timeout: In(Timespec, One), usig: In(SigSetPack, One)) -> Int;
    uretprobe [] () -> Int;
    uprobe [] () -> Int;
    close_range [] (fd: Uint, max_fd: Uint, flags: Flags(&words::file::CLOSE_RANGE)) -> Int;
    open_tree_attr [Desc File] (dfd: DirFd, filename: Path, flags: Flags(&words::mount::OPEN_TREE), uattr: In(MountAttr, Arg(usize)), usize: Size) -> Int;
    io_pgetevents_time64 [] (ctx_id: Addr, min_nr: Long, nr: Long, events: Out(Struct(&system::IO_EVENT), Ret), timeout: In(Timespec64, One), usig: In(SigSetPack, One)) -> Int;
    recvmmsg_time64 [] () -> Int;
    utimensat_time64 [Desc File] (dfd: DirFd, filename: Path, utimes: In(TimespecPair64, One), flags: Flags(&words::file::AT)) -> Int;
    bpf [Desc] (cmd: Enum(&words::bpf::COMMANDS), uattr: Addr, size: Uint) -> Int by &BPF_CASES;
    perf_event_open [Desc] (attr_uptr: Corrected(PerfAttr, 4), pid: Int, cpu: Int, group_fd: Fd, flags: LongFlags(&words::perf::FLAGS)) -> Fd;
    signalfd [Desc Signal] (ufd: Fd, user_mask: In(SizedSigSet, Arg(sizemask)), sizemask: Size) -> Fd;
    signalfd4 [Desc Signal] (ufd: Fd, user_mask: In(SizedSigSet, Arg(sizemask)), sizemask: Size, flags: Flags(&words::signal::SIGNALFD)) -> Fd;
    finit_module [Desc] (fd: Fd, uargs: Str, flags: Flags(&words::system::MODULE_INIT)) -> Int;
    kexec_file_load [Desc] (kernel_fd: Fd, initrd_fd: Fd, cmdline_len: Size, cmdline_ptr: In(Bytes, Arg(cmdline_len)), flags: LongFlags(&words::system::KEXEC_FILE)) -> Int;
    io_uring_setup [Desc] (entries: Uint, params: InOut(UringParams, One)) -> Fd;
    io_uring_enter [Desc Signal] (fd: Fd, to_submit: Uint, min_complete: Uint, flags: Flags(&words::system::URING_ENTER), argp: In(SizedSigSet, Arg(argsz)), argsz: Size) -> Int;
    io_uring_register [Desc Memory] (fd: Fd, opcode: Enum(&words::system::URING_REGISTER), arg: Addr, nr_args: Uint) -> Int by &URING_REGISTER_CASES;
};

static SYSLOG_CASES: Cases = cases! {
    by 0, mask 0xffff_ffff;
    [0, 1, 5, 6, 7, 9, 10] (r#type: Commented(&words::system::SYSLOG)) -> Int;
    [2, 3, 4] (r#type: Commented(&words::system::SYSLOG), buf: Out(Bytes, Ret), len: Int) -> Int;
    [8] (r#type: Commented(&words::system::SYSLOG), buf: Addr, len: Commented(&words::system::LOG_LEVELS)) -> Int;
};

static BPF_CASES: Cases = cases! {
    by 0, mask 0xffff_ffff;
    [0, 13, 14, 19, 28, 30] (cmd: Enum(&words::bpf::COMMANDS), uattr: Before(BpfAttr(Bpf::Plain), Arg(size)), size: Uint) -> Fd;
    [1, 2, 3, 4, 8, 9, 10, 21, 22, 29] (cmd: Enum(&words::bpf::COMMANDS), uattr: Before(BpfAttr(Bpf::Plain), Arg(size)), size: Uint) -> Int;
    [11, 12, 15, 23, 24, 25, 26, 27, 31] (cmd: Enum(&words::bpf::COMMANDS), uattr: InOut(BpfAttr(Bpf::Plain), Arg(size)), size: Uint) -> Int;
    [5] (cmd: Enum(&words::bpf::COMMANDS), uattr: Before(BpfAttr(Bpf::Program), Arg(size)), size: Uint) -> Fd;
    [6, 7] (cmd: Enum(&words::bpf::COMMANDS), uattr: Before(BpfAttr(Bpf::Path), Arg(size)), size: Uint) -> Fd;
    [16] (cmd: Enum(&words::bpf::COMMANDS), uattr: InOut(BpfAttr(Bpf::Programs), Arg(size)), size: Uint) -> Int;
    [17] (cmd: Enum(&words::bpf::COMMANDS), uattr: Before(BpfAttr(Bpf::Name), Arg(size)), size: Uint) -> NewFd;
    [18] (cmd: Enum(&words::bpf::COMMANDS), uattr: Before(BpfAttr(Bpf::Types), Arg(size)), size: Uint) -> Fd;
    [20] (cmd: Enum(&words::bpf::COMMANDS), uattr: InOut(BpfAttr(Bpf::Answer), Arg(size)), size: Uint) -> Int;
};

static URING_REGISTER_CASES: Cases = cases! {
    by 1, mask 0xffff_ffff;
    [0] (fd: Fd, opcode: Enum(&words::system::URING_REGISTER), arg: In(Struct(&process::REMOTE_IOVEC), Arg(nr_args)), nr_args: Uint) -> Int;
    [2, 4, 7] (fd: Fd, opcode: Enum(&words::system::URING_REGISTER), arg: In(FdCell, Arg(nr_args)), nr_args: Uint) -> Int;
    [6] (fd: Fd, opcode: Enum(&words::system::URING_REGISTER), arg: In(UringRegistered(Registered::FilesUpdate), One), nr_args: Uint) -> Int;
    [8] (fd: Fd, opcode: Enum(&words::system::URING_REGISTER), arg: OutAlways(UringRegistered(Registered::Probe), One), nr_args: Uint) -> Int;
    [11] (fd: Fd, opcode: Enum(&words::system::URING_REGISTER), arg: In(UringRestriction, Arg(nr_args)), nr_args: Uint) -> Int;
    [13] (fd: Fd, opcode: Enum(&words::system::URING_REGISTER), arg: In(UringRegistered(Registered::Files), Arg(nr_args)), nr_args: Uint) -> Int;
    [14] (fd: Fd, opcode: Enum(&words::system::URING_REGISTER), arg: In(UringRegistered(Registered::FilesUpdate2), Arg(nr_args)), nr_args: Uint) -> Int;
    [15] (fd: Fd, opcode: Enum(&words::system::URING_REGISTER), arg: In(UringRegistered(Registered::Buffers), Arg(nr_args)), nr_args: Uint) -> Int;
    [16] (fd: Fd, opcode: Enum(&words::system::URING_REGISTER), arg: In(UringRegistered(Registered::BuffersUpdate), Arg(nr_args)), nr_args: Uint) -> Int;
    [17] (fd: Fd, opcode: Enum(&words::system::URING_REGISTER), arg: In(CpuSet, Arg(nr_args)), nr_args: Uint) -> Int;
    [20] (fd: Fd, opcode: Enum(&words::system::URING_REGISTER), arg: Before(Struct(&system::URING_RING_FD), Arg(nr_args)), nr_args: Uint) -> Int;
    [21] (fd: Fd, opcode: Enum(&words::system::URING_REGISTER), arg: In(Struct(&system::URING_RING_UNREGISTER), Arg(nr_args)), nr_args: Uint) -> Int;
    [22, 23] (fd: Fd, opcode: Enum(&words::system::URING_REGISTER), arg: In(Struct(&system::URING_BUF_REG), One), nr_args: Uint) -> Int;
};
