//! The daemon's end.

use std::{
    collections::BTreeMap,
    os::fd::{AsFd, AsRawFd, OwnedFd},
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
use serde::de::DeserializeOwned;

use super::message::{Message, STANDS_IN, receive, send};

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
    pub(super) notes: BTreeMap<String, String>,
    /// Somebody stands in for the daemon until that is relieved.
    pub(super) stands_in: bool,
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

    /// Its process; `None`: it is of another pid namespace.
    pub fn pid(&self) -> Option<u32> {
        let peer = getsockopt(&self.socket, PeerCredentials).ok()?;
        u32::try_from(peer.pid()).ok().filter(|pid| *pid > 0)
    }

    /// All that it holds.
    pub fn fetch(&self) -> Result<Held> {
        send(self.socket.as_fd(), &Message::Fetch, None).context("ask the keeper")?;
        let mut held = Held::default();
        loop {
            match receive(self.socket.as_fd()).context("hear from the keeper")? {
                Some((Message::Hold { name, ring }, Some(fd))) => drop(held.fds.insert(name, (fd, ring))),
                Some((Message::Note { name, text }, _)) => drop(held.notes.insert(name, text)),
                Some((Message::Done, _)) => {
                    held.stands_in = held.notes.remove(STANDS_IN).is_some();
                    return Ok(held);
                }
                Some(_) => bail!("the keeper says what nobody asked"),
                None => bail!("the keeper has gone amid its answer"),
            }
        }
    }

    pub(super) fn into_socket(self) -> OwnedFd {
        self.socket
    }

    /// The recording is over, and so is the keeper.
    pub fn end(&self) -> Result<()> {
        send(self.socket.as_fd(), &Message::End, None).context("end the keeper")
    }
}
