//! Options of what is recorded.

use anyhow::Result;
use clap::Args;

use super::output::Needs;
use crate::{
    kernel::Feature,
    model::size,
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
    #[arg(long, value_name = "SET", default_value = "all", value_parser = filter)]
    syscalls: Filter,
    /// Record no contents of reads, writes and messages
    #[arg(long)]
    no_payload: bool,
    /// Do without a kernel feature: typed-task, cgroup-storage, task-storage, task-registers, typed-tracepoints, classic-tracepoints
    #[arg(long, value_name = "FEATURE", hide = true)]
    without: Vec<Feature>,
}

impl Recording {
    pub(super) fn settings(&self, needs: Needs) -> Settings {
        Settings {
            wanted: Wanted {
                filter: self.syscalls.clone(),
                string_limit: self.string_limit,
                payload: !self.no_payload,
                verbose: needs.whole_structures,
                descriptors: needs.descriptors,
            },
            budget: Budget { ring: self.buffer_size, total: self.memory_max },
            without: self.without.clone(),
        }
    }
}

/// Tells that everything is being recorded: scripts wait for this line.
pub(super) fn say_ready(recorder: &Recorder, cgroups: usize) -> Result<()> {
    if let Some(shrunk) = recorder.shrunk() {
        super::say(format_args!(
            "traceloop: rings of {} instead of {}, so that --memory-max holds",
            kib(shrunk.to),
            kib(shrunk.from)
        ))?;
    }
    let mib = recorder.memory().div_ceil(1 << 20);
    super::say(format_args!("recording {cgroups} cgroup{}, {mib} MiB", if cgroups == 1 { "" } else { "s" }))
}

fn kib(bytes: usize) -> String {
    format!("{} KiB", bytes / 1024)
}

/// `trace=SET`, or the set alone.
pub(super) fn filter(text: &str) -> Result<Filter> {
    Filter::parse(text.strip_prefix("trace=").unwrap_or(text))
}
