//! How often each thread or process made each call and how long it took, as `perf trace -s` tells.
//!
//! Made of events one by one; memory grows with the threads and their different calls, not with the calls.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write},
};

use serde::Serialize;

use crate::model::{Call, Comm, Event, Outcome, What, errno_name};

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Each thread's.
    Thread,
    /// Each process's.
    Process,
    /// Each cgroup's.
    Cgroup,
}

/// What is told.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Whose calls are counted together.
    pub by: By,
    /// How long calls took, in powers of two.
    pub histogram: bool,
    /// Which errors calls failed with.
    pub errnos: bool,
}

/// Counts calls.
#[derive(Debug)]
pub struct Stats {
    wanted: Wanted,
    groups: BTreeMap<u32, Group>,
    calls: u64,
}

#[derive(Debug, Default)]
struct Group {
    comm: Comm,
    calls: BTreeMap<String, Figures>,
}

/// What is known of the calls of one name. Times are nanoseconds.
#[derive(Debug, Default)]
struct Figures {
    calls: u64,
    errors: u64,
    timed: u64,
    total: u64,
    shortest: u64,
    longest: u64,
    mean: f64,
    /// The sum of squared distances from the mean.
    spread: f64,
    errnos: BTreeMap<i32, u64>,
    /// Calls of 2^n to 2^(n+1) nanoseconds.
    lengths: BTreeMap<u32, u64>,
}

impl Stats {
    /// Nothing counted yet.
    pub fn new(wanted: Wanted) -> Self {
        Self { wanted, groups: BTreeMap::new(), calls: 0 }
    }

    /// Counts an event, if it is a call that has ended.
    pub fn event(&mut self, event: &Event) {
        let What::Call(call) = &event.what else { return };
        if !call.has_ended() {
            return;
        }
        let group = match self.wanted.by {
            By::Thread => event.tid,
            By::Process if event.pid != 0 => event.pid,
            By::Process => event.tid,
            By::Cgroup => event.whose.into(),
        };
        let group = self.groups.entry(group).or_default();
        if event.comm != Comm::default() && (self.wanted.by == By::Thread || event.tid == event.pid) {
            group.comm = event.comm;
        }
        self.calls += 1;
        if !group.calls.contains_key(call.name()) {
            group.calls.insert(call.name().to_owned(), Figures::default());
        }
        if let Some(figures) = group.calls.get_mut(call.name()) {
            figures.count(call, self.wanted);
        }
    }

    /// The same for programs, whose calls were most first. `recorded`: the names of the cgroups, by their places.
    pub fn told(&self, recorded: &[String]) -> Vec<impl Serialize + use<>> {
        let told = self.sorted().into_iter().map(|(id, group)| {
            let name = usize::try_from(*id).ok().and_then(|place| recorded.get(place)).cloned();
            let (cgroup, tid, pid) = match self.wanted.by {
                By::Cgroup => (name, None, None),
                By::Thread => (None, Some(*id), None),
                By::Process => (None, None, Some(*id)),
            };
            let comm = (self.wanted.by != By::Cgroup).then(|| group.comm.to_string());
            let by_time = |(name, figures): &(&String, &Figures)| (std::cmp::Reverse(figures.total), (*name).clone());
            let mut calls: Vec<_> = group.calls.iter().collect();
            calls.sort_by_key(by_time);
            let syscalls = calls.into_iter().map(|(name, figures)| figures.told(name, self.wanted)).collect();
            Told { cgroup, tid, pid, comm, calls: group.count(), syscalls }
        });
        told.collect()
    }

    fn sorted(&self) -> Vec<(&u32, &Group)> {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|(id, group)| (std::cmp::Reverse(group.count()), **id));
        groups
    }

    /// Writes the tables, of those with most calls first. `recorded`: the names of the cgroups, by their places.
    pub fn finish(self, out: &mut dyn Write, recorded: &[String]) -> io::Result<()> {
        let (wanted, calls) = (self.wanted, self.calls);
        for (id, group) in self.sorted() {
            let share = percent(group.count(), calls);
            match wanted.by {
                By::Cgroup => {
                    let name = usize::try_from(*id).ok().and_then(|place| recorded.get(place));
                    let share = if recorded.len() > 1 { format!(", {share:.1}%") } else { String::new() };
                    writeln!(out, " {}, {} calls{share}\n", name.map_or("?", String::as_str), group.count())?;
                }
                _ => writeln!(out, " {} ({id}), {} calls, {share:.1}%\n", group.comm, group.count())?,
            }
            group.write(out, wanted)?;
        }
        Ok(())
    }
}

/// Calls counted together, for programs.
#[derive(Serialize)]
struct Told {
    #[serde(skip_serializing_if = "Option::is_none")]
    cgroup: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comm: Option<String>,
    calls: u64,
    syscalls: Vec<ToldCall>,
}

/// The figures of one call.
#[derive(Serialize)]
struct ToldCall {
    syscall: String,
    calls: u64,
    errors: u64,
    total_ns: u64,
    min_ns: u64,
    avg_ns: u64,
    max_ns: u64,
    /// The standard error of the mean, in percent of it.
    stddev_percent: f64,
    /// How often each error came.
    #[serde(skip_serializing_if = "Option::is_none")]
    errnos: Option<BTreeMap<String, u64>>,
    /// How many calls lasted so many nanoseconds or more, less than twice as many.
    #[serde(skip_serializing_if = "Option::is_none")]
    histogram: Option<BTreeMap<u64, u64>>,
}

#[allow(clippy::cast_precision_loss, reason = "a few digits are shown")]
fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

#[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

impl Group {
    fn count(&self) -> u64 {
        self.calls.values().map(|figures| figures.calls).sum()
    }

    fn write(&self, out: &mut dyn Write, wanted: Wanted) -> io::Result<()> {
        let mut calls: Vec<_> = self.calls.iter().collect();
        calls.sort_by_key(|(name, figures)| (std::cmp::Reverse(figures.total), name.as_str()));
        let wide = calls.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max(15);
        let dashes = "-".repeat(wide);
        writeln!(
            out,
            "   {:wide$}    calls  errors     total       min       avg       max   stddev\n   {:wide$}                     (msec)    (msec)    (msec)    (msec)      (%)\n   {dashes} --------  ------ --------- --------- --------- --------- --------",
            "syscall", ""
        )?;
        for (name, figures) in calls {
            let [total, least, average, most] =
                [figures.total, figures.shortest, figures.total / figures.timed.max(1), figures.longest]
                    .map(milliseconds);
            writeln!(
                out,
                "   {name:wide$} {:8}  {:6} {total:9.3} {least:9.3} {average:9.3} {most:9.3} {:7.2}%",
                figures.calls,
                figures.errors,
                figures.deviation()
            )?;
            if wanted.errnos {
                figures.errnos.iter().try_for_each(|(errno, times)| {
                    writeln!(out, "   {:wide$}          {times:6} {}", "", errno_name(*errno))
                })?;
            }
            if wanted.histogram {
                out.write_all(figures.histogram(wide).as_bytes())?;
            }
        }
        writeln!(out)
    }
}

impl Figures {
    fn count(&mut self, call: &Call, wanted: Wanted) {
        self.calls += 1;
        match call.outcome {
            Outcome::Failed { errno, .. } => {
                self.errors += 1;
                if wanted.errnos {
                    *self.errnos.entry(errno).or_default() += 1;
                }
            }
            Outcome::Interrupted { .. } => self.errors += 1,
            _ => {}
        }
        let Some(length) = call.duration else { return };
        self.shortest = if self.timed == 0 { length } else { self.shortest.min(length) };
        self.longest = self.longest.max(length);
        self.total = self.total.saturating_add(length);
        self.timed += 1;
        self.weigh(length);
        if wanted.histogram {
            *self.lengths.entry(length.max(1).ilog2()).or_default() += 1;
        }
    }

    fn told(&self, name: &str, wanted: Wanted) -> ToldCall {
        let errnos = || self.errnos.iter().map(|(errno, times)| (errno_name(*errno), *times)).collect();
        let histogram = || self.lengths.iter().map(|(power, times)| (1 << power, *times)).collect();
        ToldCall {
            syscall: name.to_owned(),
            calls: self.calls,
            errors: self.errors,
            total_ns: self.total,
            min_ns: self.shortest,
            avg_ns: self.total / self.timed.max(1),
            max_ns: self.longest,
            stddev_percent: self.deviation(),
            errnos: wanted.errnos.then(errnos),
            histogram: wanted.histogram.then(histogram),
        }
    }

    /// Welford's way to the variance: one pass, no large sums.
    #[allow(clippy::cast_precision_loss, reason = "two digits are shown")]
    fn weigh(&mut self, length: u64) {
        let length = length as f64;
        let distance = length - self.mean;
        self.mean += distance / self.timed as f64;
        self.spread += distance * (length - self.mean);
    }

    /// The standard error of the mean, in percent of it: what perf calls stddev.
    #[allow(clippy::cast_precision_loss, reason = "two digits are shown")]
    fn deviation(&self) -> f64 {
        if self.timed < 2 || self.mean == 0.0 {
            return 0.0;
        }
        let times = self.timed as f64;
        100.0 * (self.spread / (times - 1.0) / times).sqrt() / self.mean
    }

    fn histogram(&self, wide: usize) -> String {
        let mut text = String::new();
        let most = self.lengths.values().copied().max().unwrap_or(1);
        let (Some((first, _)), Some((last, _))) = (self.lengths.first_key_value(), self.lengths.last_key_value())
        else {
            return text;
        };
        for power in *first..=*last {
            let times = self.lengths.get(&power).copied().unwrap_or(0);
            let stick = usize::try_from(times.saturating_mul(40).div_ceil(most)).unwrap_or(40);
            let from = length(1_u64 << power);
            let _ = writeln!(text, "   {:wide$} {from:>8} {times:8} {}", "", "#".repeat(stick));
        }
        text
    }
}

/// `1us`, `131us`, `2.10ms`.
fn length(nanoseconds: u64) -> String {
    match nanoseconds {
        0..1_000 => format!("{nanoseconds}ns"),
        1_000..1_000_000 => format!("{:.1}us", milliseconds(nanoseconds) * 1e3),
        1_000_000..1_000_000_000 => format!("{:.1}ms", milliseconds(nanoseconds)),
        _ => format!("{:.1}s", milliseconds(nanoseconds) / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(tid: u32, name: &'static str, duration: u64, outcome: Outcome) -> Event {
        let call = Call { outcome, duration: Some(duration), ..Call::of(name) };
        let comm = Comm(*b"dd\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        Event { start: 0, end: 0, tid, pid: 7, comm, whose: 0, cpu: None, what: What::Call(Box::new(call)) }
    }

    fn told(wanted: Wanted) -> String {
        let ok = || Outcome::Returned { value: 0, text: "".into() };
        let mut stats = Stats::new(wanted);
        for event in [
            call(7, "read", 1_000_000, ok()),
            call(7, "read", 3_000_000, ok()),
            call(8, "openat", 10_000, Outcome::Failed { errno: 2, text: "".into() }),
        ] {
            stats.event(&event);
        }
        let mut out = Vec::new();
        stats.finish(&mut out, &["a.service".to_owned()]).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_thread_has_a_table() {
        let text = told(Wanted { by: By::Thread, histogram: false, errnos: true });
        let head = "   syscall            calls  errors     total       min       avg       max   stddev
                                       (msec)    (msec)    (msec)    (msec)      (%)
   --------------- --------  ------ --------- --------- --------- --------- --------
";
        let read = "   read                   2       0     4.000     1.000     2.000     3.000   50.00%\n";
        let openat = "   openat                 1       1     0.010     0.010     0.010     0.010    0.00%\n";
        let enoent = "                                 1 ENOENT\n";
        let expected =
            format!(" dd (7), 2 calls, 66.7%\n\n{head}{read}\n dd (8), 1 calls, 33.3%\n\n{head}{openat}{enoent}\n");
        assert_eq!(text, expected);
    }

    #[test]
    fn threads_are_counted_together_and_lengths_have_a_histogram() {
        let text = told(Wanted { by: By::Cgroup, histogram: true, errnos: false });
        assert!(text.starts_with(" a.service, 3 calls\n"), "{text}");
        assert!(text.contains("524.3us        1 ####") && text.contains("2.1ms        1 ####"), "{text}");
    }
}
