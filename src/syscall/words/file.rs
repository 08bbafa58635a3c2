//! Words of files, directories and descriptors.

use linux_raw_sys::general;

use super::words;

words! {
    /// open(2)'s access modes.
    pub ACCESS_MODES "O_???": libc { O_RDONLY O_WRONLY O_RDWR O_ACCMODE }
    /// open(2)'s flags. O_SYNC holds O_DSYNC and O_TMPFILE holds O_DIRECTORY: the larger come first.
    pub OPEN "O_???":
        libc { O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_SYNC O_DSYNC O_ASYNC O_DIRECT }
        is { O_LARGEFILE = 0o100_000 }
        libc { O_NOFOLLOW O_NOATIME O_CLOEXEC O_PATH O_TMPFILE O_DIRECTORY }
    /// The flags of pipe2, dup3, eventfd2 ...
    pub PIPE "O_???": libc { O_NONBLOCK O_CLOEXEC O_DIRECT } is { O_NOTIFICATION_PIPE = 0o200 }
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
        general { F_SETSIG F_GETSIG F_SETOWN_EX F_GETOWN_EX }
        libc { F_OFD_GETLK F_OFD_SETLK F_OFD_SETLKW }
        general { F_SETLEASE F_GETLEASE F_NOTIFY F_DUPFD_CLOEXEC F_SETPIPE_SZ F_GETPIPE_SZ F_ADD_SEALS F_GET_SEALS
            F_GET_RW_HINT F_SET_RW_HINT F_GET_FILE_RW_HINT F_SET_FILE_RW_HINT }
    /// The flags of a descriptor.
    pub FD_FLAGS "FD_???": libc { FD_CLOEXEC }
    /// Kinds of record locks.
    pub LOCK_TYPES "F_???": libc { F_RDLCK F_WRLCK F_UNLCK }
    /// flock(2)'s operations.
    pub FLOCK "LOCK_???": libc { LOCK_SH LOCK_EX LOCK_NB LOCK_UN }
    /// renameat2's flags.
    pub RENAME "RENAME_???": libc { RENAME_NOREPLACE RENAME_EXCHANGE RENAME_WHITEOUT }
    /// posix_fadvise's advice.
    pub FADVISE "POSIX_FADV_???":
        libc { POSIX_FADV_NORMAL POSIX_FADV_RANDOM POSIX_FADV_SEQUENTIAL POSIX_FADV_WILLNEED POSIX_FADV_DONTNEED
            POSIX_FADV_NOREUSE }
    /// close_range's flags.
    pub CLOSE_RANGE "CLOSE_RANGE_???": libc { CLOSE_RANGE_UNSHARE CLOSE_RANGE_CLOEXEC }
    /// statx's flags.
    pub STATX_FLAGS "AT_???":
        libc { AT_SYMLINK_NOFOLLOW AT_REMOVEDIR AT_SYMLINK_FOLLOW AT_NO_AUTOMOUNT AT_EMPTY_PATH AT_RECURSIVE }
    /// statx's mask.
    pub STATX_MASK "STATX_???":
        is { STATX_ALL = 0xfff, STATX_BASIC_STATS = 0x7ff }
        libc { STATX_TYPE STATX_MODE STATX_NLINK STATX_UID STATX_GID STATX_ATIME STATX_MTIME STATX_CTIME STATX_INO
            STATX_SIZE STATX_BLOCKS STATX_BTIME STATX_MNT_ID STATX_DIOALIGN }
    /// epoll_create1's flags.
    pub EPOLL_CREATE "EPOLL_???": libc { EPOLL_CLOEXEC }
    /// epoll_ctl's operations.
    pub EPOLL_CTL "EPOLL_CTL_???": libc { EPOLL_CTL_ADD EPOLL_CTL_DEL EPOLL_CTL_MOD }
    /// eventfd2's flags.
    pub EVENTFD "EFD_???": libc { EFD_SEMAPHORE EFD_CLOEXEC EFD_NONBLOCK }
}
