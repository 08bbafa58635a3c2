//! Writing a dump file.

use std::{
    io::{self, Write},
    num::NonZero,
    thread,
};

use anyhow::{Context, Result};

use super::format::{BLOCK_HEAD, Head, Kind, MAGIC, VERSION};
use crate::model::{Block, Body, Dump, Recording};

/// A dump must not take all of a large machine's CPUs.
const PACKERS_MOST: usize = 4;

/// Writes a recording as a dump file.
pub fn write(file: impl Write, recording: &Recording) -> Result<()> {
    write_parts(file, &recording.dump, &recording.blocks)
}

/// Writes a dump file of this header and these records. Blocks that are packed are written as they are; others are cut
/// and packed on several CPUs, and written in their order: no more of them wait than there are CPUs at it.
pub(super) fn write_parts(mut file: impl Write, dump: &Dump, blocks: &[Block]) -> Result<()> {
    let mut all = || -> Result<()> {
        file.write_all(MAGIC)?;
        file.write_all(&VERSION.to_le_bytes())?;
        file.write_all(&block(Kind::Header, &bare(serde_json::to_vec(dump)?))?)?;
        let at_once = thread::available_parallelism().map_or(1, NonZero::get).clamp(1, PACKERS_MOST);
        let mut pieces = blocks.iter().flat_map(pieces).filter(|piece| piece.plain_length() > 0);
        loop {
            let some: Vec<Piece<'_>> = pieces.by_ref().take(at_once).collect();
            if some.is_empty() {
                break;
            }
            for packed in pack(&some) {
                file.write_all(&packed?)?;
            }
        }
        file.write_all(&block(Kind::End, &bare(Vec::new()))?)?;
        file.flush()?;
        Ok(())
    };
    all().context("write the dump")
}

/// A block that is written as it is, or one that was cut out of another.
enum Piece<'a> {
    Whole(&'a Block),
    Cut(Block),
}

impl std::ops::Deref for Piece<'_> {
    type Target = Block;

    fn deref(&self) -> &Block {
        match self {
            Self::Whole(block) => block,
            Self::Cut(block) => block,
        }
    }
}

fn pieces(block: &Block) -> Box<dyn Iterator<Item = Piece<'_>> + '_> {
    match &block.body {
        Body::Plain(bytes) => {
            let cut = Block::cut(block.cpu, block.whose, bytes);
            Box::new(cut.map(|cut| Piece::Cut(Block { thinned: block.thinned, ..cut })))
        }
        Body::Packed { .. } | Body::Stored(_) => Box::new(std::iter::once(Piece::Whole(block))),
    }
}

/// Packs blocks at the same time, the first of them here.
fn pack(blocks: &[Piece<'_>]) -> Vec<io::Result<Vec<u8>>> {
    let Some((first, rest)) = blocks.split_first() else { return Vec::new() };
    thread::scope(|scope| {
        let others: Vec<_> = rest.iter().map(|other| scope.spawn(|| block(Kind::Records, other))).collect();
        let mut packed = vec![block(Kind::Records, first)];
        let lost = || Err(io::Error::other("a thread that packs records has ended"));
        packed.extend(others.into_iter().map(|other| other.join().unwrap_or_else(|_| lost())));
        packed
    })
}

/// Bytes that are no records.
fn bare(bytes: Vec<u8>) -> Block {
    Block { body: Body::Plain(bytes), ..Block::default() }
}

/// A block's head, and its data packed.
fn block(kind: Kind, block: &Block) -> io::Result<Vec<u8>> {
    let data = block.packed()?;
    let size = |length: usize| u32::try_from(length).map_err(io::Error::other);
    let (plain, packed) = (size(block.plain_length())?, size(data.len())?);
    let head = Head { kind, plain, packed, about: block.about(), sum: None };
    let mut bytes = Vec::with_capacity(BLOCK_HEAD + data.len());
    bytes.extend(head.bytes(crc32c::crc32c(&data)));
    bytes.extend_from_slice(&data);
    Ok(bytes)
}
