//! What recording costs: nanoseconds added to a call, beside the recorder's peers.
//!
//! `cargo bench --bench cost` (as root) prints Markdown tables. Each round measures every watcher in turn;
//! what is told is the median over the rounds of the difference to the untraced call of the same round.
//! `--sysbench` measures the throughput that is left to a benchmark instead, `--history` how many calls
//! a ring keeps, `--programs` what the kernel says of the programs.

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
    if has("--sysbench") {
        return sysbench::throughput();
    }
    if has("--history") {
        return sysbench::history();
    }
    if has("--programs") {
        return programs(&options);
    }
    costs(&options)
}

/// Added nanoseconds, one a round.
type Samples = BTreeMap<(usize, usize), Vec<f64>>;

fn costs(options: &Options) -> Result<()> {
    place::mount_tracefs(TRACEFS)?;
    let chosen = |watcher: &Watcher| {
        options.only.as_ref().is_none_or(|only| only.split(',').any(|word| watcher.name().contains(word)))
    };
    let watchers: Vec<Watcher> = Watcher::ALL.into_iter().filter(chosen).collect();
    let (watchers, absent): (Vec<_>, Vec<_>) = watchers.into_iter().partition(|watcher| watcher.is_installed());
    let mut samples = Samples::new();
    for round in 0..options.rounds {
        let slow = round < options.slow_rounds;
        self::round(&watchers, slow, options, &mut samples)?;
    }
    print(&watchers, &samples)?;
    for watcher in absent {
        println!("\n{} is not installed.", watcher.name());
    }
    Ok(())
}

/// Measures every watcher once.
fn round(watchers: &[Watcher], slow: bool, options: &Options, samples: &mut Samples) -> Result<()> {
    let place = Place::make()?;
    let mut subject = Subject::start()?;
    place.admit(subject.pid())?;
    let mut untraced = [0.0; Call::ALL.len()];
    for call in Call::ALL {
        untraced[call as usize] = measure(&mut subject, call, false)?;
    }
    for (n, watcher) in watchers.iter().enumerate().filter(|(_, watcher)| slow || !watcher.is_slow()) {
        let watching = watcher.start(subject.pid(), &place, &options.without)?;
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
    let median = |n: usize, call: Call| samples.get(&(n, call as usize)).map_or(f64::NAN, |all| quantile(all, 0.5));
    let aim = |n: usize| Call::AIM.iter().map(|call| median(n, *call)).sum::<f64>();
    let ftrace = watchers.iter().position(|watcher| *watcher == Watcher::Ftrace);
    for (n, watcher) in watchers.iter().enumerate() {
        print!("| {} |", watcher.name());
        for call in Call::ALL {
            let all = samples.get(&(n, call as usize)).map_or(&[][..], Vec::as_slice);
            let digits = usize::from(quantile(all, 0.5) < 100.0);
            print!(" {:.digits$} ({:.0}-{:.0}) |", quantile(all, 0.5), quantile(all, 0.25), quantile(all, 0.75));
        }
        match ftrace {
            Some(ftrace) if *watcher != Watcher::Nothing => println!(" {:.2} |", aim(n) / aim(ftrace)),
            _ => println!(" |"),
        }
    }
    println!("\nThe last column is the average of the first four calls over ftrace's.");
    Ok(())
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
