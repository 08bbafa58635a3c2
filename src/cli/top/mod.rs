//! `traceloop top`: calls, errors and time per second, by unit, process and call, counted in the kernel.

mod figures;
mod plain;
mod screen;
mod source;
mod units;

use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use clap_complete::ArgValueCandidates;

use self::{
    figures::{Figures, Place, Row},
    source::{Source, Told},
};
use super::{End, json::Json, offered, stored};

/// Watch who makes which calls: how many, how many fail, how long they take
///
/// Calls are counted in the kernel while it runs; nothing is recorded for it. Where a daemon runs, it counts
/// for members of the group traceloop; without one root counts by himself. A call counts when it ends: one that a thread sits in for long is not seen until then. Time is from the start of a call to its end,
/// waiting included; several threads together may have more than a second of it in a second.
#[derive(Args, Debug)]
pub(super) struct Top {
    /// A unit, container, pod, cgroup path, process, #RECORDING; none: the whole machine
    #[arg(value_name = "TARGET", add = ArgValueCandidates::new(offered::targets))]
    target: Option<String>,
    /// What calls are counted by
    #[arg(long, value_enum, default_value_t = By::Unit)]
    by: By,
    /// What the table is sorted by
    #[arg(long, value_enum, default_value_t = Sort::Calls)]
    sort: Sort,
    /// Seconds between two readings
    #[arg(short, long, value_name = "SECONDS", default_value_t = 1.0, value_parser = delay)]
    delay: f64,
    /// Print one reading and end
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    json: Json,
    /// Only so many lines
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    lines: usize,
    #[command(flatten)]
    pub(super) place: super::place::Place,
}

/// What calls are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    /// Units, containers, pods; cgroups where they are none of these
    Unit,
    /// Processes
    Process,
    /// Calls
    Call,
}

/// What the table is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// Most calls first
    Calls,
    /// Most failed calls first
    Errors,
    /// Most time first
    Time,
    /// The longest call first
    Longest,
    /// By name
    Name,
}

impl Sort {
    const ALL: [Self; 5] = [Self::Calls, Self::Errors, Self::Time, Self::Longest, Self::Name];

    fn word(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Errors => "errors",
            Self::Time => "time",
            Self::Longest => "longest",
            Self::Name => "name",
        }
    }
}

impl Top {
    pub(super) fn run(self) -> Result<End> {
        let every = Duration::from_secs_f64(self.delay);
        let source = Source::open(self.place.client(), self.target.clone(), every)?;
        let mut figures = Figures::default();
        if !self.once && !self.json.is_wanted() {
            return screen::watch(&self, &source, &mut figures);
        }
        loop {
            figures.take(source.next()?);
            let rows = figures.rows(self.by, &Place::default(), self.sort);
            let rows = &rows[..rows.len().min(self.lines)];
            let mut out = stored::stdout();
            match self.json.is_wanted() {
                true => plain::json(&mut out, self.json, &figures, rows),
                false => plain::table(&mut out, &figures, rows).map_err(Into::into),
            }
            .context("write the table")?;
            if self.once {
                return Ok(End::Done);
            }
        }
    }
}

fn delay(text: &str) -> Result<f64> {
    let seconds: f64 = text.parse().with_context(|| format!("a number of seconds, not {text:?}"))?;
    anyhow::ensure!((0.05..=3600.0).contains(&seconds), "a pause is 0.05 to 3600 seconds, not {text}");
    Ok(seconds)
}
