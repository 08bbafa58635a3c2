//! What recording costs a unit, and what is done when that is more than it may be: the budget of CPU time.
//!
//! Once a second what a unit's calls have cost is reckoned from their counts and from what one costs on this machine
//! (`cost`), and held against the CPU time that the unit has used itself. One that is above its share is recorded by a
//! level less; it comes back step by step, when what the better level would cost has been well below its share for a
//! while, and the more slowly the more often that was in vain. Knows counts and times; the kernel side hears of levels
//! through the track's profile.

use std::{fs, path::Path, time::Instant};

use super::cost::Cost;
use crate::{cgroup::v2_mount, profile::Level};

/// A unit whose calls cost less than that share of one CPU is left alone, and its CPU time is not asked for.
const WORTH_A_LOOK: f64 = 0.002;
/// Further steps at once are taken by who is so many times above its share.
const FAR_ABOVE: f64 = 4.0;
/// Of one CPU: who uses less is looked at as if it used that much, since what is cheap for the machine is not worth a
/// history with holes.
const AT_LEAST: f64 = 0.2;
/// A better level is tried when it would cost no more than that part of the share.
const WELL_BELOW: f64 = 0.7;
/// For so many seconds in a row, to begin with and at most.
const CALM: u32 = 5;
const CALM_MOST: u32 = 320;
/// Who has to step back within so many seconds was let up too early.
const IN_VAIN: u32 = 60;
/// What a record of a call without contents takes, until it was seen, bytes.
const BYTES: f64 = 72.0;

/// What a slot has written and left out so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) calls: u64,
    pub(super) bytes: u64,
    pub(super) skipped: u64,
}

impl Counted {
    fn since(self, before: Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(before.calls),
            bytes: self.bytes.saturating_sub(before.bytes),
            skipped: self.skipped.saturating_sub(before.skipped),
        }
    }
}

/// What is known of one unit.
#[derive(Debug, Default)]
pub(super) struct Overhead {
    level: Level,
    seen: Option<(Instant, Counted)>,
    /// CPU time that it had used then, nanoseconds.
    used: Option<u64>,
    /// Bytes a call at the two levels at which all calls are recorded.
    bytes: [Option<f64>; 2],
    /// Looks in a row at which a better level would do, and how many it takes.
    calm: u32,
    patience: u32,
    /// Looks since it was let up.
    since_better: Option<u32>,
    /// The last share that was reckoned.
    pub(super) share: Option<f64>,
}

/// What is to be changed, and what it is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) to: Level,
    /// Of the CPU time that the unit used itself.
    pub(super) share: f64,
    pub(super) calls_per_second: f64,
}

impl Overhead {
    pub(super) fn level(&self) -> Level {
        self.level
    }

    /// All is recorded from now on: there is no limit any more, or another unit has the slot.
    pub(super) fn begin_anew(&mut self) {
        *self = Self::default();
    }

    /// A look, about once a second. `used` tells the CPU time of the unit, if that can be had; it is asked only where
    /// the calls may cost too much.
    pub(super) fn look(
        &mut self,
        now: Instant,
        counted: Counted,
        most: f64,
        cost: &Cost,
        cpus: usize,
        used: impl FnOnce() -> Option<u64>,
    ) -> Option<Step> {
        let (before, was) = self.seen.replace((now, counted))?;
        let seconds = now.duration_since(before).as_secs_f64();
        if seconds < 0.05 {
            self.seen = Some((before, was));
            return None;
        }
        let news = counted.since(was);
        let spent = cost.of(news.calls, news.bytes, news.skipped, self.level);
        self.learn(news);
        if self.level == Level::All && spent < WORTH_A_LOOK * 1e9 * seconds {
            (self.used, self.share) = (None, None);
            return None;
        }
        let used_now = used();
        let used_before = std::mem::replace(&mut self.used, used_now);
        let used_now = used_now?;
        // At the first look it is at most what there is.
        #[allow(clippy::cast_precision_loss, reason = "CPU times fit into a double")]
        let used = used_before.map_or(seconds * 1e9 * cpus as f64, |before| used_now.saturating_sub(before) as f64);
        // What recording takes is in the unit's time.
        let own = (used - spent).max(AT_LEAST * 1e9 * seconds);
        let share = spent / own;
        self.share = used_before.map(|_| share);
        #[allow(clippy::cast_precision_loss, reason = "counts of a second fit into a double")]
        let calls = (news.calls + news.skipped) as f64;
        let better = self.better().map(|better| (better, self.would_cost(calls, better, cost) / own));
        let to = self.next(share, most, better)?;
        self.change(to);
        Some(Step { to, share, calls_per_second: calls / seconds })
    }

    /// How large records are.
    #[allow(clippy::cast_precision_loss, reason = "bytes of a second fit into a double")]
    fn learn(&mut self, news: Counted) {
        if news.calls >= 100
            && let Some(known) = self.bytes.get_mut(self.level as usize)
        {
            let seen = news.bytes as f64 / news.calls as f64;
            *known = Some(known.map_or(seen, |known| 0.7 * known + 0.3 * seen));
        }
    }

    fn would_cost(&self, calls: f64, level: Level, cost: &Cost) -> f64 {
        match level {
            Level::All => calls * cost.call(self.bytes[0].or(self.bytes[1]).unwrap_or(BYTES)),
            Level::NoContents => calls * cost.call(self.bytes[1].unwrap_or(BYTES)),
            Level::Kept => calls * cost.unkept,
            Level::Counts => calls * cost.skipped,
        }
    }

    /// The next better level.
    fn better(&self) -> Option<Level> {
        Level::EACH.get((self.level as usize).checked_sub(1)?).copied()
    }

    /// The level that is right now, if it is another one; `better`: the next better one, and the share that it would be.
    fn next(&mut self, share: f64, most: f64, better: Option<(Level, f64)>) -> Option<Level> {
        self.patience = self.patience.max(CALM);
        self.since_better = self.since_better.map(|looks| looks + 1).filter(|looks| *looks <= 2 * IN_VAIN);
        let at = self.level as usize;
        if share > most {
            self.calm = 0;
            let next = *Level::EACH.get(at + 1)?;
            return Some(if share > FAR_ABOVE * most { next.max(Level::Kept) } else { next });
        }
        let (better, would_be) = better?;
        if would_be > WELL_BELOW * most {
            self.calm = 0;
            return None;
        }
        self.calm += 1;
        (self.calm >= self.patience).then_some(better)
    }

    fn change(&mut self, to: Level) {
        if to > self.level {
            let in_vain = self.since_better.is_some_and(|looks| looks <= IN_VAIN);
            self.patience = if in_vain { (2 * self.patience).min(CALM_MOST) } else { CALM };
            self.since_better = None;
        } else {
            self.since_better = Some(0);
        }
        (self.level, self.calm) = (to, 0);
    }
}

/// CPU time that a cgroup and all below it have used, nanoseconds: its cpu.stat, which every cgroup of the v2 tree has
/// from Linux 4.15 on, with or without a controller.
pub(super) fn used_by(cgroup: &Path) -> Option<u64> {
    parse(&fs::read_to_string(cgroup.join("cpu.stat")).ok()?)
}

/// Whether that can be had on this machine.
pub fn cpu_times_are_known() -> bool {
    let cgroups = v2_mount().ok().and_then(|mount| fs::read_dir(mount.point).ok());
    cgroups.into_iter().flatten().flatten().any(|entry| used_by(&entry.path()).is_some())
}

fn parse(stat: &str) -> Option<u64> {
    let used = stat.lines().find_map(|line| line.strip_prefix("usage_usec "))?;
    used.trim().parse::<u64>().ok()?.checked_mul(1000)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const COST: Cost = Cost { call: 200.0, byte: 1.0, skipped: 50.0, unkept: 100.0, measured: true };

    /// A unit that makes so many calls a second at each level, and uses one CPU, recording included.
    struct Unit {
        overhead: Overhead,
        now: Instant,
        counted: Counted,
        used: u64,
    }

    impl Unit {
        fn new() -> Self {
            let mut unit =
                Self { overhead: Overhead::default(), now: Instant::now(), counted: Counted::default(), used: 0 };
            assert_eq!(unit.second(0, 0.05), None);
            unit
        }

        fn second(&mut self, calls: u64, most: f64) -> Option<Level> {
            self.now += Duration::from_secs(1);
            self.used += 1_000_000_000;
            if self.overhead.level() <= Level::NoContents {
                self.counted.calls += calls;
                self.counted.bytes += 100 * calls;
            } else {
                self.counted.skipped += calls;
            }
            let used = self.used;
            self.overhead.look(self.now, self.counted, most, &COST, 2, || Some(used)).map(|step| step.to)
        }

        fn seconds(&mut self, count: u32, calls: u64) -> Vec<Level> {
            (0..count).filter_map(|_| self.second(calls, 0.05)).collect()
        }
    }

    #[test]
    fn who_is_above_its_share_steps_back_at_once_and_comes_up_slowly() {
        let mut unit = Unit::new();
        // 300 ns a call: 100,000 a second are 3 %, 200,000 are 6.4 %.
        assert!(unit.seconds(100, 100_000).is_empty());
        assert_eq!(unit.second(200_000, 0.05), Some(Level::NoContents));
        assert_eq!(unit.second(200_000, 0.05), Some(Level::Kept), "that was not enough");
        // 100 ns a call that is not kept: 2 %. One that is recorded would cost 6 % again.
        assert!(unit.seconds(60, 200_000).is_empty(), "no swinging");
        // A hundredth of that: it comes up, not at once, level by level.
        assert!(unit.seconds(CALM - 1, 2_000).is_empty());
        assert_eq!(unit.second(2_000, 0.05), Some(Level::NoContents));
        assert_eq!(unit.seconds(CALM + 1, 2_000), [Level::All]);
    }

    #[test]
    fn a_storm_goes_further_at_once() {
        let mut unit = Unit::new();
        // At the first look nobody knows what it used: it is above its share even if that was all there is.
        assert_eq!(unit.second(3_000_000, 0.05), Some(Level::Kept));
        assert_eq!(unit.second(3_000_000, 0.05), Some(Level::Counts));
        assert!(unit.seconds(20, 3_000_000).is_empty());
    }

    #[test]
    fn who_was_let_up_in_vain_waits_longer() {
        let mut unit = Unit::new();
        let mut ups = Vec::new();
        // It makes few calls while few of them are recorded, and many when all are.
        for second in 0..400_u32 {
            let calls = if unit.overhead.level() <= Level::NoContents { 300_000 } else { 10_000 };
            if unit
                .second(calls, 0.05)
                .is_some_and(|to| to == Level::NoContents && unit.overhead.since_better == Some(0))
            {
                ups.push(second);
            }
        }
        let waits: Vec<u32> = ups.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(waits.len() >= 3 && waits.windows(2).all(|pair| pair[1] > pair[0]), "{ups:?}");
    }

    #[test]
    fn what_cannot_be_known_changes_nothing() {
        let mut overhead = Overhead::default();
        let now = Instant::now();
        let counted = |calls| Counted { calls, bytes: 100 * calls, skipped: 0 };
        for n in 0..5 {
            let at = now + Duration::from_secs(n);
            assert_eq!(overhead.look(at, counted(n * 3_000_000), 0.05, &COST, 2, || None), None);
        }
        assert_eq!(overhead.level(), Level::All);
        let idle = overhead.look(now + Duration::from_secs(6), counted(12_000_001), 0.05, &COST, 2, || {
            panic!("nobody asks what an idle unit uses")
        });
        assert_eq!(idle, None);
    }

    #[test]
    fn cpu_time_out_of_cpu_stat() {
        assert_eq!(parse("usage_usec 280667\nuser_usec 1\n"), Some(280_667_000));
        assert_eq!(parse("user_usec 1\n"), None);
        assert_eq!(parse(""), None);
    }
}
