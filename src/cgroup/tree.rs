//! One cgroup v2 directory, held open.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use nix::sys::statfs::{CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, fstatfs};

use super::mount::v2_mount;

/// A cgroup directory. Its id is its inode number, on kernels of 64 bits.
#[derive(Debug)]
pub struct Cgroup {
    path: PathBuf,
    directory: File,
    id: u64,
}

impl Cgroup {
    /// Opens a cgroup v2 directory.
    pub fn open(path: &Path) -> Result<Self> {
        let directory = match OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY).open(path) {
            Ok(directory) => directory,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                bail!("there is no cgroup {}: give the path of a cgroup v2 directory{}", path.display(), hint());
            }
            Err(error) => {
                return Err(error).with_context(|| format!("open the cgroup {}", path.display()));
            }
        };
        let kind = fstatfs(&directory).with_context(|| format!("look at {}", path.display()))?.filesystem_type();
        if kind == CGROUP_SUPER_MAGIC {
            bail!("{} is a cgroup v1 directory; traceloop records cgroups v2{}", path.display(), hint());
        }
        if kind != CGROUP2_SUPER_MAGIC {
            bail!("{} is not a cgroup: give the path of a cgroup v2 directory{}", path.display(), hint());
        }
        let id = directory.metadata().with_context(|| format!("look at {}", path.display()))?.ino();
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        Ok(Self { path, directory, id })
    }

    /// Its path in the file system.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its path from the root of the tree, as /proc/PID/cgroup shows it; the file system's path if it
    /// lies outside of the mount that we know.
    pub fn name(&self) -> String {
        let inside = v2_mount().ok().and_then(|mount| self.path.strip_prefix(&mount.point).ok().map(Path::to_owned));
        inside.map_or_else(|| self.path.display().to_string(), |inside| format!("/{}", inside.display()))
    }

    /// Its id, as BPF programs see it.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The open directory.
    pub fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// The cgroups below it, each before its own descendants. One that goes away meanwhile is left out.
    pub fn descendants(&self) -> Vec<Self> {
        let mut found = Vec::new();
        let mut left = vec![self.path.clone()];
        while let Some(path) = left.pop() {
            for cgroup in Self::below(&path) {
                left.push(cgroup.path.clone());
                found.push(cgroup);
            }
        }
        found
    }

    /// Those right below it.
    pub fn children(&self) -> impl Iterator<Item = Self> + use<> {
        Self::below(&self.path)
    }

    fn below(path: &Path) -> impl Iterator<Item = Self> + use<> {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        directories.filter_map(|entry| Self::open(&entry.path()).ok())
    }

    /// The threads in it now, from cgroup.threads or else cgroup.procs.
    pub fn threads(&self) -> Vec<u32> {
        let read = |name: &str| fs::read_to_string(self.path.join(name));
        let text = read("cgroup.threads").or_else(|_| read("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }
}

fn hint() -> String {
    v2_mount().map_or_else(|_| String::new(), |mount| format!(" below {}", mount.point.display()))
}
