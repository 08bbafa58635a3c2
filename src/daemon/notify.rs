//! What systemd is told of the daemon; nothing where it was not started by systemd.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// The line to systemd.
#[derive(Debug)]
pub(super) struct Systemd {
    /// Half of the time that the watchdog waits.
    watchdog: Option<Duration>,
    fed: Instant,
    status: String,
}

impl Systemd {
    pub(super) fn new() -> Self {
        let watchdog = sd_notify::watchdog_enabled().map(|wait| wait / 2);
        Self { watchdog, fed: Instant::now(), status: String::new() }
    }

    /// Everything is recorded, and the socket serves.
    pub(super) fn ready(&self) {
        tell(&[NotifyState::Ready]);
    }

    pub(super) fn reloading(&self) {
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            tell(&[NotifyState::Reloading, now]);
        }
    }

    pub(super) fn stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }

    /// Shown by `systemctl status`.
    pub(super) fn status(&mut self, status: String) {
        if status != self.status {
            tell(&[NotifyState::Status(&status)]);
            self.status = status;
        }
    }

    /// To be called about once a second: the daemon is alive.
    pub(super) fn alive(&mut self) {
        // The next chance is a second away.
        if self.watchdog.is_some_and(|wait| self.fed.elapsed() + Duration::from_secs(1) >= wait) {
            tell(&[NotifyState::Watchdog]);
            self.fed = Instant::now();
        }
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd is not told");
    }
}
