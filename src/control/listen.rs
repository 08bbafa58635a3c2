//! The socket: made once, for one daemon, and served with limits.

use std::{
    collections::HashMap,
    fs::{self, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::{
        fs::{OpenOptionsExt, PermissionsExt},
        net,
    },
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use nix::fcntl::{Flock, FlockArg};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::UnixListener,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{sleep, timeout},
};

use super::{
    patience::Patient,
    peer::{self, Peer},
    place::trusted,
    request::Request,
    routes,
};

/// Connections at once; the next one is told to come back.
const CONNECTIONS: usize = 256;
/// The same of clients who are given only what is theirs, and of each of them: they take no place of the others'.
const OF_USERS: usize = 64;
const OF_EACH: usize = 8;
/// None of these lasts longer: who takes his answer slowly keeps others of them waiting.
const OF_USERS_WITHIN: Duration = Duration::from_secs(60);
/// For a request's head, idle connections included.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// A client that takes nothing of its answer for so long is dropped.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
const HEAD_MOST: usize = 16 << 10;

const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
    connection: close\r\ncontent-length: 52\r\n\r\n{\"error\":\"too many connections: come back in a bit\"}";

/// The socket of the one daemon that serves it.
#[derive(Debug)]
pub struct Socket {
    listener: net::UnixListener,
    path: PathBuf,
    /// Made by us, not by systemd: it goes when we go.
    ours: bool,
    /// Held as long as the daemon lives.
    _lock: Flock<fs::File>,
}

impl Socket {
    /// Makes the socket, or takes the one that systemd made. A second daemon is an error.
    pub fn open(path: &Path, given: Option<net::UnixListener>) -> Result<Self> {
        let doing = || format!("make the socket {}", path.display());
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).with_context(doing)?;
            trusted(directory).with_context(doing)?;
        }
        let lock = lock(path)?;
        let ours = given.is_none();
        let listener = match given {
            Some(listener) => listener,
            None => {
                remove(path).with_context(doing)?;
                let listener = net::UnixListener::bind(path).with_context(doing)?;
                fs::set_permissions(path, Permissions::from_mode(0o666)).with_context(doing)?;
                listener
            }
        };
        listener.set_nonblocking(true).with_context(doing)?;
        Ok(Self { listener, path: path.to_owned(), ours, _lock: lock })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.ours {
            let _ = remove(&self.path);
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// One daemon a socket. The lock's file stays: removing it would let two in.
fn lock(socket: &Path) -> Result<Flock<fs::File>> {
    let mut path = socket.as_os_str().to_owned();
    path.push(".lock");
    let path = Path::new(&path);
    let doing = || format!("lock {}", path.display());
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_CLOEXEC | libc::O_NOFOLLOW)
        .open(path)
        .with_context(doing)?;
    let mut holder = String::new();
    let _ = (&mut file).take(20).read_to_string(&mut holder);
    // One that was killed has yet to give its memory back.
    let until = Instant::now() + Duration::from_secs(2);
    let locked = loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Err((same, nix::errno::Errno::EWOULDBLOCK)) if Instant::now() < until => file = same,
            locked => break locked,
        }
        thread::sleep(Duration::from_millis(10));
    };
    match locked {
        Ok(mut lock) => {
            lock.set_len(0).with_context(doing)?;
            io::Seek::rewind(&mut *lock).with_context(doing)?;
            write!(lock, "{}", std::process::id()).with_context(doing)?;
            Ok(lock)
        }
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => bail!(
            "another traceloop daemon (pid {}) serves {} already: stop it first (systemctl stop traceloop), \
             or give the new one its own `socket` in its configuration",
            holder.trim(),
            socket.display()
        ),
        Err((_, error)) => Err(error).with_context(doing),
    }
}

/// Serves the socket for ever.
pub async fn serve(socket: Socket, requests: mpsc::Sender<Request>) -> Result<()> {
    let listener =
        UnixListener::from_std(socket.listener.try_clone().context("serve the socket")?).context("serve the socket")?;
    let group = peer::group();
    let (owner, refused) = (routes::Owner::new(requests), routes::refused());
    let (places, mut of_users) = (Places::new(CONNECTIONS), OfUsers::new());
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // The table of descriptors is full, or the client is gone again: neither ends the daemon.
                tracing::warn!(%error, "a client could not be let in");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let peer = Peer::of(&stream, group);
        let place = match &peer {
            Some(Peer { only: None, .. }) => places.take().map(|place| Place::Any { _among: place }),
            Some(Peer { uid, .. }) => of_users.take(*uid),
            None => of_users.take(u32::MAX),
        };
        let Some(place) = place else {
            let _ = stream.try_write(BUSY);
            continue;
        };
        let router = match peer {
            Some(peer) if peer.only.is_none() => routes::all(owner.asked_by(peer)),
            Some(peer) => routes::of_a_user(owner.asked_by(peer), place.turn()),
            None => refused.clone(),
        };
        tokio::spawn(async move {
            match place {
                Place::Any { .. } => connection(stream, router).await,
                Place::Users { .. } => {
                    let _ = timeout(OF_USERS_WITHIN, connection(stream, router)).await;
                }
            }
            drop(place);
        });
    }
}

/// Serves one connection of a client that may ask for everything.
pub async fn answer<S>(stream: S, requests: mpsc::Sender<Request>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    connection(stream, routes::all(routes::Owner::new(requests))).await;
}

/// How many connections there may be.
#[derive(Debug)]
pub(super) struct Places(Arc<Semaphore>);

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count)))
    }

    /// One of them, if one is free; it is free again when it is dropped.
    pub(super) fn take(&self) -> Option<OwnedSemaphorePermit> {
        self.0.clone().try_acquire_owned().ok()
    }
}

/// A connection's place; it is free again when it is dropped.
#[derive(Debug)]
enum Place {
    /// Of one who may ask for everything.
    Any { _among: OwnedSemaphorePermit },
    /// Of a user, among all of them and among his.
    Users { _among: [OwnedSemaphorePermit; 2], turn: Arc<Semaphore> },
}

impl Place {
    /// Who has it is served in his place's turn, one request after another.
    fn turn(&self) -> Arc<Semaphore> {
        match self {
            Self::Users { turn, .. } => turn.clone(),
            Self::Any { .. } => Arc::new(Semaphore::new(1)),
        }
    }
}

/// The places of users.
#[derive(Debug)]
struct OfUsers {
    all: Places,
    /// Each one's, and his turn.
    each: HashMap<u32, (Places, Arc<Semaphore>)>,
}

impl OfUsers {
    fn new() -> Self {
        Self { all: Places::new(OF_USERS), each: HashMap::new() }
    }

    /// One of that user's.
    fn take(&mut self, uid: u32) -> Option<Place> {
        // Who has none in use is forgotten.
        self.each.retain(|_, (places, _)| places.0.available_permits() < OF_EACH);
        let new = || (Places::new(OF_EACH), Arc::new(Semaphore::new(1)));
        let (own, turn) = self.each.entry(uid).or_insert_with(new);
        Some(Place::Users { _among: [own.take()?, self.all.take()?], turn: turn.clone() })
    }
}

/// Serves a connection until it ends, stalls or makes no sense.
pub(super) async fn connection<S>(stream: S, router: axum::Router)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(Patient::new(stream, TAKEN_WITHIN));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_MOST)
        .serve_connection(io, TowerToHyperService::new(router))
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a client was dropped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_daemon_is_told_of_the_first() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.sock");
        let first = Socket::open(&path, None).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666, "everybody may ask for his own");
        let error = Socket::open(&path, None).unwrap_err().to_string();
        assert!(error.contains(&format!("pid {}", std::process::id())), "{error}");
        drop(first);
        assert!(!path.exists());
        Socket::open(&path, None).unwrap();
    }

    #[test]
    fn one_users_connections_leave_room_for_another_ones() {
        let mut places = OfUsers::new();
        let taken: Vec<_> = (0..OF_EACH + 1).filter_map(|_| places.take(1000)).collect();
        assert_eq!(taken.len(), OF_EACH);
        assert!(places.take(1001).is_some());
        drop(taken);
        let many: Vec<_> = (0..1000).filter_map(|uid| places.take(uid)).collect();
        assert_eq!(many.len(), OF_USERS);
        drop(many);
        assert!(places.take(7).is_some() && places.each.len() == 1);
    }

    #[test]
    fn the_busy_answer_is_as_long_as_it_says() {
        let text = std::str::from_utf8(BUSY).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
    }
}
