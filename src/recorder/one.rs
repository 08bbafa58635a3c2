//! What may be asked of one track, and of all of them without looking at rings.

use anyhow::Result;

use super::{Recorder, TrackId, TrackInfo};
use crate::model::{Files, Identity, Network, Process};

impl Recorder {
    /// Every track with its names, and whether its cgroup lives; the oldest first.
    pub fn identities(&self) -> impl Iterator<Item = (TrackId, &Identity, bool)> {
        self.tracks.iter().map(|(id, track)| (*id, &track.identity, track.ended.is_none()))
    }

    /// A track's names.
    pub fn identity(&self, id: TrackId) -> Option<&Identity> {
        self.tracks.get(&id).map(|track| &track.identity)
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
        ids.iter().map(|id| self.info(*id, self.track(*id)?, true)).collect()
    }

    /// What a track is and has.
    pub fn track_info(&self, id: TrackId) -> Result<TrackInfo> {
        self.send_all();
        self.info(id, self.track(id)?, true)
    }

    /// What the descriptors of a track's processes stand for now.
    pub fn files_of(&self, id: TrackId) -> Result<Vec<Files>> {
        Ok(super::files::of(&self.track(id)?.threads(&self.kernel)))
    }

    /// The other network namespaces that its processes are in.
    pub fn networks_of(&self, id: TrackId) -> Result<Vec<Network>> {
        Ok(super::network::networks_of(&self.track(id)?.threads(&self.kernel)))
    }

    /// The threads that are alive in a track.
    pub fn threads_of(&self, id: TrackId) -> Result<Vec<Process>> {
        Ok(self.track(id)?.threads(&self.kernel))
    }
}
