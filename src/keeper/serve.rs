//! The keeper's process.

use std::{
    collections::BTreeMap,
    fs, io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::fs::{FileTypeExt, PermissionsExt},
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{
        AddressFamily, Backlog, SockFlag, SockType, UnixAddr, accept4, bind, connect, getsockopt, listen, socket,
        sockopt::PeerCredentials,
    },
};

use super::{
    Held,
    descriptors::most_descriptors,
    message::{Message, STANDS_IN, receive, send},
};
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

impl Holdings {
    /// The same, for whoever is to do something with it.
    fn held(&self) -> Result<Held> {
        let of = |(name, (fd, ring)): (&String, &(OwnedFd, Option<Ring>))| {
            let fd = fd.try_clone().with_context(|| format!("hold {name} twice"))?;
            Ok((name.clone(), (fd, ring.as_ref().map(Ring::size))))
        };
        let fds = self.fds.iter().map(of).collect::<Result<_>>()?;
        Ok(Held { fds, notes: self.notes.clone(), stands_in: false })
    }
}

/// Holds what it is given until it is told to end, or nobody has been there for long. `ready` is called
/// once daemons can come, `away` when one has gone: what it gives, if that is of use, stands in for a daemon until it is
/// dropped.
pub fn serve<S>(settings: &Settings, ready: impl FnOnce(), away: impl Fn(&Held) -> Result<Option<S>>) -> Result<()> {
    most_descriptors();
    let listener = open(&settings.socket)?;
    ready();
    let mut holdings = Holdings::default();
    let mut stands_in = None;
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
        match attend(&client, &mut holdings, &mut stands_in) {
            Ok(true) if !settings.stay => break,
            Ok(_) => tracing::info!("the daemon is gone; its recording is held"),
            Err(error) => tracing::warn!(error = %format!("{error:#}"), "the daemon is gone amid a message"),
        }
        alone_since = Instant::now();
        if stands_in.is_none() {
            stands_in = holdings.held().and_then(|held| away(&held)).unwrap_or_else(|error| {
                tracing::warn!(error = %format!("{error:#}"), "until a daemon is there only what rings hold is kept");
                None
            });
        }
    }
    let _ = fs::remove_file(&settings.socket);
    Ok(())
}

fn open(path: &Path) -> Result<OwnedFd> {
    let doing = || format!("listen on {}", path.display());
    let address = UnixAddr::new(path).with_context(doing)?;
    let new = |how| socket(AddressFamily::Unix, SockType::SeqPacket, how | SockFlag::SOCK_CLOEXEC, None);
    clear(path, &address, &new(SockFlag::SOCK_NONBLOCK).with_context(doing)?)?;
    let listener = new(SockFlag::empty()).with_context(doing)?;
    bind(listener.as_raw_fd(), &address).with_context(doing)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).with_context(doing)?;
    listen(&listener, Backlog::new(8).with_context(doing)?).with_context(doing)?;
    Ok(listener)
}

/// Removes a socket on which nobody listens any more. Whatever else is there belongs to somebody.
fn clear(path: &Path, address: &UnixAddr, probe: &OwnedFd) -> Result<()> {
    let (shown, remedy) = (path.display(), "choose another path with --socket");
    match connect(probe.as_raw_fd(), address) {
        Ok(()) | Err(Errno::EAGAIN) => bail!("a keeper listens on {shown} already"),
        Err(Errno::EPROTOTYPE) => bail!("{shown} is the socket of something that is no keeper: {remedy}"),
        Err(Errno::ENOENT) => return Ok(()),
        Err(Errno::ECONNREFUSED) => {}
        Err(error) => return Err(error).with_context(|| format!("look whether something listens on {shown}")),
    }
    let doing = || format!("make room for the socket {shown}");
    match fs::symlink_metadata(path) {
        Ok(file) if !file.file_type().is_socket() => bail!("{shown} is there already and is no socket: {remedy}"),
        Ok(_) => fs::remove_file(path).with_context(doing),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(doing),
    }
}

fn readable(fd: &OwnedFd, wait: PollTimeout) -> Result<bool> {
    match poll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)], wait) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(error) => Err(error).context("wait for a daemon"),
    }
}

fn is_root(client: &OwnedFd) -> bool {
    getsockopt(client, PeerCredentials).is_ok_and(|peer| peer.uid() == nix::unistd::geteuid().as_raw())
}

/// Does as a daemon says until it goes; true: for good. Whoever stands in for it ends when it relieves him.
fn attend<S>(client: &OwnedFd, holdings: &mut Holdings, stands_in: &mut Option<S>) -> Result<bool> {
    while let Some((message, fd)) = receive(client.as_fd())? {
        // Who only looks at what is held relieves nobody.
        if !matches!(message, Message::Fetch | Message::Done) {
            drop(stands_in.take());
        }
        match message {
            Message::Hold { name, ring } => {
                let fd = fd.with_context(|| format!("{name} came without its descriptor"))?;
                let ring = ring.map(|size| Ring::of_event(&fd, 0, size)).transpose()?;
                holdings.fds.insert(name, (fd, ring));
            }
            Message::LetGo { name } => drop(holdings.fds.remove(&name)),
            Message::Note { name, text } => drop(holdings.notes.insert(name, text)),
            Message::Forget { name } => drop(holdings.notes.remove(&name)),
            Message::Fetch => tell(client, holdings, stands_in.is_some())?,
            Message::Relieve => send(client.as_fd(), &Message::Done, None)?,
            Message::Clear => *holdings = Holdings::default(),
            Message::End => return Ok(true),
            Message::Done => {}
        }
    }
    Ok(false)
}

fn tell(client: &OwnedFd, holdings: &Holdings, stands_in: bool) -> Result<()> {
    for (name, (fd, ring)) in &holdings.fds {
        let ring = ring.as_ref().map(Ring::size);
        send(client.as_fd(), &Message::Hold { name: name.clone(), ring }, Some(fd.as_fd()))?;
    }
    for (name, text) in &holdings.notes {
        send(client.as_fd(), &Message::Note { name: name.clone(), text: text.clone() }, None)?;
    }
    // A daemon that does not know of it ends it by what it says next.
    if stands_in {
        let (name, text) = (STANDS_IN.to_owned(), String::new());
        send(client.as_fd(), &Message::Note { name, text }, None)?;
    }
    send(client.as_fd(), &Message::Done, None)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    /// What a keeper says that is to listen there.
    fn refusal(socket: &Path) -> String {
        let settings = Settings { socket: socket.to_owned(), idle: Duration::from_secs(1), stay: false };
        let refused = serve(&settings, || panic!("it listens on {}", settings.socket.display()), |_| Ok(None::<()>));
        format!("{:#}", refused.expect_err("it is somebody else's"))
    }

    #[test]
    fn what_is_somebody_elses_is_not_taken() {
        let place = tempfile::tempdir().expect("a directory");
        let (daemons, text) = (place.path().join("sock"), place.path().join("text"));
        let listener = UnixListener::bind(&daemons).expect("listen");
        assert!(refusal(&daemons).contains("something that is no keeper"), "{}", refusal(&daemons));
        UnixStream::connect(&daemons).expect("it is where it was");
        fs::write(&text, "mine").expect("write a file");
        assert!(refusal(&text).contains("is no socket"), "{}", refusal(&text));
        assert_eq!(fs::read_to_string(&text).expect("read it"), "mine");
        // Of one that has died only the name is left.
        drop(listener);
        let settings = Settings { socket: daemons, idle: Duration::ZERO, stay: false };
        let mut listens = false;
        serve(&settings, || listens = true, |_| Ok(None::<()>)).expect("keep");
        assert!(listens, "where nobody listens any more");
    }
}
