//! Figures for Prometheus, in its text format.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    ops::Add,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::{describe, run::Daemon};
use crate::{
    control::Track,
    host,
    model::{Container, plain},
    recorder::{Cost, Silence, Windows, boottime},
};
use Nature::{Counter, Gauge};

/// What Prometheus is told of a metric's nature.
#[derive(Clone, Copy, Debug)]
enum Nature {
    Counter,
    Gauge,
}

/// A text of metrics that grows.
#[derive(Debug, Default)]
struct Page {
    text: String,
}

impl Page {
    /// A metric with its values, each with its labels.
    fn add<'a>(
        &mut self,
        nature: Nature,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Vec<(&'a str, String)>, f64)>,
    ) {
        let nature = match nature {
            Nature::Counter => "counter",
            Nature::Gauge => "gauge",
        };
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return;
        }
        // Writing to a String cannot fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {nature}\n");
        for (labels, value) in values {
            let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(self.text, "{name}{labels} {value}");
        }
    }

    fn one(&mut self, nature: Nature, name: &str, help: &str, value: f64) {
        self.add(nature, name, help, [(Vec::new(), value)]);
    }

    fn by(
        &mut self,
        nature: Nature,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (String, f64)>,
    ) {
        self.add(nature, name, help, values.into_iter().map(|(key, value)| (vec![(label, key)], value)));
    }
}

/// As the format wants label values; what could drive a terminal is escaped before.
fn escaped(text: &str) -> String {
    plain(text).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// For how long a page is the newest one.
const FRESH: Duration = Duration::from_secs(1);
/// Rings are looked at for so long for one page; the others' figures stay as they were.
const LOOKING: Duration = Duration::from_millis(20);

/// A column of the tracks: its metric, whether it takes a look at rings, its value, and what two of one name have
/// together.
type Column = (Nature, &'static str, &'static str, bool, fn(&Track) -> f64, fn(f64, f64) -> f64);

#[allow(clippy::cast_precision_loss, reason = "Prometheus' numbers are doubles")]
const COLUMNS: [Column; 10] = [
    (
        Counter,
        "traceloop_track_calls_total",
        "System calls that were recorded.",
        false,
        |track| track.calls as f64,
        Add::add,
    ),
    (
        Counter,
        "traceloop_track_records_total",
        "Records that were written for them.",
        false,
        |track| track.records as f64,
        Add::add,
    ),
    (
        Counter,
        "traceloop_track_overwritten_total",
        "Records that newer ones have overwritten.",
        true,
        |track| track.overwritten as f64,
        Add::add,
    ),
    (
        Counter,
        "traceloop_track_lost_total",
        "Records that the ring did not take.",
        false,
        |track| track.lost as f64,
        Add::add,
    ),
    (
        Gauge,
        "traceloop_track_window_seconds",
        "How far back its calls are all there.",
        true,
        |track| track.window,
        f64::min,
    ),
    (
        Gauge,
        "traceloop_track_reach_seconds",
        "How far back those of them are there that [history] keep names.",
        true,
        |track| track.reach,
        f64::min,
    ),
    (
        Gauge,
        "traceloop_track_memory_bytes",
        "Bytes of its rings and of its packed history.",
        false,
        |track| track.memory as f64,
        Add::add,
    ),
    (
        Counter,
        "traceloop_track_skipped_total",
        "System calls that were not to be recorded.",
        false,
        |track| track.skipped as f64,
        Add::add,
    ),
    (
        Gauge,
        "traceloop_track_recording_level",
        "What max-overhead leaves of it: 0 all, 1 no contents, 2 what [history] keep names, 3 counts.",
        false,
        |track| f64::from(track.level as u8),
        f64::max,
    ),
    (
        Gauge,
        "traceloop_track_overhead_ratio",
        "What recording it has cost in the last second, of the CPU time that it used itself; 0: little.",
        false,
        |track| track.overhead.unwrap_or(0.0),
        f64::max,
    ),
];

#[allow(clippy::cast_precision_loss, reason = "Prometheus' numbers are doubles")]
impl Daemon {
    /// The page, made at most once a second however many ask for it.
    pub(super) fn metrics(&mut self) -> Result<String> {
        if let Some((_, page)) = self.page.as_ref().filter(|(made, _)| made.elapsed() < FRESH) {
            return Ok(page.clone());
        }
        let page = self.make_page()?;
        self.page = Some((Instant::now(), page.clone()));
        Ok(page)
    }

    fn make_page(&self) -> Result<String> {
        let tracks = self.recorder.tracks(Windows::Lately(Instant::now() + LOOKING))?;
        let tracks: Vec<(Track, bool)> = tracks.iter().map(|info| (describe::track(info), info.looked_at)).collect();
        let mut page = Page::default();
        let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        page.add(Gauge, "traceloop_build_info", "The version that runs.", [(version, 1.0)]);
        self.going_on(&mut page);
        let mut states = BTreeMap::from([("live", 0), ("ended", 0), ("shared", 0)]);
        for (track, _) in &tracks {
            let state = if track.ended.is_some() {
                "ended"
            } else if track.shared {
                "shared"
            } else {
                "live"
            };
            *states.entry(state).or_default() += 1;
        }
        let states = states.into_iter().map(|(state, count)| (state.to_owned(), f64::from(count)));
        page.by(Gauge, "traceloop_tracks", "Recorded cgroups; shared ones have no ring of their own.", "state", states);
        for (nature, name, help, of_rings, value, merge) in COLUMNS {
            let known = tracks.iter().filter(|(_, looked_at)| *looked_at || !of_rings).map(|(track, _)| track);
            page.add(nature, name, help, by_name(known, value, merge));
        }
        page.one(
            Gauge,
            "traceloop_memory_bytes",
            "Bytes of all rings and packed histories.",
            self.recorder.memory() as f64,
        );
        let most = self.recorder.memory_most() as f64;
        page.one(Gauge, "traceloop_memory_max_bytes", "Bytes that these may take.", most);
        self.history(&mut page);
        self.cost(&mut page);
        let losses = self.recorder.losses()?.into_iter().map(|loss| (loss.reason, loss.count as f64));
        page.by(Counter, "traceloop_lost_total", "What is not there although it should be.", "reason", losses);
        let given_up = self.recorder.given_up().1 as f64;
        page.one(Counter, "traceloop_tracks_given_up_total", "Histories that were given up: age, memory.", given_up);
        let told = self.recorder.told() as f64;
        page.one(Counter, "traceloop_notices_total", "What woke it: cgroups made and removed, bad ends, calls.", told);
        let kept = host::left_behind() as f64;
        let help = "Helpers that look into processes and that a file system does not let go.";
        page.one(Gauge, "traceloop_looks_left_behind", help, kept);
        self.dumps(&mut page);
        self.programs(&mut page)?;
        own(&mut page)?;
        Ok(page.text)
    }

    /// Whether the recording goes on, and outlives the daemon.
    fn going_on(&self, page: &mut Page) {
        let now = boottime();
        let seconds = |silence: Silence| silence.to.unwrap_or(now).saturating_sub(silence.from) as f64 / 1e9;
        let recording = f64::from(u8::from(self.recorder.silent_since().is_none()));
        let help = "Whether calls are recorded: one of the daemon's own was seen within the last ten seconds.";
        page.one(Gauge, "traceloop_recording", help, recording);
        let silent = self.recorder.silences().map(seconds).sum();
        page.one(Gauge, "traceloop_unrecorded_seconds", "Time in which nothing was recorded, as remembered.", silent);
        if let Some(held) = self.recorder.is_held() {
            let help = "Whether a keeper holds the recording, so that it outlives the daemon.";
            page.one(Gauge, "traceloop_held", help, f64::from(u8::from(held)));
        }
    }

    /// What is kept of what rings have taken, and what that costs.
    fn history(&self, page: &mut Page) {
        let history = self.recorder.history();
        let bytes =
            [("packed", history.packed), ("kept", history.kept), ("waiting", history.waiting), ("room", history.room)];
        let bytes = bytes.map(|(state, bytes)| (state.to_owned(), bytes as f64));
        page.by(Gauge, "traceloop_history_bytes", "What rings have taken and is kept, and its room.", "state", bytes);
        page.one(Gauge, "traceloop_history_calls", "Calls in the packed history.", history.calls as f64);
        let help = "CPU time that packing has taken.";
        page.one(Counter, "traceloop_history_cpu_seconds_total", help, history.cpu as f64 / 1e9);
        let help = "Records that were overwritten before they could be copied.";
        page.one(Counter, "traceloop_history_missed_records_total", help, history.missed as f64);
        let help = "Records that were given up without a look at what [history] keep wants of them, for lack of time.";
        page.one(Counter, "traceloop_history_unthinned_records_total", help, history.unthinned as f64);
    }

    /// What recording adds to a call here.
    fn cost(&self, page: &mut Page) {
        let Cost { call, byte, skipped, unkept, measured } = self.recorder.cost();
        let each = [("recorded", call), ("byte", byte), ("left-out", skipped), ("not-kept", unkept)];
        let each = each.map(|(what, nanoseconds)| (what.to_owned(), nanoseconds / 1e9));
        let help = "What recording adds to a call: one that is recorded, each byte of it, one that is not.";
        page.by(Gauge, "traceloop_call_cost_seconds", help, "what", each);
        let help = "Whether that was measured on this machine when the recording began.";
        page.one(Gauge, "traceloop_call_cost_measured", help, f64::from(u8::from(measured)));
    }

    fn dumps(&self, page: &mut Page) {
        let counts = &self.saving.counts;
        let by = |counts: &BTreeMap<&'static str, u64>| -> Vec<_> {
            counts.iter().map(|(reason, count)| ((*reason).to_owned(), *count as f64)).collect()
        };
        page.by(Counter, "traceloop_dumps_total", "Dumps that were stored.", "reason", by(&counts.stored));
        page.one(Counter, "traceloop_dump_bytes_total", "Bytes of stored dumps.", counts.bytes as f64);
        page.one(Counter, "traceloop_dumps_failed_total", "Dumps that could not be stored.", counts.failed as f64);
        let given_up = counts.given_up as f64;
        page.one(Counter, "traceloop_dumps_given_up_total", "Stored dumps that are gone for the limits.", given_up);
        let missed = self.calls.missed as f64;
        let help = "Calls that [triggers] may mean and that newer ones had overwritten before they were looked at.";
        page.one(Counter, "traceloop_call_rules_missed_total", help, missed);
        let help = "Triggers that made no dump.";
        page.by(Counter, "traceloop_triggers_suppressed_total", help, "reason", by(&counts.suppressed));
        let missed = self.limited().into_iter();
        let missed = missed.map(|one| (vec![("target", one.target), ("limit", one.limit)], one.times as f64));
        let help = "Deaths that have no dump for a limit in [triggers], until a day has passed without one.";
        page.add(Nature::Gauge, "traceloop_deaths_without_dump", help, missed);
    }

    fn programs(&self, page: &mut Page) -> Result<()> {
        let figures = self.recorder.kernel().programs()?;
        let missed = figures.iter().map(|program| (program.name.clone(), program.missed as f64));
        let help = "Runs left out since the program was running already on that CPU.";
        page.by(Counter, "traceloop_bpf_missed_total", help, "program", missed);
        let stats = fs::read_to_string("/proc/sys/kernel/bpf_stats_enabled").is_ok_and(|text| text.trim() == "1");
        let help = "Whether the kernel counts the programs' runs: sysctl kernel.bpf_stats_enabled=1.";
        page.one(Gauge, "traceloop_bpf_stats_enabled", help, f64::from(u8::from(stats)));
        if stats {
            let runs = figures.iter().map(|program| (program.name.clone(), program.runs as f64));
            page.by(Counter, "traceloop_bpf_runs_total", "Runs of the BPF programs.", "program", runs);
            let time = figures.iter().map(|program| (program.name.clone(), program.run_time as f64 / 1e9));
            page.by(Counter, "traceloop_bpf_run_seconds_total", "Time in the BPF programs.", "program", time);
        }
        Ok(())
    }
}

/// What there is of a column, by names: those that live, since a container that is started again is another one under the
/// same name, and a series for each that ever was would be kept for good.
fn by_name<'a>(
    tracks: impl Iterator<Item = &'a Track>,
    value: fn(&Track) -> f64,
    merge: fn(f64, f64) -> f64,
) -> impl Iterator<Item = (Vec<(&'static str, String)>, f64)> {
    let mut values: BTreeMap<Vec<(&'static str, String)>, f64> = BTreeMap::new();
    for track in tracks.filter(|track| track.ended.is_none()) {
        let value = value(track);
        values.entry(labels(track)).and_modify(|all| *all = merge(*all, value)).or_insert(value);
    }
    values.into_iter()
}

fn labels(track: &Track) -> Vec<(&'static str, String)> {
    let identity = &track.identity;
    let pod = identity.pod.as_ref();
    let container = pod.and_then(|pod| pod.container.clone());
    let named = |container: &Container| container.name.clone().unwrap_or_default();
    let all = [
        ("target", Some(track.target.clone())),
        ("unit", identity.unit.clone()),
        ("namespace", pod.and_then(|pod| pod.namespace.clone())),
        ("pod", pod.and_then(|pod| pod.name.clone())),
        ("container", container.or_else(|| identity.container.as_ref().map(named))),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?))).collect()
}

/// The daemon's own costs, by the names that Prometheus' libraries give them.
#[allow(clippy::cast_precision_loss, reason = "Prometheus' numbers are doubles")]
fn own(page: &mut Page) -> Result<()> {
    let me = procfs::process::Process::myself().context("look at our own figures")?;
    let stat = me.stat().context("look at our own figures")?;
    let cpu = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
    page.one(Nature::Counter, "process_cpu_seconds_total", "CPU time of the daemon.", cpu);
    let resident = (stat.rss * procfs::page_size()) as f64;
    page.one(Nature::Gauge, "process_resident_memory_bytes", "Memory of the daemon, rings included.", resident);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_that_was_started_again_is_no_other_series() {
        let pod = crate::model::Pod {
            namespace: Some("shop".into()),
            name: Some("cart".into()),
            container: Some("app".into()),
            uid: "u".into(),
        };
        let track = |calls, window, ended| {
            let identity = crate::model::Identity { pod: Some(pod.clone()), ..Default::default() };
            Track { target: identity.to_string(), identity, calls, window, ended, ..Track::default() }
        };
        let unit = Track { target: "a.service".into(), calls: 1, ..Track::default() };
        let tracks = [track(5, 9.0, Some(1.0)), track(7, 3.0, None), track(2, 4.0, None), unit];
        let mut page = Page::default();
        for (nature, name, _, _, value, merge) in [COLUMNS[0], COLUMNS[4]] {
            page.add(nature, name, "H.", by_name(tracks.iter(), value, merge));
        }
        let labels = "target=\"shop/cart/app\",namespace=\"shop\",pod=\"cart\",container=\"app\"";
        for line in [
            format!("traceloop_track_calls_total{{{labels}}} 9"),
            format!("traceloop_track_window_seconds{{{labels}}} 3"),
            "traceloop_track_calls_total{target=\"a.service\"} 1".to_owned(),
        ] {
            assert!(page.text.lines().any(|found| found == line), "{line} is not in {}", page.text);
        }
        assert_eq!(page.text.lines().filter(|line| !line.starts_with('#')).count(), 4);
    }

    #[test]
    fn a_page() {
        let mut page = Page::default();
        page.by(Nature::Counter, "a_total", "A.", "name", [("x\"\\\n\x1b".to_owned(), 3.0)]);
        page.one(Nature::Gauge, "b", "B.", 0.5);
        page.by(Nature::Gauge, "c", "C.", "name", []);
        let text = "# HELP a_total A.\n# TYPE a_total counter\na_total{name=\"x\\\"\\\\\\\\u{a}\\\\u{1b}\"} 3\n\
                    # HELP b B.\n# TYPE b gauge\nb 0.5\n";
        assert_eq!(page.text, text);
    }
}
