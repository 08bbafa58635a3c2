//! What is known of a shelf: what it holds, how far its ring was read, and what of that is written down.

use std::{
    borrow::Cow,
    collections::VecDeque,
    io,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard},
};

use super::{
    Gap, Names,
    journal::{Copy, Entry, Found, Journal, Marks},
    kept::Kept,
    lock,
    queue::{Noted, Queue},
    shelf::kept,
};
use crate::{
    model::{Block, Body},
    ring::Position,
};

/// What a shelf holds.
#[derive(Debug)]
pub(super) struct State {
    /// How far the ring was read, and what of that is gone.
    pub(super) marks: Marks,
    /// Changes when it is somebody else's.
    pub(super) owner: u64,
    /// What is left of what was given up.
    pub(super) kept: Kept,
    pub(super) blocks: Queue<Block>,
    pub(super) copies: Queue<Copy>,
    /// Bytes of `copies`.
    pub(super) waiting: usize,
    /// Records of these two.
    pub(super) records: u64,
    pub(super) gaps: Noted<VecDeque<Gap>>,
    /// What packed records name.
    pub(super) names: Noted<Names>,
    /// Copying was left out since the last copy: too much waited for the packer.
    pub(super) left_out: bool,
    /// Where it is written down.
    journal: Option<Journal>,
    /// What of the marks was written down.
    written: Marks,
    /// All of it is to be written down anew.
    pub(super) anew: bool,
}

/// A shelf's state; what of it was changed is written down when it is let go.
pub(super) struct Locked<'a>(MutexGuard<'a, State>);

impl<'a> Locked<'a> {
    pub(super) fn of(state: &'a Mutex<State>) -> Self {
        Self(lock(state))
    }
}

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.0
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.0.write_down();
    }
}

/// What is oldest of what is complete.
#[derive(Clone, Debug)]
pub(super) enum Oldest {
    Block(Block),
    Copy(Copy),
}

impl State {
    /// With what was found, of which all is to be written down.
    pub(super) fn of(journal: Option<Journal>, found: Found) -> Self {
        let Found { marks, blocks, copies, gaps, names, kept: older, open, carried, kept_gaps } = found;
        let records = blocks.iter().map(|block| u64::from(block.records)).chain(copies.iter().map(|copy| copy.records));
        let records = records.sum();
        let mut state = Self {
            marks,
            owner: 0,
            kept: Kept::found(older.into_iter().collect(), open, carried, marks.kept_given_up, kept_gaps),
            waiting: copies.iter().map(|copy| copy.bytes.len()).sum(),
            records,
            blocks: blocks.into_iter().collect(),
            copies: copies.into_iter().collect(),
            gaps: Noted::new(gaps),
            names: Noted::new(names),
            left_out: false,
            journal,
            written: marks,
            anew: true,
        };
        // As long as it holds nothing, nothing has to be found again.
        if state.used() == 0 && marks.given_up.is_none() {
            state.settle();
        }
        state
    }

    /// Bytes of all that it holds.
    pub(super) fn used(&self) -> usize {
        self.packed() + self.waiting + self.kept.memory()
    }

    /// Bytes of what is packed and complete.
    pub(super) fn packed(&self) -> usize {
        self.blocks.iter().map(kept).sum()
    }

    /// Somebody else's from here on, and nothing of it is held.
    pub(super) fn begin(&mut self, since: Position, counted: u64) {
        self.empty();
        self.owner += 1;
        self.left_out = false;
        self.marks = Marks::begin(since, counted);
        self.written = self.marks;
    }

    /// What is complete and oldest.
    pub(super) fn first(&self) -> Option<Oldest> {
        let copy = || self.copies.front().cloned().map(Oldest::Copy);
        self.blocks.front().cloned().map(Oldest::Block).or_else(copy)
    }

    pub(super) fn newest(&self) -> Option<u64> {
        self.copies.back().map(|copy| copy.to).or_else(|| self.blocks.back().map(|block| block.to))
    }

    pub(super) fn complete_from(&self) -> Option<u64> {
        self.marks.given_up.max(self.gaps.back().map(|gap| gap.to))
    }

    /// Nothing is held any more, or written down.
    pub(super) fn empty(&mut self) {
        self.journal.iter_mut().for_each(Journal::forget);
        (self.blocks, self.copies, self.kept) = (Queue::default(), Queue::default(), Kept::default());
        (self.gaps, self.names) = (Noted::default(), Noted::default());
        (self.waiting, self.records, self.anew) = (0, 0, false);
        (self.marks, self.written) = (Marks::default(), Marks::default());
    }

    /// Writes down what has changed.
    fn write_down(&mut self) {
        self.marks.kept_given_up = self.kept.from();
        if !self.has_changed() {
            return;
        }
        if let Some(mut journal) = self.journal.take() {
            journal.write(self.anew, |all| self.entry(all));
            self.journal = Some(journal);
        }
        self.settle();
    }

    fn has_changed(&self) -> bool {
        let older = &self.kept;
        self.anew
            || self.marks != self.written
            || self.blocks.has_changed()
            || self.copies.has_changed()
            || older.blocks.has_changed()
            || [self.gaps.has_changed(), self.names.has_changed(), older.gaps.has_changed()].contains(&true)
            || [older.open.has_changed(), older.carried.has_changed()].contains(&true)
    }

    fn entry(&self, all: bool) -> Entry {
        let older = &self.kept;
        Entry {
            marks: self.marks,
            blocks: if all { self.blocks.all() } else { self.blocks.edit() },
            copies: if all { self.copies.all() } else { self.copies.edit() },
            gaps: self.gaps.news(all),
            names: self.names.news(all),
            kept: if all { older.blocks.all() } else { older.blocks.edit() },
            open: older.open.news(all),
            carried: older.carried.news(all),
            kept_gaps: older.gaps.news(all),
        }
    }

    fn settle(&mut self) {
        (self.written, self.anew) = (self.marks, false);
        self.blocks.settle();
        self.copies.settle();
        self.gaps.settle();
        self.names.settle();
        let older = &mut self.kept;
        older.blocks.settle();
        older.open.settle();
        older.carried.settle();
        older.gaps.settle();
    }
}

impl Oldest {
    pub(super) fn plain(&self) -> io::Result<Cow<'_, [u8]>> {
        match self {
            Self::Block(block) => block.plain(),
            Self::Copy(copy) => copy.bytes.read(),
        }
    }

    pub(super) fn records(&self) -> u64 {
        match self {
            Self::Block(block) => block.records.into(),
            Self::Copy(copy) => copy.records,
        }
    }

    /// Whether it is the same, not only alike.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Block(one), Self::Block(other)) => match (&one.body, &other.body) {
                (Body::Packed { bytes: one, .. }, Body::Packed { bytes: other, .. }) => Arc::ptr_eq(one, other),
                (Body::Stored(one), Body::Stored(other)) => one.at == other.at,
                _ => false,
            },
            (Self::Copy(one), Self::Copy(other)) => one.bytes.is(&other.bytes),
            _ => false,
        }
    }
}
