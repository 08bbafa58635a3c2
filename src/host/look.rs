//! A look: what one dump or one follower wants to know of processes, asked of helpers on a thread of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic,
    path::PathBuf,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use super::{
    asking::Asking,
    memory::{record_unseen, since},
    message::{Ask, Seen},
    waits::{End, WHOM_MOST, Waiting},
};
use crate::{
    kernel::{InFlight, Kernel, line, sees_all_pids},
    model::{Files, Loss, Module, Network, Process, Stacks, Wait},
};

/// Who waits less than that is at work.
const WAITS_LEAST: Duration = Duration::from_secs(1);

/// Whose processes are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A cgroup's, with those below it, if it is still the one of this id.
    Cgroup(PathBuf, u64),
    /// These.
    Processes(Vec<u32>),
}

/// How calls in flight are told.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// CLOCK_BOOTTIME nanoseconds, for those whose start was not seen.
    pub now: u64,
    /// How much of a string is kept.
    pub strings: u32,
    /// Whether it is kept what buffers hold.
    pub contents: bool,
    /// Of which calls stacks are taken.
    pub stacks: Stacks,
}

impl How {
    /// As a recorder's kernel side was told to record.
    pub fn of(kernel: &Kernel, now: u64) -> Self {
        Self {
            now,
            strings: kernel.string_limit(),
            contents: kernel.contents(),
            stacks: kernel.stacks().unwrap_or_default(),
        }
    }
}

/// What is wanted.
#[derive(Debug)]
pub struct Wanted {
    /// Whose threads.
    pub whose: Vec<Whose>,
    /// The calls in flight.
    pub calls: Vec<InFlight>,
    /// How they are told.
    pub how: How,
    /// Whether descriptors are wanted.
    pub files: bool,
    /// Whether networks are wanted.
    pub networks: bool,
    /// Whether it is wanted what calls that have lasted long wait for.
    pub waits: bool,
}

/// What came back in time.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The calls in flight as records, in the order in which they were given; those that nobody could look at with
    /// addresses.
    pub records: Vec<Vec<u8>>,
    /// The files that their stacks lead through.
    pub modules: Vec<Module>,
    /// What those of them wait for that have lasted long.
    pub waits: Vec<Wait>,
    /// The threads, for each of those whose they are.
    pub threads: Vec<Vec<Process>>,
    /// What descriptors stand for.
    pub files: Vec<Files>,
    /// The networks that are not the recorder's.
    pub networks: Vec<Network>,
    /// What did not come back, by kind.
    pub unknown: Vec<Loss>,
}

/// A look that goes on, or has come back.
#[derive(Clone, Debug)]
pub struct Look {
    known: Arc<OnceLock<Known>>,
}

impl Look {
    /// Begins to look.
    pub fn begin(wanted: Wanted) -> Self {
        let known = Arc::new(OnceLock::new());
        let unseen = Looking::new(&wanted).known;
        let (theirs, nothing) = (known.clone(), unseen.clone());
        let look = thread::Builder::new().name("look".to_owned()).spawn(move || {
            // Somebody may wait.
            let seen = panic::catch_unwind(|| Looking::new(&wanted).look(&wanted));
            let _ = theirs.set(seen.unwrap_or(nothing));
        });
        if let Err(error) = look {
            tracing::warn!(%error, "no process can be looked at");
            let unknown = Loss::of(1, NOTHING).into_iter().collect();
            let _ = known.set(Known { unknown, ..unseen });
        }
        Self { known }
    }

    /// What is known: waits until that is so, which is within seconds. Not for the task.
    pub fn wait(&self) -> &Known {
        self.known.wait()
    }
}

const THREADS: &str = "cgroups whose threads were not listed in time";
const MEMORY: &str = "calls in flight whose memory was not read in time: what they point to is not shown";
const WAITS: &str = "calls in flight of which nobody could look in time what they wait for";
const FILES: &str = "processes whose descriptors were not looked at in time: what they stand for is not known";
const NETWORKS: &str = "looks at networks that did not come back in time";
const NOTHING: &str = "looks into processes that could not begin";

/// A look in the making.
struct Looking {
    known: Known,
    asking: Asking,
    unknown: BTreeMap<&'static str, u64>,
}

impl Looking {
    fn new(wanted: &Wanted) -> Self {
        let records = wanted.calls.iter().map(|call| record_unseen(&call.line, wanted.how.now)).collect();
        Self {
            known: Known { records, threads: vec![Vec::new(); wanted.whose.len()], ..Known::default() },
            asking: Asking::new(wanted.how),
            unknown: BTreeMap::new(),
        }
    }

    fn look(mut self, wanted: &Wanted) -> Known {
        self.memory(&wanted.calls);
        if wanted.waits && sees_all_pids() {
            self.waits(&wanted.calls, wanted.how.now);
        }
        let mut pids: BTreeSet<u32> = wanted.calls.iter().map(|call| call.thread.pid).collect();
        for (place, whose) in wanted.whose.iter().enumerate() {
            let ask = match whose {
                Whose::Cgroup(path, id) => Ask::ThreadsOfCgroup { path: path.clone(), id: *id },
                Whose::Processes(pids) => Ask::ThreadsOf { pids: pids.clone() },
            };
            match self.asking.ask(&ask, None) {
                Some(Seen::Threads(threads)) => self.known.threads[place] = threads,
                _ => self.is_unknown(THREADS, 1),
            }
        }
        if !sees_all_pids() {
            pids.clear();
        }
        pids.extend(self.known.threads.iter().flatten().map(|thread| thread.pid));
        if wanted.networks {
            match self.asking.ask(&Ask::Networks { pids: pids.iter().copied().collect() }, None) {
                Some(Seen::Networks(networks)) => self.known.networks = networks,
                _ => self.is_unknown(NETWORKS, 1),
            }
        }
        if wanted.files {
            self.files(pids);
        }
        self.asking.end();
        let told = self.unknown.iter().filter_map(|(what, count)| Loss::of(*count, what));
        self.known.unknown = told.collect();
        self.known
    }

    /// First: the threads go on meanwhile.
    fn memory(&mut self, calls: &[InFlight]) {
        let mut of: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (n, call) in calls.iter().enumerate() {
            of.entry(call.thread.pid).or_default().push(n);
        }
        for (pid, own) in of {
            let lines = own.iter().map(|n| calls[*n].line.clone()).collect();
            match self.asking.ask(&Ask::Calls { lines, modules: self.known.modules.len() }, Some(pid)) {
                Some(Seen::Calls { records, modules }) => {
                    own.into_iter().zip(records).for_each(|(n, record)| self.known.records[n] = record);
                    self.known.modules.extend(modules);
                }
                _ => self.is_unknown(MEMORY, own.len() as u64),
            }
        }
    }

    /// What calls wait for: each process is asked by itself, all of them for who has the other ends.
    fn waits(&mut self, calls: &[InFlight], now: u64) {
        let mut of: BTreeMap<u32, Vec<&InFlight>> = BTreeMap::new();
        let lasts = |call: &&InFlight| Duration::from_nanos(now.saturating_sub(since(&line(&call.line), now)));
        for call in calls.iter().filter(|call| lasts(call) >= WAITS_LEAST) {
            of.entry(call.thread.pid).or_default().push(call);
        }
        let mut found: Vec<(u32, u32, Waiting)> = Vec::new();
        for (pid, calls) in of {
            let lines = calls.iter().map(|call| call.line.clone()).collect();
            match self.asking.ask(&Ask::Waits { lines }, Some(pid)) {
                Some(Seen::Waits(waits)) => {
                    let known = calls.iter().zip(waits);
                    found.extend(known.filter_map(|(call, waiting)| Some((call.thread.tid, pid, waiting?))));
                }
                _ => self.is_unknown(WAITS, calls.len() as u64),
            }
        }
        let ends: Vec<End> = found.iter().filter_map(|(.., waiting)| waiting.end.clone()).collect();
        let holders = if ends.is_empty() { None } else { self.asking.ask(&Ask::Holders { ends: ends.clone() }, None) };
        let mut holders = match holders {
            Some(Seen::Holders(holders)) => holders.into_iter(),
            _ => vec![Vec::new(); ends.len()].into_iter(),
        };
        for (tid, pid, Waiting { on, mut whom, end }) in found {
            if end.is_some() {
                // Whoever has both ends himself waits for the others that have it.
                let (own, others): (Vec<_>, Vec<_>) =
                    holders.next().unwrap_or_default().into_iter().partition(|holder| holder.pid == pid);
                whom.extend(if others.is_empty() { own } else { others });
            }
            let more = whom.len().saturating_sub(WHOM_MOST);
            whom.truncate(WHOM_MOST);
            self.known.waits.push(Wait { tid, on, whom, more });
        }
    }

    fn files(&mut self, pids: BTreeSet<u32>) {
        for pid in pids {
            match self.asking.ask(&Ask::Files { pid }, Some(pid)) {
                Some(Seen::Files(files)) => self.known.files.extend(files),
                _ => self.is_unknown(FILES, 1),
            }
        }
    }

    fn is_unknown(&mut self, what: &'static str, count: u64) {
        *self.unknown.entry(what).or_default() += count;
    }
}
