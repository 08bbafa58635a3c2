//! Writing a dump file.

use std::{
    io::{self, Write},
    num::NonZero,
    thread,
};

use anyhow::{Context, Result};

use super::format::{BLOCK_HEAD, BLOCK_MOST, Head, Kind, MAGIC, NO_CPU, VERSION, VERSION_OF_ONE};
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
        let several = blocks.iter().any(|block| block.whose > 0);
        file.write_all(&if several { VERSION } else { VERSION_OF_ONE }.to_le_bytes())?;
        file.write_all(&block(Kind::Header, NOWHERE, &serde_json::to_vec(dump)?)?)?;
        let runs: Vec<(Origin, &[u8])> = blocks
            .iter()
            .flat_map(|part| {
                let origin = Origin { cpu: part.cpu.unwrap_or(NO_CPU), whose: part.whose };
                runs(&part.bytes).into_iter().map(move |run| (origin, run))
            })
            .collect();
        let at_once = thread::available_parallelism().map_or(1, NonZero::get).clamp(1, PACKERS_MOST);
        for some in runs.chunks(at_once) {
            for packed in pack(some) {
                file.write_all(&packed?)?;
            }
        }
        file.write_all(&block(Kind::End, NOWHERE, &[])?)?;
        file.flush()?;
        Ok(())
    };
    all().context("write the dump")
}

/// Where a block's records come from.
#[derive(Clone, Copy)]
struct Origin {
    cpu: u32,
    whose: u16,
}

/// Of a block without records.
const NOWHERE: Origin = Origin { cpu: NO_CPU, whose: 0 };

/// Packs runs of records at the same time, the first of them here.
fn pack(runs: &[(Origin, &[u8])]) -> Vec<io::Result<Vec<u8>>> {
    let Some(((origin, first), rest)) = runs.split_first() else { return Vec::new() };
    thread::scope(|scope| {
        let others: Vec<_> =
            rest.iter().map(|(origin, run)| scope.spawn(|| block(Kind::Records, *origin, run))).collect();
        let mut packed = vec![block(Kind::Records, *origin, first)];
        let lost = || Err(io::Error::other("a thread that packs records has ended"));
        packed.extend(others.into_iter().map(|other| other.join().unwrap_or_else(|_| lost())));
        packed
    })
}

/// A file with one block of these bytes, whatever they are.
#[cfg(test)]
pub(super) fn raw(dump: &Dump, bytes: &[u8]) -> Vec<u8> {
    let header = serde_json::to_vec(dump).unwrap_or_default();
    let blocks = [block(Kind::Header, NOWHERE, &header), block(Kind::Records, Origin { cpu: 1, ..NOWHERE }, bytes)];
    let blocks = blocks.into_iter().flatten().flatten();
    MAGIC.iter().copied().chain(VERSION_OF_ONE.to_le_bytes()).chain(blocks).collect()
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
fn block(kind: Kind, origin: Origin, data: &[u8]) -> io::Result<Vec<u8>> {
    let mut block = vec![0; BLOCK_HEAD + zstd::zstd_safe::compress_bound(data.len())];
    let length = zstd::bulk::compress_to_buffer(data, &mut block[BLOCK_HEAD..], LEVEL)?;
    block.truncate(BLOCK_HEAD + length);
    let size = |length: usize| u32::try_from(length).map_err(io::Error::other);
    let Origin { cpu, whose } = origin;
    let head = Head { kind, whose, cpu, plain: size(data.len())?, packed: size(length)? };
    let head = head.bytes(&block[BLOCK_HEAD..]);
    block[..BLOCK_HEAD].copy_from_slice(&head);
    Ok(block)
}
