//! The command that is run for each stored dump: `[triggers] exec`.
//!
//! Promise: it costs dumps nothing. It is started and waited for beside everything else, in a process group of its own; no
//! more than AT_ONCE run at a time, none for longer than it may, and one that there is no room for is left out, which is
//! said. What it is given stands in its environment, where no shell reads it: of recorded programs' words none can become
//! a command.

use std::{io, os::unix::process::CommandExt, process::Stdio, sync::Arc, time::Duration};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use crate::{
    model::{Cause, Dump, plain},
    store::Saved,
};

/// So many run at once.
const AT_ONCE: usize = 4;
/// What is searched for the program, as systemd has it.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The command and how it may run.
#[derive(Clone, Debug)]
pub(super) struct Exec {
    command: Vec<String>,
    within: Duration,
    places: Arc<Semaphore>,
}

/// What it is given of a dump: names and values of variables.
pub(super) type Facts = Vec<(&'static str, String)>;

/// The same of a stored dump; `None`: nothing happened that it is run for.
pub(super) fn facts(dump: &Dump, saved: &Saved) -> Option<Facts> {
    if matches!(dump.cause, Cause::Replaced | Cause::Exit) {
        return None;
    }
    let identity = dump.identities.first();
    let summary = dump.summary.as_ref().map(|summary| summary.text.clone()).unwrap_or_default();
    let name = dump.names().into_iter().next().unwrap_or_default();
    let facts = [
        ("TRACELOOP_DUMP", saved.id.clone()),
        ("TRACELOOP_PATH", saved.path.display().to_string()),
        ("TRACELOOP_TARGET", name),
        ("TRACELOOP_UNIT", identity.and_then(|identity| identity.unit.clone()).unwrap_or_default()),
        ("TRACELOOP_REASON", dump.cause.word().to_owned()),
        ("TRACELOOP_CAUSE", dump.cause.to_string()),
        ("TRACELOOP_SUMMARY", summary),
        ("TRACELOOP_HOST", dump.host.clone()),
    ];
    // No variable holds a NUL, and no reader's terminal what would drive it.
    Some(facts.into_iter().map(|(name, value)| (name, plain(&value).into_owned())).collect())
}

impl Exec {
    /// `None`: there is no command.
    pub(super) fn of(command: Vec<String>, within: Duration) -> Option<Self> {
        (!command.is_empty()).then(|| Self { command, within, places: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// Starts it for a dump.
    pub(super) fn start(&self, facts: Facts) {
        let (program, within) = (self.command[0].clone(), self.within);
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            tracing::warn!(program, "[triggers] exec is not run for a dump: {AT_ONCE} of it run already");
            return;
        };
        let mut command = std::process::Command::new(&program);
        command.args(&self.command[1..]).env_clear().env("PATH", PATH).envs(facts);
        command.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
        tokio::spawn(async move {
            let _held = place;
            // The file system that it comes from may hang.
            let started = spawn_blocking(move || tokio::process::Command::from(command).kill_on_drop(true).spawn());
            let mut child = match started.await.map_err(io::Error::other).flatten() {
                Ok(child) => child,
                Err(error) => {
                    tracing::warn!(program, %error, "[triggers] exec cannot be run");
                    return;
                }
            };
            let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
            match timeout(within, child.wait()).await {
                Ok(Ok(status)) if status.success() => tracing::debug!(program, "[triggers] exec was run"),
                Ok(Ok(status)) => tracing::warn!(program, %status, "[triggers] exec has failed"),
                Ok(Err(error)) => tracing::warn!(program, %error, "[triggers] exec cannot be waited for"),
                Err(_) => {
                    // Its children, too.
                    if let Some(group) = group {
                        let _ = killpg(group, Signal::SIGKILL);
                    }
                    let _ = child.wait().await;
                    tracing::warn!(
                        program,
                        seconds = within.as_secs_f64(),
                        "[triggers] exec took too long and was killed"
                    );
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Summary;

    #[tokio::test]
    async fn it_is_given_what_happened_and_ends_in_time() {
        let place = tempfile::tempdir().unwrap();
        let said = place.path().join("said");
        let words =
            format!("printf '%s|%s|%s' \"$TRACELOOP_DUMP\" \"$TRACELOOP_SUMMARY\" \"$HOME\" >{}", said.display());
        let command = |script: &str| ["sh", "-c", script].map(str::to_owned).to_vec();
        let dump = Dump {
            cause: Cause::Request,
            summary: Some(Summary { text: "$(touch /x)\n`x`\0".into(), events: Vec::new() }),
            ..Dump::default()
        };
        let saved = Saved { id: "0123".into(), path: "/a".into(), size: 1 };
        let exec = Exec::of(command(&words), Duration::from_secs(20)).unwrap();
        exec.start(facts(&dump, &saved).unwrap());
        let done = async {
            while exec.places.available_permits() < AT_ONCE {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), done).await.unwrap();
        let text = std::fs::read_to_string(&said).unwrap();
        assert!(text.starts_with("0123|$(touch /x)") && text.ends_with('|') && !text.contains('\n'), "{text:?}");
        assert!(facts(&Dump { cause: Cause::Replaced, ..dump.clone() }, &saved).is_none());
        // One that hangs is killed with what it has started, and no more than there is room for are run.
        let exec = Exec::of(command("sleep 600 & wait"), Duration::from_millis(50)).unwrap();
        (0..AT_ONCE + 2).for_each(|_| exec.start(facts(&dump, &saved).unwrap()));
        assert_eq!(exec.places.available_permits(), 0);
        let done = async {
            while exec.places.available_permits() < AT_ONCE {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), done).await.unwrap();
        assert!(Exec::of(Vec::new(), Duration::ZERO).is_none());
    }
}
