//! How fast a dump becomes text: `cargo bench --bench decode` (as root, to make a recording of real calls).
//!
//! Some programs are recorded, their records repeated, later each time, up to a million; told are
//! records a second for each step, on one core, and the most memory that the process had.

mod place;

use std::{
    fs,
    io::{self, Write},
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use nix::time::{ClockId, clock_gettime};
use place::Place;
use traceloop::{
    cgroup::Cgroup,
    decode::{History, Style},
    model::{Block, Cause, Recording},
    recorder::{Budget, Recorder, Settings},
    render::{self, Format},
    store,
    syscall::plan::Wanted,
    wire,
};

const RECORDS: usize = 1_000_000;
const SCRIPT: &str = "find /usr/share/doc /usr/lib/python3* /etc -newer /etc/passwd; ls -lR /usr/share/doc; \
                      cat /usr/share/common-licenses/*; ps aux; tar cf /dev/null /usr/share/common-licenses";

fn main() -> Result<()> {
    traceloop::host::helped_by(std::path::Path::new(env!("CARGO_BIN_EXE_traceloop")));
    let recording = repeat(record()?)?;
    let count: usize = recording.blocks.iter().map(|block| block.records as usize).sum();
    let bytes: usize = recording.blocks.iter().map(|block| block.plain_length()).sum();
    println!("{count} records, {} MiB\n\n| | CPU seconds | million records a second |\n|---|---|---|", bytes >> 20);
    let style = Style::default();
    let history = History::of(&recording, &style)?;
    timed("decode", count, || Ok(history.events().map(|event| event.start).max()))?;
    for (name, format) in [("strace", Format::STRACE), ("text", Format::Text), ("json", Format::Json)] {
        timed(&format!("decode and render {name}"), count, || {
            render::dump(&mut io::BufWriter::new(io::sink()), format, &recording.dump, history.events())
                .context("render")
        })?;
    }
    let file = timed("store", count, || {
        let mut file = Vec::new();
        store::write(&mut file, &recording)?;
        Ok(file)
    })?;
    timed("read again", count, || store::read(file.as_slice()))?;
    println!("\nThe file has {} MiB. Most memory at once: {}.", file.len() >> 20, peak()?);
    Ok(())
}

/// The processor's time: what else the machine does is not counted.
fn timed<T>(name: &str, count: usize, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let used = || clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from).context("read the clock");
    let began = used()?;
    let done = work()?;
    let seconds = (used()? - began).as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "a million")]
    let rate = count as f64 / seconds / 1e6;
    writeln!(io::stdout(), "| {name} | {seconds:.2} | {rate:.2} |")?;
    Ok(done)
}

fn record() -> Result<Recording> {
    let place = Place::make()?;
    let settings = Settings {
        wanted: Wanted::default(),
        budget: Budget { ring: 32 << 20, total: 1 << 30 },
        history: Default::default(),
        without: Vec::new(),
    };
    let mut recorder = Recorder::prepare(1, &settings)?;
    recorder.record(vec![Cgroup::open(&place.subject)?])?;
    let procs = place.subject.join("cgroup.procs");
    let mut shell = Command::new("sh");
    shell.args(["-c", SCRIPT]).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: the child opens, writes and closes a file, nothing else.
    unsafe { shell.pre_exec(move || fs::write(&procs, "0")) };
    shell.status().context("run the programs to record")?;
    recorder.dump(Cause::Command)
}

/// The same again and again, until there are enough records.
fn repeat(mut recording: Recording) -> Result<Recording> {
    let first = std::mem::take(&mut recording.blocks);
    let (from, to) = (first.iter().map(|block| block.first).min(), first.iter().map(|block| block.to).max());
    let span = to.unwrap_or(0) - from.unwrap_or(0) + 1000;
    let count: u64 = first.iter().map(|block| u64::from(block.records)).sum();
    for n in 0..(RECORDS as u64).div_ceil(count.max(1)) {
        for block in &first {
            let mut bytes = block.plain()?.into_owned();
            let mut at = 0;
            while let Some(record) = wire::Record::parse(&bytes[at..]) {
                let (length, time) = (record.bytes().len(), record.time() + n * span);
                bytes[at + 8..at + 16].copy_from_slice(&time.to_ne_bytes());
                at += length;
            }
            recording
                .blocks
                .extend(Block::cut(block.cpu, block.whose, &bytes).map(Block::pack).collect::<io::Result<Vec<_>>>()?);
        }
    }
    Ok(recording)
}

fn peak() -> Result<String> {
    let status = fs::read_to_string("/proc/self/status").context("read our own memory use")?;
    Ok(status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim().to_owned())
}
