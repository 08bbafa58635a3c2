//! Counts by the names of units, processes and calls.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::PathBuf,
    time::Duration,
};

use super::{By, Sort};
use crate::{
    cgroup::Cgroup,
    identity,
    kernel::{Count, CountKey},
    model::plain,
    syscall::{self, Abi},
};

/// The last reading, and the names that go with it.
pub(super) struct Figures {
    root: PathBuf,
    /// Units by the ids of their cgroups.
    units: HashMap<u64, String>,
    /// Processes' names; they are asked for anew in each reading.
    comms: HashMap<u32, String>,
    news: Vec<(CountKey, Count)>,
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
    pub(super) fn new(root: PathBuf) -> Self {
        let (units, comms) = (HashMap::new(), HashMap::new());
        Self { root, units, comms, news: Vec::new(), seconds: 1.0, uncounted: 0 }
    }

    /// Takes what was counted in some time.
    pub(super) fn take(&mut self, news: &[(CountKey, Count)], uncounted: u64, time: Duration) {
        self.news = news.to_vec();
        (self.uncounted, self.seconds) = (uncounted, time.as_secs_f64().max(1e-3));
        if news.iter().any(|(key, _)| !self.units.contains_key(&key.cgroup)) {
            self.name_units();
        }
        let pids: HashSet<u32> = news.iter().map(|(key, _)| key.pid).collect();
        self.comms.retain(|pid, _| pids.contains(pid));
        for pid in pids {
            if let Ok(comm) = fs::read(format!("/proc/{pid}/comm")) {
                self.comms.insert(pid, plain(String::from_utf8_lossy(&comm).trim_end()).into_owned());
            }
        }
    }

    /// Looks at the whole tree; what is gone already stays as its id.
    fn name_units(&mut self) {
        if let Ok(root) = Cgroup::open(&self.root) {
            for cgroup in root.descendants().iter().chain([&root]) {
                let id = cgroup.id();
                self.units.entry(id).or_insert_with(|| identity::of_path(&cgroup.name(), id).to_string());
            }
        }
        for (key, _) in &self.news {
            self.units.entry(key.cgroup).or_insert_with(|| format!("cgroup {}", key.cgroup));
        }
    }

    fn unit(&self, cgroup: u64) -> &str {
        self.units.get(&cgroup).map_or("", String::as_str)
    }

    /// The lines of a table.
    pub(super) fn rows(&self, by: By, place: &Place, sort: Sort) -> Vec<Row> {
        let mut rows: BTreeMap<(String, u32), Row> = BTreeMap::new();
        for (key, count) in &self.news {
            let unit = self.unit(key.cgroup);
            if place.unit.as_deref().is_some_and(|wanted| wanted != unit) || place.pid.is_some_and(|pid| pid != key.pid)
            {
                continue;
            }
            let (name, pid) = match by {
                By::Unit => (unit.to_owned(), None),
                By::Process => (self.comms.get(&key.pid).cloned().unwrap_or_else(|| "(gone)".into()), Some(key.pid)),
                By::Call => (call(key), None),
            };
            let row = rows.entry((name.clone(), pid.unwrap_or(0))).or_default();
            (row.name, row.pid) = (name, pid);
            row.unit = (by != By::Call).then(|| unit.to_owned());
            row.count = sum(row.count, *count);
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
        self.news.iter().fold(Count::default(), |total, (_, count)| sum(total, *count))
    }

    /// So many in a second.
    #[allow(clippy::cast_precision_loss, reason = "a few digits are shown")]
    pub(super) fn rate(&self, count: u64) -> f64 {
        count as f64 / self.seconds
    }
}

fn sum(one: Count, other: Count) -> Count {
    Count {
        calls: one.calls + other.calls,
        errors: one.errors + other.errors,
        time: one.time.saturating_add(other.time),
        longest: one.longest.max(other.longest),
    }
}

fn call(key: &CountKey) -> String {
    let name = syscall::name(Abi::native(key.compat), key.nr);
    name.map_or_else(|| format!("syscall_{:#x}", key.nr), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        let mut figures = Figures::new("/nonexistent".into());
        let key = |pid, nr| CountKey { cgroup: 7, pid, nr, compat: false };
        let count = |calls, errors| Count { calls, errors, time: 5, longest: 3 };
        let news =
            [(key(u32::MAX, 1), count(10, 0)), (key(u32::MAX, 0), count(2, 2)), (key(u32::MAX - 1, 1), count(1, 0))];
        figures.take(&news, 0, Duration::from_secs(2));
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
        assert_eq!(told(By::Unit, &all, Sort::Calls), [("cgroup 7".into(), 13)]);
        assert_eq!(told(By::Call, &all, Sort::Calls), [("write".into(), 11), ("read".into(), 2)]);
        assert_eq!(told(By::Call, &all, Sort::Errors)[0].0, "read");
        let one = Place { pid: Some(u32::MAX - 1), ..Place::default() };
        assert_eq!(told(By::Call, &one, Sort::Calls), [("write".into(), 1)]);
        assert_eq!(told(By::Process, &all, Sort::Calls).len(), 2);
        assert_eq!(told(By::Unit, &Place { unit: Some("other".into()), pid: None }, Sort::Calls), []);
        assert!((figures.rate(figures.total().calls) - 6.5).abs() < 1e-9);
    }
}
