//! The directory of dumps. Everything goes through one descriptor of it, by names without slashes, and
//! no symbolic link in it is followed: whoever may plant files there still cannot lead us elsewhere.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::{DirBuilderExt, FileExt, MetadataExt},
    },
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result, bail, ensure};
use nix::{
    dir::Dir,
    errno::Errno,
    fcntl::{Flock, FlockArg, OFlag, openat},
    sys::stat::Mode,
    unistd::{UnlinkatFlags, geteuid, unlinkat},
};

use super::{format, name::Name, read, sealed::Recipients, trouble::Trouble};
use crate::{directory, model::Dump};

/// Where dumps are stored if nobody says otherwise.
pub const DIRECTORY: &str = "/var/lib/traceloop";

/// Hidden names of files that are being written where the file system knows no nameless ones.
pub(super) const UNFINISHED: &str = ".unfinished-";

/// The directory of dumps.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    directory: OwnedFd,
    /// The boot of which dumps were stored last, and which one it is here.
    boot: Mutex<Option<(String, u32)>>,
    /// For whom what is stored is encrypted.
    sealed_for: Mutex<Option<Recipients>>,
}

/// A stored dump, as its name and its inode tell of it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What its name tells.
    pub name: Name,
    /// Where it is.
    pub path: PathBuf,
    /// Its length, bytes.
    pub size: u64,
    /// What it takes of the disk, bytes.
    pub used: u64,
    file: String,
}

impl Entry {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.name.id
    }

    /// A dump in another's directory, by its path; `None`: that is no dump's name.
    pub fn told(path: &Path, size: u64) -> Option<Self> {
        let file = path.file_name()?.to_str()?.to_owned();
        Some(Self { name: Name::parse(&file)?, path: path.to_owned(), size, used: size, file })
    }

    /// A dump file from anywhere, with what it says of itself and whether its end is there. One that is not called as
    /// ours are has no id.
    pub fn of_file(path: &Path, mut file: File) -> Result<(Self, Dump, bool)> {
        let doing = || format!("read {}", path.display());
        let about = file.metadata().with_context(doing)?;
        let dump = read::header(&mut file).with_context(doing)?;
        let whole = file_has_end(&file, about.len()).unwrap_or(false);
        let called = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = Name::parse(&called).unwrap_or_else(|| Name::of_file(&dump));
        let (size, used) = (about.len(), about.blocks() * 512);
        Ok((Self { name, path: path.to_owned(), size, used, file: called }, dump, whole))
    }

    /// An object in a store elsewhere, by its URL and what it says of itself; `None`: neither tells that it is a dump.
    pub fn elsewhere(url: &Path, size: u64, dump: Option<&Dump>) -> Option<Self> {
        let file = url.file_name()?.to_str()?.to_owned();
        let by_file = Name::parse(&file).or_else(|| Name::of_object(&file));
        let name = match (by_file, dump) {
            (Some(name), Some(dump)) => Name { owner: Name::of_file(dump).owner, ..name },
            (Some(name), None) => name,
            (None, dump) => Name::of_file(dump?),
        };
        Some(Self { name, path: url.to_owned(), size, used: size, file })
    }

    /// An entry of nothing.
    #[cfg(test)]
    pub(super) fn pretended(name: Name, used: u64) -> Self {
        Self { file: name.file(), path: name.file().into(), name, size: used, used }
    }

    /// Its file's name.
    pub(super) fn file(&self) -> &str {
        &self.file
    }
}

impl Store {
    /// The directory for writing: it is made if it is not there, must belong to us alone, and what a killed writer
    /// left behind is removed. An empty one of our own is closed to others first.
    pub fn open(path: &Path) -> Result<Self> {
        let doing = || format!("store dumps in {}", path.display());
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error).with_context(doing),
            _ => {}
        }
        let found = fs::symlink_metadata(path).with_context(doing)?;
        if found.is_symlink() {
            bail!("{}: it is a symbolic link: name the directory that it leads to", doing());
        }
        let store = Self::open_directory(path, OFlag::O_NOFOLLOW).with_context(doing)?;
        let about = fs::metadata(store.own_path()).with_context(doing)?;
        ensure!(
            about.uid() == geteuid().as_raw(),
            "{}: it belongs to user {}, not to us: `chown {} {}`",
            doing(),
            about.uid(),
            geteuid(),
            path.display()
        );
        let mode = about.mode() & 0o7777;
        if mode & 0o077 != 0 && !directory::close(path, &store.directory, Mode::S_IRWXU).with_context(doing)? {
            bail!("{}: others may enter it (mode {mode:04o}): `chmod 0700 {}`", doing(), path.display());
        }
        store.clean();
        Ok(store)
    }

    /// What is stored from now on is encrypted for these; `None`: it is not.
    pub fn seal_for(&self, recipients: Option<Recipients>) {
        *self.sealed_for.lock().unwrap_or_else(PoisonError::into_inner) = recipients;
    }

    /// For whom it is.
    pub fn sealed_for(&self) -> Option<Recipients> {
        self.sealed_for.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A directory that is there, for reading and for removing dumps, whosever it is.
    pub fn existing(path: &Path) -> Result<Self> {
        Self::open_directory(path, OFlag::empty()).with_context(|| format!("look for dumps in {}", path.display()))
    }

    fn open_directory(path: &Path, flags: OFlag) -> io::Result<Self> {
        let flags = flags | OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let directory = nix::fcntl::open(path, flags, Mode::empty())?;
        Ok(Self { path: path.to_owned(), directory, boot: Mutex::default(), sealed_for: Mutex::default() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All dumps, oldest first. What has not a dump's name, or is no file, is none.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for file in self.names()? {
            let Some(name) = Name::parse(&file) else { continue };
            match nix::sys::stat::fstatat(&self.directory, file.as_str(), nix::fcntl::AtFlags::AT_SYMLINK_NOFOLLOW) {
                Ok(about) if about.st_mode & libc::S_IFMT == libc::S_IFREG => {
                    let number = |value: i64| u64::try_from(value).unwrap_or(0);
                    let (size, used) = (number(about.st_size), number(about.st_blocks) * 512);
                    entries.push(Entry { name, path: self.path.join(&file), size, used, file });
                }
                // Removed meanwhile, or something else.
                _ => {}
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Which boot that is, counted by those that the directory holds dumps of.
    pub(super) fn boot(&self, id: &str) -> u32 {
        let mut known = self.boot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, boot)) = known.as_ref().filter(|(known, _)| known == id) {
            return *boot;
        }
        let entries = self.entries().unwrap_or_default();
        let last = entries.last().map_or(0, |entry| entry.name.boot);
        let of_last = entries.iter().rev().take_while(|entry| entry.name.boot == last);
        let is_last = last > 0
            && of_last.filter_map(|entry| self.header(entry).ok()).next().is_some_and(|(dump, _)| dump.boot_id == id);
        let boot = if is_last { last } else { last.saturating_add(1) };
        *known = Some((id.to_owned(), boot));
        boot
    }

    /// Opens a dump.
    pub fn file(&self, entry: &Entry) -> Result<File> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let doing = || format!("read {}", entry.path.display());
        let file = File::from(openat(&self.directory, entry.file(), flags, Mode::empty()).with_context(doing)?);
        ensure!(file.metadata().with_context(doing)?.is_file(), "{}: it is not a file", doing());
        Ok(file)
    }

    /// What a dump says of itself, and whether its end is there.
    pub fn header(&self, entry: &Entry) -> Result<(Dump, bool)> {
        let mut file = self.file(entry)?;
        let dump = read::header(&mut file).with_context(|| format!("read {}", entry.path.display()))?;
        Ok((dump, file_has_end(&file, entry.size).unwrap_or(false)))
    }

    /// Removes a dump; `false`: somebody else has removed it already.
    pub fn remove(&self, entry: &Entry) -> Result<bool> {
        match unlinkat(&self.directory, entry.file(), UnlinkatFlags::NoRemoveDir) {
            Ok(()) => Ok(true),
            Err(Errno::ENOENT) => Ok(false),
            Err(errno) => Err(self.trouble(&errno.into())).with_context(|| format!("remove {}", entry.path.display())),
        }
    }

    /// Makes what was removed and named survive a power failure.
    pub fn sync(&self) -> Result<()> {
        nix::unistd::fsync(&self.directory)
            .map_err(|errno| self.trouble(&errno.into()))
            .with_context(|| format!("sync {}", self.path.display()))
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// What an error here means, and what to do about it.
    pub(super) fn trouble(&self, error: &io::Error) -> Trouble {
        Trouble::new(error, self)
    }

    /// The directory itself, wherever its path leads by now.
    fn own_path(&self) -> PathBuf {
        use std::os::fd::AsRawFd;
        format!("/proc/self/fd/{}", self.directory.as_raw_fd()).into()
    }

    fn names(&self) -> Result<Vec<String>> {
        let doing = || format!("list {}", self.path.display());
        let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let mut listing = Dir::openat(&self.directory, ".", flags, Mode::empty()).with_context(doing)?;
        let mut names = Vec::new();
        for entry in listing.iter() {
            // Names of ours are ASCII.
            if let Ok(name) = entry.with_context(doing)?.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    /// Removes what killed writers left. A living one holds a lock on its file.
    fn clean(&self) {
        for name in self.names().unwrap_or_default().iter().filter(|name| name.starts_with(UNFINISHED)) {
            let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
            let Ok(file) = openat(&self.directory, name.as_str(), flags, Mode::empty()) else { continue };
            if let Ok(_lock) = Flock::lock(File::from(file), FlockArg::LockExclusiveNonblock) {
                match unlinkat(&self.directory, name.as_str(), UnlinkatFlags::NoRemoveDir) {
                    Ok(()) => tracing::info!(name, "removed what a killed writer left"),
                    Err(error) => tracing::warn!(name, %error, "a killed writer's file stays"),
                }
            }
        }
    }
}

impl AsFd for Store {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd()
    }
}

/// Whether a file of this length ends as a whole dump does.
fn file_has_end(file: &File, size: u64) -> io::Result<bool> {
    let mut tail = [0; format::END_MOST];
    let length = usize::try_from(size).unwrap_or(usize::MAX).min(tail.len());
    file.read_exact_at(&mut tail[..length], size - length as u64)?;
    Ok(has_end(&tail[..length]))
}

/// The same of a file's last bytes.
pub fn has_end(tail: &[u8]) -> bool {
    let tail = &tail[tail.len().saturating_sub(format::END_MOST)..];
    (0..tail.len()).any(|from| format::is_end(&tail[from..]))
}
