//! Calls that only the 32-bit x86 ABI has, and those of its calls that mean something else there.

use linux_raw_sys::general;

use super::net::SOCKET_CALLS;
use crate::syscall::{
    Cases,
    Kind::*,
    Len::*,
    Row,
    Shape::*,
    Told,
    case::{cases, rows},
    layout::ipc,
    words,
};

use super::process::{CLONE_CHILD, CLONE_PARENT, CLONE_TLS};

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
    _newselect [Desc] (n: Int, inp: InOut(FdSet, Bits(n)), outp: InOut(FdSet, Bits(n)), exp: InOut(FdSet, Bits(n)), tvp: InOut(Timeval, One)) -> Told(Told::Select);
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
    getgroups32 [Creds] (gidsetsize: Int, grouplist: Out(IdCell, Ret)) -> Int;
    getresgid32 [Creds] (rgid: Out(IdCell, One), egid: Out(IdCell, One), sgid: Out(IdCell, One)) -> Int;
    getresuid32 [Creds] (ruid: Out(IdCell, One), euid: Out(IdCell, One), suid: Out(IdCell, One)) -> Int;
    getuid32 [Creds Pure] () -> Int;
    gtty [] (arg0: Size, arg1: Size) -> Int;
    idle [] () -> Int;
    ipc [Ipc] (call: Uint, first: Hex, second: Hex, third: Hex, ptr: Hex, fifth: Hex) -> Int by &IPC_CALLS;
    lchown32 [File] (filename: Path, user: Id, group: Id) -> Int;
    lock [] () -> Int;
    lstat64 [File Lstat StatLike] (filename: Path, statbuf: Out(Stat64, One)) -> Int;
    mmap2 [Desc Memory] (addr: Addr, len: Size, prot: LongFlags(&words::memory::PROT), flags: MapFlags, fd: Fd, off: Pages) -> Hex;
    mpx [] () -> Int;
    nice [] (increment: Int) -> Int;
    oldfstat [Desc Fstat StatLike] (fd: Fd, statbuf: Out(OldStat, One)) -> Int;
    oldlstat [File Lstat StatLike] (filename: Path, statbuf: Out(OldStat, One)) -> Int;
    oldolduname [] (arg0: Addr) -> Int;
    oldstat [File Stat StatLike] (filename: Path, statbuf: Out(OldStat, One)) -> Int;
    olduname [] (arg0: Addr) -> Int;
    prof [] () -> Int;
    profil [] (arg0: Size, arg1: Size, arg2: Size, arg3: Size) -> Int;
    readdir [Desc] (fd: Fd, dirent: OutIfAny(OldDirent), count: Unless(2, 1, &Uint)) -> Int;
    sendfile64 [Desc Network] (out_fd: Fd, in_fd: Fd, offset: Moved(Uint64), count: Size) -> Int;
    setfsgid32 [Creds] (gid: Id) -> Int;
    setfsuid32 [Creds] (uid: Id) -> Int;
    setgid32 [Creds] (gid: Id) -> Int;
    setgroups32 [Creds] (gidsetsize: Int, grouplist: In(IdCell, Arg(gidsetsize))) -> Int;
    setregid32 [Creds] (rgid: Id, egid: Id) -> Int;
    setresgid32 [Creds] (rgid: Id, egid: Id, sgid: Id) -> Int;
    setresuid32 [Creds] (ruid: Id, euid: Id, suid: Id) -> Int;
    setreuid32 [Creds] (ruid: Id, euid: Id) -> Int;
    setuid32 [Creds] (uid: Id) -> Int;
    sgetmask [Signal] () -> Told(Told::OldMask(false));
    sigaction [Signal] (sig: Signal, act: In(OldSigAction, One), oact: Out(OldSigAction, One)) -> Int;
    signal [Signal] (sig: Signal, handler: Handler) -> Told(Told::Handler);
    sigpending [Signal] (uset: Out(OldSigSet, One)) -> Int;
    sigprocmask [Signal] (how: Enum(&words::signal::HOW), nset: In(OldSigSet, One), oset: Out(OldSigSet, One)) -> Int;
    sigreturn [Signal] (mask @ 0: In(OldSigFrame, One)) -> Gone;
    sigsuspend [Signal] (mask @ 2: OldMask) -> Int;
    socketcall [Network] (call: IntEnum(&words::net::SOCKET_CALLS), args: Addr) -> Int by &SOCKET_CALLS;
    ssetmask [Signal] (newmask: OldMask) -> Told(Told::OldMask(true));
    stat64 [File Stat StatLike] (filename: Path, statbuf: Out(Stat64, One)) -> Int;
    statfs64 [File Statfs StatfsLike] (pathname: Path, sz: Size, buf: Out(Statfs64, One)) -> Int;
    stime [Clock] (tptr: In(TimeCell, One)) -> Int;
    stty [] (arg0: Size, arg1: Size) -> Int;
    truncate64 [File] (path: Path, length: WideSize) -> Int;
    ugetrlimit [] (resource: Enum(&words::process::RESOURCES), rlim: Out(Rlimit, One)) -> Int;
    ulimit [] (arg0: Size, arg1: Size) -> Int;
    umount [File] (name: Path) -> Int;
    vm86 [] (arg0: Size, arg1: Size, arg2: Size, arg3: Size, arg4: Size) -> Int;
    vm86old [] (arg0: Size) -> Int;
    select [Desc] (args: InOut(OldSelect, One)) -> Told(Told::Select);
    getresuid [Creds] (ruid: Out(IdCell16, One), euid: Out(IdCell16, One), suid: Out(IdCell16, One)) -> Int;
    setresuid [Creds] (ruid: Id16, euid: Id16, suid: Id16) -> Int;
    setreuid [Creds] (ruid: Id16, euid: Id16) -> Int;
    setuid [Creds] (uid: Id16) -> Int;
    setfsuid [Creds] (uid: Id16) -> Int;
    getresgid [Creds] (rgid: Out(IdCell16, One), egid: Out(IdCell16, One), sgid: Out(IdCell16, One)) -> Int;
    setresgid [Creds] (rgid: Id16, egid: Id16, sgid: Id16) -> Int;
    setregid [Creds] (rgid: Id16, egid: Id16) -> Int;
    setgid [Creds] (gid: Id16) -> Int;
    setfsgid [Creds] (gid: Id16) -> Int;
    getgroups [Creds] (gidsetsize: Int, grouplist: Out(IdCell16, Ret)) -> Int;
    setgroups [Creds] (gidsetsize: Int, grouplist: In(IdCell16, Arg(gidsetsize))) -> Int;
    chown [File] (filename: Path, user: Id16, group: Id16) -> Int;
    lchown [File] (filename: Path, user: Id16, group: Id16) -> Int;
    fchown [Desc] (fd: Fd, user: Id16, group: Id16) -> Int;
    clone [Process] (newsp @ 1: Label("child_stack", &Addr), clone_flags @ 0: Label("flags", &CloneFlags), parent_tidptr @ 2: If(0, CLONE_PARENT, &Label("parent_tid", &Out(PidCell, One))), tls @ 3: If(0, CLONE_TLS, &Label("tls", &In(UserDesc, One))), child_tidptr @ 4: If(0, CLONE_CHILD, &Label("child_tidptr", &Addr))) -> Int;
    waitpid [Process] (pid: Pid, stat_addr: Out(WaitStatus, One), options: Flags(&words::process::WAIT)) -> Int;
};

/// ipc's calls: their arguments stand in an order of its own. `cmd` chooses no structure here.
static IPC_CALLS: Cases = cases! {
    by 0, mask 0xffff_ffff;
    [1] as semop (semid @ 1: Int, tsops @ 4: In(Struct(&ipc::SEMBUF), Arg(2)), nsops @ 2: Uint) -> Int;
    [2] as semget (key @ 1: Enum(&words::ipc::PRIVATE), nsems @ 2: Int, semflg @ 3: ModeFlags(&words::ipc::GET_FLAGS)) -> Int;
    [3] as semctl (semid @ 1: Int, semnum @ 2: Int, cmd @ 3: IpcCmd(&words::ipc::SEMCTL), arg @ 4: Out(AddrCell, One)) -> Int;
    [4] as semtimedop (semid @ 1: Int, tsops @ 4: In(Struct(&ipc::SEMBUF), Arg(2)), nsops @ 2: Uint, timeout @ 5: In(Timespec, One)) -> Int;
    [11] as msgsnd (msqid @ 1: Int, msgp @ 4: In(Msgbuf, Arg(2)), msgsz @ 2: Size, msgflg @ 3: Flags(&words::ipc::MSG_FLAGS)) -> Int;
    [12] as msgrcv (msqid @ 1: Int, msgp @ 4: Out(MsgbufBehind, One), msgsz @ 2: Size, msgtyp @ 4: In(TypeBehind, One), msgflg @ 3: Flags(&words::ipc::MSG_FLAGS)) -> Int;
    [0x1_000c] as msgrcv (msqid @ 1: Int, msgp @ 4: Out(Msgbuf, Arg(2)), msgsz @ 2: Size, msgtyp @ 5: Long, msgflg @ 3: Flags(&words::ipc::MSG_FLAGS)) -> Int;
    [13] as msgget (key @ 1: Enum(&words::ipc::PRIVATE), msgflg @ 2: ModeFlags(&words::ipc::GET_FLAGS)) -> Int;
    [14] as msgctl (msqid @ 1: Int, cmd @ 2: IpcCmd(&words::ipc::MSGCTL), buf @ 4: Addr) -> Int;
    [21] as shmat (shmid @ 1: Int, shmaddr @ 4: Addr, shmflg @ 2: Flags(&words::ipc::SHMAT), raddr @ 3: If(0, 0, &Out(AddrCell, One))) -> Told(Told::Attached);
    [22] as shmdt (shmaddr @ 4: Addr) -> Int;
    [23] as shmget (key @ 1: Enum(&words::ipc::PRIVATE), size @ 2: Size, shmflg @ 3: ShmFlags) -> Int;
    [24] as shmctl (shmid @ 1: Int, cmd @ 2: IpcCmd(&words::ipc::SHMCTL), buf @ 4: Addr) -> Int;
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
