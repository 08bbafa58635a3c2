//! Dumps that are stored: packed and written beside the task that owns the recorder, and made known.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use anyhow::Result;
use jiff::Timestamp;
use tokio::{sync::broadcast, task::JoinSet};

use super::{
    exec::{self, Exec, Facts},
    trigger::Last,
};
use crate::{
    control::{Problem, Reply},
    decode,
    model::{Cause, Dump, Own, Recording},
    recorder::{boottime_at, realtime_offset},
    redact::{self, Redaction},
    render,
    store::{self, Retention, Saved, Sealed, Store},
    systemd::{self, Journal, UnitFailed},
};

/// Dumps that are being stored at once: each is in memory until it is on the disk.
pub(super) const AT_ONCE: usize = 4;

/// Stored dumps that a client has not been told of: who lags further behind has to come again.
const UNHEARD: usize = 256;

/// What happened to dumps so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    /// Stored ones, by reason.
    pub(super) stored: BTreeMap<&'static str, u64>,
    /// Their bytes.
    pub(super) bytes: u64,
    /// Those that could not be stored.
    pub(super) failed: u64,
    /// Those that are gone for the store's limits.
    pub(super) given_up: u64,
    /// Triggers that made none, by reason.
    pub(super) suppressed: BTreeMap<&'static str, u64>,
}

/// A dump on its way to the disk, and then.
#[derive(Debug)]
pub(super) struct Outcome {
    target: String,
    reason: &'static str,
    result: Result<(Saved, u64)>,
    /// What the command is given that is run for it.
    facts: Option<Facts>,
    last: Option<Last>,
    reply: Option<Reply<crate::control::Saved>>,
}

/// The dumps that are being stored.
#[derive(Debug)]
pub(super) struct Saving {
    pub(super) store: Arc<Store>,
    tasks: JoinSet<Outcome>,
    /// The ids of dumps that were stored.
    news: broadcast::Sender<String>,
    /// The dump of each crash loop's last death, by whose it is; of calls that rules name, the last of those.
    lasts: HashMap<(String, bool), String>,
    /// What is run for each.
    pub(super) exec: Option<Exec>,
    pub(super) counts: Counts,
}

impl Saving {
    pub(super) fn new(store: Store) -> Self {
        let news = broadcast::Sender::new(UNHEARD);
        let (tasks, lasts) = (JoinSet::new(), HashMap::new());
        Self { store: Arc::new(store), tasks, lasts, news, exec: None, counts: Counts::default() }
    }

    /// Uses another directory from now on.
    pub(super) fn replace(&mut self, store: Store) {
        self.store = Arc::new(store);
    }

    /// Where they are.
    pub(super) fn directory(&self) -> Arc<Store> {
        self.store.clone()
    }

    /// The ids of those that are stored from now on.
    pub(super) fn news(&self) -> broadcast::Receiver<String> {
        self.news.subscribe()
    }

    /// Whether one more may be taken.
    pub(super) fn has_room(&self) -> bool {
        self.tasks.len() < AT_ONCE
    }

    /// Whether none is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Stores a dump beside everything else; the one who asked is answered when it is on the disk.
    pub(super) fn store(
        &mut self,
        recording: impl FnOnce() -> Recording + Send + 'static,
        redaction: Arc<Redaction>,
        (retention, most): (Retention, u64),
        last: Option<Last>,
        reply: Option<Reply<crate::control::Saved>>,
    ) {
        let directory = self.store.clone();
        let former = last
            .as_ref()
            .filter(|last| last.again)
            .and_then(|last| self.lasts.remove(&(last.name.clone(), last.calls)));
        self.tasks.spawn_blocking(move || {
            let mut recording = decode::summed_up(redaction.apply(store::bounded(recording(), most)));
            recording.dump.own = own(&recording);
            let target = name(&recording);
            // What is said of an encrypted one says no more than its name does.
            let told = match directory.sealed_for() {
                None => Cow::Borrowed(&recording.dump),
                Some(_) => Cow::Owned(nameplate(&recording.dump)),
            };
            let result = directory.keep(&recording, &retention).map(|kept| {
                // Nothing happened to its units: the daemon's settings changed.
                if recording.dump.cause != Cause::Replaced {
                    announce(&kept.saved, &told);
                }
                if let Some(former) = former {
                    replace(&directory, &former, &kept.saved.id);
                }
                (kept.saved, kept.given_up.len() as u64)
            });
            let facts = result.as_ref().ok().and_then(|(saved, _)| exec::facts(&told, saved));
            Outcome { target, reason: recording.dump.cause.word(), result, facts, last, reply }
        });
    }

    /// Waits for the next one to be done; for ever if there is none.
    pub(super) async fn next(&mut self) {
        match self.tasks.join_next().await {
            None => std::future::pending().await,
            Some(Ok(outcome)) => self.settle(outcome),
            Some(Err(error)) => {
                self.counts.failed += 1;
                tracing::error!(%error, "a dump was not stored");
            }
        }
    }

    fn settle(&mut self, outcome: Outcome) {
        let Outcome { target, reason, result, facts, last, reply } = outcome;
        let answer = match result {
            Ok((saved, given_up)) => {
                *self.counts.stored.entry(reason).or_default() += 1;
                self.counts.bytes += saved.size;
                self.counts.given_up += given_up;
                tracing::info!(
                    target_name = target,
                    reason,
                    id = saved.id,
                    bytes = saved.size,
                    given_up,
                    "a dump is stored"
                );
                if let (Some(exec), Some(facts)) = (&self.exec, facts) {
                    exec.start(facts);
                }
                // Nobody may be listening.
                let _ = self.news.send(saved.id.clone());
                if let Some(last) = last {
                    self.lasts.insert((last.name, last.calls), saved.id.clone());
                }
                let path = saved.path.display().to_string();
                Ok(crate::control::Saved { id: saved.id, path, bytes: saved.size })
            }
            Err(error) => {
                self.counts.failed += 1;
                let error = format!("{error:#}");
                tracing::error!(target_name = target, reason, error, "a dump was not stored");
                Err(Problem::new(crate::control::Kind::Failed, error))
            }
        };
        if let Some(reply) = reply {
            let _ = reply.send(answer);
        }
    }
}

/// What its user gets of it.
fn own(recording: &Recording) -> Option<Own> {
    let user = recording.dump.user?;
    let part = redact::of_user(recording)?;
    Some(Own { user, about: Box::new(decode::summed_up(part).dump) })
}

/// Whether a dump of that invocation of a unit is stored. Not for the task: the disk may not answer.
pub(super) fn has_one_of(store: &Store, failed: &UnitFailed) -> bool {
    let since = failed.exited.and_then(exited_at);
    store.entries().unwrap_or_default().iter().any(|entry| match store.header(entry) {
        Ok((dump, _)) => {
            dump.identities.iter().any(|identity| identity.invocation.as_ref() == Some(&failed.invocation))
        }
        // Of an encrypted one only the name can be read.
        Err(error) if error.is::<Sealed>() => {
            entry.name.whose() == failed.unit && since.is_some_and(|since| entry.name.time >= since)
        }
        Err(_) => false,
    })
}

/// What time it was then, CLOCK_MONOTONIC microseconds.
fn exited_at(monotonic: u64) -> Option<Timestamp> {
    Timestamp::from_nanosecond(i128::from(boottime_at(monotonic)) + i128::from(realtime_offset())).ok()
}

/// What people call it.
fn name(recording: &Recording) -> String {
    let dump = &recording.dump;
    let known = dump.identities.first().map(ToString::to_string);
    known.or_else(|| dump.cgroups.first().cloned()).unwrap_or_default()
}

/// Removes the dump of a crash loop's death that is not its last any more.
fn replace(store: &Store, former: &str, by: &str) {
    let entries = store.entries().unwrap_or_default();
    let Some(entry) = entries.iter().find(|entry| entry.id() == former) else { return };
    match store.remove(entry).and_then(|_| store.sync()) {
        Ok(()) => tracing::info!(id = former, by, "a later death of the same crash loop has taken a dump's place"),
        Err(error) => tracing::warn!(id = former, error = %format!("{error:#}"), "a dump stays"),
    }
}

/// What may be said of a dump that is encrypted: whose it is, and why it was made.
fn nameplate(dump: &Dump) -> Dump {
    let mut cause = dump.cause.clone();
    if let Cause::Call { call, .. } = &mut cause {
        *call = None;
    }
    let (host, window) = (dump.host.clone(), dump.window.clone());
    Dump { cause, host, window, identities: dump.identities.clone(), cgroups: dump.cgroups.clone(), ..Dump::default() }
}

/// Tells the world of a stored dump. Where there is no journal, the daemon's own words have to do.
fn announce(saved: &Saved, dump: &Dump) {
    let words = render::last_words(dump, usize::MAX).join("\n");
    let entry = systemd::report(dump, &saved.id, &saved.path, &words);
    if let Err(error) = Journal::new().and_then(|journal| journal.send(&entry)) {
        tracing::debug!(%error, "the journal is not told of a dump");
    }
}
