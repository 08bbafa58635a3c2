//! Directories that are ours, and that somebody else has made too wide: a kubelet makes those of a pod with mode 1777 in
//! memory and 0777 on a disk. Who can write in a directory can put a socket or a dump of his own in the place of ours.

use std::{
    io,
    os::fd::{AsFd, AsRawFd},
    path::Path,
};

use nix::{
    dir::Dir,
    fcntl::OFlag,
    sys::stat::{Mode, fchmod, fstat},
    unistd::geteuid,
};

/// Ours bear this name where all may write: /tmp may be empty, too, and is everybody's.
const NAME: &str = "traceloop";

/// Closes a directory to others, if it is ours and nobody has put anything into it. `false`: it stays as it is.
pub(crate) fn close(path: &Path, directory: &impl AsFd, mode: Mode) -> io::Result<bool> {
    let about = fstat(directory)?;
    let before = Mode::from_bits_truncate(about.st_mode);
    let shared = before.intersects(Mode::S_IWGRP | Mode::S_IWOTH);
    if about.st_uid != geteuid().as_raw() || shared && path.file_name().is_none_or(|name| name != NAME) {
        return Ok(false);
    }
    if !is_empty(directory)? {
        return Ok(false);
    }
    fchmod(directory, mode)?;
    // What came in just before is somebody else's.
    if shared && !is_empty(directory)? {
        fchmod(directory, before)?;
        return Ok(false);
    }
    Ok(true)
}

fn is_empty(directory: &impl AsFd) -> io::Result<bool> {
    // By a descriptor of its own: this one's position is not touched.
    let path = format!("/proc/self/fd/{}", directory.as_fd().as_raw_fd());
    let mut listing = Dir::open(path.as_str(), OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    for entry in listing.iter() {
        if !matches!(entry?.file_name().to_bytes(), b"." | b"..") {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File, Permissions},
        os::unix::fs::PermissionsExt,
    };

    use super::*;

    #[test]
    fn what_is_ours_and_empty_is_closed_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        for (name, mode, inside, closed) in [
            // As a kubelet makes them: in memory, on a disk, and by DirectoryOrCreate.
            ("traceloop", 0o1777, None, true),
            ("traceloop", 0o777, None, true),
            ("traceloop", 0o755, None, true),
            ("dumps", 0o755, None, true),
            ("tmp", 0o1777, None, false),
            ("traceloop", 0o777, Some("keeper.sock"), false),
            ("traceloop", 0o755, Some("a"), false),
        ] {
            let path = place.path().join(name);
            fs::create_dir(&path).unwrap();
            if let Some(inside) = inside {
                fs::write(path.join(inside), "").unwrap();
            }
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert_eq!(close(&path, &File::open(&path).unwrap(), Mode::S_IRWXU).unwrap(), closed, "{name} {mode:o}");
            let found = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
            assert_eq!(found, if closed { 0o700 } else { mode }, "{name}");
            fs::remove_dir_all(&path).unwrap();
        }
    }
}
