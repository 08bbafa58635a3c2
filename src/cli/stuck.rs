//! `traceloop stuck [TARGET]`: calls that have been in flight for long, and who waits for whom.

use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::{Context, Result};
use clap::Args;
use clap_complete::ArgValueCandidates;

use super::{End, json::Json, offered, place::Place, signals::runtime};
use crate::{model, render};

/// Print the calls that have not ended for long, what each waits for, and who waits for whom
///
/// The longest first. A call that began before its cgroup was recorded has lasted at least as long as its thread has
/// slept. Exits with 1 where no call has lasted so long.
#[derive(Args, Debug)]
pub(super) struct Stuck {
    /// Only what this means: a unit, slice, container, pod, cgroup path or glob, process, #RECORDING
    #[arg(value_name = "TARGET", add = ArgValueCandidates::new(offered::targets))]
    target: Option<String>,
    /// Calls that have lasted at least so long
    #[arg(short = 't', long, value_name = "TIME", default_value = "5s", value_parser = model::duration)]
    longer: Duration,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    pub(super) place: Place,
}

impl Stuck {
    pub(super) fn run(self) -> Result<End> {
        let client = self.place.client();
        let stuck = runtime()?.block_on(async { client.stuck(self.target.as_deref(), self.longer).await })?;
        let mut text = String::new();
        if self.json.is_wanted() {
            for call in &stuck {
                text += &self.json.text(call)?;
            }
        } else {
            render::stuck(&mut text, &stuck);
        }
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("write the calls")?;
        Ok(if stuck.is_empty() { End::NoMatch } else { End::Done })
    }
}
