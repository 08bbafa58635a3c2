//! The client's end: one connection a question, errors that say what to do.

use std::{
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};
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
    messages::{ANSWER_WITHIN, Add, GivenUp, News, Refusal, Saved, Status, Track},
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

    /// Has a cgroup recorded.
    pub async fn add(&self, target: &str) -> Result<Track> {
        let body = serde_json::to_vec(&Add { target: target.to_owned() })?;
        self.json(Method::POST, "/v1/tracks", body).await
    }

    /// Has a track recorded no longer.
    pub async fn close(&self, id: u64) -> Result<()> {
        self.ask(Method::DELETE, &format!("/v1/tracks/{id}"), Vec::new()).await.map(drop)
    }

    /// A dump file of what a track holds.
    pub async fn dump(&self, id: u64) -> Result<Vec<u8>> {
        let answer = self.ask(Method::GET, &format!("/v1/tracks/{id}/dump"), Vec::new()).await?;
        Ok(answer.into_body().collect().await.context("read the dump from the daemon")?.to_bytes().into())
    }

    /// Has a dump stored.
    pub async fn save(&self, id: u64) -> Result<Saved> {
        self.json(Method::POST, &format!("/v1/tracks/{id}/dumps"), Vec::new()).await
    }

    /// News of a track from now on.
    pub async fn follow(&self, id: u64) -> Result<Following> {
        let answer = self.ask(Method::GET, &format!("/v1/tracks/{id}/follow"), Vec::new()).await?;
        Ok(Following { body: answer.into_body(), frames: Frames::default() })
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
            Ok(refusal) => bail!("{}", refusal.error),
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

/// A stream of news of a track.
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
