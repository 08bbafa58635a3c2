//! Where records stand in a recording: four bytes each.

use std::num::NonZeroU32;

use anyhow::{Context, Result};

use crate::{
    model::Block,
    wire::{self, Record},
};

/// Records begin at multiples of this in their block.
const UNIT: usize = 8;

/// Where a record stands: in units from the first block's beginning, one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place(NonZeroU32);

/// The records of all blocks.
#[derive(Debug)]
pub(super) struct Records<'a> {
    /// Each with the place at which it begins.
    blocks: Vec<(u32, &'a [u8])>,
}

impl<'a> Records<'a> {
    pub(super) fn of(blocks: &'a [Block]) -> Result<Self> {
        let mut next = 1_u32;
        let mut placed = Vec::with_capacity(blocks.len());
        for block in blocks {
            placed.push((next, block.bytes.as_slice()));
            let units = u32::try_from(block.bytes.len().div_ceil(UNIT)).ok();
            next = units
                .and_then(|units| next.checked_add(units))
                .context("order the records: there are more than 32 GiB of them; dump fewer cgroups at once")?;
        }
        Ok(Self { blocks: placed })
    }

    /// All of them, block by block.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Place, Record<'a>)> + '_ {
        self.blocks.iter().flat_map(|(begin, bytes)| {
            let mut next = *begin;
            wire::records(bytes).filter_map(move |record| {
                let place = NonZeroU32::new(next).map(Place);
                next = next.saturating_add(u32::try_from(record.bytes().len() / UNIT).unwrap_or(u32::MAX));
                Some((place?, record))
            })
        })
    }

    /// The record at a place.
    pub(super) fn at(&self, place: Place) -> Option<Record<'a>> {
        let place = place.0.get();
        let block = self.blocks.partition_point(|(begin, _)| *begin <= place).checked_sub(1)?;
        let (begin, bytes) = self.blocks.get(block)?;
        Record::parse(bytes.get(UNIT * (place - begin) as usize..)?)
    }
}
