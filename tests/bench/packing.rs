//! What packing records costs beside zstd alone, how short they become, and what reading them back costs.
//!
//! `cargo bench --bench packing -- FILE...`: dump files, of real programs best. Times are of one thread's CPU, for each
//! call; the last of three rounds is printed.

use std::{env, fs::File, hint::black_box};

use anyhow::{Context, Result};
use nix::time::{ClockId, clock_gettime};
use traceloop::model::Block;
use zstd::bulk::Compressor;

fn main() -> Result<()> {
    println!(
        "| dump | calls | bytes a call | zstd: bytes, ns | columns: bytes, ns | reading, ns |\n|---|---|---|---|---|---|"
    );
    for name in env::args().skip(1).filter(|word| !word.starts_with('-')) {
        let file = File::open(&name).with_context(|| format!("open {name}"))?;
        let (recording, _) = traceloop::store::open(file)?;
        let plain: Vec<Vec<u8>> =
            recording.blocks.iter().map(|block| Ok(block.plain()?.into_owned())).collect::<Result<_>>()?;
        let blocks: Vec<Block> = plain.iter().flat_map(|plain| Block::cut(Some(0), 0, plain)).collect();
        let calls = f64::from(blocks.iter().map(|block| block.calls).sum::<u32>());
        let bytes: usize = blocks.iter().map(Block::plain_length).sum();
        let mut row = String::new();
        for _ in 0..3 {
            let mut zstd = Compressor::new(Block::LEVEL)?;
            let runs = || plain.iter().flat_map(|plain| plain.chunks(Block::PLAIN));
            let (alone, alone_took) = timed(|| runs().map(|run| Ok(zstd.compress(run)?.len())).sum::<Result<usize>>())?;
            let (packed, took) =
                timed(|| Ok(blocks.iter().cloned().map(Block::pack).collect::<Result<Vec<_>, _>>()?))?;
            let length = packed.iter().map(|block| Ok(block.packed()?.len())).sum::<Result<usize>>()?;
            let read = || packed.iter().map(|block| Ok(black_box(block.plain()?).len())).sum::<Result<usize>>();
            let (_, reading) = timed(read)?;
            let of = |bytes: usize| bytes as f64 / calls;
            row = format!(
                "| {name} | {calls:.0} | {:.1} | {:.2}, {:.0} | {:.2}, {:.0} | {:.0} |",
                of(bytes),
                of(alone),
                alone_took / calls,
                of(length),
                took / calls,
                reading / calls
            );
        }
        println!("{row}");
    }
    Ok(())
}

/// What it returns, and the CPU time that it took, nanoseconds.
fn timed<T>(run: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let now = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(std::time::Duration::from);
    let began = now()?;
    let done = run()?;
    Ok((done, (now()? - began).as_nanos() as f64))
}
