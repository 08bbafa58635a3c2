//! `traceloop serve`: the daemon.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::{
    End,
    place::{Given, config_of_environment},
    signals::runtime,
};
use crate::daemon::{self, Config};

/// Record every service and container, always; the daemon
///
/// SIGHUP reads the configuration again, SIGUSR2 stores dumps, SIGTERM and SIGINT end it.
#[derive(Args, Debug)]
pub(super) struct Serve {
    /// The configuration, or TRACELOOP_CONFIG [default: /etc/traceloop/traceloop.toml where it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Only say whether the configuration is right
    #[arg(long)]
    check_config: bool,
}

impl Serve {
    /// Takes in what stands before the verb; where it stores and listens is the configuration's to say.
    pub(super) fn settle(&mut self, before: Given) -> Result<()> {
        if let Some(option) = before.of_clients() {
            super::usage(format_args!(
                "`socket` and `store.directory` of the configuration say it: leave {option} out"
            ));
        }
        self.config = self.config.take().or(before.config).or_else(config_of_environment);
        Ok(())
    }

    pub(super) fn run(self) -> Result<End> {
        let config = Config::read(self.config.as_deref())?;
        if self.check_config {
            super::say("traceloop: the configuration is right")?;
            return Ok(End::Done);
        }
        share_memory();
        runtime()?.block_on(daemon::serve(config, self.config.as_deref()))?;
        Ok(End::Done)
    }
}

/// Threads that make dumps and frames come and go. With an arena of glibc's for each, all of them keep what one needed
/// once: 100 clients that take nothing cost 60 to 80 MiB so, and 36 with two arenas.
fn share_memory() {
    #[cfg(target_env = "gnu")]
    {
        const ARENAS: libc::c_int = 2;
        // SAFETY: it takes two numbers, and no other thread runs yet.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, ARENAS) };
    }
}
