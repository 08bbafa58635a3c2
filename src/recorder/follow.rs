//! Following processes wherever they are: one track of theirs and of the children that they make.

use anyhow::{Context, Result};

use super::{Recorder, Settings, Subject, boottime, half, online, subject::lives, track::Track};
use crate::kernel::{Kernel, Options};

/// The slot of all that is followed.
const FOLLOWED: u32 = 1;

impl Recorder {
    /// Makes the rings and loads the programs to follow processes; nothing is recorded yet.
    pub fn prepare_following(settings: &Settings) -> Result<Self> {
        let cpus = online()?;
        let (size, shrunk) = settings.budget.ring_size(1, cpus.len())?;
        let kernel = Kernel::load(&Options {
            wanted: settings.wanted.clone(),
            slots: 1,
            watching: None,
            counting: false,
            following: Some(FOLLOWED),
            half: half::of(size, &settings.history),
            without: settings.without.clone(),
        })?;
        let mut recorder = Self::around(kernel, size, settings, cpus, None)?;
        recorder.shrunk = shrunk;
        recorder.make_slots([FOLLOWED])?;
        Ok(recorder)
    }

    /// Records the processes, and the children that they make from now on. On return every call is recorded.
    pub fn follow(&mut self, subjects: &[Subject]) -> Result<()> {
        let pids: Vec<u32> = subjects.iter().map(|subject| subject.process().pid).collect();
        let began = boottime();
        self.kernel.follow(&pids)?;
        // Whoever lives now has had its number all the time.
        subjects.iter().try_for_each(Subject::must_live)?;
        let (_, slot) = self.spare.pop_first().context("follow processes once")?;
        let processes = subjects.iter().map(|subject| subject.process().clone()).collect();
        let track = Track::of_processes(processes, slot, began);
        self.notice_calls_in_flight()?;
        let id = self.insert(track);
        self.look_at_files(&[id]);
        Ok(())
    }

    /// Whether anybody is left of the processes that are followed and of their children.
    pub fn follows_anybody(&self) -> bool {
        self.kernel.followed().into_iter().any(lives)
    }
}
