//! Clients that follow a track. What is new is copied for them as long as they take it; who does not
//! misses calls and is told. A follower that is behind costs the daemon nothing at all.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::sync::mpsc;

use crate::{
    control::{News, frame},
    recorder::{Recorder, Seen, TrackId, boottime, generic_families, interfaces, realtime_offset},
    redact::Redaction,
    wire::{self, Kind, record_flag},
};

/// Frames that wait for a client.
const WAITING: usize = 2;
/// Followers at once.
pub(super) const MOST: usize = 32;
/// Pauses between readings: short while something happens, a second when nothing does.
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// A client that follows a track.
#[derive(Debug)]
pub(super) struct Follower {
    track: TrackId,
    /// Calls that lasted fewer nanoseconds are not told.
    slower: u64,
    seen: Seen,
    /// How many files of stacks it was told of.
    modules: usize,
    to: mpsc::Sender<Vec<u8>>,
    due: Instant,
    pause: Duration,
}

impl Follower {
    /// Begins here and now.
    pub(super) fn new(
        recorder: &Recorder,
        redaction: &Redaction,
        track: TrackId,
        slower: u64,
    ) -> Result<(Self, mpsc::Receiver<Vec<u8>>)> {
        let (to, news) = mpsc::channel(WAITING);
        let mut seen = Seen::default();
        recorder.news_of(track, &mut seen)?;
        let info = recorder.track_info(track)?;
        let mut files = recorder.files_of(track)?;
        redaction.files(&mut files);
        let start = News::Start {
            identity: Box::new(info.identity),
            interfaces: interfaces(),
            generic_families: generic_families(),
            files,
        };
        // There is room: nothing has been sent.
        let _ = to.try_send(frame::encode(&start, &[])?);
        let due = Instant::now() + SHORTEST;
        Ok((Self { track, slower, seen, modules: 0, to, due, pause: SHORTEST }, news))
    }

    /// When it wants to be looked after.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Sends what is new; `false`: it is over.
    pub(super) fn step(&mut self, recorder: &Recorder, redaction: &Redaction, now: Instant) -> bool {
        if self.to.is_closed() {
            return false;
        }
        self.pause = (self.pause * 2).min(LONGEST);
        if self.to.capacity() > 0 {
            match self.news(recorder, redaction) {
                Ok(Some(frame)) => {
                    self.pause = SHORTEST;
                    let _ = self.to.try_send(frame);
                }
                Ok(None) => {}
                Err(_) => {
                    // The track is gone: closed, or given up.
                    let end = frame::encode(&News::End {}, &[]).unwrap_or_default();
                    let _ = self.to.try_send(end);
                    return false;
                }
            }
        }
        self.due = now + self.pause;
        true
    }

    fn news(&mut self, recorder: &Recorder, redaction: &Redaction) -> Result<Option<Vec<u8>>> {
        let until = boottime();
        let (mut blocks, missed) = recorder.news_of(self.track, &mut self.seen)?;
        if self.slower > 0 {
            blocks.iter_mut().for_each(|block| *block = without_faster(block, self.slower));
        }
        if let Some(identity) = recorder.identity(self.track) {
            for block in &mut blocks {
                if let Some(redacted) = redaction.records(&identity.cgroup, block) {
                    *block = redacted;
                }
            }
        }
        if !missed && blocks.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        let mut modules = recorder.modules()?;
        if modules.len() == self.modules {
            modules.clear();
        } else {
            self.modules = modules.len();
        }
        let news = News::Records {
            until,
            clock_offset: realtime_offset(),
            missed,
            threads: recorder.threads_of(self.track)?,
            modules,
            blocks: blocks.iter().map(|block| u32::try_from(block.len())).collect::<Result<_, _>>()?,
        };
        frame::encode(&news, &blocks).map(Some)
    }
}

/// The records without the calls that lasted fewer nanoseconds. A call whose start is told is told to its end.
fn without_faster(block: &[u8], slower: u64) -> Vec<u8> {
    let mut left = Vec::new();
    for record in wire::records(block) {
        let is_short = |call: wire::CallRecord<'_>| call.duration().is_some_and(|duration| duration < slower);
        let is_whole = record.kind() == Kind::RECORD_CALL && !record.has(record_flag::FLAG_ENTERED);
        if !(is_whole && record.call().is_some_and(is_short)) {
            left.extend_from_slice(record.bytes());
        }
    }
    left
}
