//! `traceloop keep`: the process that holds the recording while the daemon is away.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use clap::Args;

use super::End;
use crate::{control, keeper, model::duration, recorder::StandIn};

/// Hold the daemon's recording while the daemon is away
///
/// The daemon hands its rings and programs over as it makes them. When it is killed, restarted or upgraded,
/// recording goes on, and the next daemon goes on with the same history. Ends when a daemon says that the
/// recording is over, or when none has been there for the time of --idle.
#[derive(Args, Debug)]
pub(super) struct Keep {
    /// Its socket
    #[arg(long, value_name = "PATH", default_value = "/run/traceloop/keeper.sock")]
    socket: PathBuf,
    /// End when no daemon has been there for so long
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    idle: Duration,
    /// Hold the recording when its daemon ends for good, too, as for a daemon that is replaced by another one
    #[arg(long)]
    stay: bool,
    /// Hold nothing: wait until a keeper listens, for the time of --idle at most
    #[arg(long, conflicts_with = "stay")]
    wait: bool,
}

impl Keep {
    pub(super) fn run(self) -> Result<End> {
        if let Some(directory) = self.socket.parent().filter(|directory| directory.exists()) {
            control::trusted(directory).context("make the keeper's socket")?;
        }
        if self.wait {
            // A daemon that is alone records all the same.
            if let Err(error) = keeper::wait(&self.socket, self.idle) {
                tracing::warn!(error = %format!("{error:#}"), "there is no keeper");
            }
            return Ok(End::Done);
        }
        let settings = keeper::Settings { socket: self.socket, idle: self.idle, stay: self.stay };
        let ready = || {
            // Without systemd there is nobody to tell.
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
        };
        keeper::serve(&settings, ready, StandIn::begin)?;
        Ok(End::Done)
    }
}
