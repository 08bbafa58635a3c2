//! `traceloop stats`: calls, errors and times by thread, as `perf trace -s` tells.

use std::io::Write;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use super::{End, choosing::Place, opening, selecting::Selecting, stored};
use crate::{decode, render};

/// Count a dump's calls: how many, how many failed, how long they took, for each thread
#[derive(Args, Debug)]
pub(super) struct Stats {
    /// A dump file, or as `traceloop list` takes it: the newest dump that matches is meant
    #[arg(value_name = "FILE|MATCH", allow_negative_numbers = true)]
    what: Vec<String>,
    /// Whose calls are counted together
    #[arg(long, value_enum, default_value_t = By::Thread)]
    by: By,
    /// How long the calls took, in powers of two
    #[arg(long)]
    histogram: bool,
    /// Which errors they failed with
    #[arg(long)]
    errno_summary: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    selecting: Selecting,
}

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    /// Each thread's
    Thread,
    /// Each process's
    Process,
    /// All of the recorded cgroups
    Cgroup,
}

impl Stats {
    pub(super) fn run(self) -> Result<End> {
        let Some((recording, whole)) = opening::read("count", &self.what, &self.place)? else {
            return Ok(End::NoMatch);
        };
        let by = match self.by {
            By::Thread => render::By::Thread,
            By::Process => render::By::Process,
            By::Cgroup => render::By::Cgroup,
        };
        let style = decode::Style { paths: self.selecting.by_path(), ..decode::Style::default() };
        let history = decode::History::of(&recording, &style)?;
        let selection = self.selecting.selection();
        let wanted = render::Wanted { by, histogram: self.histogram, errnos: self.errno_summary };
        let mut stats = render::Stats::new(wanted);
        selection.choose(&recording.dump, history.events()).for_each(|event| stats.event(&event));
        let mut out = stored::stdout();
        stats.finish(&mut out, &recording.dump.cgroups.join(" ")).context("write the table")?;
        out.flush().context("write the table")?;
        for line in render::window(&recording.dump) {
            super::say(format_args!("traceloop: {line}"))?;
        }
        Ok(if whole { End::Done } else { End::NoMatch })
    }
}
