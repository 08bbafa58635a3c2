//! Where a shelf's bytes go: into memory that outlives the process where there is such, or into its own.

use std::{io, sync::Arc};

use super::{
    journal::Vault,
    memory::{Bytes, Stream},
};
use crate::model::{Block, Body, Stored};

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

    fn share(&self, part: Part, bytes: &[u8]) -> Option<Bytes> {
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

    /// Puts records there that were copied, or thinned, and are not packed yet.
    pub(super) fn put(&self, part: Part, bytes: &[u8]) -> Bytes {
        self.share(part, bytes).unwrap_or_else(|| Bytes::Own(bytes.into()))
    }

    /// Packs a block.
    pub(super) fn pack(&self, part: Part, block: Block) -> io::Result<Block> {
        let block = block.pack()?;
        let Body::Packed { plain, bytes } = &block.body else { return Ok(block) };
        let (plain, packed) = (*plain, u32::try_from(bytes.len()).map_err(io::Error::other)?);
        let Some(Bytes::Shared(place, sum)) = self.share(part, bytes) else { return Ok(block) };
        let body = Body::Stored(Stored { at: place.at(), place, packed, plain, sum });
        Ok(Block { body, ..block })
    }
}
