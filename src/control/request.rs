//! What the server asks of whoever owns the recorder, over a channel: the server itself knows neither.

use std::{fmt, io, time::Duration};

use tokio::sync::{mpsc, oneshot};

use super::{
    messages::{Add, AddTrigger, Fire, GivenUp, Saved, Status, Track, Trigger},
    peer::Peer,
};
use crate::model::{Reading, Stuck};

/// A question with the place for its answer.
pub type Reply<T> = oneshot::Sender<Result<T, Problem>>;

/// A request to the owner of the recorder.
#[derive(Debug)]
pub enum Request {
    /// How the daemon is.
    Status(Reply<Status>),
    /// The tracks that TARGET means; all without one.
    Tracks(Option<String>, Reply<Vec<Track>>),
    /// One track.
    Track(u64, Reply<Track>),
    /// The histories that were given up last, and why.
    GivenUp(Reply<Vec<GivenUp>>),
    /// Record a cgroup.
    Add(Add, Peer, Reply<Track>),
    /// Record it no longer, and forget what was recorded.
    Close(u64, Peer, Reply<()>),
    /// The rules that make dumps.
    Triggers(Reply<Vec<Trigger>>),
    /// One more, from now on.
    AddTrigger(AddTrigger, Peer, Reply<Trigger>),
    /// One less, by its number.
    RemoveTrigger(u64, Peer, Reply<()>),
    /// One dump of several things, stored.
    Fire(Fire, Peer, Reply<Saved>),
    /// Calls in flight that have lasted long.
    Stuck(StuckWanted, Peer, Reply<Vec<Stuck>>),
    /// A dump file of what is held of something.
    Dump(Which, Peer, Reply<Vec<u8>>),
    /// The same, stored.
    Save(u64, Peer, Reply<Saved>),
    /// Stored dumps, a JSON object a line; those that come from now on, too, if that is asked for.
    Stored(WhichDumps, Peer, Reply<mpsc::Receiver<Vec<u8>>>),
    /// The file of a stored dump, with its length.
    StoredFile(String, Peer, Reply<(u64, mpsc::Receiver<io::Result<Vec<u8>>>)>),
    /// News of something from now on, as frames. The queue is short: who reads slowly misses some, and is told.
    Follow(FollowWanted, Peer, Reply<mpsc::Receiver<Vec<u8>>>),
    /// Calls counted from now on, as long as the readings are taken.
    Count(CountWanted, Reply<mpsc::Receiver<Reading>>),
    /// Figures in Prometheus' text.
    Metrics(Reply<String>),
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The track of this number.
    Track(u64),
    /// All that a target means, together.
    Target(String),
}

/// What is to be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowWanted {
    /// Whose calls.
    pub which: Which,
    /// Calls that lasted fewer nanoseconds are left out.
    pub slower: u64,
    /// Nothing needs to be recorded yet that is called so.
    pub wait: bool,
}

/// Which stored dumps are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhichDumps {
    /// Those that came after the one of this id.
    pub after: Option<String>,
    /// What `list` takes as MATCH.
    pub matches: Vec<String>,
    /// Only so many, the newest.
    pub last: Option<usize>,
    /// Whether those that come are told, too, until the client goes.
    pub follow: bool,
}

/// Which calls in flight are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StuckWanted {
    /// Whose; `None`: all that is recorded.
    pub target: Option<String>,
    /// Those that have lasted at least so long.
    pub longer: Duration,
}

/// What is to be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountWanted {
    /// Whose calls; `None`: all.
    pub target: Option<String>,
    /// The time between two readings.
    pub every: Duration,
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whose fault it is.
    pub kind: Kind,
    /// A sentence.
    pub sentence: String,
}

/// Whose fault a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request makes no sense.
    Wrong,
    /// The client may not.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The path is right, the method is not.
    Method,
    /// It clashes with what is there.
    Conflict,
    /// The request is too large.
    TooLarge,
    /// The client was too slow.
    Slow,
    /// The daemon failed.
    Failed,
    /// The daemon is busy; the same request may succeed later.
    Busy,
}

impl Problem {
    /// A problem of a kind, in a sentence.
    pub fn new(kind: Kind, sentence: impl Into<String>) -> Self {
        Self { kind, sentence: sentence.into() }
    }

    /// No track has that number.
    pub fn no_track(id: u64) -> Self {
        Self::new(Kind::NotFound, format!("no recording has the number {id}: `traceloop ps` lists them"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Problem {}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        error.downcast().unwrap_or_else(|error| Self::new(Kind::Failed, format!("{error:#}")))
    }
}
