//! What is recorded, and the taking of dumps.
//!
//! A `Recorder` owns the kernel side and a track for each recorded cgroup. It is given some cgroups and
//! keeps to them (`prepare`, `record`), or it watches the whole tree (`watch`): then each named leaf has a
//! track, those that are made later from their first call on, and tracks outlive their cgroups until their
//! age or the memory budget ends them. Or it follows processes wherever they are (`prepare_following`, `follow`),
//! which are one track with their children. `dump` copies rings while the recording goes on and says for which
//! time the copy is complete. It knows nothing of sockets, terminals or files, and it is one task's.

mod alive;
mod begin;
mod budget;
mod clock;
mod copied;
mod cost;
mod counting;
mod cpus;
mod dump;
mod ends;
mod family;
mod find;
mod fit;
mod follow;
mod given_up;
mod half;
mod hold;
mod id;
mod manager;
mod notice;
mod one;
mod overhead;
mod part;
mod resume;
mod slot;
mod spare;
mod stand_in;
mod stretches;
mod subject;
mod take_in;
mod tidy;
mod track;
mod tree;
mod units;
mod watch;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

pub use crate::host::interfaces;
pub use alive::Silence;
pub use budget::{Budget, Shrunk};
pub use clock::{boottime, boottime_at, realtime_offset};
pub use cost::Cost;
pub use counting::count;
pub use dump::Dumping;
pub use family::generic_families;
pub use find::{Unfound, find};
pub use given_up::GivenUp;
pub use id::TrackId;
pub use notice::{Asked, Notice};
pub use overhead::cpu_times_are_known;
pub use stand_in::StandIn;
pub use subject::Subject;
pub use track::Seen;
pub use watch::{TrackInfo, Watching, Windows};

use alive::Alive;
use cpus::online;
use dump::Of;
use hold::Hold;
use part::{Source, Wanted};
use slot::{By, Slot};
use track::{Track, assign_all, name_of};
use watch::Watch;

use crate::{
    cgroup::{self, Cgroup},
    history::{self, History, Outlives, oldest_first},
    identity,
    kernel::{Feature, Features, Kernel, Options},
    model::{Cause, Identity, Loss, Module, Recording},
    profile::{Level, Profiles},
    ring::Batch,
    syscall::plan,
};

/// What to record, and with how much memory.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is recorded of a call.
    pub wanted: plan::Wanted,
    /// Memory for the rings.
    pub budget: Budget,
    /// What is kept of what rings have taken.
    pub history: history::Settings,
    /// Kernel features that are not to be used.
    pub without: Vec<Feature>,
}

/// A running recording.
#[derive(Debug)]
pub struct Recorder {
    /// Reads what the kernel side writes, and so goes first.
    history: History,
    kernel: Kernel,
    tracks: BTreeMap<TrackId, Track>,
    last_id: u64,
    /// Made and not lent.
    spare: BTreeMap<u32, Slot>,
    /// Bytes of each ring.
    ring: usize,
    /// Bytes that all rings may take together.
    total: usize,
    /// The CPUs that were online when they were looked at.
    cpus: BTreeSet<u32>,
    /// Samples that rings had not taken when the CPUs were looked at.
    refused: u64,
    /// When the sizes of rings were looked at.
    fitted: Instant,
    /// Where the cgroup tree is mounted.
    root: PathBuf,
    shrunk: Option<Shrunk>,
    watch: Option<Watch>,
    /// How units are recorded, where the tree is watched, and what recording a call costs.
    profiles: Profiles,
    cost: Cost,
    hold: Hold,
    alive: Alive,
    /// What happened while nobody was there to be told.
    meanwhile: Vec<Notice>,
}

impl Recorder {
    /// Makes the rings and loads the programs, for so many cgroups; nothing is recorded yet.
    pub fn prepare(cgroups: usize, settings: &Settings) -> Result<Self> {
        let cpus = online()?;
        let (size, shrunk) = settings.budget.ring_size(cgroups, cpus.len())?;
        let slots = u32::try_from(cgroups).context("too many cgroups")?;
        let (wanted, without) = (settings.wanted.clone(), settings.without.clone());
        let options = Options {
            wanted,
            slots,
            watching: None,
            counting: false,
            following: None,
            half: half::of(size, &settings.history),
            without,
        };
        let mut recorder = Self::around(Kernel::load(&options)?, size, settings, cpus, None)?;
        recorder.shrunk = shrunk;
        recorder.make_slots(1..=slots)?;
        Ok(recorder)
    }

    fn around(
        kernel: Kernel,
        ring: usize,
        settings: &Settings,
        cpus: BTreeSet<u32>,
        outlives: Option<Outlives>,
    ) -> Result<Self> {
        clock::check()?;
        let history = half::start(settings.history.clone(), &kernel, outlives)?;
        Ok(Self {
            history,
            kernel,
            tracks: BTreeMap::new(),
            last_id: 0,
            spare: BTreeMap::new(),
            ring,
            total: settings.budget.total,
            cpus,
            refused: 0,
            fitted: Instant::now(),
            root: cgroup::v2_mount()?.point,
            shrunk: None,
            watch: None,
            profiles: Profiles::default(),
            cost: Cost::default(),
            hold: Hold::default(),
            alive: Alive::new(),
            meanwhile: Vec::new(),
        })
    }

    fn make_slots(&mut self, numbers: impl IntoIterator<Item = u32>) -> Result<()> {
        let mut batch = Batch::default();
        let made = numbers.into_iter().try_for_each(|number| {
            let by = By { kernel: &self.kernel, hold: &self.hold, history: &self.history };
            let slot = Slot::make(number, self.cpus.iter().copied(), self.ring, &mut batch, by, true)?;
            if self.watch.is_some() {
                self.kernel.set_profile(number, &self.profiles.base, Level::All)?;
            }
            self.spare.insert(number, slot);
            Ok(())
        });
        batch.start()?;
        self.make_room();
        made
    }

    /// Records the cgroups, each with its descendants, one track each. On return every call is recorded.
    pub fn record(&mut self, cgroups: Vec<Cgroup>) -> Result<()> {
        let began = boottime();
        for cgroup in cgroups {
            let (_, slot) = self.spare.pop_first().context("more cgroups than were prepared for")?;
            let mut track = Track::new(self.identity_of(&cgroup), cgroup.path().to_owned(), began);
            assign_all(&cgroup, slot.number, &self.kernel)?;
            track.slot = Some(slot);
            self.insert(track);
        }
        self.notice_calls_in_flight()?;
        let ids: Vec<TrackId> = self.tracks.keys().copied().collect();
        self.look_at_files(&ids);
        Ok(())
    }

    /// Goes on with cgroups that were removed and made again at their places, by the same rings: what people call them.
    pub fn follow_paths(&mut self) -> Result<Vec<String>> {
        let mut again = Vec::new();
        for track in self.tracks.values_mut().filter(|track| track.followed.is_empty()) {
            let Ok(cgroup) = Cgroup::open(&track.path) else { continue };
            let Some(slot) = track.slot.as_ref().filter(|_| cgroup.id() != track.identity.cgroup_id) else { continue };
            assign_all(&cgroup, slot.number, &self.kernel)?;
            track.identity = identity(&track.path, &self.root, cgroup.id());
            again.push(track.identity.to_string());
        }
        if !again.is_empty() {
            self.notice_calls_in_flight()?;
        }
        Ok(again)
    }

    /// Threads that are inside a call now are noticed by being looked at.
    fn notice_calls_in_flight(&self) -> Result<()> {
        self.kernel.in_flight(|_, _| false).map(drop)
    }

    fn identity_of(&self, cgroup: &Cgroup) -> Identity {
        identity(cgroup.path(), &self.root, cgroup.id())
    }

    fn insert(&mut self, track: Track) -> TrackId {
        self.last_id += 1;
        let id = TrackId(self.last_id);
        self.hold.track(id, &track.note());
        self.tracks.insert(id, track);
        self.fit_or_warn(id);
        id
    }

    /// Who has to do with a slot's rings.
    fn by(&self) -> By<'_> {
        By { kernel: &self.kernel, hold: &self.hold, history: &self.history }
    }

    /// What is kept of what rings have taken.
    pub fn history(&self) -> history::Figures {
        self.history.figures()
    }

    /// Bytes of all rings, and of what is kept of what they took.
    pub fn memory(&self) -> usize {
        let history::Figures { packed, waiting, kept, extra, .. } = self.history.figures();
        self.rings() + packed + waiting + kept + extra
    }

    /// Bytes of all rings.
    fn rings(&self) -> usize {
        let shared = self.watch.as_ref().map_or(0, Watch::memory);
        let lent: usize = self.tracks.values().map(Track::memory).sum();
        lent + shared + self.spare.values().map(Slot::memory).sum::<usize>()
    }

    /// Whether the rings are smaller than was asked for.
    pub fn shrunk(&self) -> Option<Shrunk> {
        self.shrunk
    }

    /// Which of the optional kernel features are in use.
    pub fn features(&self) -> Features {
        self.kernel.features()
    }

    /// The kernel side.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Copies everything that the rings hold, and looks at whose they are; the recording goes on.
    pub fn dump(&self, cause: Cause) -> Result<Recording> {
        let wanted: Vec<Wanted<'_>> =
            self.tracks.iter().map(|(id, track)| Wanted { track, sources: self.sources(*id, track) }).collect();
        Ok(dump::take(&self.kernel, &self.history, &self.alive, &wanted, Of::All, cause)?.whole())
    }

    /// Copies what the rings hold of one track; what is to be known of its processes is still being looked at.
    pub fn dump_track(&self, id: TrackId, cause: Cause) -> Result<Dumping> {
        self.dump_tracks(&[id], cause)
    }

    /// The same of some tracks, into one dump.
    pub fn dump_tracks(&self, ids: &[TrackId], cause: Cause) -> Result<Dumping> {
        self.take(ids, Of::All, cause)
    }

    /// Only the calls of some tracks that have not ended, with the stacks of those that have lasted so long.
    pub fn calls_in_flight(&self, ids: &[TrackId], longer: Duration) -> Result<Dumping> {
        self.take(ids, Of::CallsInFlight { longer }, Cause::Request)
    }

    fn take(&self, ids: &[TrackId], of: Of, cause: Cause) -> Result<Dumping> {
        let wanted = |id: &TrackId| {
            let track = self.track(*id)?;
            Ok(Wanted { track, sources: self.sources(*id, track) })
        };
        let wanted = ids.iter().map(wanted).collect::<Result<Vec<_>>>()?;
        dump::take(&self.kernel, &self.history, &self.alive, &wanted, of, cause)
    }

    fn track(&self, id: TrackId) -> Result<&Track> {
        self.tracks.get(&id).with_context(|| format!("there is no track {id} any more"))
    }

    /// Where the records of a track are.
    fn sources<'a>(&'a self, id: TrackId, track: &'a Track) -> Vec<Source<'a>> {
        let own = track.slot.as_ref().map(|slot| Source { slot, only: None });
        let shared = self
            .watch
            .as_ref()
            .filter(|watch| watch.still_holds(track, &self.history))
            .map(|watch| watch.source(id, track));
        own.into_iter().chain(shared).collect()
    }

    /// What was written to a track since the last time, and whether records were overwritten unseen.
    pub fn news_of(&self, id: TrackId, seen: &mut Seen) -> Result<News> {
        self.track(id)?;
        Ok(self.news_of_each([(id, seen)]).pop().flatten().unwrap_or_default())
    }

    /// The same for each of some tracks; `None`: it is gone.
    pub fn news_of_each<'a>(&self, tracks: impl IntoIterator<Item = (TrackId, &'a mut Seen)>) -> Vec<Option<News>> {
        self.send_all();
        let news = |(id, seen)| Some(news_from(self.sources(id, self.tracks.get(&id)?), seen));
        tracks.into_iter().map(news).collect()
    }

    /// Has each CPU send what it has written: what is counted afterwards is what was done until now.
    fn send_all(&self) {
        if let Err(error) = self.kernel.flush() {
            tracing::warn!(error = %format!("{error:#}"), "the newest records are told later");
        }
    }

    /// What was lost, whosever it was.
    pub fn losses(&self) -> Result<Vec<Loss>> {
        let mut losses = dump::losses(&self.kernel, 0)?;
        let counters = self.kernel.counters();
        let counted = [
            (counters.output_failed, "samples that a ring did not take"),
            (counters.unnamed, "cgroups that shared the lobby and had no room to be named"),
            (counters.notices_lost - counters.unnamed, "cgroups and calls that there was no room to tell of at once"),
            (counters.deaths_lost, "ends of processes that there was no room to tell of"),
            (counters.uring_full, "requests of io_uring's whose completions do not tell what they were"),
        ];
        losses.extend(counted.into_iter().filter_map(|(count, reason)| Loss::of(count, reason)));
        Ok(losses)
    }

    /// The files that stacks lead through, as far as is known.
    pub fn modules(&self) -> Result<Vec<Module>> {
        self.kernel.modules()
    }
}

/// Blocks of records, and whether some were overwritten unseen.
pub type News = (Vec<Vec<u8>>, bool);

/// What sources hold that was not seen yet.
fn news_from(sources: Vec<Source<'_>>, seen: &mut Seen) -> News {
    let mut blocks = Vec::new();
    let mut missed = false;
    for source in sources {
        let slot = source.slot.number;
        let news: Vec<_> = source.slot.snapshots(|ring| seen.position(slot, ring)).collect();
        for (ring, snapshot) in news {
            missed |= seen.note(slot, ring, snapshot.position()) && snapshot.wrapped();
            blocks.push(oldest_first(&snapshot, source.only.as_ref()).0);
        }
    }
    (blocks, missed)
}

/// Who a cgroup is, by its path and by what systemd has written on its directory.
fn identity(path: &Path, root: &Path, cgroup: u64) -> Identity {
    Identity { invocation: identity::invocation_of(path, cgroup), ..identity::of_path(&name_of(path, root), cgroup) }
}
