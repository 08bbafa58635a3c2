//! The packed history: what rings have taken, kept compressed long after the rings have overwritten it.
//!
//! Promise: what is copied before the kernel overwrites it stays, oldest first out, until the memory that is there for
//! it is used up; then the track that holds the most gives, so that each of those that write is sure of an equal
//! share. What was overwritten uncopied is a gap, kept at its place with its number of records.
//!
//! What is given up is thinned: what matters of it (`keep`) is kept much longer, in a share of the memory of its own that
//! is given up by the same rule. What there was no time to thin is a gap in that.
//!
//! The kernel side says when half of a ring is new. The copier, a thread of ordinary priority, copies it at once and
//! does nothing else; the packer, a thread that gives way to others and takes no more of a CPU than it may, packs what
//! was copied. A shelf, one for each ring, owns the position up to which its ring was read: who takes a dump locks it
//! for as long as a copy lasts, and finds each record once, on the shelf or in the ring. Nobody waits for the packer.
//!
//! A history may outlive the process (`Outlives`): its bytes stand in memory that another process holds (`memory`), and
//! whatever changes on a shelf is written down there in the same step (`journal`), so that whoever is killed at any
//! moment leaves all of it (`Remains`). Bytes go before what names them is written, and are let go after it is struck out.
//!
//! Knows rings, records and blocks; knows neither the kernel side nor whose the rings are.

mod copier;
mod home;
mod journal;
mod keep;
mod kept;
mod memory;
mod names;
mod outlives;
mod packer;
mod queue;
mod room;
mod shelf;
mod state;
mod thin;
mod walk;

use std::{
    collections::{BTreeMap, VecDeque},
    os::fd::OwnedFd,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{
    model::Block,
    ring::{Position, Ring},
};

pub use keep::Keep;
pub use names::Names;
pub use outlives::{Outlives, Remains};
pub use shelf::{Gap, Held, Missing, Shelf, Taken};
pub use walk::{Walked, by_owner, head, oldest_first, oldest_until, owner};

/// With less room than this nothing is kept, bytes.
const LEAST: usize = 1 << 20;

/// How much the history may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Of one CPU, for packing, in percent; 0: nothing is kept but what rings hold.
    pub cpu: u32,
    /// A track that reaches further back than that gives before others do that do not.
    pub min_age: Option<Duration>,
    /// What of that which is given up is kept longer.
    pub keep: Keep,
    /// Of the memory, for what is kept longer, in percent.
    pub keep_share: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { cpu: 10, min_age: None, keep: Keep::default(), keep_share: 25 }
    }
}

/// A ring of which half is new: its slot and its CPU.
pub type Half = (u32, u32);

/// What the kernel side tells: when rings are to be copied, and how many records it has written.
pub trait Written: Send + Sync {
    /// Records that were written for a slot on a CPU.
    fn records(&self, slot: u32, cpu: u32) -> u64;
}

/// Where the kernel side's notices of half rings come from.
pub trait Halves: Send {
    /// Readable when there are some.
    fn fd(&self) -> std::os::fd::BorrowedFd<'_>;
    /// Those that have come since the last time.
    fn take(&self) -> Result<Vec<Half>>;
}

/// What was done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Bytes of records that are packed, as they are kept.
    pub packed: usize,
    /// Bytes of records that wait for being packed.
    pub waiting: usize,
    /// Bytes of older records that were kept when others were given up.
    pub kept: usize,
    /// Bytes besides these: of pages that are not full, and for finding it all again when the process is killed.
    pub extra: usize,
    /// Bytes that all of these may take together.
    pub room: usize,
    /// Calls in the packed ones.
    pub calls: u64,
    /// CPU time that packing has taken, nanoseconds.
    pub cpu: u64,
    /// Records that were overwritten before they were copied, of all tracks so far.
    pub missed: u64,
    /// Records that were given up without a look at what of them matters, of all tracks so far.
    pub unthinned: u64,
}

/// What the threads and the recorder have in common.
struct Shared {
    settings: Settings,
    written: Box<dyn Written>,
    shelves: RwLock<BTreeMap<u32, Vec<Arc<Shelf>>>>,
    /// Shelves with enough to be packed.
    full: Mutex<VecDeque<Arc<Shelf>>>,
    is_full: Condvar,
    waiting: AtomicUsize,
    packed: AtomicUsize,
    kept: AtomicUsize,
    calls: AtomicU64,
    room: AtomicUsize,
    cpu: AtomicU64,
    missed: AtomicU64,
    unthinned: AtomicU64,
    stopping: AtomicBool,
    /// Where it outlives the process.
    outlives: Option<Outlives>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// What there is of something. Who takes away what another thread has just put there may be counted first: less than
/// nothing is nothing.
fn level(counter: &AtomicUsize) -> usize {
    counter.load(Relaxed).cast_signed().max(0).cast_unsigned()
}

/// A lock that is taken although somebody may have panicked with it: what it guards is whole between any two steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// So many bytes of copies may wait for the packer: a part of the room, within reason.
    fn waiting_most(&self) -> usize {
        let room = self.room.load(Relaxed);
        (room / 16).clamp(Block::PLAIN.min(room / 4), 16 << 20)
    }

    /// With less room the rings themselves reach as far.
    fn keeps(&self) -> bool {
        self.room.load(Relaxed) >= LEAST
    }

    /// Has a shelf packed, if there is enough on it.
    fn queue(&self, shelf: &Arc<Shelf>) {
        if shelf.has_enough() && !shelf.queued.swap(true, Relaxed) {
            lock(&self.full).push_back(shelf.clone());
            self.is_full.notify_one();
        }
    }

    /// Bytes of all, with what may yet wait for the packer before it makes room again.
    fn claimed(&self) -> usize {
        let packed = [&self.packed, &self.kept].map(|bytes| bytes.load(Relaxed).cast_signed());
        let extra = self.outlives.as_ref().map_or(0, Outlives::extra);
        level(&self.waiting).max(self.waiting_most()) + packed.into_iter().sum::<isize>().max(0).cast_unsigned() + extra
    }

    /// So many bytes of older history may stay.
    fn room_of_kept(&self) -> usize {
        self.room.load(Relaxed) / 100 * self.settings.keep_share as usize
    }

    fn all(&self) -> Vec<Arc<Shelf>> {
        let shelves = self.shelves.read().unwrap_or_else(PoisonError::into_inner);
        shelves.values().flatten().cloned().collect()
    }

    fn shelf(&self, (slot, cpu): Half) -> Option<Arc<Shelf>> {
        let shelves = self.shelves.read().unwrap_or_else(PoisonError::into_inner);
        // The newest ring of a CPU that has several.
        shelves.get(&slot)?.iter().rev().find(|shelf| shelf.ring().cpu() == cpu).cloned()
    }
}

/// The packed history of all tracks of one recording.
#[derive(Debug)]
pub struct History {
    shared: Arc<Shared>,
    /// Written to when the copier is to end.
    end: OwnedFd,
    threads: Vec<JoinHandle<()>>,
}

impl History {
    /// Starts to keep what rings take, for as long as nobody is there who says which of them are half new. It is written
    /// down for who comes then.
    pub fn stand_in(settings: Settings, written: Box<dyn Written>, outlives: Outlives) -> Result<Self> {
        let (history, ends) = Self::of(settings, written, Some(outlives))?;
        history.run(move |shared| copier::look(shared, &ends))
    }

    /// Starts to copy what `halves` tells of; without it nothing is kept. What is kept outlives the process, if it is to.
    pub fn start(
        settings: Settings,
        written: Box<dyn Written>,
        halves: Option<Box<dyn Halves>>,
        outlives: Option<Outlives>,
    ) -> Result<Self> {
        let (history, ends) = Self::of(settings, written, outlives)?;
        let Some(halves) = halves else { return Ok(history) };
        history.run(move |shared| copier::run(shared, halves.as_ref(), &ends))
    }

    fn run(mut self, copy: impl FnOnce(&Arc<Shared>) + Send + 'static) -> Result<Self> {
        let [copies, packs] = [self.shared.clone(), self.shared.clone()];
        self.spawn("copier", move || copy(&copies))?;
        self.spawn("packer", move || packer::run(&packs))?;
        Ok(self)
    }

    fn of(settings: Settings, written: Box<dyn Written>, outlives: Option<Outlives>) -> Result<(Self, OwnedFd)> {
        let shared = Arc::new(Shared {
            settings,
            written,
            shelves: RwLock::default(),
            full: Mutex::default(),
            is_full: Condvar::new(),
            waiting: AtomicUsize::new(0),
            packed: AtomicUsize::new(0),
            kept: AtomicUsize::new(0),
            calls: AtomicU64::new(0),
            // Until it is known how much that is, nothing has to go.
            room: AtomicUsize::new(usize::MAX),
            cpu: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            unthinned: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            outlives,
        });
        let (end, ends) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)
            .map(|(read, write)| (write, read))
            .context("make a pipe to the copier")?;
        Ok((Self { shared, end, threads: Vec::new() }, ends))
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
        self.threads.push(thread.with_context(|| format!("start the {name}"))?);
        Ok(())
    }

    /// A shelf for a slot's ring of this number, of which what stands before `since` is nobody's; so many records were
    /// written until then.
    pub fn shelf(&self, slot: u32, serial: u32, ring: Ring, since: Position, counted: u64) -> Arc<Shelf> {
        match &self.shared.outlives {
            Some(outlives) => outlives.shelf(slot, serial, ring, since, counted),
            None => Shelf::new(slot, ring, since, counted),
        }
    }

    /// From now on what this shelf's ring takes is kept.
    pub fn keep(&self, shelf: &Arc<Shelf>) {
        self.shared.settle(shelf.all());
        // What another process has left of a ring may be overwritten before half of it is new.
        if self.keeps() && shelf.unread() >= shelf.ring().size() as u64 / 4 {
            self.shared.settle(shelf.copy(self.shared.written.as_ref()));
        }
        self.shared.queue(shelf);
        let mut shelves = self.shared.shelves.write().unwrap_or_else(PoisonError::into_inner);
        shelves.entry(shelf.slot()).or_default().push(shelf.clone());
    }

    /// Its CPU writes to another ring from now on.
    pub fn seal(&self, shelf: &Shelf) {
        self.shared.settle(shelf.seal(self.shared.written.as_ref()));
    }

    /// What is left of an older ring of its CPU, which was sealed, is the newer one's; the older one is of use no longer.
    /// False: not yet.
    pub fn take_over(&self, shelf: &Arc<Shelf>, older: &Arc<Shelf>) -> bool {
        let (done, change) = shelf.take_over(older, self.shared.written.as_ref());
        self.shared.settle(change);
        if done {
            self.leave(older);
        } else {
            self.shared.queue(older);
        }
        done
    }

    /// It is of use no longer.
    pub fn leave(&self, shelf: &Arc<Shelf>) {
        self.empty(shelf);
        let mut shelves = self.shared.shelves.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_slot) = shelves.get_mut(&shelf.slot()) {
            of_slot.retain(|other| !Arc::ptr_eq(other, shelf));
        }
    }

    /// What is on it is thrown away; what its ring takes from now on is somebody else's.
    pub fn empty(&self, shelf: &Shelf) {
        let records = self.shared.written.records(shelf.slot(), shelf.ring().cpu());
        self.shared.settle(shelf.clear(records));
    }

    /// Whether what rings take is kept when they overwrite it.
    pub fn keeps(&self) -> bool {
        !self.threads.is_empty() && self.shared.keeps()
    }

    /// What a shelf and its ring hold.
    pub fn take(&self, shelf: &Arc<Shelf>) -> Taken {
        let (taken, change) = shelf.take(self.shared.written.as_ref(), self.keeps());
        self.shared.settle(change);
        self.shared.queue(shelf);
        taken
    }

    /// What a shelf and its ring hold.
    pub fn held(&self, shelf: &Arc<Shelf>) -> Held {
        let may_keep = level(&self.shared.waiting) < self.shared.waiting_most();
        let (held, change) = shelf.held(self.shared.written.as_ref(), may_keep);
        self.shared.settle(change);
        self.shared.queue(shelf);
        held
    }

    /// Bytes that it may take from now on.
    pub fn set_room(&self, room: usize) {
        if self.shared.room.swap(room, Relaxed) > room {
            self.shared.is_full.notify_all();
        }
    }

    /// What was done so far.
    pub fn figures(&self) -> Figures {
        let shared = &self.shared;
        Figures {
            packed: level(&shared.packed),
            kept: level(&shared.kept),
            waiting: level(&shared.waiting),
            extra: shared.outlives.as_ref().map_or(0, Outlives::extra),
            room: shared.room.load(Relaxed),
            calls: shared.calls.load(Relaxed).cast_signed().max(0).cast_unsigned(),
            cpu: shared.cpu.load(Relaxed),
            missed: shared.missed.load(Relaxed),
            unthinned: shared.unthinned.load(Relaxed),
        }
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Relaxed);
        let _ = nix::unistd::write(&self.end, &[0]);
        drop(lock(&self.shared.full));
        self.shared.is_full.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        // What shelves hold is whoever's that comes next.
        self.shared.outlives.iter().for_each(Outlives::leave);
    }
}

#[cfg(test)]
mod tests;
