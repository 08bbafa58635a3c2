//! Files, directories, descriptors, file systems.

use linux_raw_sys::general;

use crate::syscall::{
    Cases,
    Kind::*,
    Len::*,
    Row,
    Shape::*,
    case::{cases, rows},
    words,
};

const CREATES: u64 = (libc::O_CREAT | (libc::O_TMPFILE & !libc::O_DIRECTORY)) as u64;

pub(super) static ROWS: &[Row] = rows! {
    read [Desc] (fd: Fd, buf: Out(Bytes, Ret), count: Size) -> Int;
    write [Desc] (fd: Fd, buf: In(Bytes, Arg(count)), count: Size) -> Int;
    open [Desc File] (filename: Path, flags: OpenFlags, mode: If(1, CREATES, &Mode)) -> Fd;
    close [Desc] (fd: Fd) -> Int;
    stat [File Stat StatLike] (filename: Path, statbuf: Out(Stat, One)) -> Int;
    fstat [Desc Fstat StatLike] (fd: Fd, statbuf: Out(Stat, One)) -> Int;
    lstat [File Lstat StatLike] (filename: Path, statbuf: Out(Stat, One)) -> Int;
    lseek [Desc] (fd: Fd, offset: Long, whence: Enum(&words::file::WHENCE)) -> Int;
    ioctl [Desc] (fd: Fd, cmd: Ioctl, arg: Hex) -> Int by &super::ioctl::CASES;
    pread64 [Desc] (fd: Fd, buf: Out(Bytes, Ret), count: Size, pos: Wide) -> Int;
    pwrite64 [Desc] (fd: Fd, buf: In(Bytes, Arg(count)), count: Size, pos: Wide) -> Int;
    readv [Desc] (fd: Fd, vec: Out(Iovec, Arg(vlen)), vlen: Size) -> Int;
    writev [Desc] (fd: Fd, vec: In(Iovec, Arg(vlen)), vlen: Size) -> Int;
    access [File] (filename: Path, mode: Flags(&words::file::ACCESS)) -> Int;
    pipe [Desc] (fildes: Out(FdPair, One)) -> Int;
    dup [Desc] (fildes: Fd) -> Fd;
    dup2 [Desc] (oldfd: Fd, newfd: Fd) -> Fd;
    fcntl [Desc] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Hex) -> Int by &FCNTL_CASES;
    flock [Desc] (fd: Fd, cmd: Flags(&words::file::FLOCK)) -> Int;
    fsync [Desc] (fd: Fd) -> Int;
    fdatasync [Desc] (fd: Fd) -> Int;
    truncate [File] (path: Path, length: Size) -> Int;
    ftruncate [Desc] (fd: Fd, length: Size) -> Int;
    getdents [Desc] (fd: Fd, dirent: Out(DirentsOld, Ret), count: Uint) -> Int;
    getcwd [File] (buf: Out(PathString, Ret), size: Size) -> Int;
    chdir [File] (filename: Path) -> Int;
    fchdir [Desc] (fd: Fd) -> Int;
    rename [File] (oldname: Path, newname: Path) -> Int;
    mkdir [File] (pathname: Path, mode: Mode) -> Int;
    rmdir [File] (pathname: Path) -> Int;
    creat [Desc File] (pathname: Path, mode: Mode) -> Fd;
    link [File] (oldname: Path, newname: Path) -> Int;
    unlink [File] (pathname: Path) -> Int;
    symlink [File] (oldname: Path, newname: Path) -> Int;
    readlink [File] (path: Path, buf: Out(PathBytes, Ret), bufsiz: Size) -> Int;
    chmod [File] (filename: Path, mode: Mode) -> Int;
    fchmod [Desc] (fd: Fd, mode: Mode) -> Int;
    chown [File] (filename: Path, user: Id, group: Id) -> Int;
    fchown [Desc] (fd: Fd, user: Id, group: Id) -> Int;
    lchown [File] (filename: Path, user: Id, group: Id) -> Int;
    utime [File] (filename: Path, times: In(Utimbuf, One)) -> Int;
    mknod [File] (filename: Path, mode: FileMode, dev: IfDevice(1, &Dev)) -> Int;
    uselib [File] (library: Path) -> Int;
    ustat [StatfsLike] (dev: Dev, ubuf: Addr) -> Int;
    statfs [File Statfs StatfsLike] (pathname: Path, buf: Out(Statfs, One)) -> Int;
    fstatfs [Desc Fstatfs StatfsLike] (fd: Fd, buf: Out(Statfs, One)) -> Int;
    pivot_root [File] (new_root: Path, put_old: Path) -> Int;
    chroot [File] (filename: Path) -> Int;
    sync [] () -> Int;
    acct [File] (name: Path) -> Int;
    mount [File] (dev_name: Path, dir_name: Path, r#type: MountType, flags: MountFlags, data: MountData) -> Int;
    umount2 [File] (name: Path, flags: Flags(&words::mount::UMOUNT)) -> Int;
    swapon [File] (specialfile: Path, swap_flags: SwapFlags) -> Int;
    swapoff [File] (specialfile: Path) -> Int;
    quotactl [File] (cmd: QuotaCmd, special: Path, id: Id, addr: Addr) -> Int by &QUOTACTL_CASES;
    readahead [Desc] (fd: Fd, offset: Long, count: Size) -> Int;
    setxattr [File] (pathname: Path, name: Str, value: In(XattrValue, Arg(size)), size: Size, flags: Flags(&words::file::XATTR)) -> Int;
    lsetxattr [File] (pathname: Path, name: Str, value: In(XattrValue, Arg(size)), size: Size, flags: Flags(&words::file::XATTR)) -> Int;
    fsetxattr [Desc] (fd: Fd, name: Str, value: In(XattrValue, Arg(size)), size: Size, flags: Flags(&words::file::XATTR)) -> Int;
    getxattr [File] (pathname: Path, name: Str, value: Out(XattrValue, Ret), size: Size) -> Int;
    lgetxattr [File] (pathname: Path, name: Str, value: Out(XattrValue, Ret), size: Size) -> Int;
    fgetxattr [Desc] (fd: Fd, name: Str, value: Out(XattrValue, Ret), size: Size) -> Int;
    listxattr [File] (pathname: Path, list: Choose(2, u64::MAX, &Out(Bytes, Ret), &Addr), size: Size) -> Int;
    llistxattr [File] (pathname: Path, list: Choose(2, u64::MAX, &Out(Bytes, Ret), &Addr), size: Size) -> Int;
    flistxattr [Desc] (fd: Fd, list: Choose(2, u64::MAX, &Out(Bytes, Ret), &Addr), size: Size) -> Int;
    removexattr [File] (pathname: Path, name: Str) -> Int;
    lremovexattr [File] (pathname: Path, name: Str) -> Int;
    fremovexattr [Desc] (fd: Fd, name: Str) -> Int;
    getdents64 [Desc] (fd: Fd, dirent: Out(Dirents, Ret), count: Uint) -> Int;
    fadvise64 [Desc] (fd: Fd, offset: Long, len: Size, advice: Enum(&words::file::FADVISE)) -> Int;
    utimes [File] (filename: Path, utimes: In(TimevalPair, One)) -> Int;
    inotify_init [Desc] () -> Fd;
    inotify_add_watch [Desc File] (fd: Fd, pathname: Path, mask: Flags(&words::file::INOTIFY)) -> Int;
    inotify_rm_watch [Desc] (fd: Fd, wd: Int) -> Int;
    openat [Desc File] (dfd: DirFd, filename: Path, flags: OpenFlags, mode: If(2, CREATES, &Mode)) -> Fd;
    mkdirat [Desc File] (dfd: DirFd, pathname: Path, mode: Mode) -> Int;
    mknodat [Desc File] (dfd: DirFd, filename: Path, mode: FileMode, dev: IfDevice(2, &Dev)) -> Int;
    fchownat [Desc File] (dfd: DirFd, filename: Path, user: Id, group: Id, flag: Flags(&words::file::AT)) -> Int;
    futimesat [Desc File] (dfd: DirFd, filename: Path, utimes: In(TimevalPair, One)) -> Int;
    newfstatat [Desc File Fstat StatLike] (dfd: DirFd, filename: Path, statbuf: Out(Stat, One), flag: Flags(&words::file::AT)) -> Int;
    unlinkat [Desc File] (dfd: DirFd, pathname: Path, flag: Flags(&words::file::AT)) -> Int;
    renameat [Desc File] (olddfd: DirFd, oldname: Path, newdfd: DirFd, newname: Path) -> Int;
    linkat [Desc File] (olddfd: DirFd, oldname: Path, newdfd: DirFd, newname: Path, flags: Flags(&words::file::AT)) -> Int;
    symlinkat [Desc File] (oldname: Path, newdfd: DirFd, newname: Path) -> Int;
    readlinkat [Desc File] (dfd: DirFd, pathname: Path, buf: Out(PathBytes, Ret), bufsiz: Size) -> Int;
    fchmodat [Desc File] (dfd: DirFd, filename: Path, mode: Mode) -> Int;
    faccessat [Desc File] (dfd: DirFd, filename: Path, mode: Flags(&words::file::ACCESS)) -> Int;
    splice [Desc] (fd_in: Fd, off_in: Before(Off64, One), fd_out: Fd, off_out: Before(Off64, One), len: Size, flags: Flags(&words::file::SPLICE)) -> Int;
    tee [Desc] (fdin: Fd, fdout: Fd, len: Size, flags: Flags(&words::file::SPLICE)) -> Int;
    sync_file_range [Desc] (fd: Fd, offset: Long, nbytes: Long, flags: Flags(&words::file::SYNC_RANGE)) -> Int;
    vmsplice [Desc] (fd: Fd, uiov: In(Iovec, Arg(nr_segs)), nr_segs: Size, flags: Flags(&words::file::SPLICE)) -> Int;
    utimensat [Desc File] (dfd: DirFd, filename: Path, utimes: In(TimespecPair, One), flags: Flags(&words::file::AT)) -> Int;
    eventfd [Desc] (count: Uint) -> Fd;
    fallocate [Desc] (fd: Fd, mode: Flags(&words::file::FALLOCATE), offset: Long, len: Long) -> Int;
    eventfd2 [Desc] (count: Uint, flags: Flags(&words::file::EVENTFD)) -> Fd;
    dup3 [Desc] (oldfd: Fd, newfd: Fd, flags: Flags(&words::file::OPEN)) -> Fd;
    pipe2 [Desc] (fildes: Out(FdPair, One), flags: Flags(&words::file::OPEN)) -> Int;
    inotify_init1 [Desc] (flags: Flags(&words::file::INOTIFY_INIT)) -> Fd;
    preadv [Desc] (fd: Fd, vec: Out(Iovec, Arg(vlen)), vlen: Size, pos_l: Wide) -> Int;
    pwritev [Desc] (fd: Fd, vec: In(Iovec, Arg(vlen)), vlen: Size, pos_l: Wide) -> Int;
    fanotify_init [Desc] (flags: Split(0xc, &words::file::FAN_CLASS, &words::file::FAN_INIT), event_f_flags: OpenFlags) -> Fd;
    fanotify_mark [Desc File] (fanotify_fd: Fd, flags: Flags(&words::file::FAN_MARK), mask: LongFlags(&words::file::FAN_EVENTS), dfd: FanFd, pathname: Path) -> Int;
    name_to_handle_at [Desc File] (dfd: DirFd, name: Path, handle: HandleOut, mnt_id: Out(Int32, One), flag: Flags(&words::file::AT_HANDLE)) -> Int;
    open_by_handle_at [Desc] (mountdirfd: Int, handle: In(FileHandle, One), flags: OpenFlags) -> Int;
    syncfs [Desc] (fd: Fd) -> Int;
    renameat2 [Desc File] (olddfd: DirFd, oldname: Path, newdfd: DirFd, newname: Path, flags: Flags(&words::file::RENAME)) -> Int;
    copy_file_range [Desc] (fd_in: Fd, off_in: Before(Off64, One), fd_out: Fd, off_out: Before(Off64, One), len: Size, flags: Uint) -> Int;
    preadv2 [Desc] (fd: Fd, vec: Out(Iovec, Arg(vlen)), vlen: Size, pos_l: Wide, flags @ 5: Flags(&words::file::RWF)) -> Int;
    pwritev2 [Desc] (fd: Fd, vec: In(Iovec, Arg(vlen)), vlen: Size, pos_l: Wide, flags @ 5: Flags(&words::file::RWF)) -> Int;
    statx [Desc File Fstat StatLike] (dfd: DirFd, filename: Path, flags: Split(0x6000, &words::file::STATX_SYNC, &words::file::STATX_FLAGS), mask: Flags(&words::file::STATX_MASK), buffer: Out(Statx, One)) -> Int;
    open_tree [Desc File] (dfd: DirFd, filename: Path, flags: Flags(&words::mount::OPEN_TREE)) -> Fd;
    move_mount [Desc File] (from_dfd: DirFd, from_pathname: Path, to_dfd: DirFd, to_pathname: Path, flags: Flags(&words::mount::MOVE_MOUNT)) -> Int;
    fsopen [Desc] (_fs_name: Str, flags: Flags(&words::mount::FSOPEN)) -> Fd;
    fsconfig [Desc File] (fd: Fd, cmd: Enum(&words::mount::FSCONFIG), _key: Addr, _value: Addr, aux: Int) -> Int by &FSCONFIG_CASES;
    fsmount [Desc] (fs_fd: Fd, flags: Flags(&words::mount::FSMOUNT), attr_flags: Flags(&words::mount::FSMOUNT_ATTR)) -> Fd;
    fspick [Desc File] (dfd: DirFd, path: Path, flags: Flags(&words::mount::FSPICK)) -> Fd;
    openat2 [Desc File] (dfd: DirFd, filename: Path, how: In(OpenHow, Arg(usize)), usize: Size) -> Fd;
    faccessat2 [Desc File] (dfd: DirFd, filename: Path, mode: Flags(&words::file::ACCESS), flags: Flags(&words::file::AT_ACCESS)) -> Int;
    mount_setattr [Desc File] (dfd: DirFd, path: Path, flags: Flags(&words::mount::SETATTR), uattr: In(MountAttr, Arg(usize)), usize: Size) -> Int;
    quotactl_fd [Desc] (fd: Fd, cmd: QuotaCmd, id: Id, addr: Addr) -> Int by &QUOTACTL_FD_CASES;
    fchmodat2 [Desc File] (dfd: DirFd, filename: Path, mode: Mode, flags: Flags(&words::file::AT)) -> Int;
    statmount [] (req: In(StatmountRequest, One), buf: Out(Statmount, Head), bufsize: Size, flags: Flags(&words::mount::STATMOUNT_FLAGS)) -> Int;
    listmount [] (req: In(ListmountRequest, One), mnt_ids: Out(Hex64, Ret), nr_mnt_ids: Size, flags: Flags(&words::mount::LISTMOUNT)) -> Int;
    setxattrat [Desc File] (dfd: DirFd, pathname: Path, at_flags: Flags(&words::file::AT), name: Str, uargs: In(XattrArgs, One), usize: Size) -> Int;
    getxattrat [Desc File] (dfd: DirFd, pathname: Path, at_flags: Flags(&words::file::AT), name: Str, uargs: In(XattrArgs, One), usize: Size) -> Int;
    listxattrat [Desc File] (dfd: DirFd, pathname: Path, at_flags: Flags(&words::file::AT), list: Choose(4, u64::MAX, &Out(Bytes, Ret), &Addr), size: Size) -> Int;
    removexattrat [Desc File] (dfd: DirFd, pathname: Path, at_flags: Flags(&words::file::AT), name: Str) -> Int;
    file_getattr [Desc File] (dfd: DirFd, filename: Path, ufattr: Out(Struct(&crate::syscall::layout::system::FILE_ATTR), One), usize: Size, at_flags: Flags(&words::file::AT)) -> Int;
    file_setattr [Desc File] (dfd: DirFd, filename: Path, ufattr: In(Struct(&crate::syscall::layout::system::NEW_FILE_ATTR), One), usize: Size, at_flags: Flags(&words::file::AT)) -> Int;
};

/// fcntl's third argument, by command.
pub(super) static FCNTL_CASES: Cases = cases! {
    by 1, mask 0xffff_ffff;
    [libc::F_GETFD] (fd: Fd, cmd: Enum(&words::file::FCNTL)) -> Titled(("flags ", &words::file::FD_FLAGS));
    [libc::F_SETFD] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Flags(&words::file::FD_FLAGS)) -> Int;
    [libc::F_GETFL] (fd: Fd, cmd: Enum(&words::file::FCNTL)) -> OpenFlags;
    [libc::F_SETFL] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: OpenFlags) -> Int;
    [libc::F_DUPFD, libc::F_DUPFD_CLOEXEC] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Size) -> Fd;
    [libc::F_GETLK] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Out(FlockGet, One)) -> Int;
    [libc::F_SETLK, libc::F_SETLKW] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: In(Flock, One)) -> Int;
    [libc::F_OFD_GETLK] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Out(Flock64Get, One)) -> Int;
    [libc::F_OFD_SETLK, libc::F_OFD_SETLKW] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: In(Flock64, One)) -> Int;
    [libc::F_GETOWN, libc::F_GETPIPE_SZ] (fd: Fd, cmd: Enum(&words::file::FCNTL)) -> Int;
    [libc::F_SETOWN] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Pid) -> Int;
    [libc::F_SETPIPE_SZ] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Long) -> Int;
    [1027] (fd: Fd, cmd: Enum(&words::file::FCNTL), arg: Fd) -> Int;
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

/// fsconfig's key, value and number, by command.
static FSCONFIG_CASES: Cases = cases! {
    by 1, mask 0xffff_ffff;
    [0] (fd: Fd, cmd: Enum(&words::mount::FSCONFIG), _key: Str, _value: Addr, aux: Int) -> Int;
    [1] (fd: Fd, cmd: Enum(&words::mount::FSCONFIG), _key: Str, _value: Contents, aux: Int) -> Int;
    [2] (fd: Fd, cmd: Enum(&words::mount::FSCONFIG), _key: Str, _value: Choose(4, 0xfff0_0000, &Addr, &In(HexBytes, Arg(aux))), aux: Int) -> Int;
    [3, 4] (fd: Fd, cmd: Enum(&words::mount::FSCONFIG), _key: Str, _value: Path, aux: DirFd) -> Int;
    [5] (fd: Fd, cmd: Enum(&words::mount::FSCONFIG), _key: Str, _value: Addr, aux: Fd) -> Int;
};

/// quotactl's arguments, by command without its type.
static QUOTACTL_CASES: Cases = cases! {
    by 0, mask 0xffff_ff00;
    [0x8000_0100_u32, 0x8000_0300_u32, 0x58_0700] (cmd: QuotaCmd, special: Path) -> Int;
    [0x8000_0200_u32] (cmd: QuotaCmd, special: Path, id: Enum(&words::mount::QUOTA_FORMATS), addr: Path) -> Int;
    [0x8000_0700_u32] (cmd: QuotaCmd, special: Path, id: Id, addr: Out(Dqblk, One)) -> Int;
    [0x8000_0800_u32] (cmd: QuotaCmd, special: Path, id: Id, addr: In(Dqblk, One)) -> Int;
    [0x8000_0900_u32] (cmd: QuotaCmd, special: Path, id: Id, addr: Out(NextDqblk, One)) -> Int;
    [0x58_0300, 0x58_0900] (cmd: QuotaCmd, special: Path, id: Id, addr: Out(XfsDiskQuota, One)) -> Int;
    [0x58_0400] (cmd: QuotaCmd, special: Path, id: Id, addr: In(XfsDiskQuota, One)) -> Int;
    [0x8000_0400_u32] (cmd: QuotaCmd, special: Path, addr @ 3: Out(QuotaFormat, One)) -> Int;
    [0x8000_0500_u32] (cmd: QuotaCmd, special: Path, addr @ 3: Out(Dqinfo, One)) -> Int;
    [0x8000_0600_u32] (cmd: QuotaCmd, special: Path, addr @ 3: In(Dqinfo, One)) -> Int;
    [0x58_0500] (cmd: QuotaCmd, special: Path, addr @ 3: Out(XfsQuotaStat, One)) -> Int;
    [0x58_0800] (cmd: QuotaCmd, special: Path, addr @ 3: Out(XfsQuotaStatv, One)) -> Int;
    [0x58_0100, 0x58_0200] (cmd: QuotaCmd, special: Path, addr @ 3: In(XfsQuotaFlags, One)) -> Int;
    [0x58_0600] (cmd: QuotaCmd, special: Path, addr @ 3: In(XfsQuotaKinds, One)) -> Int;
};

/// quotactl_fd's arguments, by command without its type.
static QUOTACTL_FD_CASES: Cases = cases! {
    by 1, mask 0xffff_ff00;
    [0x8000_0100_u32, 0x8000_0300_u32, 0x58_0700] (fd: Fd, cmd: QuotaCmd) -> Int;
    [0x8000_0200_u32] (fd: Fd, cmd: QuotaCmd, id: Enum(&words::mount::QUOTA_FORMATS), addr: Path) -> Int;
    [0x8000_0700_u32] (fd: Fd, cmd: QuotaCmd, id: Id, addr: Out(Dqblk, One)) -> Int;
    [0x8000_0800_u32] (fd: Fd, cmd: QuotaCmd, id: Id, addr: In(Dqblk, One)) -> Int;
    [0x8000_0900_u32] (fd: Fd, cmd: QuotaCmd, id: Id, addr: Out(NextDqblk, One)) -> Int;
    [0x58_0300, 0x58_0900] (fd: Fd, cmd: QuotaCmd, id: Id, addr: Out(XfsDiskQuota, One)) -> Int;
    [0x58_0400] (fd: Fd, cmd: QuotaCmd, id: Id, addr: In(XfsDiskQuota, One)) -> Int;
    [0x8000_0400_u32] (fd: Fd, cmd: QuotaCmd, addr @ 3: Out(QuotaFormat, One)) -> Int;
    [0x8000_0500_u32] (fd: Fd, cmd: QuotaCmd, addr @ 3: Out(Dqinfo, One)) -> Int;
    [0x8000_0600_u32] (fd: Fd, cmd: QuotaCmd, addr @ 3: In(Dqinfo, One)) -> Int;
    [0x58_0500] (fd: Fd, cmd: QuotaCmd, addr @ 3: Out(XfsQuotaStat, One)) -> Int;
    [0x58_0800] (fd: Fd, cmd: QuotaCmd, addr @ 3: Out(XfsQuotaStatv, One)) -> Int;
    [0x58_0100, 0x58_0200] (fd: Fd, cmd: QuotaCmd, addr @ 3: In(XfsQuotaFlags, One)) -> Int;
    [0x58_0600] (fd: Fd, cmd: QuotaCmd, addr @ 3: In(XfsQuotaKinds, One)) -> Int;
};
