//! Where a shelf's bytes go: into memory that outlives the process where there is such, or into its own.

use std::{io, sync::Arc};

use super::{
    journal::{Copy, Vault},
    memory::{Bytes, Stream},
};
use crate::{
    model::{Block, Body, Stored},
    wire,
};

/// A shelf's places.
#[derive(Debug, Default)]
pub(super) struct Home {
    vault: Option<Arc<Vault>>,
    blocks: Stream,
    copies: Stream,
    kept: Stream,
}

/// What of a shelf's bytes go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Blocks,
    Copies,
    Kept,
}

impl Home {
    pub(super) fn new(vault: Option<Arc<Vault>>) -> Self {
        Self { vault, ..Self::default() }
    }

    fn put(&self, part: Part, bytes: &[u8]) -> Option<Bytes> {
        let vault = self.vault.as_ref().filter(|_| !bytes.is_empty())?;
        let stream = match part {
            Part::Blocks => &self.blocks,
            Part::Copies => &self.copies,
            Part::Kept => &self.kept,
        };
        let put = vault.memory.put(stream, bytes);
        let failed = |error| vault.fails(&anyhow::Error::new(error).context("put history into shared memory"));
        put.map_err(failed).ok().map(|extent| Bytes::Shared(extent, crc32c::crc32c(bytes)))
    }

    /// Records that were copied, or thinned, and are not packed yet.
    pub(super) fn copy(&self, part: Part, bytes: Vec<u8>) -> Copy {
        let (mut records, mut first, mut to) = (0, 0, 0);
        for record in wire::records(&bytes) {
            let time = record.time();
            first = if records == 0 { time } else { first.min(time) };
            to = time.max(to);
            records += 1;
        }
        let bytes = self.put(part, &bytes).unwrap_or_else(|| Bytes::Own(bytes.into()));
        Copy { bytes, records, first, to }
    }

    /// Packs a block.
    pub(super) fn pack(&self, part: Part, block: Block) -> io::Result<Block> {
        let block = block.pack()?;
        let Body::Packed { plain, bytes } = &block.body else { return Ok(block) };
        let (plain, packed) = (*plain, u32::try_from(bytes.len()).map_err(io::Error::other)?);
        let Some(Bytes::Shared(place, sum)) = self.put(part, bytes) else { return Ok(block) };
        let body = Body::Stored(Stored { at: place.at(), place, packed, plain, sum });
        Ok(Block { body, ..block })
    }
}
