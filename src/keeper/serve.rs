//! The keeper's process.

use std::{
    collections::BTreeMap,
    fs, io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::PermissionsExt,
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        resource::{Resource, getrlimit, setrlimit},
        socket::{
            AddressFamily, Backlog, SockFlag, SockType, UnixAddr, accept4, bind, connect, getsockopt, listen, socket,
            sockopt::PeerCredentials,
        },
    },
};

use super::message::{Message, receive, send};
use crate::ring::Ring;

/// How a keeper lives.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its socket.
    pub socket: PathBuf,
    /// It ends when no daemon has been there for so long.
    pub idle: Duration,
    /// It does not end with the recording: whoever starts the daemon may be about to start another one.
    pub stay: bool,
}

/// What it holds.
#[derive(Debug, Default)]
struct Holdings {
    fds: BTreeMap<String, (OwnedFd, Option<Ring>)>,
    notes: BTreeMap<String, String>,
}

/// Holds what it is given until it is told to end, or nobody has been there for long. `ready` is called
/// once daemons can come.
pub fn serve(settings: &Settings, ready: impl FnOnce()) -> Result<()> {
    raise_descriptors();
    let listener = open(&settings.socket)?;
    ready();
    let mut holdings = Holdings::default();
    let mut alone_since = Instant::now();
    loop {
        let left = settings.idle.saturating_sub(alone_since.elapsed());
        if left.is_zero() {
            tracing::info!("no daemon has come back: the recording ends");
            break;
        }
        let wait = PollTimeout::try_from(left.min(Duration::from_secs(3600))).unwrap_or(PollTimeout::MAX);
        if !readable(&listener, wait)? {
            continue;
        }
        let Ok(client) = accept4(&listener, SockFlag::SOCK_CLOEXEC) else { continue };
        if !is_root(&client) {
            continue;
        }
        match attend(&client, &mut holdings) {
            Ok(true) if !settings.stay => break,
            Ok(_) => tracing::info!("the daemon is gone; its recording is held"),
            Err(error) => tracing::warn!(error = %format!("{error:#}"), "the daemon is gone amid a message"),
        }
        alone_since = Instant::now();
    }
    let _ = fs::remove_file(&settings.socket);
    Ok(())
}

fn open(path: &Path) -> Result<OwnedFd> {
    let doing = || format!("listen on {}", path.display());
    let address = UnixAddr::new(path).with_context(doing)?;
    let new = || socket(AddressFamily::Unix, SockType::SeqPacket, SockFlag::SOCK_CLOEXEC, None).with_context(doing);
    let probe = new()?;
    if connect(std::os::fd::AsRawFd::as_raw_fd(&probe), &address).is_ok() {
        bail!("a keeper listens on {} already", path.display());
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(doing),
        _ => {}
    }
    let listener = new()?;
    bind(std::os::fd::AsRawFd::as_raw_fd(&listener), &address).with_context(doing)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).with_context(doing)?;
    listen(&listener, Backlog::new(8).with_context(doing)?).with_context(doing)?;
    Ok(listener)
}

fn readable(fd: &OwnedFd, wait: PollTimeout) -> Result<bool> {
    match poll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)], wait) {
        Ok(ready) => Ok(ready > 0),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(error) => Err(error).context("wait for a daemon"),
    }
}

fn is_root(client: &OwnedFd) -> bool {
    getsockopt(client, PeerCredentials).is_ok_and(|peer| peer.uid() == nix::unistd::geteuid().as_raw())
}

/// Does as a daemon says until it goes; true: for good.
fn attend(client: &OwnedFd, holdings: &mut Holdings) -> Result<bool> {
    while let Some((message, fd)) = receive(client.as_fd())? {
        match message {
            Message::Hold { name, ring } => {
                let fd = fd.with_context(|| format!("{name} came without its descriptor"))?;
                let ring = ring.map(|size| Ring::of_event(&fd, 0, size)).transpose()?;
                holdings.fds.insert(name, (fd, ring));
            }
            Message::LetGo { name } => drop(holdings.fds.remove(&name)),
            Message::Note { name, text } => drop(holdings.notes.insert(name, text)),
            Message::Forget { name } => drop(holdings.notes.remove(&name)),
            Message::Fetch => tell(client, holdings)?,
            Message::Clear => *holdings = Holdings::default(),
            Message::End => return Ok(true),
            Message::Done => {}
        }
    }
    Ok(false)
}

fn tell(client: &OwnedFd, holdings: &Holdings) -> Result<()> {
    for (name, (fd, ring)) in &holdings.fds {
        let ring = ring.as_ref().map(Ring::size);
        send(client.as_fd(), &Message::Hold { name: name.clone(), ring }, Some(fd.as_fd()))?;
    }
    for (name, text) in &holdings.notes {
        send(client.as_fd(), &Message::Note { name: name.clone(), text: text.clone() }, None)?;
    }
    send(client.as_fd(), &Message::Done, None)
}

/// A descriptor a ring: as many as the system allows.
fn raise_descriptors() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}
