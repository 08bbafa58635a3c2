//! Watching the whole tree: what is there besides the tracks, and what people may ask of it.

use std::{
    collections::HashMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{
    GivenUp, Recorder, TrackId, assign_all, boottime,
    clock::boottime_at,
    ends::Ends,
    given_up::Remembered,
    manager::members,
    part::Source,
    slot::{Slot, Written},
    spare::Ready,
    track::{Stay, Track},
    tree::{Node, Tree},
    units::Term,
};
use crate::{
    cgroup::{Cgroup, Rules},
    history::{History, by_owner},
    keeper,
    kernel::Counters,
    model::Identity,
    profile::{Level, Profiles},
};

/// How the tree is watched.
#[derive(Clone, Debug)]
pub struct Watching {
    /// Which cgroups are recorded.
    pub rules: Rules,
    /// How long a track outlives its cgroup, if the memory suffices.
    pub keep: Duration,
    /// How many slots wait for cgroups to come.
    pub ready: usize,
    /// How units are recorded.
    pub profiles: Profiles,
    /// A keeper, through which the recording outlives this process.
    pub keeper: Option<keeper::Place>,
}

/// What a track is and has.
#[derive(Clone, Debug)]
pub struct TrackInfo {
    /// Its name.
    pub id: TrackId,
    /// Whose it is.
    pub identity: Identity,
    /// When it began, CLOCK_BOOTTIME nanoseconds.
    pub began: u64,
    /// When its cgroup was removed.
    pub ended: Option<u64>,
    /// Whether it has no rings of its own.
    pub lobby: bool,
    /// Bytes of its rings.
    pub memory: usize,
    /// Bytes that are kept of what its rings took.
    pub packed: usize,
    /// Calls that were written; of those in shared rings, what these still hold, and 0 unless windows are asked for.
    pub calls: u64,
    /// Records that were written, those since overwritten included.
    pub records: u64,
    /// Those of them that newer ones have overwritten; 0 unless windows are asked for.
    pub overwritten: u64,
    /// Records that its rings did not take.
    pub lost: u64,
    /// From when on it is complete; `None`: since it began, or not looked at.
    pub complete_from: Option<u64>,
    /// The same for what is kept longer.
    pub part_from: Option<u64>,
    /// What is recorded of it now, in words, as far as it is not what is recorded where nothing is configured.
    pub settings: String,
    /// Calls that were not to be recorded.
    pub skipped: u64,
    /// What recording it has cost in the last second, of the CPU time that it used itself; `None`: so little that nobody
    /// has asked, or there is no limit to it.
    pub overhead: Option<f64>,
    /// How much of its calls is recorded for the sake of that.
    pub level: Level,
    /// Whether its rings were looked at: `overwritten`, `complete_from` and `part_from` are known.
    pub looked_at: bool,
}

/// How closely rings are looked at for what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Windows {
    /// As they are now: who writes much takes long to look at.
    Now,
    /// As they were lately; rings are looked at until then, others not at all.
    Lately(Instant),
}

/// Records and ends of calls, by cgroup.
type ByCgroup = HashMap<u64, (u64, u64)>;

/// All that watching needs.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) rules: Rules,
    pub(super) keep: Duration,
    pub(super) ready: Ready,
    pub(super) lobby: Slot,
    pub(super) tree: Tree,
    pub(super) given_up: Remembered,
    /// How many notices the kernel side has sent.
    pub(super) told: u64,
    /// Lent once, not yet ready for the next.
    pub(super) used: Vec<Slot>,
    /// Slots that were made, and how many there can be.
    pub(super) made: u32,
    pub(super) most: u32,
    /// What the kernel side had counted when it was looked at.
    pub(super) counters: Counters,
    /// The track of what is in no named leaf.
    pub(super) rest: TrackId,
    /// What ended badly and is to be looked at.
    pub(super) ends: Ends,
    /// Whether the tree has to be walked again.
    pub(super) doubtful: bool,
    /// Whether descriptors are recorded.
    pub(super) descriptors: bool,
}

impl Watch {
    pub(super) fn memory(&self) -> usize {
        self.lobby.memory() + self.used.iter().map(Slot::memory).sum::<usize>()
    }

    /// Whether the lobby's rings may still hold records of a track.
    pub(super) fn still_holds(&self, track: &Track, history: &History) -> bool {
        match track.shared {
            None => false,
            Some(Stay { until: None }) => true,
            Some(Stay { until: Some(until) }) => self.lobby_reaches(history).is_none_or(|from| from < until),
        }
    }

    /// From when on the lobby is complete; `None`: since the recording began.
    pub(super) fn lobby_reaches(&self, history: &History) -> Option<u64> {
        self.lobby.held(history).complete_from
    }

    pub(super) fn source(&self, id: TrackId, track: &Track) -> Source<'_> {
        let mut cgroups = self.tree.members(id);
        cgroups.insert(track.identity.cgroup_id);
        Source { slot: &self.lobby, only: Some(cgroups) }
    }
}

impl Recorder {
    pub(super) fn watched(&self) -> Result<&Watch> {
        self.watch.as_ref().context("this recorder does not watch the tree")
    }

    pub(super) fn watched_mut(&mut self) -> Result<&mut Watch> {
        self.watch.as_mut().context("this recorder does not watch the tree")
    }

    /// Every track, the oldest first.
    pub fn tracks(&self, windows: Windows) -> Result<Vec<TrackInfo>> {
        self.send_all();
        self.infos(self.tracks.iter().map(|(id, track)| (*id, track)), windows)
    }

    pub(super) fn infos<'a>(
        &self,
        tracks: impl Iterator<Item = (TrackId, &'a Track)>,
        windows: Windows,
    ) -> Result<Vec<TrackInfo>> {
        // One look at the shared rings for all that were in them.
        let mut shared = None;
        tracks.map(|(id, track)| self.info(id, track, windows, &mut shared)).collect()
    }

    /// Records and calls of a track that the shared rings hold.
    fn in_lobby(&self, id: TrackId, track: &Track, windows: Windows, known: &mut Option<ByCgroup>) -> (u64, u64) {
        let watch =
            self.watch.as_ref().filter(|watch| windows == Windows::Now && watch.still_holds(track, &self.history));
        let Some(watch) = watch else { return (0, 0) };
        let known = known.get_or_insert_with(|| {
            let mut counts = ByCgroup::new();
            watch.lobby.in_rings().for_each(|(snapshot, _)| by_owner(&snapshot, &mut counts));
            counts
        });
        let own = watch.source(id, track).only.unwrap_or_default();
        own.iter().filter_map(|cgroup| known.get(cgroup)).fold((0, 0), |sum, found| (sum.0 + found.0, sum.1 + found.1))
    }

    fn info(&self, id: TrackId, track: &Track, windows: Windows, shared: &mut Option<ByCgroup>) -> Result<TrackInfo> {
        let (shared_records, shared_calls) = self.in_lobby(id, track, windows, shared);
        let written = track.slot.as_ref().map_or(Ok(Written::default()), |slot| slot.written(&self.kernel))?;
        let own = track.slot.as_ref();
        let held = match windows {
            Windows::Now => own.map(|slot| slot.held(&self.history)),
            Windows::Lately(until) => own.and_then(|slot| slot.held_lately(&self.history, until)),
        };
        let looked_at = own.is_none() || held.is_some();
        let shared = self.shared_from(track).filter(|_| looked_at);
        let of_its_own = |from: &u64| *from > track.began;
        let part_from = held.and_then(|held| held.part_from).max(shared).filter(of_its_own);
        let complete_from = held.and_then(|held| held.complete_from).max(shared);
        // Until now, where nothing is recorded.
        let silent = self.alive.silences(track.began).last().filter(|_| looked_at);
        let silent = silent.map(|silence| silence.to.unwrap_or_else(boottime));
        let complete_from = complete_from.max(silent).filter(of_its_own);
        Ok(TrackInfo {
            id,
            identity: track.identity.clone(),
            began: track.began,
            ended: track.ended,
            lobby: track.slot.is_none(),
            memory: track.memory(),
            packed: track.slot.as_ref().map_or(0, Slot::packed),
            calls: written.calls + shared_calls,
            records: written.records + shared_records,
            overwritten: held.map_or(0, |held| written.records.saturating_sub(held.records)),
            lost: written.lost,
            complete_from,
            part_from,
            settings: track.terms.now().map(Term::words).unwrap_or_default(),
            skipped: written.skipped,
            overhead: track.overhead.share,
            level: track.overhead.level(),
            looked_at,
        })
    }

    /// From when on the shared rings hold a track's records, if it was in them.
    fn shared_from(&self, track: &Track) -> Option<u64> {
        let watch = self.watch.as_ref().filter(|watch| watch.still_holds(track, &self.history));
        watch.and_then(|watch| watch.lobby_reaches(&self.history))
    }

    /// Histories that were given up lately, and how many there were in all.
    pub fn given_up(&self) -> (Vec<GivenUp>, u64) {
        self.watch
            .as_ref()
            .map_or((Vec::new(), 0), |watch| (watch.given_up.last().cloned().collect(), watch.given_up.count()))
    }

    /// How often the kernel side has told of something: cgroups that came and went, bad ends, calls of rules.
    pub fn told(&self) -> u64 {
        self.watch.as_ref().map_or(0, |watch| watch.told)
    }

    /// Bytes that all rings and what is kept of them may take at most.
    pub fn memory_most(&self) -> usize {
        self.total.max(self.rings())
    }

    /// Records a cgroup by rings of its own, whatever the rules say, with all that is below it.
    pub fn add(&mut self, cgroup: Cgroup) -> Result<TrackId> {
        let known = self.tracks.iter().find(|(_, track)| track.identity.cgroup_id == cgroup.id());
        if let Some((id, track)) = known {
            ensure!(track.slot.is_none(), "{} is recorded already, as {id}", track.identity);
        }
        let known = known.map(|(id, _)| *id);
        let slot = self.lend()?.with_context(|| {
            format!(
                "no ring is free for {}: the memory budget is used up; close a track or give more memory",
                cgroup.path().display()
            )
        })?;
        assign_all(&cgroup, slot.number, &self.kernel)?;
        if let Some(id) = known {
            self.settle(id, slot);
            return Ok(id);
        }
        let mut track = Track::new(self.identity_of(&cgroup), cgroup.path().to_owned(), boottime());
        track.slot = Some(slot);
        let id = self.insert(track);
        self.look_at_files(&[id]);
        let watch = self.watched_mut()?;
        for member in std::iter::once(&cgroup).chain(&cgroup.descendants()) {
            let path = member.path().to_owned();
            watch.tree.add(member.id(), Node { path, parted: false, track: Some(id) });
        }
        self.notice_calls_in_flight()?;
        self.refill()?;
        Ok(id)
    }

    /// A track that shared the lobby has rings of its own from now on.
    pub(super) fn settle(&mut self, id: TrackId, slot: Slot) {
        if let Some(track) = self.tracks.get_mut(&id) {
            track.slot = Some(slot);
            track.wants_slot = false;
            track.shared = Some(Stay { until: Some(boottime()) });
            self.hold.track(id, &track.note());
        }
        self.fit_or_warn(id);
    }

    /// Whether it is the track of all that is in no unit, which is there as long as the tree is watched.
    pub fn is_rest(&self, id: TrackId) -> bool {
        self.watched().is_ok_and(|watched| watched.rest == id)
    }

    /// Ends a track; its cgroup is no longer recorded, and its history is gone.
    pub fn close(&mut self, id: TrackId) -> Result<()> {
        ensure!(id != self.watched()?.rest, "the track of all that is in no unit cannot be closed");
        let track = self.track(id)?;
        if let Some(cgroup) = track.directory() {
            // What a service manager in it runs is recorded by itself.
            members(&cgroup, &self.root)?.iter().try_for_each(|member| self.kernel.release(&member.cgroup))?;
        }
        self.drop_track(id, "it was closed")?;
        self.refill()
    }

    /// Gives a track names that were found out.
    pub fn identify(&mut self, id: TrackId, identity: Identity) {
        if let Some(track) = self.tracks.get_mut(&id) {
            track.identity = Identity { cgroup_id: track.identity.cgroup_id, ..identity };
            self.hold.track(id, &track.note());
        }
        // A rule may know it by the new names.
        self.fit_or_warn(id);
    }

    /// Whether a track was recorded at that time, CLOCK_MONOTONIC microseconds.
    pub fn lived_at(&self, id: TrackId, monotonic: u64) -> bool {
        let at = boottime_at(monotonic);
        self.tracks.get(&id).is_some_and(|track| track.began <= at && track.ended.is_none_or(|ended| at <= ended))
    }

    /// Whether a track had not ended by that time.
    pub fn may_have_lived_at(&self, id: TrackId, monotonic: u64) -> bool {
        let at = boottime_at(monotonic);
        self.tracks.get(&id).is_some_and(|track| track.ended.is_none_or(|ended| at <= ended))
    }

    /// Where a track's cgroup is, or was.
    pub fn path_of(&self, id: TrackId) -> Option<PathBuf> {
        self.tracks.get(&id).map(|track| track.path.clone())
    }
}
