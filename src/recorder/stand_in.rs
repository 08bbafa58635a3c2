//! Who goes on with the history while no daemon is there: the process that holds the recording.
//!
//! Promise: what rings take meanwhile is kept as the daemon would keep it, by its own rules and within its memory, and
//! written down for the next daemon. It does nothing with the kernel side but read what is mapped of it: it needs no
//! rights for that, and looks at the rings now and then instead of being woken.

use anyhow::{Context, Result};

use super::{
    hold::{self, HISTORY_NOTE, HistoryNote, RECORDING, RecordingNote},
    resume::slots,
    slot::{REST, Slot},
};
use crate::{
    history::{History, Written},
    keeper::Held,
    kernel::Tallies,
};

/// One that stands in until it is dropped.
#[derive(Debug)]
pub struct StandIn {
    /// Its threads end first.
    _history: History,
    _slots: Vec<Slot>,
}

impl StandIn {
    /// Goes on with what is held; `None`: there is nothing that could be gone on with.
    pub fn begin(held: &Held) -> Result<Option<Self>> {
        let (Some(recording), Some(note)) =
            (held.note::<RecordingNote>(RECORDING)?, held.note::<HistoryNote>(HISTORY_NOTE)?)
        else {
            return Ok(None);
        };
        if note.cpu == 0 {
            return Ok(None);
        }
        let Some(remains) = hold::remains(held)? else { return Ok(None) };
        let tallies = hold::kernel_parts(held).and_then(|kernel| Tallies::held(&kernel, recording.most + REST));
        let written: Box<dyn Written> = Box::new(tallies.context("read how much was written")?);
        let history = History::stand_in(note.settings()?, written, remains.outlives())?;
        let slots: Vec<Slot> = slots(held, Some(&history), Some(&remains))?.into_values().collect();
        remains.sweep()?;
        let rings: usize = slots.iter().map(Slot::memory).sum();
        history.set_room(note.total.saturating_sub(rings));
        Ok(Some(Self { _history: history, _slots: slots }))
    }
}
