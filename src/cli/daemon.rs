//! What the verbs that talk to the daemon share: the socket, and the tracks that a TARGET means.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::control::{self, Client, Track};

/// Which daemon.
#[derive(Args, Debug)]
#[command(next_help_heading = "Daemon")]
pub(super) struct Daemon {
    /// The daemon's socket
    #[arg(long, value_name = "PATH", default_value = control::SOCKET)]
    socket: PathBuf,
}

impl Daemon {
    pub(super) fn client(&self) -> Client {
        Client::new(&self.socket)
    }
}

/// The only track that a target means; several are an error that names them.
pub(super) async fn only(client: &Client, target: &str) -> Result<Track> {
    let mut tracks = client.tracks(Some(target)).await?;
    if tracks.len() > 1 {
        let names: Vec<_> = tracks.iter().take(8).map(|track| format!("#{} {}", track.id, track.target)).collect();
        let more = if tracks.len() > names.len() { ", ..." } else { "" };
        anyhow::bail!("{target} means {} recordings: {}{more}: give one", tracks.len(), names.join(", "));
    }
    tracks.pop().ok_or_else(|| anyhow::anyhow!("{target} is not recorded: `traceloop ps` lists what is"))
}
