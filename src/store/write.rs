//! Writing a dump file.

use std::{
    io::{self, Write},
    num::NonZero,
    thread,
};

use anyhow::{Context, Result};

use super::format::{BLOCK_HEAD, BLOCK_MOST, Head, Kind, MAGIC, NO_CPU, VERSION};
use crate::{
    model::{Block, Dump, Recording},
    wire,
};

/// Fast: writing is done while somebody waits, and records pack well at any level.
const LEVEL: i32 = -2;
/// A dump must not take all of a large machine's CPUs.
const PACKERS_MOST: usize = 4;

/// Writes a recording as a dump file.
pub fn write(file: impl Write, recording: &Recording) -> Result<()> {
    write_parts(file, &recording.dump, &recording.blocks)
}

/// Writes a dump file of this header and these records. Blocks are packed on several CPUs, and written
/// in their order: no more of them wait than there are CPUs at it.
pub(super) fn write_parts(mut file: impl Write, dump: &Dump, blocks: &[Block]) -> Result<()> {
    let mut all = || -> Result<()> {
        file.write_all(MAGIC)?;
        file.write_all(&VERSION.to_le_bytes())?;
        file.write_all(&block(Kind::Header, NO_CPU, &serde_json::to_vec(dump)?)?)?;
        let runs: Vec<(u32, &[u8])> = blocks
            .iter()
            .flat_map(|part| runs(&part.bytes).into_iter().map(|run| (part.cpu.unwrap_or(NO_CPU), run)))
            .collect();
        let at_once = thread::available_parallelism().map_or(1, NonZero::get).clamp(1, PACKERS_MOST);
        for some in runs.chunks(at_once) {
            for packed in pack(some) {
                file.write_all(&packed?)?;
            }
        }
        file.write_all(&block(Kind::End, NO_CPU, &[])?)?;
        file.flush()?;
        Ok(())
    };
    all().context("write the dump")
}

/// Packs runs of records at the same time, the first of them here.
fn pack(runs: &[(u32, &[u8])]) -> Vec<io::Result<Vec<u8>>> {
    let Some(((cpu, first), rest)) = runs.split_first() else { return Vec::new() };
    thread::scope(|scope| {
        let others: Vec<_> = rest.iter().map(|(cpu, run)| scope.spawn(|| block(Kind::Records, *cpu, run))).collect();
        let mut packed = vec![block(Kind::Records, *cpu, first)];
        let lost = || Err(io::Error::other("a thread that packs records has ended"));
        packed.extend(others.into_iter().map(|other| other.join().unwrap_or_else(|_| lost())));
        packed
    })
}

/// A file with one block of these bytes, whatever they are.
#[cfg(test)]
pub(super) fn raw(dump: &Dump, bytes: &[u8]) -> Vec<u8> {
    let header = serde_json::to_vec(dump).unwrap_or_default();
    let blocks = [block(Kind::Header, NO_CPU, &header), block(Kind::Records, 1, bytes)];
    let blocks = blocks.into_iter().flatten().flatten();
    MAGIC.iter().copied().chain(VERSION.to_le_bytes()).chain(blocks).collect()
}

/// Cuts records into runs of at most a block, between records.
fn runs(mut bytes: &[u8]) -> Vec<&[u8]> {
    const RUN: usize = BLOCK_MOST / 16;
    let mut runs = Vec::new();
    while !bytes.is_empty() {
        let mut length = 0;
        for record in wire::records(bytes) {
            length += record.bytes().len();
            if length >= RUN {
                break;
            }
        }
        if length == 0 {
            break;
        }
        let (run, rest) = bytes.split_at(length);
        runs.push(run);
        bytes = rest;
    }
    runs
}

/// A block: its head, and its data packed.
fn block(kind: Kind, cpu: u32, data: &[u8]) -> io::Result<Vec<u8>> {
    let mut block = vec![0; BLOCK_HEAD + zstd::zstd_safe::compress_bound(data.len())];
    let length = zstd::bulk::compress_to_buffer(data, &mut block[BLOCK_HEAD..], LEVEL)?;
    block.truncate(BLOCK_HEAD + length);
    let size = |length: usize| u32::try_from(length).map_err(io::Error::other);
    let head = Head { kind, cpu, plain: size(data.len())?, packed: size(length)? };
    let head = head.bytes(&block[BLOCK_HEAD..]);
    block[..BLOCK_HEAD].copy_from_slice(&head);
    Ok(block)
}
