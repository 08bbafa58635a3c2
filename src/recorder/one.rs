//! What may be asked of one track, and of all of them without looking at rings.

use anyhow::{Context, Result};

use super::{Recorder, TrackId, TrackInfo, Windows, boottime, track::Track};
use crate::{
    cgroup::Cgroup,
    host::{How, Look, Wanted, Whose},
    model::Identity,
};

impl Recorder {
    /// Every track with its names, and whether its cgroup lives; the oldest first.
    pub fn identities(&self) -> impl Iterator<Item = (TrackId, &Identity, bool)> {
        self.tracks.iter().map(|(id, track)| (*id, &track.identity, track.ended.is_none()))
    }

    /// A track's names.
    pub fn identity(&self, id: TrackId) -> Option<&Identity> {
        self.tracks.get(&id).map(|track| &track.identity)
    }

    /// Whether another cgroup stands where its own was: that it has ended was not seen.
    pub fn was_replaced(&self, id: TrackId) -> bool {
        let own = |track: &Track| Cgroup::open(&track.path).is_ok_and(|there| there.id() != track.identity.cgroup_id);
        self.tracks.get(&id).is_some_and(own)
    }

    /// When a track began, CLOCK_BOOTTIME nanoseconds.
    pub fn began(&self, id: TrackId) -> Option<u64> {
        self.tracks.get(&id).map(|track| track.began)
    }

    /// Whether a track has no rings of its own.
    pub fn is_in_lobby(&self, id: TrackId) -> bool {
        self.tracks.get(&id).is_some_and(|track| track.slot.is_none())
    }

    /// What some tracks are and have.
    pub fn tracks_of(&self, ids: &[TrackId]) -> Result<Vec<TrackInfo>> {
        self.send_all();
        let tracks = ids.iter().map(|id| Ok((*id, self.track(*id)?))).collect::<Result<Vec<_>>>()?;
        self.infos(tracks.into_iter(), Windows::Now)
    }

    /// What a track is and has.
    pub fn track_info(&self, id: TrackId) -> Result<TrackInfo> {
        self.tracks_of(&[id])?.pop().with_context(|| format!("there is no track {id} any more"))
    }

    /// Begins a look at the processes that are alive in some tracks, each in its place, and at what their descriptors
    /// stand for, if that is wanted.
    pub fn look_at(&self, ids: &[TrackId], files: bool) -> Look {
        let whose = ids.iter().map(|id| self.tracks.get(id).map(|track| track.whose(&self.kernel)));
        Look::begin(Wanted {
            whose: whose.map(|whose| whose.unwrap_or(Whose::Processes(Vec::new()))).collect(),
            calls: Vec::new(),
            how: How::of(&self.kernel, boottime()),
            files,
            networks: files,
            waits: false,
        })
    }

    /// What descriptors stand for where some tracks begin.
    pub(super) fn look_at_files(&mut self, ids: &[TrackId]) {
        if ids.is_empty() {
            return;
        }
        let look = self.look_at(ids, true);
        for (place, id) in ids.iter().enumerate() {
            if let Some(track) = self.tracks.get_mut(id) {
                track.before = Some((look.clone(), place));
            }
        }
    }
}
