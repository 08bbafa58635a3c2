//! What many recorded cgroups cost: `cargo bench --bench scale` (as root) prints a Markdown table.
//!
//! For each number of cgroups, recorded by name (`traceloop cgroups`) and by watching the tree (the
//! daemon): nanoseconds that are added to a call in one of them, beside one recorded cgroup in the same
//! round; microseconds to take a cgroup in; memory; the time of a dump of one track. Behind it the dump of
//! a full track of 64 MiB (`--dump`: that alone), and what a host of 64 CPUs would need, by arithmetic.
//! `--churn SECONDS` tells instead whether memory stays flat while cgroups come and go.

#[path = "churn.rs"]
mod churn;
#[path = "place.rs"]
mod place;
#[path = "subject.rs"]
mod subject;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use place::Place;
use subject::{Call, Subject};
use traceloop::{
    cgroup::{Cgroup, Rules, v2_mount},
    decode::{History, Style},
    model::Cause,
    recorder::{Budget, Recorder, Settings, Watching, Windows},
    render::{self, Format},
    store,
    syscall::plan::Wanted,
};

const COUNTS: [usize; 4] = [1, 100, 1_000, 5_000];
const RING: usize = 32 << 10;
const MIB: f64 = 1_048_576.0;

fn main() -> Result<()> {
    traceloop::host::helped_by(std::path::Path::new(env!("CARGO_BIN_EXE_traceloop")));
    let args: Vec<String> = env::args().skip(1).collect();
    if args.iter().any(|arg| arg == subject::FLAG) {
        return subject::main();
    }
    let value = |flag: &str| args.iter().position(|arg| arg == flag).and_then(|at| args.get(at + 1));
    if let Some(seconds) = value("--churn") {
        return churn::churn(Duration::from_secs(seconds.parse()?));
    }
    let rounds = value("--rounds").map_or(Ok(7), |text| text.parse())?;
    if !args.iter().any(|arg| arg == "--dump") {
        println!(
            "| cgroups | recorded by | added to getppid, ns | / one cgroup | a cgroup taken in, µs | rings, MiB | \
             dump of one, ms |\n|---|---|---|---|---|---|---|"
        );
        for count in COUNTS {
            for way in [Way::Named, Way::Watched] {
                measure(count, way, rounds)?.print(count, way);
            }
        }
    }
    full_track()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Named,
    Watched,
}

struct Figures {
    added: f64,
    ratio: f64,
    ratios: (f64, f64),
    each: f64,
    memory: f64,
    dump: f64,
}

impl Figures {
    fn print(&self, count: usize, way: Way) {
        let Self { added, ratio, ratios: (low, high), each, memory, dump } = self;
        let way = if way == Way::Named { "name" } else { "watching the tree" };
        println!(
            "| {count} | {way} | {added:.0} | {ratio:.2} ({low:.2}-{high:.2}) | {each:.0} | {memory:.0} | {dump:.1} |"
        );
    }
}

/// Many cgroups that are removed again.
struct Crowd {
    slice: PathBuf,
    cgroups: Vec<PathBuf>,
}

impl Crowd {
    fn make(count: usize) -> Result<Self> {
        let slice = v2_mount()?.point.join(format!("traceloop-bench-{}.slice", std::process::id()));
        let mut crowd = Self { cgroups: (0..count).map(|n| slice.join(format!("n{n}.service"))).collect(), slice };
        fs::create_dir(&crowd.slice).context("make a cgroup: run as root")?;
        crowd.cgroups.iter().try_for_each(fs::create_dir).context("make a cgroup")?;
        crowd.cgroups.shrink_to_fit();
        Ok(crowd)
    }

    fn name(&self) -> String {
        self.slice.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.cgroups.iter().chain([&self.slice]).for_each(|path| drop(fs::remove_dir(path)));
    }
}

fn settings(ring: usize) -> Settings {
    Settings {
        wanted: Wanted::default(),
        budget: Budget { ring, total: 8 << 30 },
        history: Default::default(),
        without: Vec::new(),
    }
}

fn record(crowd: &Crowd, way: Way) -> Result<(Recorder, Duration)> {
    let count = crowd.cgroups.len();
    match way {
        Way::Named => {
            let cgroups = crowd.cgroups.iter().map(|path| Cgroup::open(path)).collect::<Result<Vec<_>>>()?;
            // Loading the programs costs the same for any number: the difference is the cgroups'.
            let alone = timed(|| Recorder::prepare(1, &settings(RING)))?.1;
            let (recorder, time) = timed(|| {
                let mut recorder = Recorder::prepare(count, &settings(RING))?;
                recorder.record(cgroups)?;
                Ok(recorder)
            })?;
            Ok((recorder, time.saturating_sub(alone)))
        }
        Way::Watched => {
            let watching = |name: &str| -> Result<Watching> {
                let rules = Rules::new(&[format!("/{name}/**")], &[])?;
                Ok(Watching {
                    rules,
                    keep: Duration::from_secs(60),
                    ready: 4,
                    profiles: Default::default(),
                    keeper: None,
                })
            };
            let alone = timed(|| Recorder::watch(&settings(RING), watching("traceloop-bench-nobody.slice")?))?.1;
            let ((recorder, _), time) = timed(|| Recorder::watch(&settings(RING), watching(&crowd.name())?))?;
            Ok((recorder, time.saturating_sub(alone)))
        }
    }
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let began = Instant::now();
    let done = work()?;
    Ok((done, began.elapsed()))
}

/// One subject runs in the crowd's middle, with none, one and all of it recorded in turn.
#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn measure(count: usize, way: Way, rounds: usize) -> Result<Figures> {
    let crowd = Crowd::make(count)?;
    let place = Place::make()?;
    let (recorder, taking) = record(&crowd, way)?;
    let one = {
        let mut recorder = Recorder::prepare(1, &settings(RING))?;
        recorder.record(vec![Cgroup::open(&place.subject)?])?;
        recorder
    };
    // Both recorders are attached all the time, so what is compared differs by the crowd's size alone.
    let mut subject = Subject::start()?;
    let middle = &crowd.cgroups[count / 2];
    let mut time = |cgroup: &Path| -> Result<f64> {
        fs::write(cgroup.join("cgroup.procs"), subject.pid().to_string()).context("move the subject")?;
        subject.time(Call::Getppid, 4_000, 15)
    };
    let (mut added, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let nobody = time(&place.other)?;
        let (in_one, in_crowd) = (time(&place.subject)? - nobody, time(middle)? - nobody);
        added.push(in_crowd);
        ratios.push(in_crowd / in_one);
    }
    let (_, dump) = timed(|| {
        let name = format!("n{}.service", count / 2);
        let tracks = recorder.tracks(Windows::Lately(Instant::now()))?;
        match tracks.iter().find(|track| track.identity.cgroup.ends_with(&name)) {
            Some(track) => Ok(recorder.dump_track(track.id, Cause::Request)?.whole()),
            None => recorder.dump(Cause::Request),
        }
    })?;
    drop(one);
    drop(subject);
    added.sort_by(f64::total_cmp);
    ratios.sort_by(f64::total_cmp);
    Ok(Figures {
        added: added[rounds / 2],
        ratio: ratios[rounds / 2],
        ratios: (ratios[rounds / 4], ratios[rounds * 3 / 4]),
        each: taking.as_secs_f64() * 1e6 / count as f64,
        memory: recorder.memory() as f64 / MIB,
        dump: dump.as_secs_f64() * 1e3,
    })
}

/// A track of 64 MiB, full: to a raw file and to text.
#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn full_track() -> Result<()> {
    let cpus = std::thread::available_parallelism()?.get();
    let place = Place::make()?;
    let (mut recorder, load) = timed(|| Recorder::prepare(1, &settings((64 << 20) / cpus)))?;
    recorder.record(vec![Cgroup::open(&place.subject)?])?;
    fill(&place, cpus)?;
    let file = tempfile::NamedTempFile::new().context("make a file")?;
    let (mut raw, mut copying, mut text) = (f64::MAX, f64::MAX, f64::MAX);
    let (mut records, mut bytes, mut packed) = (0, 0, 0);
    for _ in 0..5 {
        let began = Instant::now();
        let recording = recorder.dump(Cause::Request)?;
        copying = copying.min(began.elapsed().as_secs_f64());
        let mut out = fs::File::create(file.path())?;
        store::write(&mut out, &recording)?;
        raw = raw.min(began.elapsed().as_secs_f64());
        packed = fs::metadata(file.path())?.len();
        let began = Instant::now();
        let history = History::of(&recording, &Style::default())?;
        let out = std::io::BufWriter::with_capacity(1 << 16, fs::File::create(file.path())?);
        render::dump(&mut { out }, Format::Text, &recording.dump, history.events())?;
        text = text.min(began.elapsed().as_secs_f64() + copying);
        records = recording.dump.window.records;
        bytes = recording.blocks.iter().map(|block| block.plain_length()).sum();
    }
    println!(
        "\nA full track of 64 MiB ({records} records, {:.0} MiB): copied in {copying:.3} s, raw file of {:.1} MiB in \
         {raw:.3} s, text in {text:.2} s; the best of five. Loading took {:.2} s.",
        bytes as f64 / MIB,
        packed as f64 / MIB,
        load.as_secs_f64()
    );
    arithmetic()
}

/// Fills the rings of all CPUs with the calls of real programs.
fn fill(place: &Place, cpus: usize) -> Result<()> {
    const SCRIPT: &str = "for n in 1 2 3 4 5 6 7 8; do find /usr -newer /etc/passwd; \
                          dd if=/dev/zero of=/dev/null bs=64 count=60000; done";
    let procs = place.subject.join("cgroup.procs");
    let start = |cpu: usize| {
        let script = format!("echo $$ > {}; taskset -pc {cpu} $$; {SCRIPT}", procs.display());
        Command::new("sh").args(["-c", &script]).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    };
    let children: Vec<_> = (0..cpus).map(start).collect::<Result<_, _>>().context("start a shell")?;
    for mut child in children {
        child.wait().context("wait for a shell")?;
    }
    Ok(())
}

/// What was measured here, for a host of 64 CPUs: rings are one for each CPU of each cgroup.
#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn arithmetic() -> Result<()> {
    const CPUS: f64 = 64.0;
    let recorder = Recorder::prepare(1, &settings(RING))?;
    let cpus = std::thread::available_parallelism()?.get() as f64;
    let (many, time) = timed(|| Recorder::prepare(500, &settings(RING)))?;
    let (_, alone) = timed(|| Recorder::prepare(1, &settings(RING)))?;
    let ring = (time.saturating_sub(alone)).as_secs_f64() * 1e6 / 500.0 / cpus;
    let (_, flush) = timed(|| recorder.kernel().flush())?;
    drop(many);
    println!(
        "\nBy arithmetic, on {CPUS} CPUs: a ring takes {ring:.0} µs to make, so a cgroup {:.1} ms; rings of {} KiB \
         make {:.0} MiB a cgroup, so 64 MiB hold {:.0} of them; to have all CPUs send takes {:.2} ms.",
        ring * CPUS / 1e3,
        RING >> 10,
        CPUS * (RING + 4096) as f64 / MIB,
        64.0 * MIB / (CPUS * RING as f64),
        flush.as_secs_f64() * 1e3 / cpus * CPUS
    );
    Ok(())
}
