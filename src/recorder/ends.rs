//! Processes that end badly: what is looked at behind the kernel side's word.
//!
//! The kernel side tells of the first end of each kind in a track and then keeps silent until somebody has looked; it
//! keeps which process ended last. A signal is news at once. A status is news only if it was the last process's, and
//! whether anybody is left shows a moment later, when the process is gone from its cgroup: one file tells, however many
//! processes and cgroups there are. So a storm of failing processes costs one look a second, and nobody else anything.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{Notice, Recorder, TrackId, slot::LOBBY, track::Track};
use crate::kernel::LastEnd;

/// By then a process that ends is gone from its cgroup, as a rule.
const SOON: Duration = Duration::from_millis(50);
/// One that had much memory takes longer; and so a storm is looked at.
const AGAIN: Duration = Duration::from_secs(1);
/// What has not come to an end by then goes on.
const PATIENCE: Duration = Duration::from_secs(10);

/// The tracks to be looked at.
#[derive(Debug, Default)]
pub(super) struct Ends {
    due: BTreeMap<TrackId, Due>,
}

/// A track in which something ended badly.
#[derive(Debug)]
struct Due {
    at: Instant,
    since: Instant,
    slot: u32,
    /// Those of its cgroups that were told of.
    cgroups: BTreeSet<u64>,
    /// An end with a status that may have been the last one.
    status: Option<LastEnd>,
}

impl Ends {
    /// The kernel side has told of an end.
    pub(super) fn told(&mut self, track: TrackId, slot: u32, cgroup: u64, end: LastEnd) {
        let now = Instant::now();
        let new = || Due { at: now + SOON, since: now, slot, cgroups: BTreeSet::new(), status: None };
        let due = self.due.entry(track).or_insert_with(new);
        due.slot = slot;
        due.cgroups.insert(cgroup);
        if libc::WIFEXITED(end.status) {
            due.since = now;
            due.status = Some(end);
        }
    }

    fn next(&self) -> Option<Instant> {
        self.due.values().map(|due| due.at).min()
    }

    fn take(&mut self, now: Instant) -> Vec<(TrackId, Due)> {
        self.due.extract_if(.., |_, due| due.at <= now).collect()
    }
}

impl Recorder {
    /// When ends are to be looked at next.
    pub fn next_look(&self) -> Option<Instant> {
        self.watch.as_ref().and_then(|watch| watch.ends.next())
    }

    /// Looks at ends whose time has come.
    pub fn look_at_ends(&mut self, now: Instant) -> Result<Vec<Notice>> {
        let due = self.watched_mut()?.ends.take(now);
        let mut told = Vec::new();
        for (id, mut due) in due {
            let Some(track) = self.tracks.get(&id) else { continue };
            // Before the look: what ends during it is told of again.
            let cgroups = std::mem::take(&mut due.cgroups);
            self.kernel.ends_heeded(due.slot, cgroups.into_iter().filter(|_| due.slot == LOBBY))?;
            let Some(status) = due.status else { continue };
            if !is_empty(track) {
                if due.since.elapsed() < PATIENCE {
                    due.at = now + AGAIN;
                    self.watched_mut()?.ends.due.insert(id, due);
                }
                continue;
            }
            let last = match due.slot {
                LOBBY => Some(status),
                slot => self.kernel.last_end(slot, track.began),
            };
            told.extend(
                last.filter(|end| libc::WIFEXITED(end.status) && end.status != 0).map(|end| self.died(id, end)),
            );
        }
        Ok(told)
    }
}

/// Whether nobody is left in a track's cgroup and below.
fn is_empty(track: &Track) -> bool {
    let Some(cgroup) = track.directory() else { return true };
    let events = fs::read_to_string(cgroup.path().join("cgroup.events")).unwrap_or_default();
    events.lines().any(|line| line == "populated 0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Asker;

    #[test]
    fn a_storm_is_looked_at_once() {
        let mut ends = Ends::default();
        let end = |status| LastEnd { pid: 1, comm: [0; 16], status, asker: Asker::default() };
        for cgroup in 0..1000 {
            ends.told(TrackId(1), 5, cgroup, end(1 << 8));
        }
        ends.told(TrackId(2), 6, 7, end(11));
        let now = Instant::now();
        assert!(ends.next().is_some_and(|at| at <= now + SOON));
        assert!(ends.take(now).is_empty(), "not at once");
        let due = ends.take(now + SOON);
        assert_eq!(due.len(), 2);
        assert_eq!(due[0].1.status.map(|end| end.status), Some(1 << 8));
        assert_eq!(due[1].1.status, None, "a signal was told of already");
        assert_eq!(ends.next(), None);
    }
}
