//! What the descriptors of a living process stand for, as /proc tells.
//!
//! The link of /proc/PID/fd tells a path without a look at the file. What is behind it is looked at only where its
//! file system answers by itself, and through the link: it leads to the file that the process has, whatever bears
//! the same path where the recorder is.

use std::{
    collections::{BTreeSet, HashMap},
    ffi::CString,
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

use super::sockets::{self, Addresses};
use crate::model::{File, Files};

/// Descriptors of a process that are looked at; one with more has them from a loop.
const DESCRIPTORS_MOST: usize = 4096;

/// File systems that ask no other machine and no other process.
const PROMPT: [&str; 16] = [
    "devtmpfs", "devpts", "tmpfs", "ramfs", "rootfs", "proc", "sysfs", "cgroup2", "ext2", "ext3", "ext4", "xfs",
    "btrfs", "vfat", "squashfs", "mqueue",
];

impl Networks {
    /// The socket that a process's socket is connected to, if that is in the same network.
    pub(super) fn peer(&mut self, pid: u32, inode: u64) -> Option<u64> {
        self.addresses(pid).peer(inode)
    }

    fn addresses(&mut self, pid: u32) -> &Addresses {
        self.addresses.entry(namespace(pid, "net")).or_insert_with(|| sockets::addresses(pid))
    }

    /// The mounts of a process whose file systems answer by themselves.
    fn prompt(&mut self, pid: u32) -> &BTreeSet<u32> {
        self.prompt.entry(namespace(pid, "mnt")).or_insert_with(|| prompt(pid))
    }
}

/// Whether a descriptor is of a pipe that has a name. Nobody else is asked.
pub(super) fn is_fifo(pid: u32, fd: i32, networks: &mut Networks) -> bool {
    let mount = info(pid, fd, "mnt_id:").and_then(|mount| u32::try_from(mount).ok());
    mount.is_some_and(|mount| networks.prompt(pid).contains(&mount))
        && fs::metadata(format!("/proc/{pid}/fd/{fd}")).is_ok_and(|file| file.file_type().is_fifo())
}

/// What is known of namespaces, by the links that name them.
#[derive(Debug, Default)]
pub(super) struct Networks {
    addresses: HashMap<PathBuf, Addresses>,
    /// The mounts whose file systems answer by themselves.
    prompt: HashMap<PathBuf, BTreeSet<u32>>,
}

/// The descriptors of a process; `None`: it has ended.
pub(super) fn of(pid: u32, networks: &mut Networks) -> Option<Files> {
    let mut descriptors: Vec<(i32, File)> = fs::read_dir(format!("/proc/{pid}/fd"))
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .take(DESCRIPTORS_MOST)
        .filter_map(|fd| Some((fd, file(pid, fd, networks)?)))
        .collect();
    descriptors.sort_by_key(|(fd, _)| *fd);
    let directory = link(&format!("/proc/{pid}/cwd")).map(|path| named(pid, path, None));
    Some(Files { pid, directory, descriptors })
}

fn file(pid: u32, fd: i32, networks: &mut Networks) -> Option<File> {
    let place = format!("/proc/{pid}/fd/{fd}");
    let path = link(&place)?;
    if let Some(inode) = inode(&path) {
        let addresses = networks.addresses(pid);
        let socket = protocol(&place).map(|protocol| match addresses.get(&protocol, inode) {
            Some(address) => format!("{protocol}:[{address}]"),
            None => format!("{protocol}:[{inode}]"),
        });
        return Some(File { path, socket, ..File::default() });
    }
    if path == "anon_inode:[pidfd]" {
        let process = info(pid, fd, "Pid:").and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid != 0);
        return Some(File { path, process, ..File::default() });
    }
    if !path.starts_with('/') {
        return Some(File { path, ..File::default() });
    }
    let mount = info(pid, fd, "mnt_id:").and_then(|mount| u32::try_from(mount).ok());
    let seen = mount.filter(|mount| networks.prompt(pid).contains(mount)).and_then(|_| fs::metadata(&place).ok());
    Some(named(pid, path, seen.as_ref()))
}

fn namespace(pid: u32, kind: &str) -> PathBuf {
    fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap_or_default()
}

/// The mounts that a process sees and whose file systems answer by themselves, by their numbers.
fn prompt(pid: u32) -> BTreeSet<u32> {
    let text = fs::read(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().filter_map(prompt_mount).collect()
}

/// A line of mountinfo: number, parent, device, root, place, options, tags, `-`, file system, source, options.
fn prompt_mount(line: &str) -> Option<u32> {
    let (head, tail) = line.split_once(" - ")?;
    let kind = tail.split(' ').next()?;
    PROMPT.contains(&kind).then_some(())?;
    head.split(' ').next()?.parse().ok()
}

/// What a link of /proc leads to.
pub(super) fn link(place: &str) -> Option<String> {
    fs::read_link(place).ok()?.into_os_string().into_string().ok()
}

/// The kernel marks a path that is no longer the file's; a file may bear such a name, too.
fn named(pid: u32, path: String, seen: Option<&fs::Metadata>) -> File {
    let device = seen.and_then(device);
    match path.strip_suffix(" (deleted)") {
        Some(_) if seen.is_some_and(|file| bears(pid, &path, file)) => File { path, device, ..File::default() },
        Some(gone) => File { path: gone.to_owned(), deleted: true, ..File::default() },
        None => File { path, device, ..File::default() },
    }
}

/// Whether the file has this very name, where the process is.
fn bears(pid: u32, path: &str, file: &fs::Metadata) -> bool {
    if file.nlink() == 0 {
        return false;
    }
    let there = Path::new("/proc").join(pid.to_string()).join("root").join(path.trim_start_matches('/'));
    fs::symlink_metadata(there).is_ok_and(|named| file.ino() == named.ino() && file.dev() == named.dev())
}

/// A socket's, by what its descriptor leads to.
pub(super) fn inode(path: &str) -> Option<u64> {
    path.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

fn device(file: &fs::Metadata) -> Option<String> {
    let kind = match file.file_type() {
        kind if kind.is_char_device() => "char",
        kind if kind.is_block_device() => "block",
        _ => return None,
    };
    let device = file.rdev();
    Some(format!("{kind} {}:{}", libc::major(device), libc::minor(device)))
}

/// A number in what the kernel tells of a descriptor itself.
pub(super) fn info(pid: u32, fd: i32, name: &str) -> Option<u64> {
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).ok()?;
    info.lines().find_map(|line| line.strip_prefix(name))?.trim().parse().ok()
}

/// The name of a socket's protocol: `TCP`, `UNIX-STREAM`.
fn protocol(place: &str) -> Option<String> {
    let path = CString::new(place).ok()?;
    let mut name = [0_u8; 64];
    // SAFETY: both strings end with a NUL, and `name` is as long as is said.
    let length = unsafe {
        libc::getxattr(path.as_ptr(), c"system.sockprotoname".as_ptr(), name.as_mut_ptr().cast(), name.len())
    };
    let name = name.get(..usize::try_from(length).ok()?)?;
    let name = std::str::from_utf8(name).ok()?.trim_end_matches('\0');
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, os::fd::AsRawFd};

    use super::*;

    #[test]
    fn mounts_that_wait_for_nobody() {
        assert_eq!(prompt_mount("24 1 0:22 / /dev rw,nosuid shared:2 - devtmpfs udev rw,size=1k"), Some(24));
        assert_eq!(prompt_mount("90 1 0:50 / /home/a/far rw shared:9 - fuse.sshfs a:/ rw"), None);
        assert_eq!(prompt_mount("90 1 0:50 / /far rw - nfs4 a:/ rw"), None);
        assert_eq!(prompt_mount(""), None);
    }

    #[test]
    fn a_file_may_be_called_deleted() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("a (deleted)");
        let kept = OpenOptions::new().write(true).create_new(true).open(&place).unwrap();
        let gone = tempfile::tempfile_in(directory.path()).unwrap();
        let null = OpenOptions::new().write(true).open("/dev/null").unwrap();
        let all = of(std::process::id(), &mut Networks::default()).unwrap().descriptors;
        let of_fd = |fd: i32| all.iter().find(|(known, _)| *known == fd).map(|(_, file)| file.clone()).unwrap();
        // Where the file system may have to ask others, nobody looks whether it is only called so.
        let own = std::process::id();
        let looked = info(own, kept.as_raw_fd(), "mnt_id:")
            .is_some_and(|mount| prompt(own).iter().any(|known| u64::from(*known) == mount));
        let kept = of_fd(kept.as_raw_fd());
        assert_eq!(kept.deleted, !looked, "{kept:?}");
        assert!(!looked || kept.path == place.to_str().unwrap());
        assert!(of_fd(gone.as_raw_fd()).deleted);
        assert_eq!(of_fd(null.as_raw_fd()).device.as_deref(), Some("char 1:3"));
    }
}
