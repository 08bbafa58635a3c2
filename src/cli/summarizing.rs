//! Options of the summary: strace's.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

use crate::render::{Column, Summary};

/// A table of the calls.
#[derive(Args, Debug)]
#[command(next_help_heading = "Summary")]
pub(super) struct Summarizing {
    /// Only a table of calls, errors and times (--format summary)
    #[arg(short = 'c', long)]
    summary_only: bool,
    /// The table behind the calls
    #[arg(short = 'C', long, conflicts_with = "summary_only")]
    summary: bool,
    /// The time from start to end, which is what the table always counts: strace without -w counts
    /// the time that the kernel worked for the caller
    #[arg(short = 'w', long)]
    summary_wall_clock: bool,
    /// What the table is sorted by: time, min-time, max-time, avg-time, calls, errors, name, nothing
    #[arg(short = 'S', long, value_name = "COLUMN", value_parser = sort)]
    summary_sort_by: Option<Sort>,
    /// Its columns: time-percent, total-time, min-time, max-time, avg-time, calls, errors, name
    #[arg(short = 'U', long, value_name = "COLUMNS", value_parser = columns)]
    summary_columns: Option<Columns>,
    /// Taken off each call's time: microseconds, or a number with s, ms, us or ns
    #[arg(short = 'O', long, value_name = "TIME", value_parser = overhead)]
    summary_syscall_overhead: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
struct Sort(Option<Column>);

#[derive(Clone, Debug)]
struct Columns(Vec<Column>);

impl Summarizing {
    /// The option that asks for the table, if one is given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [("-c", self.summary_only), ("-C", self.summary)];
        given.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
    }

    /// Whether the table is all that is wanted.
    pub(super) fn is_all(&self) -> bool {
        self.summary_only
    }

    /// The table, if it is wanted.
    pub(super) fn table(&self) -> Option<Summary> {
        (self.summary_only || self.summary).then(|| self.settings())
    }

    /// How the table looks.
    pub(super) fn settings(&self) -> Summary {
        let plain = Summary::default();
        Summary {
            columns: self.summary_columns.clone().map_or(plain.columns, |columns| columns.0),
            sort: self.summary_sort_by.map_or(plain.sort, |sort| sort.0),
            overhead: self
                .summary_syscall_overhead
                .map_or(0, |overhead| u64::try_from(overhead.as_nanos()).unwrap_or(u64::MAX)),
        }
    }
}

fn column(name: &str) -> Option<Column> {
    Some(match name.replace('_', "-").as_str() {
        "time" | "time-percent" => Column::Share,
        "time-total" | "total-time" => Column::Total,
        "min-time" | "shortest" | "time-min" => Column::Shortest,
        "max-time" | "longest" | "time-max" => Column::Longest,
        "avg-time" | "time-avg" => Column::Average,
        "calls" | "count" => Column::Calls,
        "error" | "errors" => Column::Errors,
        "name" | "syscall" | "syscall-name" => Column::Name,
        _ => return None,
    })
}

fn sort(name: &str) -> Result<Sort> {
    match column(name) {
        None if matches!(name, "none" | "nothing") => Ok(Sort(None)),
        None => bail!("the table has no column {name:?}"),
        column => Ok(Sort(column)),
    }
}

/// The call's name is always there: without it the table tells nothing.
fn columns(names: &str) -> Result<Columns> {
    let mut columns = Vec::new();
    for name in names.split(',') {
        match column(name) {
            Some(column) if columns.contains(&column) => bail!("the column {name:?} is named twice"),
            Some(column) => columns.push(column),
            None => bail!("the table has no column {name:?}"),
        }
    }
    if !columns.contains(&Column::Name) {
        columns.push(Column::Name);
    }
    Ok(Columns(columns))
}

fn overhead(text: &str) -> Result<Duration> {
    let units = [("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0)];
    let (number, unit) = units
        .iter()
        .find_map(|(name, unit)| text.strip_suffix(name).map(|number| (number, *unit)))
        .unwrap_or((text, 1e-6));
    match number.parse::<f64>().ok().and_then(|number| Duration::try_from_secs_f64(number * unit).ok()) {
        Some(overhead) => Ok(overhead),
        None => bail!("an overhead is a number of microseconds, or one with s, ms, us or ns; not {text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_by_straces_names() {
        assert_eq!(columns("calls,time_total").unwrap().0, [Column::Calls, Column::Total, Column::Name]);
        assert!(columns("calls,count").is_err() && columns("x").is_err() && columns("").is_err());
        assert_eq!(sort("nothing").unwrap().0, None);
        assert_eq!(sort("max-time").unwrap().0, Some(Column::Longest));
    }

    #[test]
    fn overheads() {
        assert_eq!(overhead("5").unwrap(), Duration::from_micros(5));
        assert_eq!(overhead("1.5ms").unwrap(), Duration::from_micros(1500));
        assert_eq!(overhead("20ns").unwrap(), Duration::from_nanos(20));
        assert!(overhead("x").is_err() && overhead("-1").is_err());
    }
}
