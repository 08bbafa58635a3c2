//! The command line.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{End, config::Config, reading, running};

/// Where the configuration is, if nobody says otherwise.
const CONFIG: &str = "/etc/traceloop/ship.toml";

/// Carry traceloop's stored dumps to an object store, a collector of logs, and the pods' events
///
/// Exit codes: 0 done, 1 it failed or something is left that could not be shipped, 2 wrong use or configuration.
#[derive(Parser, Debug)]
#[command(name = "traceloop-ship", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = CONFIG, global = true)]
    config: PathBuf,
    /// Ask the daemon and try each sink without shipping anything; say how each is
    #[arg(long, conflicts_with = "once")]
    check: bool,
    /// Ship what is stored now, then end
    #[arg(long)]
    once: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// What reads a store.
#[derive(Subcommand, Debug)]
enum Verb {
    /// Print an object: a dump, or what is known of it
    Get {
        /// s3://BUCKET/..., gs://..., az://..., file:///...
        url: String,
    },
    /// List the dumps below a prefix, a line of JSON each
    Ls {
        /// s3://BUCKET/PREFIX, gs://..., az://..., file:///...
        url: String,
        #[command(flatten)]
        wanted: reading::Wanted,
    },
}

impl Arguments {
    /// Does what is asked for.
    pub(crate) async fn run(self) -> Result<End> {
        match &self.verb {
            // Who only reads has his credentials in the environment, and needs no configuration.
            Some(Verb::Get { url }) => reading::get(url, &Config::store_of(&self.config, url)?).await,
            Some(Verb::Ls { url, wanted }) => reading::ls(url, wanted, &Config::store_of(&self.config, url)?).await,
            None => {
                let config = Config::read(&self.config)?;
                if self.check { running::check(&config).await } else { running::run(&config, self.once).await }
            }
        }
    }
}
