//! What the verbs that talk to the daemon share: the socket, and the tracks that a TARGET means.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::output::Output;
use crate::{
    control::{self, Client, Track},
    decode::Style,
};

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

/// A recording of the daemon, and how its calls are written.
#[derive(Args, Debug)]
pub(super) struct Recorded {
    /// A unit, container, pod, cgroup path, process, #RECORDING
    #[arg(value_name = "TARGET")]
    pub(super) target: String,
    /// Bytes of each string that are shown
    #[arg(short = 's', long, value_name = "N", default_value_t = 32)]
    string_limit: usize,
    #[command(flatten)]
    pub(super) output: Output,
    #[command(flatten)]
    daemon: Daemon,
}

impl Recorded {
    pub(super) fn client(&self) -> Client {
        self.daemon.client()
    }

    pub(super) fn style(&self) -> Style {
        self.output.style(self.string_limit)
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
