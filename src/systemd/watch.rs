//! The units that fail, of all service managers that are listened to: one stream, for as long as somebody reads
//! it. The system's manager is heard over the bus, or over its own socket where there is no bus; users' managers
//! over theirs, as their buses let nobody but their user in. A connection that ends is made again.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time,
};
use tracing::{debug, info, warn};
use zbus::connection;

use super::{
    bus::listen,
    failures::{Failures, UnitFailed},
    private,
};

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(60);
/// A user's manager is asked before it can answer: its cgroup comes first.
const FIRST_PAUSE_OF_USER: Duration = Duration::from_millis(50);
/// After so many attempts in a row it is given up, until the user has a new unit.
const ATTEMPTS: u32 = 10;
/// For a connection and the greeting.
const GREETING: Duration = Duration::from_secs(10);
/// Failures that wait to be taken.
const WAITING: usize = 1024;
/// Users whose managers are listened to at once.
const USERS: usize = 1024;

/// Where the system's manager listens itself.
const SYSTEM: &str = "/run/systemd/private";
/// No message of a user's manager is larger: a list of thousands of units.
const LARGEST: usize = 1 << 20;

/// The service managers that are listened to.
#[derive(Clone, Debug)]
pub struct Managers {
    tell: Sender<UnitFailed>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Users with a task that listens, or tries to.
    followed: BTreeSet<u32>,
    /// Managers that answer; `None`: the system's.
    heard: BTreeSet<Option<u32>>,
    /// Users of whom it was said that their managers are not heard.
    said: BTreeSet<u32>,
}

/// Watches units fail, those of the system's manager at first. To be called on a tokio runtime; ends when the
/// receiver is dropped.
///
/// Without systemd it says so once, goes on trying, and the stream stays silent.
pub fn watch() -> (Managers, Receiver<UnitFailed>) {
    let (tell, told) = mpsc::channel(WAITING);
    let managers = Managers { tell, state: Arc::default() };
    tokio::spawn(managers.clone().follow_system());
    (managers, told)
}

impl Managers {
    /// Whether failures of this user's units, or of the system's, are told.
    pub fn hears(&self, user: Option<u32>) -> bool {
        self.state().heard.contains(&user)
    }

    /// Listens to a user's manager as well, if that is not done already.
    pub fn watch_user(&self, user: u32) {
        let mut state = self.state();
        if state.followed.len() < USERS && state.followed.insert(user) {
            tokio::spawn(self.clone().follow_user(user));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn follow_system(self) {
        let mut failures = Failures::default();
        let mut said = false;
        let mut pause = FIRST_PAUSE;
        while !self.tell.is_closed() {
            let bus = connection::Builder::system();
            let (mut stood, mut error) = self.hear(bus, None, &mut failures).await;
            if !stood && let Ok(own) = greet(Path::new(SYSTEM), usize::MAX).await {
                (stood, error) = self.hear(own, None, &mut failures).await;
            }
            if stood {
                (said, pause) = (false, FIRST_PAUSE);
            } else if !said {
                warn!(%error, "systemd is not heard over D-Bus; exits seen in the kernel make dumps meanwhile");
                said = true;
            }
            self.wait(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    async fn follow_user(self, user: u32) {
        let socket = PathBuf::from(format!("/run/user/{user}/systemd/private"));
        let mut failures = Failures::default();
        let mut attempts = 0;
        while attempts < ATTEMPTS && !self.tell.is_closed() {
            let (stood, error) = match greet(&socket, LARGEST).await {
                Ok(manager) => self.hear(manager, Some(user), &mut failures).await,
                Err(error) => (false, error),
            };
            debug!(user, %error, "a user's service manager is not heard");
            if stood {
                attempts = 0;
            } else if attempts + 1 == ATTEMPTS && socket.exists() && self.state().said.insert(user) {
                warn!(user, %error, "the user's service manager is not heard; exits seen in the kernel make dumps");
            }
            self.wait(FIRST_PAUSE_OF_USER * 2_u32.pow(attempts)).await;
            attempts += 1;
        }
        self.state().followed.remove(&user);
    }

    /// Listens until it ends: whether it stood, and why it ended.
    async fn hear(
        &self,
        manager: connection::Builder<'_>,
        user: Option<u32>,
        failures: &mut Failures,
    ) -> (bool, zbus::Error) {
        let connected = || {
            self.state().heard.insert(user);
            match user {
                Some(user) => info!(user, "the user's units that fail are told by their service manager"),
                None => info!("units that fail are told by systemd"),
            }
        };
        let ended = tokio::select! {
            ended = listen(manager, user, failures, &self.tell, connected) => ended,
            () = self.tell.closed() => Err(zbus::Error::InvalidReply),
        };
        let Err(error) = ended;
        (self.state().heard.remove(&user), error)
    }

    async fn wait(&self, pause: Duration) {
        tokio::select! {
            () = time::sleep(pause) => {}
            () = self.tell.closed() => {}
        }
    }
}

/// The manager behind its own socket.
async fn greet(socket: &Path, largest: usize) -> zbus::Result<connection::Builder<'static>> {
    let late = |_| zbus::Error::Handshake("the service manager does not answer".to_owned());
    time::timeout(GREETING, private::connect(socket, largest)).await.map_err(late)?
}
