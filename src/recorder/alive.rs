//! Whether the recording goes on, and what is done if it does not.
//!
//! Now and then a call of our own has to be seen by the kernel side. If it is not, that is said where people look, the
//! programs are attached anew over the same maps and rings, and what was called in between is a gap in every history.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Notice, Recorder, boottime};
use crate::kernel::Seen;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(10);
/// So many silences are remembered: of one that is older than these, histories no longer tell.
const REMEMBERED: usize = 64;

/// A time in which nothing was recorded, CLOCK_BOOTTIME nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// When calls were last seen before it.
    pub from: u64,
    /// When they were seen again; `None`: it goes on.
    pub to: Option<u64>,
}

/// What is known of the recording's going on.
#[derive(Debug)]
pub(super) struct Alive {
    looked: Instant,
    /// When a call was seen last.
    seen: u64,
    silences: Vec<Silence>,
}

impl Alive {
    /// It has just begun.
    pub(super) fn new() -> Self {
        Self { looked: Instant::now(), seen: boottime(), silences: Vec::new() }
    }

    fn is_silent(&self) -> bool {
        self.silences.last().is_some_and(|silence| silence.to.is_none())
    }

    fn falls_silent(&mut self) {
        if !self.is_silent() {
            self.silences.push(Silence { from: self.seen, to: None });
            let surplus = self.silences.len().saturating_sub(REMEMBERED);
            self.silences.drain(..surplus);
        }
    }

    /// Takes in that a call was seen; the silence that has ended by that.
    fn sees(&mut self, now: u64) -> Option<Silence> {
        self.seen = now;
        let silence = self.silences.last_mut().filter(|silence| silence.to.is_none())?;
        silence.to = Some(now);
        Some(*silence)
    }

    /// The silences after a time.
    pub(super) fn silences(&self, after: u64) -> impl Iterator<Item = Silence> {
        self.silences.iter().copied().filter(move |silence| silence.to.is_none_or(|to| to > after))
    }
}

impl Recorder {
    /// Looks whether calls are still seen, if it is time for that; if not, has it begin again. What has happened unseen
    /// is told.
    pub(super) fn look_alive(&mut self) -> Result<Vec<Notice>> {
        if self.alive.looked.elapsed() < EVERY {
            return Ok(Vec::new());
        }
        self.alive.looked = Instant::now();
        let seen = self.kernel.own_call();
        if seen != Seen::Whole {
            self.alive.falls_silent();
            tracing::error!(?seen, "nothing is recorded: a call of ours was not seen; the programs are attached anew");
            if let Err(error) = self.attach_anew() {
                tracing::error!(error = %format!("{error:#}"), "nothing is recorded; another try is made in ten seconds");
                return Ok(Vec::new());
            }
        }
        let Some(silence) = self.alive.sees(boottime()) else { return Ok(Vec::new()) };
        let seconds = Duration::from_nanos(self.alive.seen.saturating_sub(silence.from)).as_secs_f64();
        tracing::warn!(seconds, "it is recorded again; what was called meanwhile is missing, and dumps say so");
        // Cgroups that were made and removed unseen.
        self.look_again()
    }

    fn attach_anew(&mut self) -> Result<()> {
        let Self { kernel, hold, .. } = self;
        let former = kernel.names_of_programs();
        kernel.attach_anew(|| hold.programs_go(&former))?;
        hold.programs(kernel)?;
        ensure!(self.kernel.own_call() == Seen::Whole, "calls are not seen although the programs are attached");
        Ok(())
    }

    /// Times in which nothing was recorded; the last may go on.
    pub fn silences(&self) -> impl Iterator<Item = Silence> {
        self.alive.silences(0)
    }

    /// Since when nothing is recorded; `None`: it is.
    pub fn silent_since(&self) -> Option<u64> {
        self.silences().last().filter(|silence| silence.to.is_none()).map(|silence| silence.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_lasts_from_the_last_call_seen_to_the_next() {
        let mut alive = Alive { looked: Instant::now(), seen: 10, silences: Vec::new() };
        assert_eq!((alive.sees(20), alive.is_silent()), (None, false));
        alive.falls_silent();
        alive.falls_silent();
        assert_eq!(alive.silences(0).collect::<Vec<_>>(), [Silence { from: 20, to: None }]);
        let silence = Silence { from: 20, to: Some(50) };
        assert_eq!((alive.sees(50), alive.is_silent(), alive.sees(60)), (Some(silence), false, None));
        assert_eq!((alive.silences(49).count(), alive.silences(50).count()), (1, 0));
    }
}
