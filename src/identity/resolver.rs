//! Finds the names that only a container's runtime knows. A runtime lists a container somewhat before or
//! after its cgroup appears, so it is asked more than once; one that does not answer is left alone for a
//! while. Nobody waits for this but the task that calls it.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};

use super::runtime::{Names, Question, Runtimes, Source};
use crate::model::{Container, Identity};

/// When a container is asked for again, after the time before.
const AGAIN: [Duration; 6] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];
/// For one answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a runtime is left alone that failed so often in a row. Once is not enough: it may be the
/// container about which it was asked.
const REST: Duration = Duration::from_secs(30);
const FAILURES: u32 = 3;
/// Questions at one time: a machine's start has hundreds of containers.
const AT_ONCE: usize = 4;
/// Containers that are remembered: one may have many cgroups.
const REMEMBERED: usize = 4096;

/// Asks the runtimes.
#[derive(Debug)]
pub struct Resolver {
    runtimes: Runtimes,
    gate: Semaphore,
    known: Mutex<HashMap<Question, Names>>,
    failing: Mutex<HashMap<PathBuf, Failing>>,
}

/// A runtime that did not answer.
#[derive(Debug)]
struct Failing {
    in_a_row: u32,
    last: Instant,
}

/// What came of asking.
enum Answer {
    Names(Names),
    /// Somebody answered that there is no such container (yet).
    NotYet,
    /// Nobody is there who could know.
    Nobody,
}

impl Resolver {
    /// One that asks these runtimes.
    pub fn new(runtimes: Runtimes) -> Self {
        let (known, failing) = (Mutex::default(), Mutex::default());
        Self { runtimes, gate: Semaphore::new(AT_ONCE), known, failing }
    }

    /// The identity with what the runtimes tell of its containers and its pod. It takes up to ten seconds
    /// where a runtime does not know the container; nothing is asked where the path tells all.
    pub async fn resolve(&self, mut identity: Identity) -> Identity {
        let outer = std::mem::take(&mut identity.outer);
        for mut container in outer {
            let found = self.find(&container, identity.pod.is_some(), identity.user).await;
            if let Some(names) = found {
                names.fill(Some(&mut container), &mut identity.pod);
            }
            identity.outer.push(container);
        }
        match (&identity.container, &identity.pod) {
            (Some(container), pod) => {
                if let Some(names) = self.find(container, pod.is_some(), identity.user).await {
                    names.fill(identity.container.as_mut(), &mut identity.pod);
                }
            }
            (None, Some(pod)) => {
                let sources = self.runtimes.knowing("", true, None);
                if let Some(names) = self.patiently(&sources, Question::Pod(pod.uid.clone())).await {
                    names.fill(None, &mut identity.pod);
                }
            }
            (None, None) => {}
        }
        identity
    }

    async fn find(&self, container: &Container, in_pod: bool, user: Option<u32>) -> Option<Names> {
        let sources = self.runtimes.knowing(&container.runtime, in_pod, user);
        self.patiently(&sources, Question::Container(container.id.clone())).await
    }

    async fn patiently(&self, sources: &[Source], question: Question) -> Option<Names> {
        if let Some(names) = locked(&self.known).get(&question) {
            return Some(names.clone());
        }
        for again in AGAIN.into_iter().map(Some).chain([None]) {
            match self.once(sources, &question).await {
                Answer::Names(names) => {
                    let mut known = locked(&self.known);
                    if known.len() >= REMEMBERED {
                        known.clear();
                    }
                    known.insert(question, names.clone());
                    return Some(names);
                }
                Answer::NotYet => sleep(again?).await,
                Answer::Nobody => return None,
            }
        }
        None
    }

    async fn once(&self, sources: &[Source], question: &Question) -> Answer {
        let mut answer = Answer::Nobody;
        for source in sources {
            if self.rests(source.path()) || !source.path().exists() {
                continue;
            }
            let Ok(_turn) = self.gate.acquire().await else { return Answer::Nobody };
            let found = match timeout(PATIENCE, source.ask(question)).await {
                Ok(Ok(found)) => found,
                Ok(Err(error)) => {
                    self.failed(source.path(), &format!("{error:#}"));
                    continue;
                }
                Err(_) => {
                    self.failed(source.path(), &format!("no answer within {} s", PATIENCE.as_secs()));
                    continue;
                }
            };
            locked(&self.failing).remove(source.path());
            match found {
                Some(names) => return Answer::Names(names),
                None => answer = Answer::NotYet,
            }
        }
        answer
    }

    fn rests(&self, path: &Path) -> bool {
        let rests = |failing: &Failing| failing.in_a_row >= FAILURES && failing.last.elapsed() < REST;
        locked(&self.failing).get(path).is_some_and(rests)
    }

    fn failed(&self, path: &Path, trouble: &str) {
        let mut failing = locked(&self.failing);
        let failing = failing.entry(path.to_owned()).or_insert(Failing { in_a_row: 0, last: Instant::now() });
        failing.in_a_row = failing.in_a_row.saturating_add(1);
        failing.last = Instant::now();
        if failing.in_a_row <= FAILURES {
            let at = path.display();
            tracing::info!(%at, trouble, "a container runtime cannot be asked: its containers keep their ids as names");
        }
    }
}

/// What is locked is written in one step: after a panic it is as good as before.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "resolver_tests.rs"]
mod tests;
