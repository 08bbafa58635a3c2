//! Calls that only the 32-bit x86 ABI has, and those of its calls that mean something else there.

use linux_raw_sys::general;

use super::net::SOCKET_CALLS;
use crate::syscall::{
    Cases,
    Kind::*,
    Len::*,
    Row,
    Shape::*,
    case::{cases, rows},
    words,
};

pub(super) static ROWS: &[Row] = rows! {
    fadvise64 [Desc] (fd: Fd, offset: Wide, len @ 3: Size, advice @ 4: Enum(&words::file::FADVISE)) -> Int;
    fallocate [Desc] (fd: Fd, mode: Flags(&words::file::FALLOCATE), offset: Wide, len @ 4: Wide) -> Int;
    fanotify_mark [Desc File] (fanotify_fd: Fd, flags: Flags(&words::file::FAN_MARK), mask: WideFlags(&words::file::FAN_EVENTS), dfd @ 4: FanFd, pathname @ 5: Path) -> Int;
    mmap [Desc Memory] (arg: In(MmapArgs, One)) -> Hex;
    readahead [Desc] (fd: Fd, offset: Wide, count @ 3: Size) -> Int;
    sendfile [Desc Network] (out_fd: Fd, in_fd: Fd, offset: Moved(Word), count: Size) -> Int;
    sync_file_range [Desc] (fd: Fd, offset: Wide, nbytes @ 3: Wide, flags @ 5: Flags(&words::file::SYNC_RANGE)) -> Int;
    r#break [] () -> Int;
    _llseek [Desc] (fd: Fd, offset: HighLow, result @ 3: Out(Uint64, One), whence @ 4: Enum(&words::file::WHENCE)) -> Int;
    _newselect [Desc] (arg0: Size, arg1: Size, arg2: Size, arg3: Size, arg4: Size) -> Int;
    bdflush [] (arg0: Size, arg1: Size) -> Int;
    chown32 [File] (filename: Path, user: Id, group: Id) -> Int;
    fadvise64_64 [Desc] (fd: Fd, offset: Wide, len @ 3: Wide, advice @ 5: Enum(&words::file::FADVISE)) -> Int;
    fchown32 [Desc] (fd: Fd, user: Id, group: Id) -> Int;
    fcntl64 [Desc] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Hex) -> Int by &FCNTL64_CASES;
    fstat64 [Desc Fstat StatLike] (fd: Fd, statbuf: Out(Stat64, One)) -> Int;
    fstatat64 [Desc File Fstat StatLike] (dfd: DirFd, filename: Path, statbuf: Out(Stat64, One), flag: Flags(&words::file::AT)) -> Int;
    fstatfs64 [Desc Fstatfs StatfsLike] (fd: Fd, sz: Size, buf: Out(Statfs64, One)) -> Int;
    ftime [] () -> Int;
    ftruncate64 [Desc] (fd: Fd, length: WideSize) -> Int;
    getegid32 [Creds Pure] () -> Int;
    geteuid32 [Creds Pure] () -> Int;
    getgid32 [Creds Pure] () -> Int;
    getgroups32 [Creds] (arg0: Size, arg1: Size) -> Int;
    getresgid32 [Creds] (arg0: Size, arg1: Size, arg2: Size) -> Int;
    getresuid32 [Creds] (arg0: Size, arg1: Size, arg2: Size) -> Int;
    getuid32 [Creds Pure] () -> Int;
    gtty [] (arg0: Size, arg1: Size) -> Int;
    idle [] () -> Int;
    ipc [Ipc] (arg0: Size, arg1: Size, arg2: Size, arg3: Size, arg4: Size, arg5: Size) -> Int;
    lchown32 [File] (filename: Path, user: Id, group: Id) -> Int;
    lock [] () -> Int;
    lstat64 [File Lstat StatLike] (filename: Path, statbuf: Out(Stat64, One)) -> Int;
    mmap2 [Desc Memory] (addr: Addr, len: Size, prot: LongFlags(&words::memory::PROT), flags: MapFlags, fd: Fd, off: Pages) -> Hex;
    mpx [] () -> Int;
    nice [] (arg0: Size) -> Int;
    oldfstat [Desc Fstat StatLike] (fd: Fd, statbuf: Out(OldStat, One)) -> Int;
    oldlstat [File Lstat StatLike] (filename: Path, statbuf: Out(OldStat, One)) -> Int;
    oldolduname [] (arg0: Size) -> Int;
    oldstat [File Stat StatLike] (filename: Path, statbuf: Out(OldStat, One)) -> Int;
    olduname [] (arg0: Size) -> Int;
    prof [] () -> Int;
    profil [] (arg0: Size, arg1: Size, arg2: Size, arg3: Size) -> Int;
    readdir [Desc] (fd: Fd, dirent: OutIfAny(OldDirent), count: Unless(2, 1, &Uint)) -> Int;
    sendfile64 [Desc Network] (out_fd: Fd, in_fd: Fd, offset: Moved(Uint64), count: Size) -> Int;
    setfsgid32 [Creds] (arg0: Size) -> Int;
    setfsuid32 [Creds] (arg0: Size) -> Int;
    setgid32 [Creds] (arg0: Size) -> Int;
    setgroups32 [Creds] (arg0: Size, arg1: Size) -> Int;
    setregid32 [Creds] (arg0: Size, arg1: Size) -> Int;
    setresgid32 [Creds] (arg0: Size, arg1: Size, arg2: Size) -> Int;
    setresuid32 [Creds] (arg0: Size, arg1: Size, arg2: Size) -> Int;
    setreuid32 [Creds] (arg0: Size, arg1: Size) -> Int;
    setuid32 [Creds] (arg0: Size) -> Int;
    sgetmask [Signal] () -> Int;
    sigaction [Signal] (arg0: Size, arg1: Size, arg2: Size) -> Int;
    signal [Signal] (arg0: Size, arg1: Size) -> Int;
    sigpending [Signal] (arg0: Size) -> Int;
    sigprocmask [Signal] (arg0: Size, arg1: Size, arg2: Size) -> Int;
    sigreturn [Signal] () -> Int;
    sigsuspend [Signal] (arg0: Size, arg1: Size, arg2: Size) -> Int;
    socketcall [Network] (call: IntEnum(&words::net::SOCKET_CALLS), args: Addr) -> Int by &SOCKET_CALLS;
    ssetmask [Signal] (arg0: Size) -> Int;
    stat64 [File Stat StatLike] (filename: Path, statbuf: Out(Stat64, One)) -> Int;
    statfs64 [File Statfs StatfsLike] (pathname: Path, sz: Size, buf: Out(Statfs64, One)) -> Int;
    stime [] (arg0: Size) -> Int;
    stty [] (arg0: Size, arg1: Size) -> Int;
    truncate64 [File] (path: Path, length: WideSize) -> Int;
    ugetrlimit [] (resource: Enum(&words::process::RESOURCES), rlim: Out(Rlimit, One)) -> Int;
    ulimit [] (arg0: Size, arg1: Size) -> Int;
    umount [File] (name: Path) -> Int;
    vm86 [] (arg0: Size, arg1: Size, arg2: Size, arg3: Size, arg4: Size) -> Int;
    vm86old [] (arg0: Size) -> Int;
    waitpid [Process] (pid: Pid, stat_addr: Out(WaitStatus, One), options: Flags(&words::process::WAIT)) -> Int;
};

/// fcntl64's third argument, by command: locks come in two widths.
static FCNTL64_CASES: Cases = cases! {
    by 1, mask 0xffff_ffff;
    [libc::F_GETFD] (fd: Fd, cmd: Enum(&words::file::FCNTL)) -> Titled(("flags ", &words::file::FD_FLAGS));
    [libc::F_SETFD] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Flags(&words::file::FD_FLAGS)) -> Int;
    [libc::F_GETFL] (fd: Fd, cmd: Enum(&words::file::FCNTL)) -> OpenFlags;
    [libc::F_SETFL] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: OpenFlags) -> Int;
    [libc::F_DUPFD, libc::F_DUPFD_CLOEXEC] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Size) -> Fd;
    [libc::F_GETLK] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Out(FlockGet, One)) -> Int;
    [libc::F_SETLK, libc::F_SETLKW] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: In(Flock, One)) -> Int;
    [12] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Out(Flock64Get, One)) -> Int;
    [13, 14] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: In(Flock64, One)) -> Int;
    [libc::F_OFD_GETLK] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Out(Flock64Get, One)) -> Int;
    [libc::F_OFD_SETLK, libc::F_OFD_SETLKW] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: In(Flock64, One)) -> Int;
    [libc::F_GETOWN, libc::F_GETPIPE_SZ] (fd: Fd, cmd: Enum(&words::file::FCNTL)) -> Int;
    [libc::F_SETOWN] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Pid) -> Int;
    [libc::F_SETPIPE_SZ] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Long) -> Int;
    [general::F_SETOWN_EX] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: In(OwnerEx, One)) -> Int;
    [general::F_GETOWN_EX] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Out(OwnerEx, One)) -> Int;
    [general::F_SETSIG] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Signal) -> Int;
    [general::F_GETSIG] (fd: Fd, cmd: Enum(&words::file::FCNTL)) -> Signal;
    [general::F_SETLEASE] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: LongEnum(&words::file::LOCK_TYPES)) -> Int;
    [general::F_GETLEASE] (fd: Fd, cmd: Enum(&words::file::FCNTL)) -> Enum(&words::file::LOCK_TYPES);
    [general::F_NOTIFY] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: LongFlags(&words::file::DNOTIFY)) -> Int;
    [general::F_ADD_SEALS] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: LongFlags(&words::file::SEALS)) -> Int;
    [general::F_GET_SEALS] (fd: Fd, cmd: Enum(&words::file::FCNTL)) -> Titled(("seals ", &words::file::SEALS));
};
