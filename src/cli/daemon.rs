//! What the verbs that talk to the daemon share: the socket, and what is recorded there.

use std::path::{Path, PathBuf};

use clap::Args;

use super::output::Output;
use crate::{
    control::{self, Client},
    decode::Style,
};

/// Which daemon.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Daemon")]
pub(super) struct Daemon {
    /// The daemon's socket
    #[arg(long, value_name = "PATH", default_value = control::SOCKET)]
    socket: PathBuf,
}

impl Daemon {
    /// The one at the usual socket.
    pub(super) fn usual() -> Self {
        Self { socket: control::SOCKET.into() }
    }

    /// Whether another than the usual one was asked for.
    pub(super) fn is_named(&self) -> bool {
        self.socket != Path::new(control::SOCKET)
    }

    pub(super) fn client(&self) -> Client {
        Client::new(&self.socket)
    }
}

/// Recordings of the daemon, and how their calls are written.
#[derive(Args, Debug)]
pub(super) struct Recorded {
    /// A unit, slice, container, pod, cgroup path or glob, process, #RECORDING; all that it means together
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
