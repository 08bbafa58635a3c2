//! Counts by the names of units, processes and calls.

use std::collections::BTreeMap;

use super::{By, Sort, Told};
use crate::model::Counted;

/// The last reading.
#[derive(Default)]
pub(super) struct Figures {
    counts: Vec<(Counted, String)>,
    /// How long the reading took, in seconds.
    pub(super) seconds: f64,
    /// Calls that were not counted.
    pub(super) uncounted: u64,
}

/// What a table is narrowed down to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) unit: Option<String>,
    pub(super) pid: Option<u32>,
}

/// How many calls there were. Times are nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) calls: u64,
    pub(super) errors: u64,
    pub(super) time: u64,
    pub(super) longest: u64,
}

impl Count {
    fn add(&mut self, counted: &Counted) {
        self.calls += counted.calls;
        self.errors += counted.errors;
        self.time = self.time.saturating_add(counted.time_ns);
        self.longest = self.longest.max(counted.longest_ns);
    }
}

/// A line of a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) name: String,
    /// Of lines by process.
    pub(super) pid: Option<u32>,
    pub(super) unit: Option<String>,
    pub(super) count: Count,
}

impl Figures {
    /// Takes what was counted.
    pub(super) fn take(&mut self, told: Told) {
        let Told { reading, units } = told;
        (self.uncounted, self.seconds) = (reading.uncounted, reading.seconds.max(1e-3));
        self.counts = reading.counts.into_iter().zip(units).collect();
    }

    /// The lines of a table.
    pub(super) fn rows(&self, by: By, place: &Place, sort: Sort) -> Vec<Row> {
        let mut rows: BTreeMap<(String, u32), Row> = BTreeMap::new();
        for (counted, unit) in &self.counts {
            if place.unit.as_ref().is_some_and(|wanted| wanted != unit)
                || place.pid.is_some_and(|pid| pid != counted.pid)
            {
                continue;
            }
            let (name, pid) = match by {
                By::Unit => (unit.clone(), None),
                By::Process => (counted.comm.clone().unwrap_or_else(|| "(gone)".into()), Some(counted.pid)),
                By::Call => (counted.syscall.clone(), None),
            };
            let row = rows.entry((name.clone(), pid.unwrap_or(0))).or_default();
            (row.name, row.pid) = (name, pid);
            row.unit = (by != By::Call).then(|| unit.clone());
            row.count.add(counted);
        }
        let mut rows: Vec<_> = rows.into_values().collect();
        let key = |row: &Row| match sort {
            Sort::Calls => row.count.calls,
            Sort::Errors => row.count.errors,
            Sort::Time => row.count.time,
            Sort::Longest => row.count.longest,
            Sort::Name => 0,
        };
        rows.sort_by_key(|row| std::cmp::Reverse(key(row)));
        rows
    }

    /// All of it together.
    pub(super) fn total(&self) -> Count {
        let mut total = Count::default();
        self.counts.iter().for_each(|(counted, _)| total.add(counted));
        total
    }

    /// So many in a second.
    #[allow(clippy::cast_precision_loss, reason = "a few digits are shown")]
    pub(super) fn rate(&self, count: u64) -> f64 {
        count as f64 / self.seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reading;

    fn figures() -> Figures {
        let mut figures = Figures::default();
        let counted = |pid, syscall: &str, calls, errors| Counted {
            cgroup: 7,
            pid,
            comm: (pid == 1).then(|| "one".to_owned()),
            syscall: syscall.to_owned(),
            calls,
            errors,
            time_ns: 5,
            longest_ns: 3,
        };
        let counts = vec![counted(1, "write", 10, 0), counted(1, "read", 2, 2), counted(2, "write", 1, 0)];
        let units = vec!["a.service".to_owned(); 3];
        figures.take(Told { reading: Reading { seconds: 2.0, uncounted: 0, counts }, units });
        figures
    }

    #[test]
    fn counts_are_summed_by_name() {
        let figures = figures();
        let told = |by, place: &Place, sort| {
            let rows = figures.rows(by, place, sort);
            rows.iter().map(|row| (row.name.clone(), row.count.calls)).collect::<Vec<_>>()
        };
        let all = Place::default();
        assert_eq!(told(By::Unit, &all, Sort::Calls), [("a.service".into(), 13)]);
        assert_eq!(told(By::Call, &all, Sort::Calls), [("write".into(), 11), ("read".into(), 2)]);
        assert_eq!(told(By::Call, &all, Sort::Errors)[0].0, "read");
        let one = Place { pid: Some(2), ..Place::default() };
        assert_eq!(told(By::Call, &one, Sort::Calls), [("write".into(), 1)]);
        assert_eq!(told(By::Process, &all, Sort::Calls), [("one".into(), 12), ("(gone)".into(), 1)]);
        assert_eq!(told(By::Unit, &Place { unit: Some("other".into()), pid: None }, Sort::Calls), []);
        assert!((figures.rate(figures.total().calls) - 6.5).abs() < 1e-9);
    }
}
