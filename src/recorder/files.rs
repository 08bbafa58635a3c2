//! What the descriptors of living processes stand for, as /proc tells.

use std::{
    collections::{BTreeSet, HashMap},
    ffi::CString,
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::PathBuf,
};

use super::sockets;
use crate::model::{File, Files, Process};

/// Descriptors of a process that are looked at; one with more has them from a loop.
const DESCRIPTORS_MOST: usize = 4096;

/// The descriptors of the processes that the threads belong to. A process that ends meanwhile is left out.
pub(super) fn of(threads: &[Process]) -> Vec<Files> {
    let processes: BTreeSet<u32> = threads.iter().map(|thread| thread.pid).collect();
    let mut networks = HashMap::new();
    processes.into_iter().filter_map(|pid| process(pid, &mut networks)).collect()
}

type Networks = HashMap<PathBuf, HashMap<u64, String>>;

fn process(pid: u32, networks: &mut Networks) -> Option<Files> {
    let mut descriptors: Vec<(i32, File)> = fs::read_dir(format!("/proc/{pid}/fd"))
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .take(DESCRIPTORS_MOST)
        .filter_map(|fd| Some((fd, file(pid, fd, networks)?)))
        .collect();
    descriptors.sort_by_key(|(fd, _)| *fd);
    let directory = link(&format!("/proc/{pid}/cwd"));
    Some(Files { pid, directory, descriptors })
}

fn file(pid: u32, fd: i32, networks: &mut Networks) -> Option<File> {
    let place = format!("/proc/{pid}/fd/{fd}");
    let mut file = link(&place)?;
    if let Some(inode) = inode(&file.path) {
        let network = fs::read_link(format!("/proc/{pid}/ns/net")).unwrap_or_default();
        let addresses = networks.entry(network).or_insert_with(|| sockets::addresses(pid));
        file.socket = protocol(&place).map(|protocol| match addresses.get(&inode) {
            Some(address) => format!("{protocol}:[{address}]"),
            None => format!("{protocol}:[{inode}]"),
        });
    } else if file.path == "anon_inode:[pidfd]" {
        file.process = pidfd(pid, fd);
    } else if file.path.starts_with('/') && !file.deleted {
        file.device = device(&file.path);
    }
    Some(file)
}

/// What a link of /proc leads to. The kernel marks a path that is no longer the file's; a file may
/// bear such a name, too.
fn link(place: &str) -> Option<File> {
    let path = fs::read_link(place).ok()?.into_os_string().into_string().ok()?;
    let Some(gone) = path.strip_suffix(" (deleted)") else { return Some(File { path, ..File::default() }) };
    let same = fs::metadata(place)
        .ok()
        .zip(fs::symlink_metadata(&path).ok())
        .is_some_and(|(file, named)| file.ino() == named.ino() && file.dev() == named.dev());
    Some(if same {
        File { path, ..File::default() }
    } else {
        File { path: gone.to_owned(), deleted: true, ..File::default() }
    })
}

fn inode(path: &str) -> Option<u64> {
    path.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

fn device(path: &str) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    let kind = match metadata.file_type() {
        kind if kind.is_char_device() => "char",
        kind if kind.is_block_device() => "block",
        _ => return None,
    };
    let device = metadata.rdev();
    Some(format!("{kind} {}:{}", libc::major(device), libc::minor(device)))
}

fn pidfd(pid: u32, fd: i32) -> Option<u32> {
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).ok()?;
    info.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().parse().ok().filter(|pid| *pid != 0)
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
