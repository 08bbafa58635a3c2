//! The daemon's socket: the list of its dumps, news of those that come, and their files.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1,
    header,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::UnixStream, time::timeout};

use crate::dump::Dump;

/// The daemon answers within this time, if only to say that it is busy, and a file that comes does not stop for longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// No line of its list is longer, bytes.
const LINE_MOST: usize = 16 << 20;

/// The daemon.
#[derive(Clone, Debug)]
pub(crate) struct Daemon {
    socket: PathBuf,
}

/// Lines as they come.
#[derive(Debug)]
pub(crate) struct Lines {
    body: Incoming,
    bytes: Vec<u8>,
}

/// A dump's file as it comes.
#[derive(Debug)]
pub(crate) struct File {
    body: Incoming,
    left: u64,
}

impl Daemon {
    pub(crate) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// Its version.
    pub(crate) async fn version(&self) -> Result<String> {
        let answer = self.ask("/v1").await?.context("it does not say how it is")?;
        let bytes = timeout(PATIENCE, answer.into_body().collect()).await.context("it does not answer")??.to_bytes();
        let status: Value = serde_json::from_slice(&bytes).context("understand the daemon's answer")?;
        Ok(status["version"].as_str().unwrap_or("?").to_owned())
    }

    /// The dumps that are stored, oldest first.
    pub(crate) async fn stored(&self) -> Result<Lines> {
        self.lines("/v1/dumps").await
    }

    /// Those that come from now on.
    pub(crate) async fn news(&self) -> Result<Lines> {
        self.lines("/v1/dumps/stream?last=0").await
    }

    /// What it says of one; `None`: it does not have it any more.
    pub(crate) async fn describe(&self, id: &str) -> Result<Option<Dump>> {
        let mut lines = self.lines(&format!("/v1/dumps?match={id}")).await?;
        while let Some(line) = lines.next(Some(PATIENCE)).await? {
            match Dump::parse(&line) {
                Ok(dump) if dump.id == id => return Ok(Some(dump)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// A dump's file; `None`: it does not have it any more.
    pub(crate) async fn file(&self, id: &str) -> Result<Option<File>> {
        let Some(answer) = self.ask(&format!("/v1/dumps/{id}")).await? else { return Ok(None) };
        let length = answer.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let left = length.context("the daemon does not say how long the dump is")?;
        Ok(Some(File { body: answer.into_body(), left }))
    }

    async fn lines(&self, path: &str) -> Result<Lines> {
        let Some(answer) = self.ask(path).await? else {
            bail!(
                "the daemon at {} is an older one, which does not list its dumps to clients: update traceloop",
                self.socket.display()
            );
        };
        Ok(Lines { body: answer.into_body(), bytes: Vec::new() })
    }

    /// Asks; `None`: it knows nothing there.
    async fn ask(&self, path: &str) -> Result<Option<Response<Incoming>>> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|error| self.unreachable(error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.context("talk to the daemon")?;
        tokio::spawn(connection);
        let request = Request::get(path).header(header::HOST, "localhost").body(Empty::<Bytes>::new());
        let answer = timeout(PATIENCE, sender.send_request(request.context("write a request")?))
            .await
            .map_err(|_| anyhow!("the daemon at {} does not answer: journalctl -u traceloop", self.socket.display()))?
            .context("ask the daemon")?;
        let status = answer.status();
        if status.is_success() {
            return Ok(Some(answer));
        }
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let bytes = timeout(PATIENCE, answer.into_body().collect()).await.context("it does not answer")??.to_bytes();
        let refusal: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        bail!("the daemon answers {status}: {}", refusal["error"].as_str().unwrap_or("it does not say why"))
    }

    fn unreachable(&self, error: io::Error) -> anyhow::Error {
        let socket = self.socket.display();
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                anyhow!("no daemon answers at {socket}: start traceloop.service, or mend `socket` in ship.toml")
            }
            io::ErrorKind::PermissionDenied => {
                anyhow!("this user may not connect to {socket}: run as a member of the group traceloop")
            }
            _ => anyhow::Error::new(error).context(format!("connect to {socket}")),
        }
    }
}

impl Lines {
    /// The next line, waited for so long, or for ever; `None`: that was all.
    pub(crate) async fn next(&mut self, within: Option<Duration>) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.bytes.drain(..=end).collect();
                line.pop();
                return Ok(Some(line));
            }
            if self.bytes.len() > LINE_MOST {
                bail!("what the daemon says is no list of dumps");
            }
            let frame = match within {
                Some(within) => timeout(within, self.body.frame()).await.context("the daemon's list does not come")?,
                None => self.body.frame().await,
            };
            let Some(frame) = frame else { return Ok(None) };
            if let Ok(bytes) = frame.context("read the daemon's list")?.into_data() {
                self.bytes.extend_from_slice(&bytes);
            }
        }
    }
}

impl File {
    /// How much of it is to come.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The next piece; `None`: that was all of it.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let frame = timeout(PATIENCE, self.body.frame()).await.context("the daemon does not send the dump on")?;
            let Some(frame) = frame else {
                if self.left > 0 {
                    bail!("the daemon ended before the dump did: {} bytes are missing", self.left);
                }
                return Ok(None);
            };
            if let Ok(bytes) = frame.context("read the dump from the daemon")?.into_data() {
                self.left = self.left.checked_sub(bytes.len() as u64).context("the dump is longer than was said")?;
                return Ok(Some(bytes));
            }
        }
    }
}
