//! Pages of a dump's events, made on a thread of their own: the next ones that are wanted after a moment, or the last
//! ones before it.
//!
//! The heads of blocks say when their calls were and how many they are. A page is looked for in a stretch of so many
//! blocks as should have it; where a filter leaves too little of them, in the next and larger stretch. What was found
//! when a moment is over is a page, too: where a filter leaves next to nothing, that is seen to be looked for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, Sender, TryRecvError},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    decode::{Descriptors, History, Style},
    kernel::sees_all_pids,
    model::{Event, Outcome, Recording, What},
    select::Selection,
    symbol::Symbols,
};

/// So many calls of blocks are looked through for a page at first, and at most at once.
const FIRST: u64 = 4_000;
const MOST: u64 = 1 << 19;
/// A page may be small when this is over.
const MOMENT: Duration = Duration::from_millis(200);
/// Bytes of each string in details.
const STRINGS: usize = 4096;

/// Which way from a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// What began at this time or later.
    On,
    /// What began before it.
    Back,
}

/// What is wanted.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) selection: Arc<Selection>,
    pub(super) style: Arc<Style>,
    pub(super) way: Way,
    pub(super) from: u64,
    /// So many events; more where several began at the same time as the last, fewer where they are far apart.
    pub(super) many: usize,
    pub(super) purpose: Purpose,
}

/// What for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be listed.
    List,
    /// To go to it.
    Find,
    /// To show the call of this thread that began then with all that is known of it.
    Details(u32),
}

/// What has come of it.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) ask: Ask,
    /// Oldest first.
    pub(super) events: Vec<Event>,
    /// From where on the next one is: what was looked through ends here.
    pub(super) edge: u64,
    /// Whether there are no others that way.
    pub(super) ends: bool,
    /// What turned out to be damaged.
    pub(super) damage: Vec<String>,
}

/// The thread that makes them.
pub(super) struct Pages {
    asked: Sender<(u64, Ask)>,
    made: Receiver<(u64, Result<Page>)>,
    /// The number of the questions that count; older ones are left off.
    turn: Arc<AtomicU64>,
}

impl Pages {
    pub(super) fn of(recording: Arc<Recording>) -> Self {
        let (asked, questions) = mpsc::channel();
        let (answers, made) = mpsc::channel();
        let turn = Arc::new(AtomicU64::new(0));
        let mut maker = Maker { turn: turn.clone(), going_on: None, index: Index::of(&recording), recording };
        thread::spawn(move || {
            for (number, ask) in questions {
                let page = maker.page(number, &ask).transpose();
                if let Some(page) = page
                    && answers.send((number, page)).is_err()
                {
                    break;
                }
            }
        });
        Self { asked, made, turn }
    }

    /// Asks for a page.
    pub(super) fn ask(&self, ask: Ask) -> Result<()> {
        self.asked
            .send((self.turn.load(Ordering::Relaxed), ask))
            .ok()
            .context("the thread that reads the dump has ended")
    }

    /// What was asked for until now is not wanted any more.
    pub(super) fn forget(&self) {
        self.turn.fetch_add(1, Ordering::Relaxed);
    }

    /// The next page that is still wanted, if it is there.
    pub(super) fn next(&self) -> Result<Option<Page>> {
        loop {
            match self.made.try_recv() {
                Ok((number, page)) if number == self.turn.load(Ordering::Relaxed) => return page.map(Some),
                Ok(_) => {}
                Err(TryRecvError::Empty) => return Ok(None),
                Err(TryRecvError::Disconnected) => bail!("the thread that reads the dump has ended"),
            }
        }
    }
}

/// How many calls had ended by when.
pub(super) struct Index {
    /// The newest time of each block, ascending, and the calls of all blocks up to it.
    blocks: Vec<(u64, u64)>,
}

impl Index {
    pub(super) fn of(recording: &Recording) -> Self {
        let mut blocks: Vec<(u64, u64)> = recording
            .blocks
            .iter()
            .filter(|block| block.cpu.is_some())
            .map(|block| (block.to, u64::from(block.calls)))
            .collect();
        blocks.sort_unstable();
        let mut sum = 0;
        for (_, calls) in &mut blocks {
            sum += *calls;
            *calls = sum;
        }
        Self { blocks }
    }

    pub(super) fn total(&self) -> u64 {
        self.blocks.last().map_or(0, |(_, sum)| *sum)
    }

    /// How many calls had ended before.
    pub(super) fn before(&self, time: u64) -> u64 {
        let place = self.blocks.partition_point(|(to, _)| *to < time);
        place.checked_sub(1).map_or(0, |last| self.blocks[last].1)
    }

    /// The other end of a stretch that should have so many calls; `None`: that of the dump.
    fn stretch(&self, way: Way, from: u64, calls: u64) -> Option<u64> {
        let before = self.before(from);
        match way {
            Way::Back => {
                let wanted = before.checked_sub(calls)?;
                let place = self.blocks.partition_point(|(_, sum)| *sum <= wanted).checked_sub(1)?;
                Some(self.blocks[place].0).filter(|to| *to < from)
            }
            Way::On => {
                let place = self.blocks.partition_point(|(_, sum)| *sum < before + calls);
                // The newest may have calls that had not ended.
                let (to, _) = self.blocks.get(place).filter(|_| place + 1 < self.blocks.len())?;
                Some(*to).filter(|to| *to > from)
            }
        }
    }
}

struct Maker {
    recording: Arc<Recording>,
    index: Index,
    turn: Arc<AtomicU64>,
    /// Where a page ended before it was full, and how large the next stretch is.
    going_on: Option<(u64, Way, u64, u64)>,
}

impl Maker {
    /// A page; `None`: something else is wanted meanwhile.
    fn page(&mut self, number: u64, ask: &Ask) -> Result<Option<Page>> {
        let is_wanted = || self.turn.load(Ordering::Relaxed) == number;
        if let Purpose::Details(tid) = ask.purpose {
            return self.details(ask, tid).map(Some);
        }
        let history = History::of(&self.recording, &ask.style)?;
        let by_call = ask.selection.concerned().is_some();
        let mut events: Vec<Event> = Vec::new();
        let going_on =
            self.going_on.take().filter(|(of, way, from, _)| (*of, *way, *from) == (number, ask.way, ask.from));
        let mut calls = going_on.map_or(FIRST.max(4 * ask.many as u64), |(.., calls)| calls);
        let begun = Instant::now();
        // Where the next stretch begins, inclusive on the way on, exclusive on the way back.
        let mut at = ask.from;
        let ends = loop {
            let end = self.index.stretch(ask.way, at, calls);
            let (from, to) = match ask.way {
                Way::On => (at, end.unwrap_or(u64::MAX)),
                Way::Back => (end.unwrap_or(0), at.saturating_sub(1)),
            };
            let mut found = Vec::new();
            if from <= to {
                for event in history.between(&ask.selection, from, to) {
                    if !is_wanted() {
                        return Ok(None);
                    }
                    let is_shown = match &event.what {
                        What::Call(call) => {
                            ask.purpose == Purpose::List || matches!(call.outcome, Outcome::Failed { .. })
                        }
                        _ if ask.purpose == Purpose::Find => false,
                        What::Gap(_) => true,
                        // They have no lines.
                        What::Exec { .. } | What::Rename => false,
                        _ => !by_call,
                    };
                    if !is_shown || !(from..=to).contains(&event.start) {
                        continue;
                    }
                    // The rest of the stretch would be thrown away.
                    let full = events.iter().chain(&found).nth(ask.many.saturating_sub(1));
                    let is_full = full.is_some_and(|last| last.start < event.start);
                    found.push(event);
                    if is_full && ask.way == Way::On {
                        break;
                    }
                }
            }
            if !is_wanted() {
                return Ok(None);
            }
            match ask.way {
                Way::On => events.append(&mut found),
                Way::Back => {
                    found.append(&mut events);
                    events = found;
                }
            }
            if let Some(end) = end {
                at = if ask.way == Way::On { end.saturating_add(1) } else { end };
            }
            calls = (calls * 16).min(MOST);
            if events.len() >= ask.many || end.is_none() {
                break end.is_none();
            }
            if ask.purpose == Purpose::List && begun.elapsed() > MOMENT {
                self.going_on = Some((number, ask.way, at, calls));
                break false;
            }
        };
        events.sort_by_key(|event| event.start);
        let cut = cut(&mut events, ask);
        let (ask, damage) = (ask.clone(), history.damage());
        Ok(Some(Page { ask, events, edge: cut.unwrap_or(at), ends: ends && cut.is_none(), damage }))
    }

    /// The call with all that was recorded of it.
    fn details(&self, ask: &Ask, tid: u32) -> Result<Page> {
        let style = Style {
            verbose: true,
            abbreviated: None,
            string_limit: STRINGS,
            descriptors: Descriptors::ALL,
            ..(*ask.style).clone()
        };
        let history = History::of(&self.recording, &style)?;
        let selection = Selection { threads: vec![tid], ..Selection::default() };
        let mut events: Vec<Event> = history
            .between(&selection, ask.from, ask.from)
            .filter(|event| event.start == ask.from && event.tid == tid)
            .collect();
        if !self.recording.dump.modules.is_empty() {
            let mut symbols = Symbols::of(&self.recording.dump, sees_all_pids());
            events.iter_mut().for_each(|event| symbols.name(event));
        }
        Ok(Page { ask: ask.clone(), events, edge: ask.from, ends: false, damage: history.damage() })
    }
}

/// Leaves what is wanted, and those that began at the same time as the last; where others were cut off, if some were.
fn cut(events: &mut Vec<Event>, ask: &Ask) -> Option<u64> {
    let more = events.len().checked_sub(ask.many).filter(|more| *more > 0 && ask.many > 0)?;
    match ask.way {
        Way::On => {
            let last = events[ask.many - 1].start;
            let end = events.partition_point(|event| event.start <= last);
            let is_cut = end < events.len();
            events.truncate(end);
            is_cut.then(|| last.saturating_add(1))
        }
        Way::Back => {
            let first = events[more].start;
            let begin = events.partition_point(|event| event.start < first);
            events.drain(..begin);
            (begin > 0).then_some(first)
        }
    }
}
