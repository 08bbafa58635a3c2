//! Storing a dump so that it is there whole or not at all, whenever the writer is killed or the power fails.
//!
//! The file has no name while it is written (O_TMPFILE): a killed writer leaves nothing. Its data is on
//! the disk (fdatasync) before it gets its name (linkat), and the name is on the disk (fsync of the
//! directory) before anybody is told of it. Where the file system knows no nameless files, a hidden name
//! and a lock on the file stand for it; `Store::open` removes those that nobody holds.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    os::fd::AsRawFd,
    path::PathBuf,
};

use anyhow::{Context, Error, Result, bail};
use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, AtFlags, Flock, FlockArg, OFlag, openat, renameat},
    sys::stat::{Mode, fchmod, fstat},
    unistd::{UnlinkatFlags, fdatasync, linkat, unlinkat},
};

use super::{
    directory::{Store, UNFINISHED},
    name::Name,
    read::identify,
    trouble::Trouble,
    write::write_parts,
};
use crate::model::Recording;

/// Mode of a stored dump.
const MODE: Mode = Mode::from_bits_truncate(0o640);

/// A dump that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its id.
    pub id: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its length, bytes.
    pub size: u64,
}

impl Store {
    /// Stores a dump. On return it survives whatever happens; on an error nothing of it is there.
    pub fn save(&self, recording: &Recording) -> Result<Saved> {
        match self.save_nameless(recording) {
            Err(error) if error.downcast_ref().is_some_and(Trouble::is_unknown_flag) => self.save_hidden(recording),
            result => result,
        }
        .with_context(|| format!("store a dump in {}", self.path().display()))
    }

    fn save_nameless(&self, recording: &Recording) -> Result<Saved> {
        let flags = OFlag::O_TMPFILE | OFlag::O_WRONLY | OFlag::O_CLOEXEC;
        let file = openat(self.fd(), ".", flags, MODE).map_err(|errno| self.trouble(&errno.into()))?;
        let mut file = File::from(file);
        let (name, size) = self.write_into(&mut file, recording)?;
        let nameless = format!("/proc/self/fd/{}", file.as_raw_fd());
        linkat(AT_FDCWD, nameless.as_str(), self.fd(), name.file().as_str(), AtFlags::AT_SYMLINK_FOLLOW)
            .map_err(|errno| self.trouble(&errno.into()))
            .context("give the dump its name")?;
        self.saved(&name, size)
    }

    /// For file systems without O_TMPFILE.
    pub(super) fn save_hidden(&self, recording: &Recording) -> Result<Saved> {
        let mut hidden = Hidden::make(self)?;
        let (name, size) = self.write_into(&mut hidden.file, recording)?;
        renameat(self.fd(), hidden.name.as_str(), self.fd(), name.file().as_str())
            .map_err(|errno| self.trouble(&errno.into()))
            .context("give the dump its name")?;
        hidden.named = true;
        self.saved(&name, size)
    }

    /// Writes the whole dump, down to the disk.
    fn write_into(&self, file: &mut File, recording: &Recording) -> Result<(Name, u64)> {
        let mut dump = recording.dump.clone();
        identify(&mut dump);
        let name = Name::new(&dump, self.boot(&dump.boot_id))?;
        dump.id = Some(name.id.clone());
        let told = |error: Error| match error.downcast::<io::Error>() {
            Ok(error) => self.trouble(&error).into(),
            Err(error) => error,
        };
        let out = BufWriter::with_capacity(1 << 17, &mut *file);
        match self.sealed_for() {
            None => write_parts(out, &dump, &recording.blocks),
            Some(recipients) => recipients.seal(out).and_then(|mut sealed| {
                write_parts(&mut sealed, &dump, &recording.blocks)?;
                sealed.finish()?.flush()?;
                Ok(())
            }),
        }
        .map_err(told)?;
        // The umask may have taken something away.
        fchmod(&mut *file, MODE).map_err(|errno| self.trouble(&errno.into())).context("set the dump's mode")?;
        fdatasync(&mut *file).map_err(|errno| self.trouble(&errno.into())).context("bring the dump to the disk")?;
        Ok((name, file.metadata().context("measure the dump")?.len()))
    }

    fn saved(&self, name: &Name, size: u64) -> Result<Saved> {
        if let Err(error) = self.sync() {
            // It must not be there if we say that it is not.
            let _ = unlinkat(self.fd(), name.file().as_str(), UnlinkatFlags::NoRemoveDir);
            return Err(error);
        }
        Ok(Saved { id: name.id.clone(), path: self.path().join(name.file()), size })
    }
}

/// A file under a hidden name, which goes with it unless the file got a better one.
struct Hidden<'a> {
    store: &'a Store,
    name: String,
    file: Flock<File>,
    named: bool,
}

impl<'a> Hidden<'a> {
    fn make(store: &'a Store) -> Result<Self> {
        for n in 0..1000 {
            let name = format!("{UNFINISHED}{}-{n}", std::process::id());
            let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let file = match openat(store.fd(), name.as_str(), flags, MODE) {
                Ok(file) => File::from(file),
                Err(Errno::EEXIST) => continue,
                Err(errno) => return Err(store.trouble(&errno.into()).into()),
            };
            let Ok(file) = Flock::lock(file, FlockArg::LockExclusiveNonblock) else { continue };
            // Between its birth and its lock somebody may have taken it for a leftover.
            if fstat(&*file).is_ok_and(|about| about.st_nlink > 0) {
                return Ok(Self { store, name, file, named: false });
            }
        }
        bail!("no name is free for a new file")
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        if !self.named {
            let _ = unlinkat(self.store.fd(), self.name.as_str(), UnlinkatFlags::NoRemoveDir);
        }
    }
}

#[cfg(test)]
#[path = "save_tests.rs"]
mod tests;
