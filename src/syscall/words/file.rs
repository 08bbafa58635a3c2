//! Words of files, directories and descriptors.

use linux_raw_sys::general;

use super::words;

words! {
    /// open(2)'s access modes.
    pub ACCESS_MODES "O_???": libc { O_RDONLY O_WRONLY O_RDWR O_ACCMODE }
    /// The working directory, where a descriptor may stand.
    pub DIR_FD "AT_???": libc { AT_FDCWD }
    /// No directory at all.
    pub FAN_NOFD "FAN_???": is { FAN_NOFD = -1 }
    /// open(2)'s flags. O_SYNC holds O_DSYNC and O_TMPFILE holds O_DIRECTORY: the larger come first.
    pub OPEN "O_???":
        libc { O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_SYNC }
        general { __O_SYNC O_DSYNC }
        is { O_DIRECT = 0o40000, O_LARGEFILE = 0o100000, O_NOFOLLOW = 0o400000 }
        general { O_NOATIME O_CLOEXEC O_PATH }
        is { O_TMPFILE = 0o20200000, __O_TMPFILE = 0o20000000, O_DIRECTORY = 0o200000 }
        general { FASYNC }
    /// The same on aarch64, where some have other values.
    pub OPEN_AARCH64 "O_???":
        libc { O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_SYNC }
        general { __O_SYNC O_DSYNC }
        is { O_DIRECT = 0o200000, O_LARGEFILE = 0o400000, O_NOFOLLOW = 0o100000 }
        general { O_NOATIME O_CLOEXEC O_PATH }
        is { O_TMPFILE = 0o20040000, __O_TMPFILE = 0o20000000, O_DIRECTORY = 0o40000 }
        general { FASYNC }
    /// openat2's limits on how a path is resolved.
    pub RESOLVE "RESOLVE_???":
        general { RESOLVE_NO_XDEV RESOLVE_NO_MAGICLINKS RESOLVE_NO_SYMLINKS RESOLVE_BENEATH RESOLVE_IN_ROOT
            RESOLVE_CACHED }
    /// access(2)'s modes.
    pub ACCESS "?_OK": libc { F_OK R_OK W_OK X_OK }
    /// The flags of the *at calls.
    pub AT "AT_???":
        libc { AT_SYMLINK_NOFOLLOW AT_REMOVEDIR AT_SYMLINK_FOLLOW AT_NO_AUTOMOUNT AT_EMPTY_PATH AT_RECURSIVE }
    /// faccessat2's flags: AT_EACCESS shares its bit with AT_REMOVEDIR.
    pub AT_ACCESS "AT_???": libc { AT_SYMLINK_NOFOLLOW AT_EACCESS AT_EMPTY_PATH }
    /// lseek(2)'s whence.
    pub WHENCE "SEEK_???": libc { SEEK_SET SEEK_CUR SEEK_END SEEK_DATA SEEK_HOLE }
    /// File types in st_mode.
    pub FILE_TYPES "S_IF???": libc { S_IFREG S_IFSOCK S_IFIFO S_IFLNK S_IFDIR S_IFBLK S_IFCHR }
    /// fcntl(2)'s commands.
    pub FCNTL "F_???":
        libc { F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_SETOWN F_GETOWN }
        general { F_SETSIG F_GETSIG }
        is { F_GETLK64 = 12, F_SETLK64 = 13, F_SETLKW64 = 14 }
        general { F_SETOWN_EX F_GETOWN_EX F_GETOWNER_UIDS F_OFD_GETLK F_OFD_SETLK F_OFD_SETLKW F_SETLEASE F_GETLEASE
            F_NOTIFY }
        is { F_DUPFD_QUERY = 1027, F_CREATED_QUERY = 1028, F_CANCELLK = 1029 }
        general { F_DUPFD_CLOEXEC F_SETPIPE_SZ F_GETPIPE_SZ F_ADD_SEALS F_GET_SEALS F_GET_RW_HINT F_SET_RW_HINT
            F_GET_FILE_RW_HINT F_SET_FILE_RW_HINT }
        is { F_GETDELEG = 0x40f, F_SETDELEG = 0x410 }
    /// The flags of a descriptor.
    pub FD_FLAGS "FD_???": libc { FD_CLOEXEC }
    /// Kinds of record locks.
    pub LOCK_TYPES "F_???": libc { F_RDLCK F_WRLCK F_UNLCK } general { F_EXLCK F_SHLCK }
    /// Whom F_SETOWN_EX names.
    pub OWNERS "F_OWNER_???": general { F_OWNER_TID F_OWNER_PID F_OWNER_PGRP }
    /// What F_NOTIFY watches.
    pub DNOTIFY "DN_???": general { DN_ACCESS DN_MODIFY DN_CREATE DN_DELETE DN_RENAME DN_ATTRIB DN_MULTISHOT }
    /// Seals of a memory file.
    pub SEALS "F_SEAL_???":
        general { F_SEAL_SEAL F_SEAL_SHRINK F_SEAL_GROW F_SEAL_WRITE F_SEAL_FUTURE_WRITE }
    /// flock(2)'s operations.
    pub FLOCK "LOCK_???": libc { LOCK_SH LOCK_EX LOCK_NB LOCK_UN } general { LOCK_MAND LOCK_RW LOCK_READ LOCK_WRITE }
    /// renameat2's flags.
    pub RENAME "RENAME_??": libc { RENAME_NOREPLACE RENAME_EXCHANGE RENAME_WHITEOUT }
    /// posix_fadvise's advice.
    pub FADVISE "POSIX_FADV_???":
        libc { POSIX_FADV_NORMAL POSIX_FADV_RANDOM POSIX_FADV_SEQUENTIAL POSIX_FADV_WILLNEED POSIX_FADV_DONTNEED
            POSIX_FADV_NOREUSE }
    /// close_range's flags.
    pub CLOSE_RANGE "CLOSE_RANGE_???": libc { CLOSE_RANGE_UNSHARE CLOSE_RANGE_CLOEXEC }
    /// How fresh statx's answer is to be.
    pub STATX_SYNC "": general { AT_STATX_SYNC_AS_STAT AT_STATX_FORCE_SYNC AT_STATX_DONT_SYNC }
    /// statx's flags.
    pub STATX_FLAGS "":
        libc { AT_SYMLINK_NOFOLLOW AT_REMOVEDIR AT_SYMLINK_FOLLOW AT_NO_AUTOMOUNT AT_EMPTY_PATH AT_RECURSIVE }
    /// statx's attributes.
    pub STATX_ATTR "STATX_ATTR_???":
        general { STATX_ATTR_COMPRESSED STATX_ATTR_IMMUTABLE STATX_ATTR_APPEND STATX_ATTR_NODUMP STATX_ATTR_ENCRYPTED
            STATX_ATTR_AUTOMOUNT STATX_ATTR_MOUNT_ROOT STATX_ATTR_VERITY STATX_ATTR_DAX STATX_ATTR_WRITE_ATOMIC }
    /// statx's mask.
    pub STATX_MASK "STATX_???":
        is { STATX_ALL = 0xfff, STATX_BASIC_STATS = 0x7ff }
        libc { STATX_TYPE STATX_MODE STATX_NLINK STATX_UID STATX_GID STATX_ATIME STATX_MTIME STATX_CTIME STATX_INO
            STATX_SIZE STATX_BLOCKS STATX_BTIME STATX_MNT_ID STATX_DIOALIGN }
        general { STATX_MNT_ID_UNIQUE STATX_SUBVOL STATX_WRITE_ATOMIC STATX_DIO_READ_ALIGN }
    /// file_getattr's and file_setattr's flags.
    pub FILE_XFLAGS "FS_XFLAG_???":
        general { FS_XFLAG_REALTIME FS_XFLAG_PREALLOC FS_XFLAG_IMMUTABLE FS_XFLAG_APPEND FS_XFLAG_SYNC FS_XFLAG_NOATIME
            FS_XFLAG_NODUMP FS_XFLAG_RTINHERIT FS_XFLAG_PROJINHERIT FS_XFLAG_NOSYMLINKS FS_XFLAG_EXTSIZE
            FS_XFLAG_EXTSZINHERIT FS_XFLAG_NODEFRAG FS_XFLAG_FILESTREAM FS_XFLAG_DAX FS_XFLAG_COWEXTSIZE }
        is { FS_XFLAG_HASATTR = 0x8000_0000_u32 }
    /// epoll_create1's flags.
    pub EPOLL_CREATE "EPOLL_???": libc { EPOLL_CLOEXEC }
    /// epoll_ctl's operations.
    pub EPOLL_CTL "EPOLL_CTL_???": libc { EPOLL_CTL_ADD EPOLL_CTL_DEL EPOLL_CTL_MOD }
    /// eventfd2's flags.
    pub EVENTFD "EFD_???": libc { EFD_SEMAPHORE EFD_CLOEXEC EFD_NONBLOCK }
    /// name_to_handle_at's flags.
    pub AT_HANDLE "AT_???":
        is { AT_HANDLE_MNT_ID_UNIQUE = 1, AT_HANDLE_CONNECTABLE = 2, AT_HANDLE_FID = 0x200 }
        libc { AT_SYMLINK_FOLLOW AT_EMPTY_PATH }
    /// setxattr's flags.
    pub XATTR "XATTR_???": libc { XATTR_CREATE XATTR_REPLACE }
    /// fallocate's mode.
    pub FALLOCATE "FALLOC_FL_???":
        libc { FALLOC_FL_KEEP_SIZE FALLOC_FL_PUNCH_HOLE }
        is { FALLOC_FL_NO_HIDE_STALE = 4 }
        libc { FALLOC_FL_COLLAPSE_RANGE FALLOC_FL_ZERO_RANGE FALLOC_FL_INSERT_RANGE FALLOC_FL_UNSHARE_RANGE }
        is { FALLOC_FL_WRITE_ZEROES = 0x80 }
    /// sync_file_range's flags.
    pub SYNC_RANGE "SYNC_FILE_RANGE_???":
        libc { SYNC_FILE_RANGE_WAIT_BEFORE SYNC_FILE_RANGE_WRITE SYNC_FILE_RANGE_WAIT_AFTER }
    /// splice's, tee's and vmsplice's flags.
    pub SPLICE "SPLICE_F_???": libc { SPLICE_F_MOVE SPLICE_F_NONBLOCK SPLICE_F_MORE SPLICE_F_GIFT }
    /// preadv2's and pwritev2's flags.
    pub RWF "RWF_???": general { RWF_HIPRI RWF_DSYNC RWF_SYNC RWF_NOWAIT RWF_APPEND }
        is { RWF_NOAPPEND = 0x20, RWF_ATOMIC = 0x40, RWF_DONTCACHE = 0x80, RWF_NOSIGNAL = 0x100 }
    /// What inotify watches.
    pub INOTIFY "IN_???":
        libc { IN_ACCESS IN_MODIFY IN_ATTRIB IN_CLOSE_WRITE IN_CLOSE_NOWRITE IN_OPEN IN_MOVED_FROM IN_MOVED_TO IN_CREATE
            IN_DELETE IN_DELETE_SELF IN_MOVE_SELF IN_UNMOUNT IN_Q_OVERFLOW IN_IGNORED IN_ONLYDIR IN_DONT_FOLLOW
            IN_EXCL_UNLINK IN_MASK_CREATE IN_MASK_ADD IN_ISDIR IN_ONESHOT }
    /// inotify_init1's flags.
    pub INOTIFY_INIT "IN_???": libc { IN_NONBLOCK IN_CLOEXEC }
    /// fanotify_init's class.
    pub FAN_CLASS "FAN_CLASS_???":
        is { FAN_CLASS_NOTIF = 0 } libc { FAN_CLASS_CONTENT FAN_CLASS_PRE_CONTENT }
    /// fanotify_init's flags.
    pub FAN_INIT "FAN_???":
        libc { FAN_CLOEXEC FAN_NONBLOCK FAN_UNLIMITED_QUEUE FAN_UNLIMITED_MARKS FAN_ENABLE_AUDIT FAN_REPORT_PIDFD
            FAN_REPORT_TID FAN_REPORT_FID FAN_REPORT_DIR_FID FAN_REPORT_NAME FAN_REPORT_TARGET_FID }
        is { FAN_REPORT_FD_ERROR = 0x2000, FAN_REPORT_MNT = 0x4000 }
    /// fanotify_mark's flags.
    pub FAN_MARK "FAN_MARK_???":
        libc { FAN_MARK_ADD FAN_MARK_REMOVE FAN_MARK_DONT_FOLLOW FAN_MARK_ONLYDIR }
        // Of the bits of the two behind it.
        is { FAN_MARK_MNTNS = 0x110 }
        libc { FAN_MARK_MOUNT FAN_MARK_IGNORED_MASK
            FAN_MARK_IGNORED_SURV_MODIFY FAN_MARK_FLUSH FAN_MARK_FILESYSTEM FAN_MARK_EVICTABLE FAN_MARK_IGNORE }
    /// What fanotify watches.
    pub FAN_EVENTS "FAN_???":
        libc { FAN_ACCESS FAN_MODIFY FAN_ATTRIB FAN_CLOSE_WRITE FAN_CLOSE_NOWRITE FAN_OPEN FAN_MOVED_FROM FAN_MOVED_TO
            FAN_CREATE FAN_DELETE FAN_DELETE_SELF FAN_MOVE_SELF FAN_OPEN_EXEC FAN_Q_OVERFLOW FAN_FS_ERROR FAN_OPEN_PERM
            FAN_ACCESS_PERM FAN_OPEN_EXEC_PERM }
        is { FAN_DIR_MODIFY = 0x80000, FAN_PRE_ACCESS = 0x10_0000, FAN_MNT_ATTACH = 0x100_0000,
            FAN_MNT_DETACH = 0x200_0000 }
        libc { FAN_ONDIR FAN_EVENT_ON_CHILD FAN_RENAME }
    /// Kinds of directory entries.
    pub DIRENT_TYPES "DT_???":
        libc { DT_UNKNOWN DT_FIFO DT_CHR DT_DIR DT_BLK DT_REG DT_LNK DT_SOCK } is { DT_WHT = 14 }
}
