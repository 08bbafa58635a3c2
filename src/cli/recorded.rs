//! What the verbs that print what the daemon records share: whose, where, and how its calls are written.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::{offered, output::Output, place::Place};
use crate::{control::Client, decode::Style};

/// Recordings of the daemon, and how their calls are written.
#[derive(Args, Debug)]
pub(super) struct Recorded {
    /// A unit, slice, container, pod, cgroup path or glob, process, #RECORDING; all that it means together
    #[arg(value_name = "TARGET", add = ArgValueCandidates::new(offered::targets))]
    pub(super) target: String,
    /// Bytes of each string that are shown
    #[arg(short = 's', long, value_name = "N", default_value_t = 32)]
    string_limit: usize,
    #[command(flatten)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) place: Place,
}

impl Recorded {
    pub(super) fn client(&self) -> Client {
        self.place.client()
    }

    pub(super) fn style(&self) -> Style {
        self.output.style(self.string_limit)
    }
}
