//! Calls counted in the kernel, by cgroup, process and call: nothing is recorded, nothing decoded. A thread
//! of its own reads the counts for as long as somebody takes them.

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tokio::{sync::mpsc, time::timeout};

use super::track::assign_all;
use crate::{
    cgroup::Cgroup,
    kernel::{Count, CountKey, Kernel, Options, sees_all_pids},
    model::{Counted, Reading, plain},
    syscall::{self, Abi, plan::Wanted},
};

/// Counts that did not change in so many readings in a row are forgotten: their process may be gone.
const STALE: u32 = 30;
/// Readings that wait for whoever takes them.
const WAITING: usize = 2;

/// Counts the calls of some cgroups, and of all below them. `started` is told when every call counts, with
/// the readings to come, or why that cannot be. Whoever drops the readings ends it; for one who does not
/// take them nothing is read, and the next reading is of a longer time.
pub fn count(
    cgroups: Vec<PathBuf>,
    every: Duration,
    started: impl FnOnce(Result<mpsc::Receiver<Reading>>) + Send + 'static,
) -> Result<()> {
    let thread = std::thread::Builder::new().name("counting".to_owned());
    let count = move || match Counting::start(&cgroups).and_then(|counting| Ok((counting, clock()?))) {
        Ok((counting, clock)) => {
            let (send, readings) = mpsc::channel(WAITING);
            started(Ok(readings));
            clock.block_on(counting.tell(every, &send));
        }
        Err(error) => started(Err(error)),
    };
    thread.spawn(count).context("start to count").map(drop)
}

fn clock() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_time().build().context("start the event loop")
}

/// A running count of some cgroups' calls.
#[derive(Debug)]
struct Counting {
    kernel: Kernel,
    seen: HashMap<CountKey, (Count, u32)>,
    uncounted: u64,
}

impl Counting {
    fn start(cgroups: &[PathBuf]) -> Result<Self> {
        let kernel = Kernel::load(&Options {
            wanted: Wanted { payload: false, ..Wanted::default() },
            slots: 1,
            watching: None,
            counting: true,
            following: None,
            half: 0,
            without: Vec::new(),
        })?;
        cgroups.iter().try_for_each(|path| assign_all(&Cgroup::open(path)?, 1, &kernel))?;
        Ok(Self { kernel, seen: HashMap::new(), uncounted: 0 })
    }

    /// Sends readings until nobody takes them any more.
    async fn tell(mut self, every: Duration, to: &mpsc::Sender<Reading>) {
        let mut last = Instant::now();
        while timeout(every, to.closed()).await.is_err() {
            if to.capacity() == 0 {
                continue;
            }
            match self.read(last.elapsed()) {
                Ok(reading) => {
                    last = Instant::now();
                    // There is room.
                    let _ = to.try_send(reading);
                }
                Err(error) => {
                    tracing::warn!(error = %format!("{error:#}"), "the calls are counted no longer");
                    return;
                }
            }
        }
    }

    /// What was counted since the last reading.
    fn read(&mut self, time: Duration) -> Result<Reading> {
        let mut news = Vec::new();
        for (key, now) in self.kernel.counts()? {
            let (before, quiet) = self.seen.entry(key).or_default();
            if now == *before {
                *quiet += 1;
                if *quiet >= STALE {
                    self.kernel.forget_count(key)?;
                    self.seen.remove(&key);
                }
                continue;
            }
            *quiet = 0;
            news.push(Counted {
                cgroup: key.cgroup,
                pid: key.pid,
                comm: None,
                syscall: name(&key),
                calls: now.calls.saturating_sub(before.calls),
                errors: now.errors.saturating_sub(before.errors),
                time_ns: now.time.saturating_sub(before.time),
                longest_ns: now.longest,
            });
            *before = now;
        }
        name_processes(&mut news);
        let uncounted = self.kernel.counters().counts_full;
        let new = uncounted.saturating_sub(self.uncounted);
        self.uncounted = uncounted;
        Ok(Reading { seconds: time.as_secs_f64(), uncounted: new, counts: news })
    }
}

fn name(key: &CountKey) -> String {
    let name = syscall::name(Abi::native(key.compat), key.nr);
    name.map_or_else(|| syscall::nameless(key.nr), str::to_owned)
}

fn name_processes(counts: &mut [Counted]) {
    let mut names: HashMap<u32, Option<String>> = HashMap::new();
    for count in counts {
        let known = names.entry(count.pid).or_insert_with(|| {
            let comm = sees_all_pids().then(|| fs::read(format!("/proc/{}/comm", count.pid)).ok()).flatten()?;
            Some(plain(String::from_utf8_lossy(&comm).trim_end()).into_owned())
        });
        count.comm.clone_from(known);
    }
}
