//! What recording costs: nanoseconds added to a call, beside the recorder's peers.
//!
//! `cargo bench --bench cost` (as root) prints the README's Markdown tables: what is added to a call, what is
//! left to a benchmark, how much history fits into a MiB. Each round measures every watcher in turn; what
//! is told is the median over the rounds of the difference to the untraced call of the same round.
//! `--calls`, `--sysbench`, `--history` print one of them, `--programs` what the kernel says of the programs.
//! A peer that is not there, or does not work here, is named with the reason.

mod history;
mod place;
mod subject;
mod sysbench;
mod watcher;

use std::{collections::BTreeMap, env, fs};

use anyhow::{Context, Result};
use place::Place;
use subject::{Call, Subject};
use traceloop::kernel::Feature;
use watcher::{TRACEFS, Watcher};

struct Options {
    rounds: usize,
    slow_rounds: usize,
    without: Vec<Feature>,
    only: Option<String>,
}

fn main() -> Result<()> {
    traceloop::host::helped_by(std::path::Path::new(env!("CARGO_BIN_EXE_traceloop")));
    let args: Vec<String> = env::args().skip(1).collect();
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    let value = |flag: &str| args.iter().position(|arg| arg == flag).and_then(|at| args.get(at + 1));
    if has(subject::FLAG) {
        return subject::main();
    }
    let number = |flag: &str, default| value(flag).map_or(Ok(default), |text| text.parse());
    let options = Options {
        rounds: number("--rounds", 15)?,
        slow_rounds: number("--slow-rounds", 2)?,
        without: value("--without").map_or(Ok(vec![]), |list| list.split(',').map(str::parse).collect())?,
        only: value("--only").cloned(),
    };
    if has("--programs") {
        return programs(&options);
    }
    place::mount_tracefs(TRACEFS)?;
    let all = !["--calls", "--sysbench", "--history"].into_iter().any(has);
    if all || has("--calls") {
        costs(&options)?;
    }
    if all || has("--sysbench") {
        sysbench::throughput()?;
    }
    if all || has("--history") {
        history::history()?;
    }
    Ok(())
}

/// Added nanoseconds, one a round.
type Samples = BTreeMap<(usize, usize), Vec<f64>>;

fn costs(options: &Options) -> Result<()> {
    let chosen = |watcher: &Watcher| {
        options.only.as_ref().is_none_or(|only| only.split(',').any(|word| watcher.name().contains(word)))
    };
    let mut watchers: Vec<Watcher> = Watcher::ALL.into_iter().filter(chosen).collect();
    let mut absent = Vec::new();
    watchers.retain(|watcher| match watcher.absence() {
        None => true,
        Some(reason) => {
            absent.push(format!("{} is not measured: {reason}.", watcher.name()));
            false
        }
    });
    let mut samples = Samples::new();
    for round in 0..options.rounds {
        let slow = round < options.slow_rounds;
        self::round(&watchers, slow, options, &mut samples, &mut absent)?;
    }
    print(&watchers, &samples)?;
    absent.iter().for_each(|reason| println!("\n{reason}"));
    println!();
    Ok(())
}

/// Measures every watcher once.
fn round(
    watchers: &[Watcher],
    slow: bool,
    options: &Options,
    samples: &mut Samples,
    absent: &mut Vec<String>,
) -> Result<()> {
    let place = Place::make()?;
    let mut subject = Subject::start()?;
    place.admit(subject.pid())?;
    let mut untraced = [0.0; Call::ALL.len()];
    for call in Call::ALL {
        untraced[call as usize] = measure(&mut subject, call, false)?;
    }
    for (n, watcher) in watchers.iter().enumerate().filter(|(_, watcher)| slow || !watcher.is_slow()) {
        let watching = match watcher.start(subject.pid(), &place, &options.without) {
            Ok(watching) => watching,
            // A peer may want what this machine does not give.
            Err(error) if watcher.is_peer() => {
                absent.push(format!("{} was not measured in a round: {error:#}.", watcher.name()));
                continue;
            }
            Err(error) => return Err(error),
        };
        for call in Call::ALL {
            let cost = measure(&mut subject, call, watcher.is_slow())?;
            let added = if *watcher == Watcher::Nothing { cost } else { cost - untraced[call as usize] };
            samples.entry((n, call as usize)).or_default().push(added);
        }
        drop(watching);
    }
    Ok(())
}

fn measure(subject: &mut Subject, call: Call, slow: bool) -> Result<f64> {
    let (calls, batches) = match (slow, call) {
        (true, Call::Mix) => (50, 4),
        (true, _) => (300, 4),
        (false, Call::Mix) => (1_000, 15),
        (false, _) => (4_000, 15),
    };
    let time = subject.time(call, calls, batches)?;
    let in_one = if call == Call::Mix { Call::ALL.len() - 1 } else { 1 };
    #[allow(clippy::cast_precision_loss, reason = "six")]
    Ok(time / in_one as f64)
}

/// The value below which `share` of the samples lie.
fn quantile(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "few samples"
    )]
    let at = (share * (sorted.len().saturating_sub(1)) as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

fn print(watchers: &[Watcher], samples: &Samples) -> Result<()> {
    println!("Nanoseconds added to a call on {} with {}; median, in brackets the middle half.\n", cpu()?, kernel()?);
    print!("| |");
    Call::ALL.iter().for_each(|call| print!(" {call} |"));
    println!(" / ftrace |\n|---|{}", "---|".repeat(Call::ALL.len() + 1));
    let all = |n: usize, call: Call| samples.get(&(n, call as usize)).map_or(&[][..], Vec::as_slice);
    let ftrace = watchers.iter().position(|watcher| *watcher == Watcher::Ftrace);
    for (n, watcher) in watchers.iter().enumerate() {
        print!("| {} |", watcher.name());
        for call in Call::ALL {
            print!(" {} |", told(all(n, call), 100.0));
        }
        // Round by round: what else the machine did then, it did to both.
        let aim = |n: usize, round: usize| -> Option<f64> {
            Call::AIM.iter().map(|call| all(n, *call).get(round).copied()).sum()
        };
        let ratio = |ftrace| move |round| Some(aim(n, round)? / aim(ftrace, round)?);
        match ftrace {
            Some(ftrace) if *watcher != Watcher::Nothing => {
                let ratios: Vec<f64> = (0..).map_while(ratio(ftrace)).collect();
                println!(" {} |", told(&ratios, 10.0));
            }
            _ => println!(" |"),
        }
    }
    println!("\nThe last column is the average of the first four calls over ftrace's.");
    Ok(())
}

/// The median and the middle half, with digits behind the point where the median is small.
fn told(samples: &[f64], small: f64) -> String {
    let median = quantile(samples, 0.5);
    if median.is_nan() {
        return "-".to_owned();
    }
    let digits = if median < small { if small < 100.0 { 2 } else { 1 } } else { 0 };
    let (low, high) = (quantile(samples, 0.25), quantile(samples, 0.75));
    format!("{median:.digits$} ({low:.digits$}-{high:.digits$})")
}

fn cpu() -> Result<String> {
    let text = fs::read_to_string("/proc/cpuinfo").context("read the CPU's name")?;
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    Ok(name.map_or("an unnamed CPU", |(_, name)| name).to_owned())
}

fn kernel() -> Result<String> {
    Ok(format!(
        "Linux {}",
        fs::read_to_string("/proc/sys/kernel/osrelease").context("read the kernel's release")?.trim()
    ))
}

/// What the verifier and the kernel tell of each program after a second of mixed calls.
fn programs(options: &Options) -> Result<()> {
    // SAFETY: takes no pointers; the descriptor lives until the process ends.
    unsafe { libbpf_rs::libbpf_sys::bpf_enable_stats(libbpf_rs::libbpf_sys::BPF_STATS_RUN_TIME) };
    let place = Place::make()?;
    let mut subject = Subject::start()?;
    place.admit(subject.pid())?;
    let recorder = watcher::recorder(&place.subject, &options.without)?;
    subject.time(Call::Mix, 200_000, 1)?;
    println!("| program | instructions verified | bytes | ns a run |\n|---|---|---|---|");
    for program in recorder.kernel().programs()? {
        let time = program.run_time.checked_div(program.runs).map_or_else(String::new, |time| time.to_string());
        println!("| {} | {} | {} | {time} |", program.name, program.verified, program.bytes);
    }
    Ok(())
}
