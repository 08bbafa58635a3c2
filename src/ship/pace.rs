//! How fast: waiting longer after each failure in a row, and no more bytes a second than allowed.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::Mutex,
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// The longest wait between two tries.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// How long to wait after so many failures in a row: a second, doubled each time, and somewhere in the upper half of that,
/// so that the nodes of a cluster do not come back all at once.
pub(crate) fn backoff(failures: u32) -> Duration {
    let whole = Duration::from_secs(1 << failures.saturating_sub(1).min(6)).min(LONGEST);
    whole.mul_f64(0.5 + 0.5 * random())
}

/// From 0 to 1.
fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 32;
    #[allow(clippy::cast_precision_loss, reason = "32 bits fit")]
    let fraction = bits as f64 / f64::from(u32::MAX);
    fraction
}

/// So many bytes a second at most.
#[derive(Debug)]
pub(crate) struct Pace {
    per_second: Option<u64>,
    /// When the next byte may go.
    next: Mutex<Option<Instant>>,
}

impl Pace {
    pub(crate) fn new(per_second: Option<u64>) -> Self {
        Self { per_second, next: Mutex::new(None) }
    }

    /// Waits until so many more may go.
    pub(crate) async fn take(&self, bytes: usize) {
        let Some(per_second) = self.per_second else { return };
        let at = {
            let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let now = Instant::now();
            let at = next.map_or(now, |next| next.max(now));
            *next = Some(at + Self::lasts(bytes as u64, per_second));
            at
        };
        sleep_until(at).await;
    }

    /// How long so many bytes take at least.
    pub(crate) fn least(&self, bytes: u64) -> Duration {
        self.per_second.map_or(Duration::ZERO, |per_second| Self::lasts(bytes, per_second))
    }

    fn lasts(bytes: u64, per_second: u64) -> Duration {
        Duration::from_micros(bytes.saturating_mul(1_000_000) / per_second.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_in_a_row_waits_longer_up_to_a_minute() {
        for (failures, least, most) in [(1, 500, 1000), (2, 1000, 2000), (4, 4000, 8000), (99, 30_000, 60_000)] {
            for _ in 0..50 {
                let waits = backoff(failures).as_millis();
                assert!((least..=most).contains(&waits), "{failures}: {waits} ms");
            }
        }
        let several: std::collections::HashSet<_> = (0..20).map(|_| backoff(5)).collect();
        assert!(several.len() > 1, "all nodes would come at once");
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_bytes_go_than_a_second_may_have() {
        let pace = Pace::new(Some(1 << 20));
        let began = Instant::now();
        for _ in 0..33 {
            pace.take(64 << 10).await;
        }
        assert_eq!(began.elapsed().as_secs(), 2);
        Pace::new(None).take(usize::MAX).await;
    }
}
