//! The rest: modules, clocks of the machine, tracing, asynchronous I/O.

use crate::syscall::{Kind::*, Len::*, Row, Shape::*, case::rows, words};

pub(super) static ROWS: &[Row] = rows! {
    uname [] (name: Out(Utsname, One)) -> Int;
    sysinfo [] (info: Out(Sysinfo, One)) -> Int;
    syslog [] (r#type: Int, buf: Addr, len: Int) -> Int;
    sysfs [] (option: Int, arg1: Size, arg2: Size) -> Int;
    vhangup [] () -> Int;
    modify_ldt [] (func: Int, ptr: Addr, bytecount: Size) -> Int;
    _sysctl [] (arg0: Size) -> Int;
    reboot [] (magic1: Int, magic2: Int, cmd: Uint, arg: Addr) -> Int;
    sethostname [] (name: Path, len: Int) -> Int;
    setdomainname [] (name: Path, len: Int) -> Int;
    iopl [] (level: Uint) -> Int;
    ioperm [] (from: Size, num: Size, turn_on: Int) -> Int;
    create_module [] (arg0: Size, arg1: Size) -> Int;
    init_module [] (arg0: Size, arg1: Size, arg2: Size) -> Int;
    delete_module [] (arg0: Size, arg1: Size) -> Int;
    query_module [] (arg0: Size, arg1: Size, arg2: Size, arg3: Size, arg4: Size) -> Int;
    nfsservctl [] (arg0: Size, arg1: Size, arg2: Size) -> Int;
    afs_syscall [] (arg0: Size, arg1: Size, arg2: Size, arg3: Size, arg4: Size) -> Int;
    tuxcall [] (arg0: Size, arg1: Size, arg2: Size) -> Int;
    security [] (arg0: Size, arg1: Size, arg2: Size) -> Int;
    io_setup [Memory] (nr_events: Uint, ctxp: Addr) -> Int;
    io_destroy [Memory] (ctx: Int) -> Int;
    io_getevents [] (ctx_id: Int, min_nr: Long, nr: Long, events: Addr, timeout: Addr) -> Int;
    io_submit [] (ctx_id: Int, nr: Long, iocbpp: Addr) -> Int;
    io_cancel [] (ctx_id: Int, iocb: Addr, result: Addr) -> Int;
    lookup_dcookie [] (arg0: Size, arg1: Size, arg2: Size) -> Int;
    vserver [] (arg0: Size, arg1: Size, arg2: Size, arg3: Size, arg4: Size) -> Int;
    kexec_load [] (arg0: Size, arg1: Size, arg2: Size, arg3: Size) -> Int;
    getcpu [] (cpup: Addr, nodep: Addr, unused: Addr) -> Int;
    io_pgetevents [] (ctx_id: Int, min_nr: Long, nr: Long, events: Addr, timeout: Addr, usig: Addr) -> Int;
    uretprobe [] () -> Int;
    uprobe [] () -> Int;
    close_range [] (fd: Uint, max_fd: Uint, flags: Flags(&words::file::CLOSE_RANGE)) -> Int;
    open_tree_attr [Desc File] (dfd: DirFd, filename: Path, flags: Flags(&words::mount::OPEN_TREE), uattr: In(MountAttr, Arg(usize)), usize: Size) -> Int;
    io_pgetevents_time64 [] () -> Int;
    recvmmsg_time64 [] () -> Int;
    rt_sigtimedwait_time64 [] () -> Int;
    semtimedop_time64 [] () -> Int;
    utimensat_time64 [Desc File] (dfd: DirFd, filename: Path, utimes: In(TimespecPair64, One), flags: Flags(&words::file::AT)) -> Int;
};
