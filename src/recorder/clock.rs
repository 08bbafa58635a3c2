//! The clocks: records carry CLOCK_BOOTTIME as the kernel itself has it, people read CLOCK_REALTIME.
//!
//! In a time namespace a process reads another CLOCK_BOOTTIME than the kernel's; what it is ahead is taken off.

use std::{fs, os::unix::fs::MetadataExt, sync::LazyLock};

use anyhow::{Context, Result, bail};
use nix::time::{ClockId, clock_gettime};

/// The first time namespace (PROC_TIME_INIT_INO in include/linux/proc_ns.h).
const FIRST: u64 = 0xefff_fffa;

fn nanoseconds(clock: ClockId) -> i64 {
    clock_gettime(clock).map_or(0, |time| time.tv_sec() * 1_000_000_000 + time.tv_nsec())
}

/// The kernel's CLOCK_BOOTTIME now, nanoseconds.
pub fn boottime() -> u64 {
    u64::try_from(nanoseconds(ClockId::CLOCK_BOOTTIME) - *AHEAD).unwrap_or(0)
}

/// CLOCK_BOOTTIME at that time, CLOCK_MONOTONIC microseconds, if the machine has not slept since.
pub fn boottime_at(monotonic: u64) -> u64 {
    let slept = nanoseconds(ClockId::CLOCK_BOOTTIME) - nanoseconds(ClockId::CLOCK_MONOTONIC);
    monotonic.saturating_mul(1000).saturating_add(u64::try_from(slept).unwrap_or(0))
}

/// CLOCK_REALTIME minus the kernel's CLOCK_BOOTTIME, nanoseconds: the tightest of a few tries.
pub fn realtime_offset() -> i64 {
    let offset = || {
        let before = nanoseconds(ClockId::CLOCK_BOOTTIME);
        let real = nanoseconds(ClockId::CLOCK_REALTIME);
        let after = nanoseconds(ClockId::CLOCK_BOOTTIME);
        (after - before, real - before - (after - before) / 2)
    };
    (0..5).map(|_| offset()).min().map_or(0, |(_, offset)| offset) + *AHEAD
}

/// Refuses to record where the kernel's time cannot be told.
pub(super) fn check() -> Result<()> {
    ahead().map(drop)
}

/// How far this process's CLOCK_BOOTTIME is ahead of the kernel's, nanoseconds. It stays so: only a process that
/// starts others can choose their time.
static AHEAD: LazyLock<i64> = LazyLock::new(|| ahead().unwrap_or(0));

fn ahead() -> Result<i64> {
    let namespace = |name: &str| fs::metadata(format!("/proc/self/ns/{name}")).map(|about| about.ino());
    // Before Linux 5.6, or without them, there is one time only.
    let Ok(own) = namespace("time") else { return Ok(0) };
    if own == FIRST {
        return Ok(0);
    }
    // The offsets that can be read are those of processes that this one starts.
    if namespace("time_for_children").ok() != Some(own) {
        bail!("the time namespace of this process cannot be told: start traceloop by `unshare --time --fork`");
    }
    let offsets = fs::read_to_string("/proc/self/timens_offsets").context("read the offsets of the time namespace")?;
    offset(&offsets).context("understand the offsets of the time namespace")
}

/// The offset of CLOCK_BOOTTIME: `boottime SECONDS NANOSECONDS`.
fn offset(text: &str) -> Option<i64> {
    let mut numbers = text.lines().find_map(|line| line.strip_prefix("boottime"))?.split_whitespace();
    let mut number = || numbers.next()?.parse::<i64>().ok();
    number()?.checked_mul(1_000_000_000)?.checked_add(number()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_as_the_kernel_tells_them() {
        let text = "monotonic           0         0\nboottime       -7 300000000\n";
        assert_eq!(offset(text), Some(-6_700_000_000));
        assert_eq!(offset("boottime 9223372036854775807 0"), None);
        assert_eq!(offset("monotonic 0 0\n"), None);
    }
}
