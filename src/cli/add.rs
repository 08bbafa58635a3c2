//! `traceloop add TARGET`: the daemon records one more cgroup, or one by settings of its own.

use anyhow::Result;
use clap::Args;
use clap_complete::ArgValueCandidates;

use super::{End, offered, place::Place, signals::runtime};
use crate::{
    model::{Stacks, size},
    profile::{Calls, Overhead, Rule, Time},
};

/// Have the daemon record a cgroup that its rules leave out, or record one by settings of its own
///
/// What is not said is as the configuration has it for all; rules of [[record.unit]] do not hold for it any more. What is
/// recorded already stays, and so does its history.
#[derive(Args, Debug)]
pub(super) struct Add {
    /// A cgroup directory, a path in the cgroup tree, or the name of a unit or container
    #[arg(value_name = "TARGET", add = ArgValueCandidates::new(offered::targets))]
    target: String,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    pub(super) place: Place,
}

/// How it is recorded, where that is not as the configuration says.
#[derive(Args, Debug)]
#[command(next_help_heading = "Recording")]
struct Settings {
    /// Bytes of each string and buffer that are recorded (paths are recorded whole; 4096 at most)
    #[arg(short = 's', long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=4096))]
    string_limit: Option<u32>,
    /// Record the contents of reads, writes and messages, though the configuration says otherwise
    #[arg(long, overrides_with = "no_payload")]
    payload: bool,
    /// Record no contents of reads, writes and messages
    #[arg(long)]
    no_payload: bool,
    /// Record only these calls: names, %classes, `!` for all but them
    #[arg(long, value_name = "SET")]
    syscalls: Option<Calls>,
    /// Record only calls that last at least so long, decided in the kernel: 200ms, 1.5s
    #[arg(long, value_name = "TIME")]
    only_slower: Option<Time>,
    /// Record where in the program calls were made: all, failed, none, or those that lasted, as duration>100ms
    #[arg(long, value_name = "WHICH")]
    stacks: Option<Stacks>,
    /// Size of each of its rings: one for each CPU
    #[arg(long, value_name = "SIZE", value_parser = size)]
    buffer_size: Option<usize>,
    /// How much of the CPU time that it uses itself recording may cost, as 5%; none: however much
    #[arg(long, value_name = "SHARE")]
    max_overhead: Option<Overhead>,
    /// Record nothing of it, and keep what was recorded
    #[arg(long, conflicts_with_all = ["string_limit", "payload", "no_payload", "syscalls", "only_slower", "stacks", "buffer_size", "max_overhead"])]
    off: bool,
}

impl Settings {
    /// As a rule; `None`: nothing was said.
    fn rule(self) -> Option<Rule> {
        let Self { string_limit, payload, no_payload, syscalls, only_slower, stacks, buffer_size, max_overhead, off } =
            self;
        let payload = (payload || no_payload).then_some(payload);
        let off = off.then_some(true);
        let mut rule = Rule::default();
        (rule.string_limit, rule.payload, rule.syscalls) = (string_limit, payload, syscalls);
        (rule.only_slower, rule.stacks, rule.buffer_size, rule.off) = (only_slower, stacks, buffer_size, off);
        rule.max_overhead = max_overhead;
        Some(rule).filter(|rule| !rule.is_empty())
    }
}

impl Add {
    pub(super) fn run(self) -> Result<End> {
        let track = runtime()?.block_on(self.place.client().add(&self.target, self.settings.rule()))?;
        let how = track.settings.map(|what| format!(": {what}")).unwrap_or_default();
        super::say(format_args!("recording {}, as #{}{how}", track.target, track.id))?;
        Ok(End::Done)
    }
}
