//! The client's end: one connection a question, errors that say what to do.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1,
    header,
};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::{net::UnixStream, time::timeout};

use super::{
    frame::Frames,
    messages::{ANSWER_WITHIN, Add, AddTrigger, Fire, GivenUp, News, Refusal, Saved, Status, Track, Trigger},
};
use crate::{
    model::{Reading, Stuck},
    profile::Rule,
};

/// Talks to the daemon.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// A client of the daemon at this socket; nothing is connected yet.
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// How the daemon is.
    pub async fn status(&self) -> Result<Status> {
        self.json(Method::GET, "/v1", Vec::new()).await
    }

    /// The tracks that TARGET means; all without one.
    pub async fn tracks(&self, target: Option<&str>) -> Result<Vec<Track>> {
        let query = target.map(|target| format!("?target={}", escaped(target))).unwrap_or_default();
        self.json(Method::GET, &format!("/v1/tracks{query}"), Vec::new()).await
    }

    /// The histories that were given up last, and why.
    pub async fn given_up(&self) -> Result<Vec<GivenUp>> {
        self.json(Method::GET, "/v1/given-up", Vec::new()).await
    }

    /// Has a cgroup recorded, or one that is recorded by other settings.
    pub async fn add(&self, target: &str, settings: Option<Rule>) -> Result<Track> {
        let body = serde_json::to_vec(&Add { target: target.to_owned(), settings })?;
        self.json(Method::POST, "/v1/tracks", body).await
    }

    /// Has a track recorded no longer.
    pub async fn close(&self, id: u64) -> Result<()> {
        self.ask(Method::DELETE, &format!("/v1/tracks/{id}"), Vec::new()).await.map(drop)
    }

    /// A dump file of what is held of all that TARGET means.
    pub async fn dump(&self, target: &str) -> Result<Vec<u8>> {
        let path = format!("/v1/dump?target={}", escaped(target));
        let answer = self.ask(Method::GET, &path, Vec::new()).await?;
        Ok(answer.into_body().collect().await.context("read the dump from the daemon")?.to_bytes().into())
    }

    /// Calls in flight of what TARGET means, or of all, that have lasted at least so long; the longest first.
    pub async fn stuck(&self, target: Option<&str>, longer: Duration) -> Result<Vec<Stuck>> {
        let target = target.map(|target| format!("&target={}", escaped(target))).unwrap_or_default();
        let path = format!("/v1/stuck?longer={}{target}", longer.as_secs_f64());
        self.json(Method::GET, &path, Vec::new()).await
    }

    /// Has a dump stored.
    pub async fn save(&self, id: u64) -> Result<Saved> {
        self.json(Method::POST, &format!("/v1/tracks/{id}/dumps"), Vec::new()).await
    }

    /// The rules that make dumps.
    pub async fn triggers(&self) -> Result<Vec<Trigger>> {
        self.json(Method::GET, "/v1/triggers", Vec::new()).await
    }

    /// Adds one.
    pub async fn add_trigger(&self, add: &AddTrigger) -> Result<Trigger> {
        self.json(Method::POST, "/v1/triggers", serde_json::to_vec(add)?).await
    }

    /// Removes one that was added.
    pub async fn remove_trigger(&self, id: u64) -> Result<()> {
        self.ask(Method::DELETE, &format!("/v1/triggers/{id}"), Vec::new()).await.map(drop)
    }

    /// Has one dump of several things stored.
    pub async fn fire(&self, targets: &[String]) -> Result<Saved> {
        let fire = Fire { targets: targets.to_vec() };
        self.json(Method::POST, "/v1/dumps", serde_json::to_vec(&fire)?).await
    }

    /// What the daemon tells of its stored dumps, of which these words are said: a line of JSON each, the oldest first.
    pub async fn stored(&self, words: &str) -> Result<Vec<u8>> {
        let query = if words.is_empty() { String::new() } else { format!("?match={}", escaped(words)) };
        let answer = self.ask(Method::GET, &format!("/v1/dumps{query}"), Vec::new()).await?;
        Ok(answer.into_body().collect().await.context("read the daemon's list")?.to_bytes().into())
    }

    /// A stored dump's file.
    pub async fn stored_file(&self, id: &str) -> Result<Pieces> {
        let answer = self.ask(Method::GET, &format!("/v1/dumps/{}", escaped(id)), Vec::new()).await?;
        Ok(Pieces { body: answer.into_body() })
    }

    /// News of all that TARGET means from now on, without calls that lasted less than so long; `wait`: it need not mean
    /// anything yet.
    pub async fn follow(&self, target: &str, slower: Duration, wait: bool) -> Result<Following> {
        let slower = u64::try_from(slower.as_nanos()).unwrap_or(u64::MAX);
        // A daemon that does not know it yet is not asked.
        let wait = if wait { "&wait=true" } else { "" };
        let path = format!("/v1/follow?target={}&slower={slower}{wait}", escaped(target));
        let answer = self.ask(Method::GET, &path, Vec::new()).await?;
        Ok(Following { body: answer.into_body(), frames: Frames::default() })
    }

    /// Calls counted from now on, of what TARGET means or of all, with a reading every so often.
    pub async fn counts(&self, target: Option<&str>, every: Duration) -> Result<Counting> {
        let target = target.map(|target| format!("&target={}", escaped(target))).unwrap_or_default();
        let path = format!("/v1/counts?every={}{target}", every.as_secs_f64());
        Ok(Counting { body: self.ask(Method::GET, &path, Vec::new()).await?.into_body(), bytes: Vec::new() })
    }

    /// Whether a daemon may be there: a socket that nobody listens at is none.
    pub async fn is_there(&self) -> bool {
        let none = [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused];
        !UnixStream::connect(&self.socket).await.is_err_and(|error| none.contains(&error.kind()))
    }

    async fn json<T: DeserializeOwned>(&self, method: Method, path: &str, body: Vec<u8>) -> Result<T> {
        let answer = self.ask(method, path, body).await?;
        let bytes = answer.into_body().collect().await.context("read the daemon's answer")?.to_bytes();
        serde_json::from_slice(&bytes).context("understand the daemon's answer: is it of another version?")
    }

    /// Asks, and hands on what is not an error.
    async fn ask(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Response<Incoming>> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|error| self.unreachable(error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.context("talk to the daemon")?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .context("write a request")?;
        // The server answers within the same time, if only to say that it is busy.
        let answer = timeout(ANSWER_WITHIN * 2, sender.send_request(request))
            .await
            .map_err(|_| anyhow!("the daemon at {} does not answer: journalctl -u traceloop", self.socket.display()))?
            .context("ask the daemon")?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let bytes = answer.into_body().collect().await.context("read the daemon's answer")?.to_bytes();
        match serde_json::from_slice::<Refusal>(&bytes) {
            Ok(refusal) => Err(Refused { status: status.as_u16(), sentence: refusal.error }.into()),
            Err(_) => bail!("the daemon answers {status}"),
        }
    }

    fn unreachable(&self, error: io::Error) -> anyhow::Error {
        let socket = self.socket.display();
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => anyhow!(
                "no daemon answers at {socket}: is traceloop.service running? (systemctl start traceloop, or \
                 traceloop serve; --socket PATH if it is elsewhere)"
            ),
            io::ErrorKind::PermissionDenied => anyhow!(
                "{socket} is for root and members of the group {}: adduser USER {1}, and log in again",
                super::peer::GROUP,
                super::peer::GROUP
            ),
            _ => anyhow::Error::new(error).context(format!("connect to {socket}")),
        }
    }
}

/// What the daemon said instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    status: u16,
    sentence: String,
}

impl Refused {
    /// Whether it knows nothing of that name.
    pub fn is_unknown(&self) -> bool {
        self.status == 404
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Refused {}

/// A stream of news of tracks.
#[derive(Debug)]
pub struct Following {
    body: Incoming,
    frames: Frames,
}

impl Following {
    /// The next news with its blocks of records; `None` when the daemon ends the stream.
    pub async fn next(&mut self) -> Result<Option<(News, Vec<Vec<u8>>)>> {
        loop {
            if let Some(frame) = self.frames.take()? {
                return Ok(Some(frame));
            }
            let Some(piece) = self.body.frame().await else { return Ok(None) };
            if let Ok(bytes) = piece.context("read from the daemon")?.into_data() {
                self.frames.feed(&bytes);
            }
        }
    }
}

/// A file that comes in pieces.
#[derive(Debug)]
pub struct Pieces {
    body: Incoming,
}

impl Pieces {
    /// The next of them; `None`: that was all.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        while let Some(piece) = self.body.frame().await {
            if let Ok(bytes) = piece.context("read from the daemon")?.into_data() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }
}

/// A stream of readings of what is counted.
#[derive(Debug)]
pub struct Counting {
    body: Incoming,
    bytes: Vec<u8>,
}

/// No reading is longer, bytes.
const READING_MOST: usize = 64 << 20;

impl Counting {
    /// The next reading; `None` when the daemon ends the stream.
    pub async fn next(&mut self) -> Result<Option<Reading>> {
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.bytes.drain(..=end).collect();
                return serde_json::from_slice(&line).map(Some).context("understand the daemon's reading");
            }
            ensure!(self.bytes.len() < READING_MOST, "the daemon's answer is no stream of readings");
            let Some(piece) = self.body.frame().await else { return Ok(None) };
            if let Ok(bytes) = piece.context("read from the daemon")?.into_data() {
                self.bytes.extend_from_slice(&bytes);
            }
        }
    }
}

/// Percent-encoded, for a query.
fn escaped(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}
