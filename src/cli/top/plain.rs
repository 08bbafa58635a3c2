//! One reading on stdout: a table, or a JSON object for each of its lines.

use std::io::{self, Write};

use anyhow::Result;
use serde::Serialize;

use super::{Figures, Row};
use crate::cli::json::Json;

#[derive(Serialize)]
struct Object<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    calls_per_second: f64,
    errors_per_second: f64,
    time_ns_per_second: f64,
    longest_ns: u64,
    calls: u64,
    errors: u64,
    time_ns: u64,
    seconds: f64,
}

pub(super) fn json(out: &mut impl Write, json: Json, figures: &Figures, rows: &[Row]) -> Result<()> {
    for row in rows {
        let count = row.count;
        let object = Object {
            name: &row.name,
            pid: row.pid,
            unit: row.unit.as_deref(),
            calls_per_second: figures.rate(count.calls),
            errors_per_second: figures.rate(count.errors),
            time_ns_per_second: figures.rate(count.time),
            longest_ns: count.longest,
            calls: count.calls,
            errors: count.errors,
            time_ns: count.time,
            seconds: figures.seconds,
        };
        json.write(out, &object)?;
    }
    Ok(out.flush()?)
}

pub(super) fn table(out: &mut impl Write, figures: &Figures, rows: &[Row]) -> io::Result<()> {
    writeln!(out, "{:>10} {:>10} {:>10} {:>10}  name", "calls/s", "errors/s", "time/s", "longest")?;
    for row in rows {
        let [calls, errors, time, longest] = cells(figures, row);
        writeln!(out, "{calls:>10} {errors:>10} {time:>10} {longest:>10}  {}", name(row))?;
    }
    if figures.uncounted > 0 {
        writeln!(out, "# {} calls of still more processes were not counted", figures.uncounted)?;
    }
    out.flush()
}

/// Calls, errors, time and the longest call as people read them.
pub(super) fn cells(figures: &Figures, row: &Row) -> [String; 4] {
    let count = row.count;
    [
        number(figures.rate(count.calls)),
        if count.errors == 0 { String::new() } else { number(figures.rate(count.errors)) },
        time(figures.rate(count.time)),
        time(nanoseconds(count.longest)),
    ]
}

/// `nginx[812]  nginx.service`, or the name alone.
pub(super) fn name(row: &Row) -> String {
    match (row.pid, &row.unit) {
        (Some(pid), Some(unit)) => format!("{}[{pid}]  {unit}", row.name),
        _ => row.name.clone(),
    }
}

#[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
fn nanoseconds(count: u64) -> f64 {
    count as f64
}

fn number(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        0.0..1e3 => format!("{nanoseconds:.0}ns"),
        1e3..1e6 => format!("{:.1}us", nanoseconds / 1e3),
        1e6..1e9 => format!("{:.1}ms", nanoseconds / 1e6),
        _ => format!("{:.2}s", nanoseconds / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        assert_eq!([0.04, 9.96, 12.4, 154_585.0].map(number), ["0.0", "10.0", "12", "154585"]);
        assert_eq!([0.0, 999.0, 1500.0, 2.5e6, 3e9].map(time), ["0ns", "999ns", "1.5us", "2.5ms", "3.00s"]);
    }
}
