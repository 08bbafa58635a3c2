//! Entries for the journal, in its native protocol: one datagram, or a sealed memory file where the
//! entry is too large for one.

use std::{
    fs::File,
    io::{self, IoSlice, Write},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::net::UnixDatagram,
    },
    path::{Path, PathBuf},
};

use nix::{
    fcntl::{FcntlArg, SealFlag, fcntl},
    sys::{
        memfd::{MFdFlags, memfd_create},
        socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg},
    },
};

const SOCKET: &str = "/run/systemd/journal/socket";

/// An entry that is being put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    bytes: Vec<u8>,
}

impl Entry {
    /// Adds a field. Its name is capital letters, digits and `_`, as the journal wants it.
    pub fn field(&mut self, name: &str, value: impl AsRef<[u8]>) -> &mut Self {
        let value = value.as_ref();
        self.bytes.extend_from_slice(name.as_bytes());
        // A value of one line may stand behind `=`; this form holds any value, forged fields included.
        self.bytes.push(b'\n');
        self.bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.push(b'\n');
        self
    }

    /// The entry as the journal reads it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The way to the journal.
#[derive(Debug)]
pub struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Journal {
    /// The machine's journal; that there is one is seen when something is sent.
    pub fn new() -> io::Result<Self> {
        Self::at(Path::new(SOCKET))
    }

    fn at(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        // A journal that does not read costs an entry, not the daemon's time.
        socket.set_nonblocking(true)?;
        Ok(Self { socket, path: path.to_owned() })
    }

    /// Sends an entry.
    pub fn send(&self, entry: &Entry) -> io::Result<()> {
        match self.socket.send_to(entry.bytes(), &self.path) {
            Ok(_) => Ok(()),
            Err(error) if error.raw_os_error() == Some(libc::EMSGSIZE) => self.send_large(entry),
            Err(error) => Err(error),
        }
    }

    fn send_large(&self, entry: &Entry) -> io::Result<()> {
        let memory = memfd_create(c"traceloop-journal", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        let mut file = File::from(memory);
        file.write_all(entry.bytes())?;
        let memory = OwnedFd::from(file);
        let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SEAL;
        fcntl(&memory, FcntlArg::F_ADD_SEALS(seals))?;
        let descriptors = [memory.as_raw_fd()];
        let address = UnixAddr::new(&self.path)?;
        sendmsg(
            self.socket.as_raw_fd(),
            &[IoSlice::new(&[])],
            &[ControlMessage::ScmRights(&descriptors)],
            MsgFlags::empty(),
            Some(&address),
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::FromRawFd;

    use nix::sys::socket::{ControlMessageOwned, recvmsg};

    use super::*;

    #[test]
    fn a_value_cannot_forge_a_field() {
        let mut entry = Entry::default();
        entry.field("MESSAGE", "a\n_UID=0").field("N", "1");
        assert_eq!(entry.bytes(), b"MESSAGE\n\x08\0\0\0\0\0\0\0a\n_UID=0\nN\n\x01\0\0\0\0\0\0\x001\n");
    }

    #[test]
    fn small_entries_are_datagrams_and_large_ones_sealed_memory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let server = UnixDatagram::bind(&path).unwrap();
        let journal = Journal::at(&path).unwrap();

        let mut small = Entry::default();
        small.field("MESSAGE", "hello");
        journal.send(&small).unwrap();
        let mut got = [0; 100];
        let length = server.recv(&mut got).unwrap();
        assert_eq!(&got[..length], small.bytes());

        let mut large = Entry::default();
        large.field("MESSAGE", vec![b'x'; 4 << 20]);
        journal.send(&large).unwrap();
        let mut space = nix::cmsg_space!(std::os::fd::RawFd);
        let message = recvmsg::<UnixAddr>(server.as_raw_fd(), &mut [], Some(&mut space), MsgFlags::empty()).unwrap();
        let Some(ControlMessageOwned::ScmRights(descriptors)) = message.cmsgs().unwrap().next() else {
            panic!("no descriptor came")
        };
        // SAFETY: the descriptor came with the message and is nobody else's.
        let memory = unsafe { OwnedFd::from_raw_fd(descriptors[0]) };
        let length = nix::sys::stat::fstat(&memory).unwrap().st_size;
        assert_eq!(usize::try_from(length).unwrap(), large.bytes().len());
        assert!(fcntl(&memory, FcntlArg::F_GET_SEALS).unwrap() & libc::F_SEAL_WRITE != 0);
    }

    #[test]
    fn no_journal_is_an_error_not_a_wait() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::at(&directory.path().join("nobody")).unwrap();
        assert!(journal.send(&Entry::default()).is_err());
    }
}
