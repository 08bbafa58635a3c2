//! Options of what is recorded.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

use super::output::{Needs, Output};
use crate::{
    kernel::Feature,
    model::{Stacks, duration, size},
    recorder::{Budget, Recorder, Settings},
    syscall::{Filter, plan::Wanted},
};

/// What is recorded, and with how much memory.
#[derive(Args, Debug)]
#[command(next_help_heading = "Recording")]
pub(super) struct Recording {
    /// Size of each ring: one for each CPU of each cgroup
    #[arg(long, value_name = "SIZE", default_value = "256K", value_parser = size)]
    buffer_size: usize,
    /// Memory for all rings together; they shrink to fit
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = size)]
    memory_max: usize,
    /// Bytes of each string and buffer that are recorded (paths are recorded whole; 4096 at most)
    #[arg(short = 's', long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(0..=4096))]
    pub(super) string_limit: u32,
    /// Record only these calls: names, %classes, `!` for all but them
    #[arg(long, value_name = "SET", default_value = "all", value_parser = Filter::recorded)]
    syscalls: Filter,
    /// Record only calls that last at least so long, decided in the kernel: 200ms, 1.5s. Calls whose arguments
    /// are gone at their end (execve) are recorded however short
    #[arg(long, value_name = "TIME", value_parser = duration)]
    only_slower: Option<Duration>,
    /// Record where in the program calls were made: all, failed, or those that lasted, as duration>100ms. Stacks are
    /// followed by frame pointers
    #[arg(
        long,
        value_name = "WHICH",
        num_args = 0..=1,
        require_equals = true,
        default_value = "none",
        default_missing_value = "all",
        hide_default_value = true
    )]
    stacks: Stacks,
    /// Record no contents of reads, writes and messages
    #[arg(long)]
    no_payload: bool,
    /// Do without a kernel feature: typed-task, cgroup-storage, task-storage, task-registers, typed-tracepoints, classic-tracepoints
    #[arg(long, value_name = "FEATURE", hide = true)]
    without: Vec<Feature>,
}

impl Recording {
    fn slower_than(&self) -> u64 {
        self.only_slower.map_or(0, |least| u64::try_from(least.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Refuses what cannot be told of such a recording.
    pub(super) fn check(&self, output: &Output) -> Result<()> {
        if self.only_slower.is_some() && output.tells_descriptors() {
            bail!(
                "--only-slower leaves out the calls that open and close, and -y and -P would have to guess: leave them out"
            );
        }
        Ok(())
    }

    pub(super) fn settings(&self, needs: Needs) -> Settings {
        Settings {
            wanted: Wanted {
                filter: self.syscalls.clone(),
                string_limit: self.string_limit,
                payload: !self.no_payload,
                verbose: needs.whole_structures,
                // Those that open and close are too short: what a descriptor stands for would be a guess.
                descriptors: needs.descriptors && self.only_slower.is_none(),
                slower_than: self.slower_than(),
                stacks: self.stacks,
            },
            budget: Budget { ring: self.buffer_size, total: self.memory_max },
            history: Default::default(),
            without: self.without.clone(),
        }
    }
}

/// Tells that everything is being recorded: scripts wait for this line.
pub(super) fn say_ready(recorder: &Recorder, of: &str) -> Result<()> {
    if let Some(shrunk) = recorder.shrunk() {
        super::say(format_args!(
            "traceloop: rings of {} instead of {}, so that --memory-max holds",
            kib(shrunk.to),
            kib(shrunk.from)
        ))?;
    }
    let mib = recorder.memory().div_ceil(1 << 20);
    super::say(format_args!("recording {of}, {mib} MiB"))
}

/// `1 cgroup`, `3 cgroups`.
pub(super) fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// Ticks when a recorder is to be looked after.
pub(super) fn seconds() -> tokio::time::Interval {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    seconds
}

fn kib(bytes: usize) -> String {
    format!("{} KiB", bytes / 1024)
}
