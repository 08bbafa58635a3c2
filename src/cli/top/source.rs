//! Where the counts come from: the daemon, if there is one, or else the kernel side of our own. A thread
//! waits for them, so that keys are answered meanwhile.

use std::{
    path::PathBuf,
    sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use tokio::sync::{mpsc, oneshot};

use super::units::Units;
use crate::{
    cgroup::v2_mount,
    cli::signals::runtime,
    control::{Client, Counting},
    model::Reading,
    recorder,
};

/// A reading, with the unit of each of its counts.
pub(super) struct Told {
    pub(super) reading: Reading,
    pub(super) units: Vec<String>,
}

/// Readings to come.
pub(super) struct Source {
    told: Receiver<Result<Told>>,
}

enum Counts {
    Daemons(Counting, Client),
    Ours(mpsc::Receiver<Reading>),
}

impl Source {
    /// Begins; on return every call counts.
    pub(super) fn open(client: Client, target: Option<String>, every: Duration) -> Result<Self> {
        let (started, ready) = sync_channel(1);
        let (to, told) = sync_channel(1);
        let tell = move || {
            let told = runtime().and_then(|runtime| {
                runtime.block_on(async {
                    let mut counts = Counts::open(client, target.as_deref(), every).await?;
                    let mut units = Units::new(v2_mount()?.point);
                    let _ = started.send(());
                    counts.tell(&mut units, &to).await
                })
            });
            if let Err(error) = told {
                let _ = to.send(Err(error));
            }
        };
        std::thread::Builder::new().name("readings".to_owned()).spawn(tell).context("wait for counts")?;
        let source = Self { told };
        // Who has not started has said why.
        if ready.recv().is_err() {
            source.next()?;
        }
        Ok(source)
    }

    /// The next reading.
    pub(super) fn next(&self) -> Result<Told> {
        self.told.recv().unwrap_or_else(|_| Err(over()))
    }

    /// The next reading, if it is there already.
    pub(super) fn next_already(&self) -> Result<Option<Told>> {
        match self.told.try_recv() {
            Ok(told) => told.map(Some),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(over()),
        }
    }
}

fn over() -> anyhow::Error {
    anyhow!("the calls are counted no longer")
}

impl Counts {
    async fn open(client: Client, target: Option<&str>, every: Duration) -> Result<Self> {
        if client.is_there().await {
            return Ok(Self::Daemons(client.counts(target, every).await?, client));
        }
        let (reply, readings) = oneshot::channel();
        recorder::count(vec![place(target)?], every, |started| drop(reply.send(started)))?;
        let readings = readings.await.context("start to count")?;
        let advice = "count the calls; where traceloop.service runs, members of the group traceloop need not be root";
        Ok(Self::Ours(readings.context(advice)?))
    }

    async fn tell(&mut self, units: &mut Units, to: &SyncSender<Result<Told>>) -> Result<()> {
        loop {
            let reading = match self {
                Self::Ours(readings) => readings.recv().await.ok_or_else(over)?,
                Self::Daemons(counting, _) => {
                    counting.next().await?.context("the daemon has ended the stream: has it stopped?")?
                }
            };
            if !units.know(&reading) {
                let tracks = match self {
                    Self::Daemons(_, client) => client.tracks(None).await.unwrap_or_default(),
                    Self::Ours(_) => Vec::new(),
                };
                units.learn(&reading, &tracks);
            }
            let names = reading.counts.iter().map(|count| units.name(count.cgroup)).collect();
            if to.send(Ok(Told { reading, units: names })).is_err() {
                return Ok(());
            }
        }
    }
}

/// The directory of what is counted.
fn place(target: Option<&str>) -> Result<PathBuf> {
    match target {
        None => Ok(v2_mount()?.point),
        Some(target) => Ok(recorder::find(target)?.path().to_owned()),
    }
}
