//! The daemon's line to its keeper.
//!
//! Promise: whoever says here what is to be held waits for nobody. What there is no room for at once is sent by a thread
//! of its own, which sees also when the keeper is gone, looks for another one or starts it, and tells that everything.
//! All that is held is held here, too: a recording that was taken over needs its links, and a keeper that is lost must
//! not end it.

use std::{
    mem,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::{
    fcntl::OFlag,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    unistd::{pipe2, read, write},
};
use serde::Serialize;

use super::{
    Held, Keeper,
    descriptors::most_descriptors,
    ledger::Ledger,
    message::{Message, offer, packet, receive, send},
    start::{Own, ensure},
};

/// Where the keeper is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its socket.
    pub socket: PathBuf,
    /// Whether one is started where none listens; otherwise somebody else starts it.
    pub start: bool,
}

/// Between two looks for another keeper: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));
/// A keeper that was there for so long is no reason to pause longer than at first.
const LASTED: Duration = Duration::from_secs(60);
/// One that takes nothing for so long does not answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// What has yet to be sent when the line ends is sent within this.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What the thread and its owner have in common.
#[derive(Debug)]
struct Shared {
    place: Place,
    /// The note that is told last.
    last: &'static str,
    state: Mutex<State>,
    /// A byte for the thread: something has changed.
    wake: OwnedFd,
    stopping: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    ledger: Ledger,
    /// Whom it is told; `None`: there is none now.
    socket: Option<Arc<OwnedFd>>,
    /// One that this process has started.
    own: Option<Own>,
    /// Whether it is to outlive this process.
    settled: bool,
    /// Since when something waits for it to take it.
    waits: Option<Instant>,
    /// The keeper is not the one that was there in the beginning.
    is_another: bool,
    /// There were too few descriptors to have it hold everything.
    partly: bool,
    /// Below this number, descriptors of rings stay open here: others need some, too.
    kept: u64,
}

/// The line to the keeper of a recording.
#[derive(Debug)]
pub struct Line {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Line {
    /// Finds the keeper, or starts one, and takes over what it holds. `last` is the note that is told after all else, so
    /// that who holds it holds the rest. One that does not answer is waited for behind the scenes.
    pub fn open(place: Place, last: &'static str) -> Result<(Self, Held)> {
        let mut state = State { kept: most_descriptors() / 2, ..State::default() };
        if place.start {
            match ensure(&place.socket) {
                Ok(own) => state.own = own,
                Err(error) => tracing::warn!(error = %format!("{error:#}"), "there is no keeper"),
            }
        }
        let mut held = Held::default();
        match Keeper::connect(&place.socket)? {
            None => tracing::warn!("there is no keeper: until there is one, history ends with this process"),
            Some(keeper) => match keeper.fetch() {
                Ok(fetched) => {
                    held = fetched;
                    state.socket = Some(Arc::new(keeper.into_socket()));
                }
                Err(error) => {
                    tracing::warn!(error = %format!("{error:#}"), "the keeper does not answer: what it holds is left");
                }
            },
        }
        let (wakes, wake) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).context("make a pipe to the keeper's line")?;
        let stopping = AtomicBool::new(false);
        let shared = Arc::new(Shared { place, last, state: Mutex::new(state), wake, stopping });
        let with = shared.clone();
        let run = move || Thread { shared: with, wakes, pause: PAUSES.0 }.run();
        let thread = thread::Builder::new().name("keeper's line".to_owned()).spawn(run);
        Ok((Self { shared, thread: Some(thread.context("start the keeper's line")?) }, held))
    }

    /// Whoever stands in for this process ends, and has ended on return.
    pub fn relieve(&self, held: &Held) -> Result<()> {
        let socket = self.shared.lock().socket.clone();
        let Some(socket) = socket.filter(|_| held.stands_in) else { return Ok(()) };
        send(socket.as_fd(), &Message::Relieve, None)?;
        match receive(socket.as_fd())? {
            Some((Message::Done, _)) => Ok(()),
            _ => bail!("it says what nobody asked, or nothing"),
        }
    }

    /// What it holds is gone on with.
    pub fn go_on(&self, held: Held) {
        let mut state = self.shared.lock();
        state.ledger.is_held(held.fds, held.notes);
        if state.is_another {
            state.partly = !state.ledger.tell_again(self.shared.last);
            self.shared.wake_up();
        }
    }

    /// Has it hold a descriptor; a ring's with the size of its data.
    pub fn hold(&self, name: &str, fd: OwnedFd, ring: Option<usize>) {
        self.shared.say(|ledger| ledger.hold(name, fd, ring));
    }

    /// Has it keep a note in place of the one of that name.
    pub fn note(&self, name: &str, note: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(note).with_context(|| format!("write the note {name}"))?;
        self.shared.say(|ledger| ledger.note(name, text));
        Ok(())
    }

    /// Has it let go what bears that name.
    pub fn let_go(&self, name: &str) {
        self.shared.say(|ledger| ledger.drop(name));
    }

    /// Has it let go everything.
    pub fn clear(&self) {
        self.shared.say(Ledger::clear);
    }

    /// Whether a keeper is there, takes what it is told, and holds the whole.
    pub fn is_up(&self) -> bool {
        let state = self.shared.lock();
        let answers = state.waits.is_none_or(|since| since.elapsed() < PATIENCE);
        state.socket.is_some() && answers && !state.partly
    }

    /// The recording runs: a keeper that was started for it is to outlive this process.
    pub fn settle(&self) {
        self.shared.lock().settled = true;
    }

    /// The recording is over, and so is the keeper.
    pub fn end(&self) {
        self.shared.lock().settled = false;
        self.shared.say(Ledger::end);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Relaxed);
        self.shared.wake_up();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let State { own, settled, .. } = mem::take(&mut *self.shared.lock());
        if let Some(own) = own.filter(|_| !settled) {
            own.end();
        }
    }
}

impl Shared {
    /// A lock that nobody has for longer than a message takes.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_up(&self) {
        let _ = write(&self.wake, &[0]);
    }

    /// Sends it at once, if nothing else is waiting and there is room.
    fn say(&self, what: impl FnOnce(&mut Ledger)) {
        let mut state = self.lock();
        let nothing_waited = state.ledger.is_empty();
        what(&mut state.ledger);
        if !nothing_waited || state.socket.is_none() {
            return;
        }
        // An error is the thread's to see.
        while state.send().is_ok_and(|sent| sent) {}
        if !state.ledger.is_empty() {
            state.waits.get_or_insert_with(Instant::now);
            self.wake_up();
        }
    }
}

impl State {
    /// Sends the next message; false: there is no room for it, or there is none.
    fn send(&mut self) -> Result<bool> {
        let (Some(socket), Some((message, fd))) = (&self.socket, self.ledger.next()) else { return Ok(false) };
        let kept = fd.is_none_or(|fd| u64::try_from(fd.as_raw_fd()).is_ok_and(|number| number < self.kept));
        match packet(&message) {
            Ok(packet) if !offer(socket.as_fd(), &packet, fd)? => return Ok(false),
            Ok(_) => {}
            Err(error) => tracing::warn!(error = %format!("{error:#}"), "the keeper cannot be told something"),
        }
        self.ledger.sent(kept);
        if self.ledger.is_empty() {
            self.waits = None;
        }
        Ok(true)
    }
}

/// What the line does beside its owner.
struct Thread {
    shared: Arc<Shared>,
    wakes: OwnedFd,
    /// Before the next look for a keeper.
    pause: Duration,
}

impl Thread {
    fn run(mut self) {
        while !self.is_stopping() {
            let socket = self.shared.lock().socket.clone();
            match socket {
                Some(socket) => self.attend(&socket),
                None => self.find(),
            }
        }
        self.say_the_rest();
    }

    fn is_stopping(&self) -> bool {
        self.shared.stopping.load(Relaxed)
    }

    /// Sends what waits as there is room, until the keeper is gone.
    fn attend(&mut self, socket: &OwnedFd) {
        let since = Instant::now();
        let why = loop {
            let waits = !self.shared.lock().ledger.is_empty();
            // That it is gone is told unasked.
            let wanted = if waits { PollFlags::POLLOUT } else { PollFlags::empty() };
            let ready = self.wait(Some((socket, wanted)), PollTimeout::NONE);
            if self.is_stopping() {
                return;
            }
            if ready.intersects(PollFlags::POLLHUP | PollFlags::POLLERR) {
                break "it has ended".to_owned();
            }
            if ready.contains(PollFlags::POLLOUT)
                && let Err(error) = self.send()
            {
                break format!("{error:#}");
            }
        };
        {
            let mut state = self.shared.lock();
            state.socket = None;
            state.own.iter_mut().for_each(Own::bury);
        }
        tracing::warn!(why, "the keeper is lost: the recording goes on, and another keeper is to hold it");
        if since.elapsed() >= LASTED {
            self.pause = PAUSES.0;
        } else {
            self.rest();
        }
    }

    /// Sends what there is room for; others may say something in between.
    fn send(&self) -> Result<()> {
        while self.shared.lock().send()? {}
        Ok(())
    }

    /// Looks for a keeper, and has it hold everything.
    fn find(&mut self) {
        let found = self.look();
        if let Err(error) = &found {
            tracing::debug!(error = %format!("{error:#}"), "there is no keeper yet");
        }
        let Ok(Some((socket, own))) = found else { return self.rest() };
        let mut state = self.shared.lock();
        state.socket = Some(Arc::new(socket));
        state.own = own.or(state.own.take());
        (state.is_another, state.waits) = (true, Some(Instant::now()));
        state.partly = !state.ledger.tell_again(self.shared.last);
        if !state.partly {
            tracing::info!("a keeper is there again, and holds the recording");
        } else {
            tracing::warn!(
                "a keeper is there again, and holds nothing: there are too few descriptors to give it all rings anew; \
                 raise their limit (LimitNOFILE=, ulimit -n) and restart the daemon"
            );
        }
    }

    fn look(&self) -> Result<Option<(OwnedFd, Option<Own>)>> {
        let Place { socket, start } = &self.shared.place;
        let own = if *start { ensure(socket)? } else { None };
        Ok(Keeper::connect(socket)?.map(|keeper| (keeper.into_socket(), own)))
    }

    /// Pauses, each time for longer.
    fn rest(&mut self) {
        let _ = self.wait(None, PollTimeout::try_from(self.pause).unwrap_or(PollTimeout::MAX));
        self.pause = (2 * self.pause).min(PAUSES.1);
    }

    /// Waits until something has come of the socket, or of the line's owner.
    fn wait(&self, socket: Option<(&OwnedFd, PollFlags)>, most: PollTimeout) -> PollFlags {
        let mut fds = vec![PollFd::new(self.wakes.as_fd(), PollFlags::POLLIN)];
        fds.extend(socket.map(|(socket, wanted)| PollFd::new(socket.as_fd(), wanted)));
        let _ = poll(&mut fds, most);
        let ready = fds.get(1).and_then(PollFd::revents).unwrap_or(PollFlags::empty());
        let _ = read(&self.wakes, &mut [0; 64]);
        ready
    }

    /// The line ends; whoever takes the recording over relies on what the keeper was told.
    fn say_the_rest(&self) {
        let until = Instant::now() + LAST_WORDS;
        loop {
            let socket = self.shared.lock().socket.clone();
            let Some(socket) = socket else { return };
            let left = until.saturating_duration_since(Instant::now());
            if self.send().is_err() || self.shared.lock().ledger.is_empty() || left.is_zero() {
                return;
            }
            let most = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            if self.wait(Some((&socket, PollFlags::POLLOUT)), most).is_empty() {
                return;
            }
        }
    }
}
