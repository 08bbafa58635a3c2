//! One sink's task: what the daemon has and the sink has not, oldest first, until it has.
//!
//! Each reason for a failure is said once until the sink takes something again, not at each try. A dump that fails lets
//! others before it, so that none of them waits for one that the sink chokes on.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use anyhow::Result;
use tokio::time::{Instant, sleep_until};

use crate::{
    catalogue::Catalogue,
    cursor::{Cursor, Standing},
    daemon::Daemon,
    dump::Dump,
    fault::{Fault, Shipped},
    metrics::Figures,
    node::Node,
    pace, say,
    sink::Sink,
};

/// Tries of a sink in a row that fail before `--once` gives it up.
const TRIES: u32 = 3;

/// Reasons that are said until the sink takes something again.
const REASONS: usize = 8;

/// A sink's task.
#[derive(Debug)]
pub(crate) struct Shipping {
    pub(crate) sink: Sink,
    pub(crate) cursor: Cursor,
    /// What the node's file said, where our own notes are lost.
    pub(crate) former: Option<Node>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) daemon: Daemon,
    pub(crate) figures: Arc<Figures>,
    /// Those that wait, oldest first.
    queue: VecDeque<String>,
    queued: HashSet<String>,
    /// Those that have failed: how often, and when the next try is due.
    late: HashMap<String, (u32, Instant)>,
    /// Failures in a row, and what was said of them.
    failures: u32,
    said: HashSet<String>,
    /// Which whole list was seen.
    list: u64,
}

impl Shipping {
    pub(crate) fn new(
        sink: Sink,
        cursor: Cursor,
        former: Option<Node>,
        (catalogue, daemon): (Arc<Catalogue>, Daemon),
        figures: Arc<Figures>,
    ) -> Self {
        let (queue, queued, late) = (VecDeque::new(), HashSet::new(), HashMap::new());
        let said = HashSet::new();
        Self { sink, cursor, former, catalogue, daemon, figures, queue, queued, late, failures: 0, said, list: 0 }
    }

    /// Ships for ever; with `once`, until nothing waits. Returns how many dumps were left.
    pub(crate) async fn run(mut self, once: bool) -> usize {
        let mut changes = self.catalogue.changes();
        loop {
            changes.mark_unchanged();
            if let Err(error) = self.look().await {
                self.complain(&error);
            }
            while let Some(id) = self.next() {
                self.attempt(&id).await;
                if once && self.failures >= TRIES {
                    return self.queue.len();
                }
                if self.failures > 0 {
                    let until = Instant::now() + pace::backoff(self.failures);
                    // What comes meanwhile is noted.
                    while tokio::select! {
                        changed = changes.changed() => changed.is_ok(),
                        () = sleep_until(until) => false,
                    } {
                        if let Err(error) = self.look().await {
                            self.complain(&error);
                        }
                    }
                } else if changes.has_changed().unwrap_or(false) {
                    break;
                }
            }
            if self.queue.is_empty() {
                if once {
                    return 0;
                }
                if changes.changed().await.is_err() {
                    return 0;
                }
            }
        }
    }

    /// Takes what is new in the catalogue.
    async fn look(&mut self) -> Result<()> {
        let listed = self.catalogue.listed();
        if listed.list == 0 {
            return Ok(());
        }
        let there: HashSet<&str> = listed.ids.iter().map(String::as_str).collect();
        if listed.list != self.list {
            self.list = listed.list;
            if let Some(node) = self.former.take() {
                self.recover(&node, &listed.ids).await?;
            }
            self.compare(&there)?;
        }
        let mut new = Vec::new();
        for id in &listed.ids {
            match self.cursor.standing(id) {
                Some(Standing::Waits) => {}
                None => new.push(id.as_str()),
                Some(_) if self.queued.insert(id.clone()) => {
                    self.catalogue.done(id);
                    continue;
                }
                Some(_) => continue,
            }
            if self.queued.insert(id.clone()) {
                self.queue.push_back(id.clone());
            }
        }
        let noted = if new.is_empty() { Ok(()) } else { self.cursor.note(&new, Standing::Waits) };
        self.count(|_| ());
        noted
    }

    /// Our notes are lost, and the store's own take their place.
    async fn recover(&mut self, node: &Node, listed: &[String]) -> Result<()> {
        let mut gone = Vec::new();
        for id in node.gone(self.sink.name(), listed) {
            // A store can be asked.
            let has = match (&self.sink, self.describe(id).await?) {
                (Sink::Store(_), Some(dump)) => self.sink.has(&dump).await,
                (_, dump) => dump.is_some(),
            };
            if has {
                gone.push(id);
            }
        }
        if gone.is_empty() {
            return Ok(());
        }
        say(format_args!(
            "{}: the notes in `state` are lost; by the node's file in the store, {} of {} dumps had gone",
            self.sink.name(),
            gone.len(),
            listed.len()
        ));
        self.cursor.note(&gone, Standing::Done)
    }

    /// What was given up before it went is counted and named.
    fn compare(&mut self, there: &HashSet<&str>) -> Result<()> {
        let name = self.sink.name();
        let had_any = self.cursor.known().next().is_some();
        let all_gone = !self.cursor.known().any(|id| there.contains(id));
        let kept = self.cursor.keep(there);
        self.queue.retain(|id| there.contains(id.as_str()));
        self.queued.retain(|id| there.contains(id.as_str()));
        self.late.retain(|id, _| there.contains(id.as_str()));
        let missed = kept?;
        if !missed.is_empty() {
            let ids = missed.join(" ");
            say(format_args!(
                "{name}: {} dumps were removed from the daemon's store before they were shipped: {ids}",
                missed.len()
            ));
            self.count(|figures| figures.missed += missed.len() as u64);
        }
        if had_any && all_gone {
            say(format_args!(
                "{name}: the daemon has none of the dumps that it had when it was last asked: which others came and were \
                 removed meanwhile is not known"
            ));
            self.count(|figures| figures.gaps += 1);
        }
        Ok(())
    }

    /// The one whose turn it is: the oldest that has not failed lately, or else the one that is due first.
    fn next(&self) -> Option<String> {
        let now = Instant::now();
        let is_due = |id: &&String| self.late.get(*id).is_none_or(|(_, due)| *due <= now);
        let due = self.queue.iter().find(is_due);
        due.or_else(|| self.queue.iter().min_by_key(|id| self.late.get(*id).map(|(_, due)| *due))).cloned()
    }

    async fn describe(&self, id: &str) -> Result<Option<Arc<Dump>>> {
        match self.catalogue.description(id) {
            Some(dump) => Ok(Some(dump)),
            None => Ok(self.daemon.describe(id).await?.map(Arc::new)),
        }
    }

    async fn attempt(&mut self, id: &str) {
        let shipped = match self.describe(id).await {
            Ok(Some(dump)) => {
                let shipped = self.sink.ship(&dump).await;
                (shipped, dump.time())
            }
            Ok(None) => (Err(Fault::Gone), None),
            Err(error) => (Err(Fault::Later(error)), None),
        };
        let name = self.sink.name();
        let noted = match shipped {
            (Ok(shipped), time) => {
                self.count(|figures| match shipped {
                    Shipped::There(bytes) => {
                        figures.shipped += 1;
                        figures.bytes += bytes;
                        figures.newest = figures.newest.max(time.map(jiff::Timestamp::as_second));
                    }
                    Shipped::Passed => figures.passed += 1,
                });
                self.settle(id, Standing::Done)
            }
            (Err(Fault::Gone), _) => {
                say(format_args!("{name}: the dump {id} was removed from the daemon's store before it was shipped"));
                self.count(|figures| figures.missed += 1);
                self.settle(id, Standing::Done)
            }
            (Err(Fault::Never(error)), _) => {
                say(format_args!("{name}: the dump {id} is not shipped: {error:#}"));
                self.count(|figures| figures.refused += 1);
                self.settle(id, Standing::Refused)
            }
            (Err(Fault::Later(error)), _) => {
                let tries = self.late.get(id).map_or(1, |(tries, _)| tries + 1);
                self.late.insert(id.to_owned(), (tries, Instant::now() + pace::backoff(tries)));
                self.failures += 1;
                self.count(|figures| figures.retries += 1);
                self.complain(&error);
                return;
            }
        };
        if !self.said.is_empty() {
            say(format_args!("{name}: it goes on, {} dumps wait", self.queue.len()));
            self.said.clear();
        }
        self.failures = 0;
        if let Err(error) = noted {
            self.complain(&error);
        }
        self.count(|_| ());
    }

    /// It needs no more tries.
    fn settle(&mut self, id: &str, standing: Standing) -> Result<()> {
        self.late.remove(id);
        self.queue.retain(|waiting| waiting != id);
        self.catalogue.done(id);
        self.cursor.note(&[id], standing)
    }

    fn complain(&mut self, error: &anyhow::Error) {
        let why = format!("{error:#}");
        // Each dump has a name of its own; the reason behind it is what matters.
        let reason =
            why.rsplit_once(".dump: ").or_else(|| why.rsplit_once(".json: ")).map_or(why.as_str(), |(_, it)| it);
        if self.said.len() < REASONS && self.said.insert(reason.to_owned()) {
            let waiting = self.queue.len();
            say(format_args!("{}: {why}; it is tried again, {waiting} dumps wait", self.sink.name()));
        }
    }

    fn count(&self, change: impl FnOnce(&mut crate::metrics::Figure)) {
        self.figures.change(self.sink.name(), |figures| {
            change(figures);
            figures.waiting = self.cursor.waiting() as u64;
            figures.failing = self.failures > 0;
            figures.recent = self.cursor.recent().to_vec();
        });
    }
}
