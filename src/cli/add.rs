//! `traceloop add TARGET`: the daemon records one more cgroup.

use anyhow::Result;
use clap::Args;
use clap_complete::ArgValueCandidates;

use super::{End, offered, place::Place, signals::runtime};

/// Have the daemon record a cgroup that its rules leave out
#[derive(Args, Debug)]
pub(super) struct Add {
    /// A cgroup directory, a path in the cgroup tree, or the name of a unit or container
    #[arg(value_name = "TARGET", add = ArgValueCandidates::new(offered::targets))]
    target: String,
    #[command(flatten)]
    pub(super) place: Place,
}

impl Add {
    pub(super) fn run(self) -> Result<End> {
        let track = runtime()?.block_on(self.place.client().add(&self.target))?;
        super::say(format_args!("recording {}, as #{}", track.target, track.id))?;
        Ok(End::Done)
    }
}
