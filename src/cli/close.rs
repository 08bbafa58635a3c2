//! `traceloop close TARGET`: the daemon records something no longer.

use anyhow::Result;
use clap::Args;

use super::{End, daemon::Daemon, signals::runtime};

/// Have the daemon record something no longer, and forget its history
#[derive(Args, Debug)]
pub(super) struct Close {
    /// A unit, slice, container, pod, cgroup path or glob, process, #RECORDING
    #[arg(value_name = "TARGET")]
    target: String,
    #[command(flatten)]
    daemon: Daemon,
}

impl Close {
    pub(super) fn run(self) -> Result<End> {
        let client = self.daemon.client();
        let closed = runtime()?.block_on(async {
            let tracks = client.tracks(Some(&self.target)).await?;
            for track in &tracks {
                client.close(track.id).await?;
                super::say(format_args!("closed {}, #{}", track.target, track.id))?;
            }
            anyhow::Ok(tracks.len())
        })?;
        Ok(if closed == 0 { End::NoMatch } else { End::Done })
    }
}
