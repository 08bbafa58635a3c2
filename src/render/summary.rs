//! strace's `-c`: a table of how often each call was made, how often it failed and how long it took.
//!
//! The time is what passed between a call's start and end, as with strace's `-w`: records do not tell
//! how much of it the kernel worked for the caller.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write},
};

use crate::model::{Call, Event, Outcome, What};

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The share of all time.
    Share,
    /// All calls together.
    Total,
    /// The shortest.
    Shortest,
    /// The longest.
    Longest,
    /// Microseconds of one, on average.
    Average,
    /// How many calls.
    Calls,
    /// How many of them failed.
    Errors,
    /// The call.
    Name,
}

/// What the table shows, in which order.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Its columns.
    pub columns: Vec<Column>,
    /// The column that it is sorted by; `None`: by the calls' numbers.
    pub sort: Option<Column>,
    /// Nanoseconds taken off each call.
    pub overhead: u64,
}

impl Default for Summary {
    fn default() -> Self {
        use Column::{Average, Calls, Errors, Name, Share, Total};
        Self { columns: vec![Share, Total, Average, Calls, Errors, Name], sort: Some(Share), overhead: 0 }
    }
}

#[derive(Clone, Debug)]
struct Line {
    name: Box<str>,
    total: u64,
    shortest: u64,
    longest: u64,
    calls: u64,
    errors: u64,
}

impl Line {
    fn average(&self) -> u64 {
        self.total / self.calls.max(1)
    }
}

/// The table as it fills.
#[derive(Clone, Debug)]
pub struct Table {
    summary: Summary,
    /// By whether they came in by the 32-bit ABI, and by number.
    lines: BTreeMap<(bool, i32), Line>,
}

impl Table {
    /// An empty one.
    pub fn new(summary: Summary) -> Self {
        Self { summary, lines: BTreeMap::new() }
    }

    /// Counts an event, if it is a call that has ended.
    pub fn see(&mut self, event: &Event) {
        let Some(call) = ended(event) else { return };
        let line = self.lines.entry((call.compat, call.nr)).or_insert_with(|| Line {
            name: call.name().into(),
            total: 0,
            shortest: u64::MAX,
            longest: 0,
            calls: 0,
            errors: 0,
        });
        let time = call.duration.unwrap_or(0).saturating_sub(self.summary.overhead);
        line.total = line.total.saturating_add(time);
        line.shortest = line.shortest.min(time);
        line.longest = line.longest.max(time);
        line.calls += 1;
        line.errors += u64::from(!matches!(call.outcome, Outcome::Returned { .. }));
    }

    /// Writes it; one more for 32-bit calls, where there are any.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for compat in [false, true] {
            let of_abi = self.lines.iter().filter(|((narrow, _), _)| *narrow == compat);
            let mut lines: Vec<&Line> = of_abi.map(|(_, line)| line).collect();
            if lines.is_empty() {
                continue;
            }
            if compat {
                writeln!(out, "System call usage summary for 32 bit mode:")?;
            }
            sort(&mut lines, self.summary.sort);
            table(out, &self.summary.columns, &lines)?;
        }
        Ok(())
    }
}

fn ended(event: &Event) -> Option<&Call> {
    match &event.what {
        What::Call(call)
            if !matches!(
                call.outcome,
                Outcome::Never | Outcome::Died { .. } | Outcome::InFlight { .. } | Outcome::EndMissing
            ) =>
        {
            Some(call)
        }
        _ => None,
    }
}

fn sort(lines: &mut [&Line], by: Option<Column>) {
    use std::cmp::Reverse;
    match by {
        None => {}
        Some(Column::Share | Column::Total) => lines.sort_by_key(|line| Reverse(line.total)),
        Some(Column::Shortest) => lines.sort_by_key(|line| Reverse(line.shortest)),
        Some(Column::Longest) => lines.sort_by_key(|line| Reverse(line.longest)),
        Some(Column::Average) => lines.sort_by_key(|line| Reverse(line.average())),
        Some(Column::Calls) => lines.sort_by_key(|line| Reverse(line.calls)),
        Some(Column::Errors) => lines.sort_by_key(|line| Reverse(line.errors)),
        Some(Column::Name) => lines.sort_by_key(|line| line.name.as_ref()),
    }
}

/// The figures of a line of the table: a call's, or the totals.
struct Figures<'a> {
    share: f64,
    total: u64,
    shortest: u64,
    longest: u64,
    average: u64,
    calls: u64,
    errors: u64,
    name: &'a str,
}

#[allow(clippy::cast_precision_loss, reason = "six digits are shown")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

fn table(out: &mut impl Write, columns: &[Column], lines: &[&Line]) -> io::Result<()> {
    let sum = |figure: fn(&Line) -> u64| lines.iter().map(|line| figure(line)).fold(0, u64::saturating_add);
    let most = |figure: fn(&Line) -> u64| lines.iter().map(|line| figure(line)).max().unwrap_or(0);
    let (total, calls, errors) = (sum(|line| line.total), sum(|line| line.calls), sum(|line| line.errors));
    let whole_seconds = |nanoseconds: u64| format!("{}.000000", nanoseconds / 1_000_000_000).len();
    let width = |column: &Column| match column {
        Column::Share => 6,
        Column::Total => format!("{:.6}", seconds(total)).len().max(11),
        Column::Shortest => whole_seconds(most(|line| line.shortest)).max(8),
        Column::Longest => whole_seconds(most(|line| line.longest)).max(7),
        Column::Average => (most(|line| line.average()) / 1000).to_string().len().max(11),
        Column::Calls => calls.to_string().len().max(9),
        Column::Errors => errors.to_string().len().max(9),
        Column::Name => lines.iter().map(|line| line.name.len() + 1).max().unwrap_or(0).max(16),
    };
    let widths: Vec<_> = columns.iter().map(width).collect();
    let title = |column: &Column| match column {
        Column::Share => "% time",
        Column::Total => "seconds",
        Column::Shortest => "shortest",
        Column::Longest => "longest",
        Column::Average => "usecs/call",
        Column::Calls => "calls",
        Column::Errors => "errors",
        Column::Name => "syscall",
    };
    row(out, columns, &widths, |column| title(column).to_owned())?;
    let dashes: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
    writeln!(out, "{}", dashes.join(" "))?;
    for line in lines {
        let share = if line.total == 0 { 0.0 } else { 100.0 * seconds(line.total) / seconds(total) };
        let Line { total, shortest, longest, calls, errors, .. } = **line;
        let (name, average) = (&*line.name, line.average() / 1000);
        let figures = Figures { share, total, shortest, longest, average, calls, errors, name };
        row(out, columns, &widths, |column| figures.of(*column))?;
    }
    writeln!(out, "{}", dashes.join(" "))?;
    let figures = Figures {
        share: 100.0,
        total,
        shortest: lines.iter().map(|line| line.shortest).min().unwrap_or(0),
        longest: most(|line| line.longest),
        average: total / calls.max(1) / 1000,
        calls,
        errors,
        name: "total",
    };
    row(out, columns, &widths, |column| figures.of(*column))
}

impl Figures<'_> {
    fn of(&self, column: Column) -> String {
        match column {
            Column::Share => format!("{:.2}", self.share),
            Column::Total => format!("{:.6}", seconds(self.total)),
            Column::Shortest => format!("{:.6}", seconds(self.shortest)),
            Column::Longest => format!("{:.6}", seconds(self.longest)),
            Column::Average => self.average.to_string(),
            Column::Calls => self.calls.to_string(),
            Column::Errors if self.errors == 0 => String::new(),
            Column::Errors => self.errors.to_string(),
            Column::Name => self.name.to_owned(),
        }
    }
}

fn row(out: &mut impl Write, columns: &[Column], widths: &[usize], cell: impl Fn(&Column) -> String) -> io::Result<()> {
    let mut text = String::new();
    for (n, (column, width)) in columns.iter().zip(widths).enumerate() {
        if n > 0 {
            text.push(' ');
        }
        let cell = cell(column);
        let _ = match column {
            Column::Name if n + 1 == columns.len() => write!(text, "{cell}"),
            Column::Name => write!(text, "{cell:<width$}"),
            _ => write!(text, "{cell:>width$}"),
        };
    }
    writeln!(out, "{text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Comm;

    fn call(name: &'static str, nr: i32, duration: u64, outcome: Outcome) -> Event {
        let call = Call { nr, outcome, duration: Some(duration), ..Call::of(name) };
        Event {
            start: 0,
            end: 0,
            tid: 1,
            pid: 1,
            comm: Comm::default(),
            whose: 0,
            cpu: None,
            what: What::Call(Box::new(call)),
        }
    }

    fn shown(summary: &Summary) -> String {
        let ok = || Outcome::Returned { value: 0, text: "".into() };
        let events = [
            call("read", 0, 1_000_000, ok()),
            call("read", 0, 500_000, ok()),
            call("openat", 257, 4_500_000, Outcome::Failed { errno: 2, text: "".into() }),
            call("exit_group", 231, 0, Outcome::Never),
        ];
        let mut out = Vec::new();
        let mut table = Table::new(summary.clone());
        events.iter().for_each(|event| table.see(event));
        table.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_table_is_straces() {
        let expected = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 75.00    0.004500        4500         1         1 openat
 25.00    0.001500         750         2           read
------ ----------- ----------- --------- --------- ----------------
100.00    0.006000        2000         3         1 total
";
        assert_eq!(shown(&Summary::default()), expected);
    }

    #[test]
    fn columns_order_and_overhead_are_chosen() {
        let summary = Summary {
            columns: vec![Column::Name, Column::Shortest, Column::Longest],
            sort: Some(Column::Calls),
            overhead: 500_000,
        };
        let expected = "\
syscall          shortest  longest
---------------- -------- --------
read             0.000000 0.000500
openat           0.004000 0.004000
---------------- -------- --------
total            0.000000 0.004000
";
        assert_eq!(shown(&summary), expected);
    }
}
