//! A slot: a ring on each CPU, lent to one cgroup after another.
//!
//! A ring is not made anew for the next cgroup: where its stretch begins is remembered, and what stands
//! before is nobody's. A CPU that was away gets a new ring; the old one stays readable as history. One whose ring is too
//! small for what is written to it gets a larger one, which takes over what the old one has left.

use std::{
    cell::Cell,
    collections::BTreeSet,
    os::fd::OwnedFd,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{clock::boottime, hold::Hold, overhead::Counted};
use crate::{
    history::{self, History, Remains, Shelf, Taken, oldest_first},
    kernel::Kernel,
    ring::{Batch, Position, Ring, Snapshot},
    wire,
};

/// The slot that cgroups share for which none was ready.
pub(super) const LOBBY: u32 = 1;
/// The slot of all that is in no leaf.
pub(super) const REST: u32 = 2;

/// What a look told is true for so long, for one answer.
const FRESH: Duration = Duration::from_millis(20);
/// The same for figures that are drawn.
const LATELY: Duration = Duration::from_secs(1);

/// Whether a slot is one that cgroups take.
pub(super) fn is_lent(slot: u32) -> bool {
    slot > REST
}

/// One slot.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) number: u32,
    /// Bytes of each ring.
    size: usize,
    /// The same as its present owner is to have them.
    wanted: Option<usize>,
    stretches: Vec<Stretch>,
    /// Rings that it has ever had.
    rings: u32,
    /// Whether what its rings take is kept when they overwrite it.
    kept: bool,
}

/// Who has to do with a slot's rings.
#[derive(Clone, Copy, Debug)]
pub(super) struct By<'a> {
    pub(super) kernel: &'a Kernel,
    pub(super) hold: &'a Hold,
    pub(super) history: &'a History,
}

/// The part of a ring that belongs to whoever has the slot now.
#[derive(Debug)]
struct Stretch {
    /// The ring, and what is kept of it.
    shelf: Arc<Shelf>,
    /// Which of the slot's rings it is.
    serial: u32,
    span: Span,
    /// Of a ring of which nothing is kept: what a look at all of it told, until something else is written to it.
    known: Cell<Option<Known>>,
    /// Where the ring stood when its size was looked at, and how often it was larger than it has to be since it was not.
    fit: (Position, u32),
}

/// What was found in a ring.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// Where the ring stood, and where the stretch began.
    at: (Position, Position),
    /// When it was looked at.
    when: Instant,
    held: Held,
}

/// What rings hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    /// How many records.
    pub(super) records: u64,
    /// From when on they are all there; `None`: from the beginning.
    pub(super) complete_from: Option<u64>,
    /// From when on those are there that are kept longer; `None`: from the beginning.
    pub(super) part_from: Option<u64>,
}

impl Held {
    fn and(self, other: Self) -> Self {
        Self {
            records: self.records + other.records,
            complete_from: self.complete_from.max(other.complete_from),
            part_from: self.part_from.max(other.part_from),
        }
    }
}

/// Where a stretch begins, and what had been counted before.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Span {
    since: Position,
    /// Records that had been written on its CPU before.
    before: u64,
    lost_before: u64,
    calls_before: u64,
    #[serde(default)]
    skipped_before: u64,
    /// What its ring had not taken when the ring was made.
    #[serde(default)]
    lost_when_made: u64,
    /// An older ring of the CPU was thrown away: what there was before this time is gone.
    #[serde(default)]
    cut: Option<u64>,
    /// The CPU has a newer ring.
    old: bool,
    /// Bytes of the ring; 0: as all of the slot.
    #[serde(default)]
    size: usize,
    /// When the ring was made; CLOCK_BOOTTIME nanoseconds.
    #[serde(default)]
    made: u64,
    /// It has taken over what an older ring has left, which no ring holds.
    #[serde(default)]
    took_over: bool,
}

/// What one CPU wrote for the slot's present owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) records: u64,
    pub(super) lost: u64,
    pub(super) calls: u64,
    /// Calls that were not to be recorded.
    pub(super) skipped: u64,
}

/// What a keeper has to know of a slot's rings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SlotNote {
    size: usize,
    rings: u32,
    stretches: Vec<(u32, u32, Span)>,
}

impl Slot {
    /// Opens a ring on each CPU and makes them the slot's, which is of use when the batch has started.
    pub(super) fn make(
        number: u32,
        cpus: impl IntoIterator<Item = u32>,
        size: usize,
        batch: &mut Batch,
        by: By<'_>,
        kept: bool,
    ) -> Result<Self> {
        let mut slot = Self { number, size, wanted: None, stretches: Vec::new(), rings: 0, kept };
        cpus.into_iter().try_for_each(|cpu| slot.add_ring(batch.open(cpu, size)?, by))?;
        Ok(slot)
    }

    /// Gives a CPU a new ring; what an older one holds is still read.
    pub(super) fn add_ring(&mut self, mut ring: Ring, by: By<'_>) -> Result<()> {
        let By { kernel, hold, history } = by;
        let cpu = ring.cpu();
        kernel.insert_ring(self.number, &ring)?;
        if let Some(event) = ring.take_event() {
            hold.ring(self.number, self.rings, event, ring.size());
        }
        let tally = kernel.tally(self.number, cpu)?;
        let (since, lost_when_made) = (ring.position(), tally.lost);
        let (size, made) = (ring.size(), boottime());
        let mut span = Span { since, lost_when_made, size, made, ..Span::default() };
        for older in self.stretches.iter_mut().filter(|older| older.shelf.ring().cpu() == cpu) {
            // The CPU's tally goes on.
            span = Span { since, lost_when_made, size, made, cut: None, old: false, took_over: false, ..older.span };
            older.span.old = true;
            history.seal(&older.shelf);
        }
        let shelf = if self.kept {
            let shelf = history.shelf(self.number, self.rings, ring, since, tally.records);
            history.keep(&shelf);
            shelf
        } else {
            Shelf::new(self.number, ring, since, tally.records)
        };
        self.stretches.push(Stretch::new(shelf, self.rings, span));
        self.rings += 1;
        hold.slot(self.number, &self.note());
        Ok(())
    }

    /// Throws away the oldest ring of a CPU that has a newer one; false: there is none.
    pub(super) fn forget_old(&mut self, hold: &Hold, history: &History) -> bool {
        let Some(n) = self.stretches.iter().position(|stretch| stretch.span.old) else { return false };
        let gone = self.stretches.remove(n);
        history.leave(&gone.shelf);
        let cpu = gone.shelf.ring().cpu();
        if let Some(next) = self.stretches.iter_mut().find(|stretch| stretch.shelf.ring().cpu() == cpu) {
            next.span.cut = Some(boottime());
            next.known = Cell::default();
        }
        // What a note names is held as long as the note is.
        hold.slot(self.number, &self.note());
        hold.let_go(self.number, gone.serial);
        true
    }

    /// The CPUs whose rings are to have another size, and which: of what was written since the last look a part has to fit
    /// into it. One that is too large is so for many looks before it counts.
    pub(super) fn unfit(&mut self, part: impl Fn(u64) -> usize, most: usize, patience: u32) -> Vec<(u32, usize)> {
        let mut unfit = Vec::new();
        if !self.kept {
            return unfit;
        }
        for stretch in self.stretches.iter_mut().filter(|stretch| !stretch.span.old) {
            let ring = stretch.shelf.ring();
            let now = ring.position();
            let least = self.wanted.unwrap_or(self.size);
            let wanted = part(stretch.fit.0.behind(now)).min(most).next_power_of_two().max(least);
            let looks = if wanted < ring.size() { stretch.fit.1 + 1 } else { 0 };
            stretch.fit = (now, looks);
            if wanted > ring.size() || looks > patience {
                unfit.push((ring.cpu(), wanted));
                // A CPU that is away gets no ring: it is not asked for each second.
                stretch.fit.1 = 0;
            }
        }
        unfit
    }

    /// Its rings are to be so large from now on; `None`: as all others.
    pub(super) fn wants(&mut self, size: Option<usize>) {
        self.wanted = size;
    }

    /// What larger or smaller rings have replaced goes, when all of it was taken over.
    pub(super) fn take_over(&mut self, by: By<'_>) {
        let By { hold, history, .. } = by;
        let mut gone = Vec::new();
        let olds: Vec<u32> = self.stretches.iter().filter(|stretch| stretch.span.old).map(|old| old.serial).collect();
        for serial in olds {
            let Some(n) = self.stretches.iter().position(|stretch| stretch.serial == serial) else { continue };
            let (older, cut) = (self.stretches[n].shelf.clone(), self.stretches[n].span.cut);
            let replaces = |other: &&mut Stretch| {
                let (other, older) = (other.shelf.ring(), older.ring());
                other.cpu() == older.cpu() && other.size() != older.size()
            };
            // Rings stand in the order in which they were made.
            let newer = self.stretches[n + 1..].iter_mut().find(|other| other.shelf.ring().cpu() == older.ring().cpu());
            let Some(newer) = newer.filter(replaces) else { continue };
            if history.take_over(&newer.shelf, &older) {
                newer.span.took_over = true;
                newer.span.cut = newer.span.cut.max(cut);
                gone.push(self.stretches.remove(n).serial);
            }
        }
        if !gone.is_empty() {
            hold.slot(self.number, &self.note());
            gone.into_iter().for_each(|serial| hold.let_go(self.number, serial));
        }
    }

    /// What a keeper has to know.
    pub(super) fn note(&self) -> SlotNote {
        let stretches = self.stretches.iter().map(|stretch| (stretch.serial, stretch.shelf.ring().cpu(), stretch.span));
        SlotNote { size: self.size, rings: self.rings, stretches: stretches.collect() }
    }

    /// The slot that a keeper held, and what is left of its history; `event` gives a ring's descriptor. With a history,
    /// what it takes is kept.
    pub(super) fn restore(
        number: u32,
        note: SlotNote,
        event: impl Fn(u32) -> Option<OwnedFd>,
        history: Option<&History>,
        remains: Option<&Remains>,
    ) -> Result<Self> {
        let stretches = note.stretches.into_iter().map(|(serial, cpu, mut span)| {
            let event = event(serial).with_context(|| format!("ring {serial} of slot {number} is not held"))?;
            let size = if span.size > 0 { span.size } else { note.size };
            let ring = Ring::of_event(&event, cpu, size)?;
            let (shelf, was_left) = match remains {
                Some(remains) => remains.shelf(number, serial, ring, span.since, span.before, history.is_some()),
                None => (Shelf::new(number, ring, span.since, span.before), false),
            };
            if span.took_over && !was_left {
                span.cut = span.cut.max(Some(span.made));
            }
            if let Some(history) = history {
                history.keep(&shelf);
                if span.old {
                    history.seal(&shelf);
                }
            }
            Ok(Stretch::new(shelf, serial, span))
        });
        let (size, rings, kept) = (note.size, note.rings, history.is_some());
        Ok(Self { number, size, wanted: None, rings, stretches: stretches.collect::<Result<_>>()?, kept })
    }

    /// From here on what is written is somebody else's. The CPUs must have sent what they held.
    pub(super) fn begin(&mut self, by: By<'_>) -> Result<()> {
        let By { kernel, hold, history } = by;
        let old: Vec<_> = self.stretches.extract_if(.., |stretch| stretch.span.old).collect();
        old.iter().for_each(|old| history.leave(&old.shelf));
        for stretch in &mut self.stretches {
            history.empty(&stretch.shelf);
            let tally = kernel.tally(self.number, stretch.shelf.ring().cpu())?;
            stretch.span = Span {
                since: stretch.shelf.since(),
                before: tally.records,
                lost_before: tally.lost,
                calls_before: tally.calls,
                skipped_before: tally.skipped,
                lost_when_made: stretch.span.lost_when_made,
                cut: None,
                old: false,
                took_over: false,
                ..stretch.span
            };
        }
        hold.slot(self.number, &self.note());
        old.iter().for_each(|old| hold.let_go(self.number, old.serial));
        Ok(())
    }

    /// Bytes of each ring that it gets.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Bytes of its rings beyond what they usually are.
    pub(super) fn grown(&self) -> usize {
        self.stretches.iter().map(|stretch| stretch.shelf.ring().size().saturating_sub(self.size)).sum()
    }

    /// Bytes of its rings.
    pub(super) fn memory(&self) -> usize {
        self.stretches.iter().map(|stretch| stretch.shelf.ring().size()).sum()
    }

    /// The CPUs that have rings.
    pub(super) fn cpus(&self) -> impl Iterator<Item = u32> {
        self.stretches.iter().filter(|stretch| !stretch.span.old).map(|stretch| stretch.shelf.ring().cpu())
    }

    /// What was written, by all CPUs, as of the last flush.
    pub(super) fn written(&self, kernel: &Kernel) -> Result<Written> {
        let mut written = Written::default();
        for stretch in self.stretches.iter().filter(|stretch| !stretch.span.old) {
            let tally = kernel.tally(self.number, stretch.shelf.ring().cpu())?;
            written.records += tally.records.saturating_sub(stretch.span.before);
            written.lost += tally.lost.saturating_sub(stretch.span.lost_before);
            written.calls += tally.calls.saturating_sub(stretch.span.calls_before);
            written.skipped += tally.skipped.saturating_sub(stretch.span.skipped_before);
        }
        // A CPU that has come and has no ring yet.
        let with_ring: BTreeSet<u32> = self.cpus().collect();
        for cpu in (0..kernel.possible_cpus()).filter(|cpu| !with_ring.contains(cpu)) {
            written.lost += kernel.tally(self.number, cpu)?.lost;
        }
        Ok(written)
    }

    /// What all CPUs have written and left out, whosever it was, as of the last flush.
    pub(super) fn counted(&self, kernel: &Kernel) -> Result<Counted> {
        counted(kernel, self.number)
    }

    /// The CPUs whose rings refuse what is written: they were away.
    pub(super) fn refusing(&self, kernel: &Kernel) -> Result<Vec<u32>> {
        let mut refusing = Vec::new();
        for stretch in self.stretches.iter().filter(|stretch| !stretch.span.old) {
            let tally = kernel.tally(self.number, stretch.shelf.ring().cpu())?;
            let closed = tally.last_error == u64::from(libc::EOPNOTSUPP.unsigned_abs());
            if closed && tally.lost > stretch.span.lost_when_made {
                refusing.push(stretch.shelf.ring().cpu());
            }
        }
        Ok(refusing)
    }

    /// Bytes that are kept of what its rings took.
    pub(super) fn packed(&self) -> usize {
        self.stretches.iter().map(|stretch| stretch.shelf.memory()).sum()
    }

    /// How many records it holds and how far back they reach.
    pub(super) fn held(&self, history: &History) -> Held {
        let held = |stretch: &Stretch| {
            if self.keeps(stretch, history) { stretch.held(history) } else { stretch.in_ring() }
        };
        self.stretches.iter().map(held).fold(Held::default(), Held::and)
    }

    /// The same, of what was found by earlier looks where there is no time for another one; `None`: nobody has looked
    /// at one of its rings yet.
    pub(super) fn held_lately(&self, history: &History, until: Instant) -> Option<Held> {
        let held = |stretch: &Stretch| {
            if self.keeps(stretch, history) { Some(stretch.held(history)) } else { stretch.in_ring_lately(until) }
        };
        self.stretches.iter().try_fold(Held::default(), |all, stretch| Some(all.and(held(stretch)?)))
    }

    /// Whether what a ring took is kept when it overwrites it.
    fn keeps(&self, stretch: &Stretch, history: &History) -> bool {
        self.kept && (history.keeps() || stretch.shelf.memory() > 0)
    }

    /// Copies of its rings, each with its serial number. `since` tells from where on, by that number.
    pub(super) fn snapshots<'a>(
        &'a self,
        since: impl Fn(u32) -> Option<Position> + 'a,
    ) -> impl Iterator<Item = (u32, Snapshot)> + 'a {
        self.stretches.iter().map(move |stretch| {
            let since = since(stretch.serial).unwrap_or(stretch.span.since);
            (stretch.serial, stretch.shelf.ring().snapshot(Some(since), wire::SAMPLE_MOST))
        })
    }

    /// Copies of all that its rings hold, each with the time before which an older ring of its CPU was thrown away.
    pub(super) fn in_rings(&self) -> impl Iterator<Item = (Snapshot, Option<u64>)> {
        self.stretches.iter().map(|stretch| (stretch.snapshot(), stretch.span.cut))
    }

    /// All that is kept of it and in its rings, by CPU. Without a history it is what the rings hold.
    pub(super) fn histories(&self, history: Option<&History>) -> impl Iterator<Item = (u32, Taken, Option<u64>)> {
        self.stretches.iter().map(move |stretch| {
            let shelf = &stretch.shelf;
            let taken = history.map_or_else(|| shelf.take_uncounted(), |history| history.take(shelf));
            (shelf.ring().cpu(), taken, stretch.span.cut)
        })
    }
}

/// The same of a slot by its number.
pub(super) fn counted(kernel: &Kernel, slot: u32) -> Result<Counted> {
    (0..kernel.possible_cpus()).try_fold(Counted::default(), |all, cpu| {
        let tally = kernel.tally(slot, cpu)?;
        Ok(Counted {
            calls: all.calls + tally.calls,
            bytes: all.bytes + tally.bytes,
            skipped: all.skipped + tally.skipped,
        })
    })
}

impl Stretch {
    fn new(shelf: Arc<Shelf>, serial: u32, span: Span) -> Self {
        let fit = (shelf.ring().position(), 0);
        Self { shelf, serial, span, known: Cell::default(), fit }
    }

    fn snapshot(&self) -> Snapshot {
        self.shelf.ring().snapshot(Some(self.span.since), wire::SAMPLE_MOST)
    }

    /// Costs nothing if nothing was written to it since the last time.
    fn in_ring(&self) -> Held {
        let since = self.span.since;
        let at = (self.shelf.ring().position(), since);
        // A shared ring is asked for once for each track in it.
        let holds = |known: &Known| known.at == at || (known.at.1 == since && known.when.elapsed() < FRESH);
        if let Some(known) = self.known.get().filter(holds) {
            return known.held;
        }
        let snapshot = self.snapshot();
        let (_, oldest, records) = oldest_first(&snapshot, None);
        let cut = self.span.cut;
        let complete_from = if snapshot.wrapped() || cut.is_some() { oldest.or(cut) } else { None };
        let held = Held { records, complete_from, part_from: complete_from };
        // What was written meanwhile is in the copy, and the next look compares with where the copy began.
        self.known.set(Some(Known { at: (snapshot.position(), since), when: Instant::now(), held }));
        held
    }

    fn held(&self, history: &History) -> Held {
        let history::Held { records, complete_from, part_from } = history.held(&self.shelf);
        let cut = self.span.cut;
        Held { records, complete_from: complete_from.or(cut), part_from: part_from.or(cut) }
    }

    fn in_ring_lately(&self, until: Instant) -> Option<Held> {
        let is_old = |known: Known| known.when.elapsed() >= LATELY && Instant::now() < until;
        match self.known.get().filter(|known| known.at.1 == self.span.since) {
            Some(known) if !is_old(known) => Some(known.held),
            None if Instant::now() >= until => None,
            _ => Some(self.in_ring()),
        }
    }
}
