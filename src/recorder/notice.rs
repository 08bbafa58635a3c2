//! What happens around the tracks, as the kernel side tells it.

use std::{
    ffi::OsStr,
    os::{fd::BorrowedFd, unix::ffi::OsStrExt},
    path::Path,
};

use anyhow::{Context, Result};

use super::{
    GivenUp, Recorder, TrackId, boottime,
    manager::is_managers_own,
    slot::Slot,
    track::{Stay, Track, name_of, release_all},
    tree::Node,
};
use crate::{
    cgroup::{Cgroup, NameKind, kind_of},
    kernel::{Asker, CallRule, LastEnd, RawNotice, RawWhat},
    model::Identity,
};

/// Something that whoever keeps dumps wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A cgroup was made, and is recorded.
    Born(TrackId),
    /// Its cgroup was removed; the history is still there.
    Gone(TrackId),
    /// A process ended by a signal; or, as the last of its cgroup, with a status other than 0.
    Died {
        /// Where its calls are.
        track: TrackId,
        /// The process.
        pid: u32,
        /// Its name, as it is.
        comm: String,
        /// How, as wait(2) reports it.
        status: i32,
        /// Who asked it to end.
        asked: Asked,
    },
    /// A call ended as a rule says; the next of this track's is told of when this one was looked at.
    Called {
        /// Where the call is.
        track: TrackId,
        /// When it ended, CLOCK_BOOTTIME nanoseconds.
        time: u64,
    },
}

/// Who sent a process a signal that ends it: its first SIGKILL, or the last of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// Nobody who was seen.
    #[default]
    Nobody,
    /// The kernel, since memory ran out.
    Memory,
    /// The kernel, for a limit of the process.
    Limit,
    /// The kernel, since the pid namespace or the tracer ended.
    Namespace,
    /// Something that is recorded together with it.
    Inside,
    /// Something else.
    Outside {
        /// Its process.
        pid: u32,
        /// The name of that, as it is.
        comm: String,
        /// The signal.
        signal: i32,
    },
}

impl Recorder {
    /// Readable when there are notices.
    pub fn notices(&self) -> Result<BorrowedFd<'_>> {
        self.kernel.notices_fd().context("this recorder does not watch the tree")
    }

    /// What has happened since the last time, in its order.
    pub fn read_notices(&mut self) -> Result<Vec<Notice>> {
        let told = self.read_notices_only()?;
        self.refill()?;
        Ok(told)
    }

    /// What had happened before this recorder went on with the recording, once.
    pub fn meanwhile(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.meanwhile)
    }

    pub(super) fn read_notices_only(&mut self) -> Result<Vec<Notice>> {
        let raw = self.kernel.notices()?;
        if let Some(watch) = &mut self.watch {
            watch.told += raw.len() as u64;
        }
        Ok(raw.into_iter().flat_map(|notice| self.understand(notice)).collect())
    }

    pub(super) fn understand(&mut self, notice: RawNotice) -> Vec<Notice> {
        let RawWhat::Made { parent, name, own } = &notice.what else {
            return self.understand_one(notice).into_iter().collect();
        };
        let name = OsStr::from_bytes(name);
        match self.managed(*parent, name) {
            Ok(Some(told)) => told,
            Ok(None) => {
                let slot = own.then_some(notice.slot);
                self.made(notice.cgroup, *parent, name, slot, notice.time).into_iter().collect()
            }
            Err(error) => {
                tracing::warn!(error = %format!("{error:#}"), "a container's units are recorded together");
                Vec::new()
            }
        }
    }

    /// Whether what was made shows that a service manager has what is above it; what is below that has begun then.
    fn managed(&mut self, parent: u64, name: &OsStr) -> Result<Option<Vec<Notice>>> {
        let Some(above) = self.watched()?.tree.get(parent) else { return Ok(None) };
        if above.parted || !is_managers_own(&name.to_string_lossy(), &above.path, &self.root) {
            return Ok(None);
        }
        self.part(parent).map(Some)
    }

    fn understand_one(&mut self, notice: RawNotice) -> Option<Notice> {
        match notice.what {
            RawWhat::Made { .. } => None,
            RawWhat::Removed => self.removed(notice.cgroup, notice.time),
            RawWhat::Call => {
                let track = self.track_of(notice.cgroup)?;
                Some(Notice::Called { track, time: notice.time })
            }
            RawWhat::Died { pid, comm, code, asker } => {
                let track = self.track_of(notice.cgroup)?;
                let end = LastEnd { pid, comm, status: code.cast_signed(), asker };
                if let Some(watch) = &mut self.watch {
                    watch.ends.told(track, notice.slot, notice.cgroup, end);
                }
                libc::WIFSIGNALED(end.status).then(|| self.died(track, end))
            }
        }
    }

    /// Whose track a cgroup's records are in, though the cgroup may be gone.
    fn track_of(&self, cgroup: u64) -> Option<TrackId> {
        let alive = self.watch.as_ref()?.tree.get(cgroup).and_then(|node| node.track);
        let mut dead = self.tracks.iter().rev().filter(|(_, track)| track.identity.cgroup_id == cgroup);
        alive.or_else(|| dead.next().map(|(id, _)| *id))
    }

    /// What is told of a process's end.
    pub(super) fn died(&self, track: TrackId, end: LastEnd) -> Notice {
        let LastEnd { pid, comm, status, asker } = end;
        Notice::Died { track, pid, comm: text(comm), status, asked: self.asked(track, pid, &asker) }
    }

    /// Who asked a process of this track to end.
    fn asked(&self, track: TrackId, pid: u32, asker: &Asker) -> Asked {
        match asker {
            Asker { oom: true, .. } => Asked::Memory,
            Asker { pid: 0, .. } => Asked::Nobody,
            Asker { kernel: true, pid: by, .. } if *by == pid => Asked::Limit,
            Asker { kernel: true, .. } => Asked::Namespace,
            _ if self.track_of(asker.cgroup) == Some(track) => Asked::Inside,
            _ => Asked::Outside { pid: asker.pid, comm: text(asker.comm), signal: asker.signal.into() },
        }
    }

    /// From now on it tells of calls that end so, each track's first until that was looked at.
    pub fn heed(&self, rules: &[CallRule]) -> Result<()> {
        self.kernel.heed(rules)
    }

    /// A track was looked at.
    pub fn heeded(&self, id: TrackId) -> Result<()> {
        let slot = self.tracks.get(&id).and_then(|track| track.slot.as_ref());
        match (slot, &self.watch) {
            (Some(slot), _) => self.kernel.heeded(slot.number),
            (None, Some(watch)) => {
                watch.tree.members(id).into_iter().try_for_each(|cgroup| self.kernel.heeded_in_lobby(cgroup))
            }
            (None, None) => Ok(()),
        }
    }

    /// A cgroup was made; `own` is the slot that it took.
    fn made(&mut self, cgroup: u64, parent: u64, name: &OsStr, own: Option<u32>, time: u64) -> Option<Notice> {
        let watch = self.watch.as_mut()?;
        if watch.tree.get(cgroup).is_some() {
            return None;
        }
        let Some(above) = watch.tree.get(parent).cloned() else {
            watch.doubtful = true;
            return None;
        };
        let path = above.path.join(name);
        let shown = name_of(&path, &self.root);
        let text = name.to_string_lossy();
        let (kind, inherits) = (kind_of(&text), !above.parted);
        if inherits || kind == NameKind::Pass {
            let track = if inherits { above.track } else { Some(watch.rest) };
            watch.tree.add(cgroup, Node { path, parted: !inherits, track });
            return None;
        }
        let parted = kind == NameKind::Both;
        let slot = own.and_then(|number| self.spare.remove(&number));
        if own.is_some() && slot.is_none() {
            watch.doubtful = true;
            return None;
        }
        if !watch.rules.wants(&shown) {
            watch.tree.add(cgroup, Node { path: path.clone(), parted, track: None });
            self.leave_out(cgroup, &path, slot);
            return None;
        }
        let identity = super::identity(&path, &self.root, cgroup);
        Some(Notice::Born(self.begin_track(identity, path, parted, slot, time)))
    }

    /// A track for a cgroup that the kernel side records already, in this slot or in the lobby.
    pub(super) fn begin_track(
        &mut self,
        identity: Identity,
        path: std::path::PathBuf,
        parted: bool,
        slot: Option<Slot>,
        began: u64,
    ) -> TrackId {
        let cgroup = identity.cgroup_id;
        let mut track = Track::new(identity, path.clone(), began);
        track.wants_slot = slot.is_none();
        track.shared = slot.is_none().then_some(Stay { until: None });
        track.slot = slot;
        let id = self.insert(track);
        if let Some(watch) = &mut self.watch {
            watch.tree.add(cgroup, Node { path, parted, track: Some(id) });
        }
        id
    }

    /// The rules do not want it.
    fn leave_out(&mut self, cgroup: u64, path: &Path, slot: Option<Slot>) {
        // While it lives the kernel knows its slot by the cgroup itself, too, and so do those made below it meanwhile.
        let released = match Cgroup::open(path) {
            Ok(alive) if alive.id() == cgroup => release_all(&alive, &self.kernel),
            _ => self.kernel.release_id(cgroup),
        };
        if let Err(error) = released {
            tracing::warn!(cgroup, error = %format!("{error:#}"), "a cgroup that is not wanted is still recorded");
        }
        if let Some(watch) = &mut self.watch {
            watch.used.extend(slot);
        }
    }

    pub(super) fn removed(&mut self, cgroup: u64, time: u64) -> Option<Notice> {
        let node = self.watch.as_mut()?.tree.remove(cgroup)?;
        let id = node.track?;
        let track = self.tracks.get_mut(&id).filter(|track| track.identity.cgroup_id == cgroup)?;
        track.ended = Some(time);
        self.hold.track(id, &track.note());
        Some(Notice::Gone(id))
    }

    /// Ends a track for good; its rings are for others.
    pub(super) fn drop_track(&mut self, id: TrackId, why: &'static str) -> Result<()> {
        let track = self.tracks.remove(&id).with_context(|| format!("there is no track {id} any more"))?;
        self.hold.forget(id);
        let watch = self.watched_mut()?;
        watch.tree.forget(id);
        watch.given_up.add(GivenUp { identity: track.identity, at: boottime(), why });
        watch.used.extend(track.slot);
        Ok(())
    }
}

/// A name as the kernel holds it.
fn text(comm: [u8; 16]) -> String {
    let name = comm.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}
