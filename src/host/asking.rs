//! Questions of one look: a helper that answers them, the next one where it does not, and an end to all patience.

use std::time::{Duration, Instant};

use super::{
    helpers::{self, Helper},
    look::How,
    message::{Ask, Seen},
};

/// For one answer: a machine under load takes its time, a server that hangs takes for ever.
const EACH: Duration = Duration::from_millis(1500);
/// For all of them.
const WHOLE: Duration = Duration::from_secs(5);

/// Who asks.
pub(super) struct Asking {
    helper: Option<Helper>,
    how: Ask,
    /// When all must have come back.
    until: Instant,
}

impl Asking {
    pub(super) fn new(How { now, strings, contents, stacks }: How) -> Self {
        Self { helper: None, how: Ask::How { now, strings, contents, stacks }, until: Instant::now() + WHOLE }
    }

    /// There are no more questions.
    pub(super) fn end(&mut self) {
        if let Some(helper) = self.helper.take() {
            helper.give_back();
        }
    }

    /// An answer, of somebody who looks at a process for it. `None`: none came.
    pub(super) fn ask(&mut self, ask: &Ask, pid: Option<u32>) -> Option<Seen> {
        let left = self.until.saturating_duration_since(Instant::now()).min(EACH);
        if left.is_zero() || pid.is_some_and(helpers::is_shunned) {
            return None;
        }
        if self.helper.is_none() {
            self.helper = Some(self.begin()?);
        }
        let answer = self.helper.as_ref()?.ask(ask, left);
        match answer {
            Ok(seen) => Some(seen),
            Err(error) => {
                tracing::debug!(%error, pid, "a look did not come back");
                self.helper.take()?.leave(pid);
                None
            }
        }
    }

    fn begin(&self) -> Option<Helper> {
        for _ in 0..2 {
            let helper = Helper::take().inspect_err(|error| tracing::warn!(%error, "nobody can look")).ok()?;
            match helper.ask(&self.how, EACH) {
                Ok(_) => return Some(helper),
                // Somebody ended it while it had nothing to do.
                Err(error) => {
                    tracing::debug!(%error, "a helper is gone");
                    helper.leave(None);
                }
            }
        }
        None
    }
}
