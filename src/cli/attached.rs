//! `traceloop run --pid PID`: processes that are there already, recorded where they are until they have ended.

use std::{collections::BTreeSet, future, io, task::Poll, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time::{Instant, sleep_until},
};

use super::{
    End,
    output::Output,
    recording::{self, Recording},
    signals::{Request, Signals},
};
use crate::{
    decode,
    model::Cause,
    recorder::{Recorder, Subject},
};

/// How processes are recorded.
#[derive(Debug)]
pub(super) struct Attached<'a> {
    recording: &'a Recording,
    output: &'a Output,
    time: Option<Duration>,
}

impl<'a> Attached<'a> {
    /// `time`: how long at most.
    pub(super) fn new(recording: &'a Recording, output: &'a Output, time: Option<Duration>) -> Self {
        Self { recording, output, time }
    }

    /// Records until the processes and their children have ended, or the time or a signal ends it, and dumps.
    pub(super) async fn record(&self, pids: &[u32]) -> Result<End> {
        let mut signals = Signals::new()?;
        // A number that is given twice is one process.
        let pids: BTreeSet<u32> = pids.iter().copied().collect();
        let subjects = pids.into_iter().map(Subject::open).collect::<Result<Vec<_>>>()?;
        let mut destination = self.output.open()?;
        let style = self.output.style(self.recording.string_limit as usize);
        let mut recorder = Recorder::prepare_following(&self.recording.settings(self.output.needs()))?;
        recorder.follow(&subjects)?;
        recording::say_ready(&recorder, &recording::counted(subjects.len(), "process", "processes"))?;
        let end = self.time.and_then(|time| Instant::now().checked_add(time));
        let mut second = recording::seconds();
        let mut living = subjects
            .into_iter()
            .map(|subject| {
                // SAFETY: a subject's descriptor stays the same and open as long as the subject lives.
                let waiting = unsafe { AsyncFd::register_with_interest(subject, Interest::READABLE) };
                waiting.map_err(io::Error::from).context("wait for a process")
            })
            .collect::<Result<Vec<_>>>()?;
        let cause = loop {
            let request = tokio::select! {
                request = signals.next() => Some(request),
                () = one_ends(&living) => None,
                _ = second.tick() => {
                    recorder.follow_cpus()?;
                    None
                }
                () = until(end) => break Cause::Exit,
            };
            match request {
                Some(Request::Dump) => {
                    destination.dump(&decode::summed_up(recorder.dump(Cause::Request)?), &style)?;
                }
                Some(Request::End(_)) => break Cause::Exit,
                Some(Request::Child) => {}
                None => {
                    living.retain(|subject| subject.get_ref().has_ended().is_ok_and(|ended| !ended));
                    if living.is_empty() && !recorder.follows_anybody() {
                        break Cause::Ended;
                    }
                }
            }
        };
        destination.dump(&decode::summed_up(recorder.dump(cause)?), &style)?;
        Ok(End::Done)
    }
}

/// Ends when one of them has.
async fn one_ends(living: &[AsyncFd<Subject>]) {
    future::poll_fn(|context| {
        let ended = living.iter().any(|subject| subject.poll_read_ready(context).is_ready());
        if ended { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => future::pending().await,
    }
}
