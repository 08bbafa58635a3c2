//! What the daemon has, as it says it: a list at first and now and then, and between them news of what comes.
//!
//! Data flows from the daemon to here; each sink's task looks for what it has not shipped yet. A dump is known by its id;
//! what the daemon says of it is kept for a bounded number of those that wait.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use tokio::{sync::watch, time::sleep};

use crate::{
    daemon::{Daemon, Lines},
    dump::Dump,
    pace, say,
};

/// How often the daemon's list is asked for anew, so that what it removed is known.
const ANEW: Duration = Duration::from_secs(300);
/// A list that stops for so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of descriptions that are kept; others are asked for when their turn comes.
const DESCRIBED_MOST: usize = 16 << 20;

/// What is known of the daemon's store.
#[derive(Debug)]
pub(crate) struct Catalogue {
    inner: Mutex<Inner>,
    /// Counts changes.
    changes: watch::Sender<u64>,
    sinks: usize,
}

#[derive(Debug, Default)]
struct Inner {
    /// In the order in which the daemon lists them, then in that in which they came.
    order: Vec<String>,
    known: HashMap<String, Known>,
    described: usize,
    /// How often the whole list was seen.
    lists: u64,
    connected: bool,
    version: Option<String>,
}

/// A dump that the daemon has.
#[derive(Debug, Default)]
struct Known {
    /// What it says of it, while somebody will ask for it.
    dump: Option<Arc<Dump>>,
    /// How many sinks need it no more.
    done: usize,
}

/// The ids at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listed {
    pub(crate) ids: Vec<String>,
    /// Which list it was; 0: none was seen yet.
    pub(crate) list: u64,
}

impl Catalogue {
    /// For so many sinks.
    pub(crate) fn new(sinks: usize) -> Self {
        Self { inner: Mutex::default(), changes: watch::Sender::new(0), sinks }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes at each change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What is there.
    pub(crate) fn listed(&self) -> Listed {
        let inner = self.inner();
        Listed { ids: inner.order.clone(), list: inner.lists }
    }

    /// What is known of a dump without asking.
    pub(crate) fn description(&self, id: &str) -> Option<Arc<Dump>> {
        self.inner().known.get(id).and_then(|known| known.dump.clone())
    }

    /// A sink needs it no more.
    pub(crate) fn done(&self, id: &str) {
        let mut inner = self.inner();
        let Some(known) = inner.known.get_mut(id) else { return };
        known.done += 1;
        if known.done >= self.sinks
            && let Some(dump) = known.dump.take()
        {
            inner.described = inner.described.saturating_sub(weight(&dump));
        }
    }

    /// Whether the daemon answers, and its version.
    pub(crate) fn daemon(&self) -> (bool, Option<String>) {
        let inner = self.inner();
        (inner.connected, inner.version.clone())
    }

    /// One that has come.
    fn came(&self, dump: Dump) {
        let mut inner = self.inner();
        if inner.known.contains_key(&dump.id) {
            return;
        }
        let (id, weight) = (dump.id.clone(), weight(&dump));
        let kept = inner.described + weight <= DESCRIBED_MOST;
        if kept {
            inner.described += weight;
        }
        inner.known.insert(id.clone(), Known { dump: kept.then(|| Arc::new(dump)), done: 0 });
        inner.order.push(id);
    }

    fn changed(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.inner());
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// The whole list: what is not in it is gone.
    async fn read(&self, mut lines: Lines) -> Result<()> {
        let mut there = HashSet::new();
        while let Some(line) = lines.next(Some(PATIENCE)).await? {
            if let Some(dump) = understood(&line) {
                there.insert(dump.id.clone());
                self.came(dump);
            }
        }
        self.changed(|inner| {
            inner.order.retain(|id| there.contains(id));
            let gone: Vec<String> = inner.known.keys().filter(|id| !there.contains(*id)).cloned().collect();
            for dump in gone.iter().filter_map(|id| inner.known.remove(id)?.dump) {
                inner.described = inner.described.saturating_sub(weight(&dump));
            }
            inner.lists += 1;
        });
        Ok(())
    }

    /// Reads the list once.
    pub(crate) async fn look(&self, daemon: &Daemon) -> Result<()> {
        let version = daemon.version().await.ok();
        self.read(daemon.stored().await?).await?;
        self.changed(|inner| {
            inner.connected = true;
            inner.version = version;
        });
        Ok(())
    }

    /// Follows the daemon for ever: what keeps it from that is said once.
    pub(crate) async fn follow(&self, daemon: &Daemon) {
        let mut failures = 0;
        let mut said = String::new();
        loop {
            let done = self.follow_once(daemon, &mut failures, &mut said).await;
            let Err(error) = done else { continue };
            self.changed(|inner| inner.connected = false);
            failures += 1;
            let why = format!("{error:#}");
            // A daemon that is restarted is back at once.
            if failures > 1 && why != said {
                say(format_args!(
                    "follow the daemon: {why}; it is tried again, and its store keeps what comes meanwhile"
                ));
                said = why;
            }
            sleep(pace::backoff(failures)).await;
        }
    }

    async fn follow_once(&self, daemon: &Daemon, failures: &mut u32, said: &mut String) -> Result<()> {
        // First: what comes while the list is read is among the news.
        let mut news = daemon.news().await?;
        self.look(daemon).await?;
        *failures = 0;
        if !said.is_empty() {
            say(format_args!("the daemon answers again"));
            said.clear();
        }
        let anew = sleep(ANEW);
        tokio::pin!(anew);
        loop {
            tokio::select! {
                line = news.next(None) => {
                    // It cut us off, or was restarted.
                    let Some(line) = line? else { anyhow::bail!("the daemon ended the list of what comes") };
                    if let Some(dump) = understood(&line) {
                        self.came(dump);
                        self.changed(|_| ());
                    }
                }
                () = &mut anew => return Ok(()),
            }
        }
    }
}

/// What a description takes of memory, about.
fn weight(dump: &Dump) -> usize {
    dump.about.to_string().len() * 3
}

/// A line that is not understood is said, and left: the others are not worse for it.
fn understood(line: &[u8]) -> Option<Dump> {
    match Dump::parse(line) {
        Ok(dump) => Some(dump),
        Err(error) => {
            say(format_args!("a dump that the daemon lists is not shipped: {error:#}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::tests::crash;

    #[test]
    fn a_dump_is_known_once_and_described_until_every_sink_has_it() {
        let catalogue = Catalogue::new(2);
        for id in ["000000000001", "000000000002", "000000000001"] {
            catalogue.came(crash(id));
        }
        assert_eq!(catalogue.listed().ids, ["000000000001", "000000000002"]);
        catalogue.done("000000000001");
        assert!(catalogue.description("000000000001").is_some());
        catalogue.done("000000000001");
        catalogue.done("000000000002");
        catalogue.done("000000000002");
        // It is listed again.
        catalogue.came(crash("000000000001"));
        assert!(catalogue.description("000000000001").is_none());
        assert_eq!(catalogue.inner().described, 0);
    }
}
