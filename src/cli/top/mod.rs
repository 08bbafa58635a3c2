//! `traceloop top`: calls, errors and time per second, by unit, process and call, counted in the kernel.

mod figures;
mod plain;
mod screen;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use self::figures::{Figures, Place, Row};
use super::{End, stored};
use crate::{
    cgroup::{Cgroup, v2_mount},
    recorder::Counting,
};

/// Watch who makes which calls: how many, how many fail, how long they take
///
/// Counts in the kernel while it runs, records nothing, and needs no daemon. A call counts when it ends:
/// one that a thread sits in for long is not seen until then. Time is from the start of a call to its end,
/// waiting included; several threads together may have more than a second of it in a second.
#[derive(Args, Debug)]
pub(super) struct Top {
    /// Paths of cgroup v2 directories; none: the whole machine
    #[arg(value_name = "CGROUP")]
    cgroups: Vec<PathBuf>,
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
    /// One JSON object a line, for each line of the table
    #[arg(long)]
    json: bool,
    /// Only so many lines
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    lines: usize,
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
        let root = v2_mount()?.point;
        let paths = if self.cgroups.is_empty() { vec![root.clone()] } else { self.cgroups.clone() };
        let cgroups = paths.iter().map(|path| Cgroup::open(path)).collect::<Result<Vec<_>>>()?;
        let mut counting = Counting::start(&cgroups)?;
        let mut figures = Figures::new(root);
        if !self.once && !self.json {
            return screen::watch(&self, &mut counting, &mut figures);
        }
        loop {
            self.reading(&mut counting, &mut figures)?;
            let rows = figures.rows(self.by, &Place::default(), self.sort);
            let rows = &rows[..rows.len().min(self.lines)];
            let mut out = stored::stdout();
            if self.json { plain::json(&mut out, &figures, rows) } else { plain::table(&mut out, &figures, rows) }
                .context("write the table")?;
            if self.once {
                return Ok(End::Done);
            }
        }
    }

    /// Waits for the next reading and takes it.
    fn reading(&self, counting: &mut Counting, figures: &mut Figures) -> Result<()> {
        let began = Instant::now();
        std::thread::sleep(Duration::from_secs_f64(self.delay));
        let (news, uncounted) = counting.read()?;
        figures.take(&news, uncounted, began.elapsed());
        Ok(())
    }
}

fn delay(text: &str) -> Result<f64> {
    let seconds: f64 = text.parse().with_context(|| format!("a number of seconds, not {text:?}"))?;
    anyhow::ensure!((0.05..=3600.0).contains(&seconds), "a pause is 0.05 to 3600 seconds, not {text}");
    Ok(seconds)
}
