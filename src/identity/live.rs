//! What the live system tells of a cgroup: its directory's attributes, and which cgroup a process is in.

use std::{
    ffi::CStr,
    fs::{self, OpenOptions},
    io,
    os::{
        fd::AsRawFd,
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::Path,
};

use anyhow::{Context, Result, bail};

use crate::cgroup::{v2_mount, whole};

/// systemd writes the invocation id to the unit's cgroup: only root can write the first, so it is asked
/// first; managers without privileges write the second (systemd 251).
const ATTRIBUTES: [&CStr; 2] = [c"trusted.invocation_id", c"user.invocation_id"];

/// The invocation id that systemd has written to a cgroup's directory: 32 hexadecimal digits. `None` also if
/// another cgroup stands at this path by now: that of the unit's next invocation.
pub fn invocation_of(directory: &Path, cgroup_id: u64) -> Option<String> {
    let directory = OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY).open(directory).ok()?;
    if directory.metadata().ok()?.ino() != cgroup_id {
        return None;
    }
    ATTRIBUTES.iter().find_map(|attribute| {
        let mut value = [0_u8; 33];
        let (fd, size) = (directory.as_raw_fd(), value.len());
        // SAFETY: the name ends with NUL, and the kernel writes at most `size` bytes.
        let size = unsafe { libc::fgetxattr(fd, attribute.as_ptr(), value.as_mut_ptr().cast(), size) };
        id_in(value.get(..usize::try_from(size).ok()?)?)
    })
}

fn id_in(value: &[u8]) -> Option<String> {
    let id = std::str::from_utf8(value).ok()?;
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_owned())
}

/// The path of the cgroup that a process is in, from the root of the v2 tree.
pub fn cgroup_of(pid: u32) -> Result<String> {
    match fs::read_to_string(format!("/proc/{pid}/cgroup")) {
        Ok(text) => {
            let shown = v2_line(&text).with_context(|| format!("process {pid} is in no cgroup v2"))?;
            whole(&shown).with_context(|| format!("process {pid} is in no cgroup of the tree that is mounted here"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!("there is no process {pid}"),
        Err(error) => Err(error).with_context(|| format!("read /proc/{pid}/cgroup")),
    }
}

/// Whether there is a cgroup of this path, from the root of the v2 tree.
pub(super) fn is_there(path: &str) -> bool {
    let Ok(mount) = v2_mount() else { return false };
    // A container sees a part of the tree.
    let Ok(below) = Path::new(path).strip_prefix(&mount.root) else { return path.is_empty() };
    mount.point.join(below).is_dir()
}

/// `0::/path`; a cgroup that was removed while a zombie is left in it has ` (deleted)` behind its path.
fn v2_line(text: &str) -> Option<String> {
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(path.strip_suffix(" (deleted)").unwrap_or(path).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_v2_line() {
        let hybrid = "3:cpu:/\n1:name=systemd:/x\n0::/system.slice/a.service\n";
        assert_eq!(v2_line(hybrid).as_deref(), Some("/system.slice/a.service"));
        assert_eq!(v2_line("0::/a (deleted)\n").as_deref(), Some("/a"));
        assert_eq!(v2_line("3:cpu:/\n"), None);
        assert!(cgroup_of(std::process::id()).unwrap().starts_with('/'));
        assert_eq!(cgroup_of(u32::MAX).unwrap_err().to_string(), "there is no process 4294967295");
    }

    #[test]
    fn an_invocation_id_is_32_digits_or_nothing() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(id_in(id.as_bytes()).as_deref(), Some(id));
        for wrong in ["", "0123", "0123456789abcdef0123456789abcdef0", "0123456789abcdef\u{1b}123456789abcdef"] {
            assert_eq!(id_in(wrong.as_bytes()), None);
        }
        assert_eq!(invocation_of(Path::new("/nonexistent"), 7), None);
    }
}
