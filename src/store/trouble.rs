//! What to do about errors of the file system that stores dumps.

use std::{fmt, io, os::fd::AsFd};

use nix::{errno::Errno, sys::statvfs};

/// An error of the file system, with its remedy where one is known.
#[derive(Debug)]
pub(super) struct Trouble {
    errno: Errno,
    remedy: Option<&'static str>,
}

impl Trouble {
    /// What happened in this directory.
    pub(super) fn new(error: &io::Error, directory: impl AsFd) -> Self {
        let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
        Self { errno, remedy: remedy(errno, directory) }
    }

    /// The file system knows no nameless files. A driver that does not know the flag sees the attempt
    /// to open a directory for writing.
    pub(super) fn is_unknown_flag(&self) -> bool {
        matches!(self.errno, Errno::EOPNOTSUPP | Errno::EISDIR | Errno::EINVAL | Errno::ENOSYS)
    }

    /// There is no room.
    pub(super) fn is_full(&self) -> bool {
        matches!(self.errno, Errno::ENOSPC | Errno::EDQUOT)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.errno.desc())?;
        self.remedy.map_or(Ok(()), |remedy| write!(f, ": {remedy}"))
    }
}

impl std::error::Error for Trouble {}

fn remedy(errno: Errno, directory: impl AsFd) -> Option<&'static str> {
    Some(match errno {
        Errno::ENOSPC if no_inodes(directory) => {
            "no inodes are left there: remove files, or old dumps with `traceloop vacuum --max-age 7d`"
        }
        Errno::ENOSPC => "free space there, or remove old dumps with `traceloop vacuum --max-use SIZE`",
        Errno::EDQUOT => "raise the quota, or remove old dumps with `traceloop vacuum --max-use SIZE`",
        Errno::EROFS => "it is mounted read-only: mount it writable, or store elsewhere",
        Errno::EIO => "the device does not work: see the kernel's log (dmesg), or store elsewhere",
        Errno::EACCES | Errno::EPERM => "run as root, or store elsewhere",
        _ => return None,
    })
}

fn no_inodes(directory: impl AsFd) -> bool {
    statvfs::fstatvfs(directory).is_ok_and(|system| system.files() > 0 && system.files_available() == 0)
}
