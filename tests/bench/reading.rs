//! How soon a part of a large stored dump is shown, and in how much memory all of it: `cargo bench --bench reading`.
//!
//! The dump is made here: calls of some threads on two CPUs, with a connect now and then; ten million, or as many as
//! the first argument says.

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use traceloop::{
    model::{Block, Cause, Dump, Recording},
    store,
};

const CALLS: u64 = 10_000_000;
const THREADS: u64 = 40;
/// One call in so many is a connect.
const CONNECTS: u64 = 100_000;

fn main() -> Result<()> {
    let calls = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(CALLS);
    let place = tempfile::tempdir().context("make a directory")?;
    let file = place.path().join("large.dump");
    let recording = recording(calls)?;
    store::write(io::BufWriter::new(fs::File::create(&file)?), &recording)?;
    let (blocks, taken) = (recording.blocks.len(), recording.dump.taken);
    drop(recording);
    println!("{calls} calls, {blocks} blocks, {} MiB\n", fs::metadata(&file)?.len() >> 20);
    println!("| show | seconds | MiB at most | lines |\n|---|---|---|---|");
    let middle = format!("@{}.{:09}", taken / 2 / 1_000_000_000, taken / 2 % 1_000_000_000);
    let until = taken / 2 + 1_000_000;
    let until = format!("@{}.{:09}", until / 1_000_000_000, until % 1_000_000_000);
    let parts: [&[&str]; 8] = [
        &["-n", "100"],
        &["--last", "1ms"],
        &["--since", &middle, "--until", &until],
        &["-n", "100", "--tid", "103"],
        &["-n", "100", "-y"],
        &["-n", "10", "-e", "trace=connect"],
        &["--format", "json"],
        &["-c"],
    ];
    for options in parts {
        show(&file, options)?;
    }
    Ok(())
}

fn show(file: &Path, options: &[&str]) -> Result<()> {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_traceloop"))
        .arg("show")
        .args(options)
        .arg(file)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("run traceloop")?;
    let status = format!("/proc/{}/status", child.id());
    let mut out = child.stdout.take().context("take its output")?;
    let (mut peak, mut lines, mut buffer) = (0, 0, vec![0; 1 << 20]);
    loop {
        let got = out.read(&mut buffer)?;
        let text = fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(mark.unwrap_or(0_u64) >> 10);
        if got == 0 {
            break;
        }
        lines += buffer[..got].iter().filter(|byte| **byte == b'\n').count();
    }
    let took: Duration = began.elapsed();
    ensure!(child.wait()?.success(), "show {options:?} failed");
    writeln!(io::stdout(), "| `{}` | {:.2} | {peak} | {lines} |", options.join(" "), took.as_secs_f64())?;
    Ok(())
}

fn recording(calls: u64) -> Result<Recording> {
    let mut rings = [Vec::new(), Vec::new()];
    let mut blocks = Vec::new();
    let mut time = 1_000_000_000;
    for n in 0..calls {
        time += 500 + n * 7919 % 700;
        let cpu = u32::from(n.is_multiple_of(3));
        let ring = &mut rings[cpu as usize];
        ring.extend(call(n, time));
        if ring.len() >= Block::PLAIN {
            blocks.push(Block::of(Some(cpu), 0, std::mem::take(ring)).pack()?);
        }
    }
    for (cpu, ring) in (0..).zip(rings) {
        blocks.push(Block::of(Some(cpu), 0, ring).pack()?);
    }
    let dump = Dump {
        traceloop: "bench".into(),
        arch: "x86_64".into(),
        taken: time + 1000,
        began: 1_000_000_000,
        cgroups: vec!["/bench".into()],
        cause: Cause::Request,
        ..Dump::default()
    };
    Ok(traceloop::decode::summed_up(Recording { dump, blocks }))
}

/// A write of 16 bytes, or a connect that fails.
fn call(n: u64, time: u64) -> Vec<u8> {
    let (nr, ret, args): (u16, i64, [u64; 3]) =
        if n % CONNECTS == 7 { (42, -111, [3, 0, 0]) } else { (1, 16, [4, 0x7fff_0000 + n % 4096, 16]) };
    let mut bytes = vec![0; 6];
    bytes.extend([1, 0]);
    bytes.extend(time.to_ne_bytes());
    bytes.extend(u32::try_from(100 + n % THREADS).unwrap_or_default().to_ne_bytes());
    bytes.extend(nr.to_ne_bytes());
    bytes.extend([3, u8::from(nr == 1)]);
    // Some last.
    bytes.extend(if n.is_multiple_of(5000) { 400_000_u64.min(time / 2) } else { 300 }.to_ne_bytes());
    bytes.extend(ret.to_ne_bytes());
    args.iter().for_each(|arg| bytes.extend(arg.to_ne_bytes()));
    if nr == 1 {
        bytes.extend([1, 0, 16, 0]);
        bytes.extend(format!("{n:016}").bytes());
    }
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let size = u16::try_from(bytes.len()).unwrap_or_default();
    bytes[4..6].copy_from_slice(&size.to_ne_bytes());
    bytes
}
