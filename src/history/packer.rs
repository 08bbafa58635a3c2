//! The thread that packs what was copied, and makes room. It gives way to others, and sleeps when it has used up what
//! it may take of a CPU: what it does not get to waits, and when too much waits, the copier leaves the rings alone.

use std::{
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use nix::time::{ClockId, clock_gettime};

use super::{Shared, Shelf, keep::Wanted, lock};

/// How much it gives way. At 5 it has a third of the weight of those at 0: enough for what it may take, and with more
/// than that it would starve where many others want to run.
const NICE: i32 = 5;
/// What it has not used it may use later, for so long.
const SAVED: Duration = Duration::from_secs(2);

pub(super) fn run(shared: &Arc<Shared>) {
    give_way();
    let settings = &shared.settings;
    let keeps = !settings.keep.is_empty() && settings.keep_share > 0;
    let wanted = keeps.then(|| Wanted::of(&settings.keep));
    let mut allowance = Allowance::new(settings.cpu);
    while !shared.stopping.load(Relaxed) {
        if let Some(rest) = allowance.missing() {
            // What there is room for does not wait for that.
            shared.make_room(wanted.as_ref(), || false);
            wait(shared, Some(rest));
            continue;
        }
        let began = own_time();
        let next = lock(&shared.full).pop_front();
        let is_idle = next.is_none();
        if let Some(shelf) = next {
            pack(shared, shelf);
        }
        shared.make_room(wanted.as_ref(), || allowance.has_more_than(own_time().saturating_sub(began)));
        let used = own_time().saturating_sub(began);
        allowance.use_up(used);
        shared.cpu.fetch_add(u64::try_from(used.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        if is_idle {
            wait(shared, None);
        }
    }
}

fn pack(shared: &Shared, shelf: Arc<Shelf>) {
    let (packed, change) = shelf.pack();
    shared.settle(change);
    if packed {
        lock(&shared.full).push_back(shelf);
    } else {
        shelf.queued.store(false, Relaxed);
        // Copied between the look and the mark.
        shared.queue(&shelf);
    }
}

/// Waits until there is something to do, or for so long.
fn wait(shared: &Shared, rest: Option<Duration>) {
    let full = lock(&shared.full);
    if shared.stopping.load(Relaxed) {
        return;
    }
    match rest {
        Some(rest) => drop(shared.is_full.wait_timeout(full, rest).unwrap_or_else(PoisonError::into_inner)),
        None if full.is_empty() => drop(shared.is_full.wait(full).unwrap_or_else(PoisonError::into_inner)),
        None => {}
    }
}

/// CPU time that it may still use.
#[derive(Debug)]
struct Allowance {
    share: f64,
    left: f64,
    at: Instant,
}

impl Allowance {
    fn new(percent: u32) -> Self {
        let share = f64::from(percent.max(1)) / 100.0;
        Self { share, left: share * SAVED.as_secs_f64(), at: Instant::now() }
    }

    fn use_up(&mut self, used: Duration) {
        self.left -= used.as_secs_f64();
    }

    /// Whether as much as this can be used, and something else than packing may have more: half of what it saves is the
    /// packing's alone.
    fn has_more_than(&self, used: Duration) -> bool {
        self.left - used.as_secs_f64() > self.share * SAVED.as_secs_f64() / 2.0
    }

    /// How long it has to rest; `None`: not now.
    fn missing(&mut self) -> Option<Duration> {
        let now = Instant::now();
        let more = now.duration_since(self.at).as_secs_f64() * self.share;
        (self.left, self.at) = ((self.left + more).min(self.share * SAVED.as_secs_f64()), now);
        (self.left < 0.0).then(|| Duration::from_secs_f64((-self.left / self.share).clamp(0.001, 1.0)))
    }
}

fn own_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

fn give_way() {
    let own = nix::unistd::gettid().as_raw().cast_unsigned();
    // SAFETY: numbers only.
    if unsafe { libc::setpriority(libc::PRIO_PROCESS, own, NICE) } != 0 {
        tracing::debug!("packing does not give way to others");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_used_too_much_rests() {
        let mut allowance = Allowance::new(10);
        assert_eq!(allowance.missing(), None);
        allowance.use_up(Duration::from_millis(230));
        let rest = allowance.missing().unwrap();
        assert!((Duration::from_millis(200)..=Duration::from_millis(301)).contains(&rest), "{rest:?}");
        allowance.at -= Duration::from_secs(60);
        assert_eq!(allowance.missing(), None);
        allowance.use_up(Duration::from_millis(210));
        assert!(allowance.missing().is_some(), "a minute's rest is no minute's allowance");
    }

    #[test]
    fn half_of_the_allowance_is_the_packings() {
        let mut allowance = Allowance::new(10);
        assert!(allowance.has_more_than(Duration::from_millis(90)));
        assert!(!allowance.has_more_than(Duration::from_millis(110)));
        allowance.use_up(Duration::from_millis(110));
        assert!(!allowance.has_more_than(Duration::ZERO));
        assert!(allowance.missing().is_none(), "packing goes on");
    }
}
