//! Writing a dump file.

use std::io::{self, Write};

use anyhow::{Context, Result};

use super::format::{BLOCK_MOST, Head, Kind, MAGIC, NO_CPU, VERSION};
use crate::{
    model::{Block, Dump, Recording},
    wire,
};

/// Fast: writing is done while somebody waits, and records pack well at any level.
const LEVEL: i32 = -2;

/// Writes a recording as a dump file.
pub fn write(file: impl Write, recording: &Recording) -> Result<()> {
    write_parts(file, &recording.dump, &recording.blocks)
}

/// Writes a dump file of this header and these records.
pub(super) fn write_parts(mut file: impl Write, dump: &Dump, blocks: &[Block]) -> Result<()> {
    let mut all = || -> Result<()> {
        file.write_all(MAGIC)?;
        file.write_all(&VERSION.to_le_bytes())?;
        block(&mut file, Kind::Header, NO_CPU, &serde_json::to_vec(dump)?)?;
        for part in blocks {
            for run in runs(&part.bytes) {
                block(&mut file, Kind::Records, part.cpu.unwrap_or(NO_CPU), run)?;
            }
        }
        block(&mut file, Kind::End, NO_CPU, &[])?;
        file.flush()?;
        Ok(())
    };
    all().context("write the dump")
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

fn block(file: &mut impl Write, kind: Kind, cpu: u32, data: &[u8]) -> io::Result<()> {
    let packed = zstd::bulk::compress(data, LEVEL)?;
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(io::Error::other);
    let head = Head { kind, cpu, plain: size(data)?, packed: size(&packed)? };
    file.write_all(&head.bytes(&packed))?;
    file.write_all(&packed)
}
