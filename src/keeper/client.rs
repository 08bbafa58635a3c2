//! The daemon's end.

use std::{
    collections::BTreeMap,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::Path,
};

use anyhow::{Context, Result, bail};
use nix::{
    errno::Errno,
    sys::{
        socket::{
            AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, setsockopt, socket,
            sockopt::{PeerCredentials, ReceiveTimeout, SendTimeout},
        },
        time::{TimeVal, TimeValLike},
    },
};
use serde::{Serialize, de::DeserializeOwned};

use super::message::{Message, receive, send};

/// A keeper that answers.
#[derive(Debug)]
pub struct Keeper {
    socket: OwnedFd,
}

/// What a keeper held.
#[derive(Debug, Default)]
pub struct Held {
    /// Descriptors by name; of a ring with its size.
    pub fds: BTreeMap<String, (OwnedFd, Option<usize>)>,
    notes: BTreeMap<String, String>,
}

impl Held {
    /// A note.
    pub fn note<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let text = self.notes.get(name);
        text.map(|text| serde_json::from_str(text).with_context(|| format!("understand the note {name}"))).transpose()
    }

    /// All notes whose names begin so, by the rest of their names.
    pub fn notes<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<(String, T)>> {
        let fitting = self.notes.iter().filter_map(|(name, text)| Some((name.strip_prefix(prefix)?, text)));
        fitting
            .map(|(name, text)| {
                let note = serde_json::from_str(text).with_context(|| format!("understand the note {prefix}{name}"))?;
                Ok((name.to_owned(), note))
            })
            .collect()
    }
}

/// The process of the keeper at that socket; `None`: there is none, or none of this pid namespace.
pub fn pid(path: &Path) -> Option<u32> {
    let keeper = Keeper::connect(path).ok()??;
    let peer = getsockopt(&keeper.socket, PeerCredentials).ok()?;
    u32::try_from(peer.pid()).ok().filter(|pid| *pid > 0)
}

impl Keeper {
    /// The keeper at that socket; `None`: there is none.
    pub fn connect(path: &Path) -> Result<Option<Self>> {
        let doing = || format!("talk to the keeper at {}", path.display());
        let address = UnixAddr::new(path).with_context(doing)?;
        let socket =
            socket(AddressFamily::Unix, SockType::SeqPacket, SockFlag::SOCK_CLOEXEC, None).with_context(doing)?;
        // A keeper that does not answer must not stop the daemon for long.
        let patience = TimeVal::seconds(5);
        setsockopt(&socket, SendTimeout, &patience).with_context(doing)?;
        setsockopt(&socket, ReceiveTimeout, &patience).with_context(doing)?;
        match connect(socket.as_raw_fd(), &address) {
            Ok(()) => Ok(Some(Self { socket })),
            Err(Errno::ENOENT | Errno::ECONNREFUSED) => Ok(None),
            Err(error) => Err(error).with_context(doing),
        }
    }

    fn say(&self, message: &Message, with: Option<BorrowedFd<'_>>) -> Result<()> {
        send(self.socket.as_fd(), message, with).context("tell the keeper")
    }

    /// Has it hold a descriptor; a ring's with the size of its data.
    pub fn hold(&self, name: &str, fd: BorrowedFd<'_>, ring: Option<usize>) -> Result<()> {
        self.say(&Message::Hold { name: name.to_owned(), ring }, Some(fd))
    }

    /// Has it let go one.
    pub fn let_go(&self, name: &str) -> Result<()> {
        self.say(&Message::LetGo { name: name.to_owned() }, None)
    }

    /// Has it keep a note.
    pub fn note(&self, name: &str, note: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(note).with_context(|| format!("write the note {name}"))?;
        self.say(&Message::Note { name: name.to_owned(), text }, None)
    }

    /// Has it throw a note away.
    pub fn forget(&self, name: &str) -> Result<()> {
        self.say(&Message::Forget { name: name.to_owned() }, None)
    }

    /// All that it holds.
    pub fn fetch(&self) -> Result<Held> {
        self.say(&Message::Fetch, None)?;
        let mut held = Held::default();
        loop {
            match receive(self.socket.as_fd()).context("hear from the keeper")? {
                Some((Message::Hold { name, ring }, Some(fd))) => drop(held.fds.insert(name, (fd, ring))),
                Some((Message::Note { name, text }, _)) => drop(held.notes.insert(name, text)),
                Some((Message::Done, _)) => return Ok(held),
                Some(_) => bail!("the keeper says what nobody asked"),
                None => bail!("the keeper has gone amid its answer"),
            }
        }
    }

    /// Has it let go everything.
    pub fn clear(&self) -> Result<()> {
        self.say(&Message::Clear, None)
    }

    /// The recording is over, and so is the keeper.
    pub fn end(&self) -> Result<()> {
        self.say(&Message::End, None)
    }
}
