//! Where records stand in a recording: four bytes each.

use std::{borrow::Cow, num::NonZeroU32};

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
    blocks: Vec<Placed<'a>>,
}

/// A block's records, and the place at which they begin.
#[derive(Debug)]
struct Placed<'a> {
    begin: u32,
    whose: u16,
    bytes: Cow<'a, [u8]>,
}

impl<'a> Records<'a> {
    pub(super) fn of(blocks: &'a [Block]) -> Result<Self> {
        let mut next = 1_u32;
        let mut placed = Vec::with_capacity(blocks.len());
        for block in blocks {
            let bytes = block.plain().context("unpack the records")?;
            let units = u32::try_from(bytes.len().div_ceil(UNIT)).ok();
            placed.push(Placed { begin: next, whose: block.whose, bytes });
            next = units
                .and_then(|units| next.checked_add(units))
                .context("order the records: there are more than 32 GiB of them; dump fewer cgroups at once")?;
        }
        Ok(Self { blocks: placed })
    }

    /// All of them, block by block.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Place, Record<'_>)> + '_ {
        self.blocks.iter().flat_map(|block| {
            let mut next = block.begin;
            wire::records(&block.bytes).filter_map(move |record| {
                let place = NonZeroU32::new(next).map(Place);
                next = next.saturating_add(u32::try_from(record.bytes().len() / UNIT).unwrap_or(u32::MAX));
                Some((place?, record))
            })
        })
    }

    /// The record at a place.
    pub(super) fn at(&self, place: Place) -> Option<Record<'_>> {
        let block = self.block(place)?;
        Record::parse(block.bytes.get(UNIT * (place.0.get() - block.begin) as usize..)?)
    }

    /// Whose the record at a place is, by the place in the dump's identities.
    pub(super) fn whose(&self, place: Place) -> u16 {
        self.block(place).map_or(0, |block| block.whose)
    }

    /// The block that a place lies in.
    fn block(&self, place: Place) -> Option<&Placed<'a>> {
        let block = self.blocks.partition_point(|block| block.begin <= place.0.get()).checked_sub(1)?;
        self.blocks.get(block)
    }
}
