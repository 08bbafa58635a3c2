//! Clients that follow tracks. What is new is copied for them as long as they take it; who does not
//! misses calls and is told. A follower that is behind costs the daemon nothing at all.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tokio::sync::mpsc;

use super::choosing::choose;
use crate::{
    control::{self, FollowWanted, News, Part, Which, frame},
    host::Look,
    recorder::{Recorder, Seen, TrackId, boottime, generic_families, interfaces, realtime_offset},
    redact::Redaction,
    wire::{self, Kind, record_flag},
};

/// Frames that wait for a client.
const WAITING: usize = 1;
/// Drafts that wait to become frames.
const DRAFTS: usize = 1;
/// Followers at once.
pub(super) const MOST: usize = 32;
/// Pauses between readings: short while something happens, a second when nothing does.
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// A client that follows what a target means, and comes to mean: units that are started again, new ones of a slice.
#[derive(Debug)]
pub(super) struct Follower {
    which: Which,
    /// In the order in which the client was told of them.
    tracks: Vec<Followed>,
    /// When it began.
    since: u64,
    /// Calls that lasted fewer nanoseconds are not told.
    slower: u64,
    /// How many files of stacks it was told of.
    modules: usize,
    to: mpsc::Sender<Draft>,
    due: Instant,
    pause: Duration,
    /// When it is looked again what the target means.
    choose_at: Instant,
}

/// A track that is followed.
#[derive(Debug)]
struct Followed {
    track: TrackId,
    seen: Seen,
    /// Whether it was given up or closed.
    gone: bool,
}

impl Followed {
    /// From `since` on; all of a track that began later.
    fn new(recorder: &Recorder, track: TrackId, since: u64) -> Result<Self> {
        let mut seen = Seen::default();
        if recorder.began(track).is_some_and(|began| began < since) {
            recorder.news_of(track, &mut seen)?;
        }
        Ok(Self { track, seen, gone: false })
    }
}

/// What a client will be told, when the processes were looked at: beside the task, in the order of the drafts.
#[derive(Debug)]
struct Draft {
    news: News,
    blocks: Vec<Vec<u8>>,
    /// Of the tracks that the client is told of first, and then of those of the news' parts.
    look: Option<Look>,
    redaction: Arc<Redaction>,
}

impl Draft {
    /// The frame. Waits for the look.
    fn whole(mut self) -> Result<Vec<u8>> {
        let known = self.look.as_ref().map(Look::wait);
        let mut threads = known.into_iter().flat_map(|known| &known.threads);
        if let Some(known) = known {
            let (first, parts) = match &mut self.news {
                News::Start { cgroups, .. } => (cgroups, None),
                News::Records { joined, parts, .. } => (joined, Some(parts)),
                News::End {} => return frame::encode(&self.news, &self.blocks),
            };
            for (followed, threads) in first.iter_mut().zip(&mut threads) {
                let own: BTreeSet<u32> = threads.iter().map(|thread| thread.pid).collect();
                followed.files = known.files.iter().filter(|files| own.contains(&files.pid)).cloned().collect();
                followed.networks.clone_from(&known.networks);
                self.redaction.files(&mut followed.files);
            }
            for (part, threads) in parts.into_iter().flatten().zip(threads) {
                part.threads.clone_from(threads);
            }
        }
        frame::encode(&self.news, &self.blocks)
    }
}

/// Makes frames of drafts until there are no more, or nobody takes them.
async fn make_frames(mut drafts: mpsc::Receiver<Draft>, to: mpsc::Sender<Vec<u8>>) {
    // None is made for which there is no place: it would wait, and with it the next draft.
    while let Ok(place) = to.reserve().await {
        let draft = tokio::select! {
            draft = drafts.recv() => draft,
            () = to.closed() => None,
        };
        let Some(draft) = draft else { return };
        match tokio::task::spawn_blocking(move || draft.whole()).await {
            Ok(Ok(frame)) => place.send(frame),
            Ok(Err(error)) => {
                tracing::debug!(error = %format!("{error:#}"), "a client's stream ends");
                return;
            }
            Err(_) => return,
        }
    }
}

/// What a client is told of a track, but for what its processes show.
fn told(recorder: &Recorder, track: TrackId) -> Result<control::Followed> {
    let identity = recorder.identity(track).cloned().context("the track is gone")?;
    Ok(control::Followed { identity, files: Vec::new(), networks: Vec::new() })
}

impl Follower {
    /// Begins here and now.
    pub(super) fn new(
        recorder: &Recorder,
        redaction: Arc<Redaction>,
        tracks: &[TrackId],
        wanted: FollowWanted,
    ) -> Result<(Self, mpsc::Receiver<Vec<u8>>)> {
        let (frames, news) = mpsc::channel(WAITING);
        let (to, drafts) = mpsc::channel(DRAFTS);
        let since = boottime();
        let look = Some(recorder.look_at(tracks, true));
        let tracks = tracks.iter().map(|track| Followed::new(recorder, *track, since)).collect::<Result<Vec<_>>>()?;
        let start = News::Start {
            cgroups: tracks.iter().map(|followed| told(recorder, followed.track)).collect::<Result<_>>()?,
            interfaces: interfaces(),
            generic_families: generic_families(),
        };
        // There is room: nothing has been sent.
        let _ = to.try_send(Draft { news: start, blocks: Vec::new(), look, redaction });
        tokio::spawn(make_frames(drafts, frames));
        let due = Instant::now() + SHORTEST;
        let FollowWanted { which, slower, wait: _ } = wanted;
        let follower =
            Self { which, tracks, since, slower, modules: 0, to, due, pause: SHORTEST, choose_at: due + LONGEST };
        Ok((follower, news))
    }

    /// When it wants to be looked after.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Sends what is new; `false`: it is over.
    pub(super) fn step(&mut self, recorder: &Recorder, redaction: &Arc<Redaction>, now: Instant) -> bool {
        if self.to.is_closed() {
            return false;
        }
        self.pause = (self.pause * 2).min(LONGEST);
        if self.to.capacity() > 0 {
            match self.news(recorder, redaction, now) {
                Ok(Some(draft)) => {
                    self.pause = SHORTEST;
                    let _ = self.to.try_send(draft);
                }
                Ok(None) => {}
                Err(error) => {
                    let end =
                        Draft { news: News::End {}, blocks: Vec::new(), look: None, redaction: redaction.clone() };
                    let _ = self.to.try_send(end);
                    tracing::debug!(error = %format!("{error:#}"), "a client's stream ends");
                    return false;
                }
            }
        }
        self.due = now + self.pause;
        true
    }

    /// What the target means by now and did not mean before.
    fn join(&mut self, recorder: &Recorder) -> Vec<control::Followed> {
        let Which::Target(target) = &self.which else { return Vec::new() };
        // What is gone, or may mean several things now, is no reason to end.
        let chosen = choose(recorder, target).unwrap_or_default();
        let mut joining = Vec::new();
        for track in chosen {
            if self.tracks.iter().all(|followed| followed.track != track)
                && self.tracks.len() <= usize::from(u16::MAX)
                && let Ok(followed) = Followed::new(recorder, track, self.since)
                && let Ok(joined) = told(recorder, track)
            {
                self.tracks.push(followed);
                joining.push(joined);
            }
        }
        joining
    }

    /// `None`: there is nothing new. It fails when there can be nothing new any more.
    fn news(&mut self, recorder: &Recorder, redaction: &Arc<Redaction>, now: Instant) -> Result<Option<Draft>> {
        let mut joined = Vec::new();
        if now >= self.choose_at {
            self.choose_at = now + LONGEST;
            joined = self.join(recorder);
        }
        let mut whose: Vec<TrackId> =
            self.tracks.iter().rev().take(joined.len()).map(|followed| followed.track).collect();
        whose.reverse();
        let until = boottime();
        let (mut parts, mut blocks, mut missed) = (Vec::new(), Vec::new(), false);
        let news = recorder.news_of_each(self.tracks.iter_mut().map(|followed| (followed.track, &mut followed.seen)));
        for ((place, followed), news) in (0..=u16::MAX).zip(&mut self.tracks).zip(news) {
            let (Some(identity), Some(news)) = (recorder.identity(followed.track), news) else {
                followed.gone = true;
                continue;
            };
            missed |= news.1;
            let mut own = news.0;
            for block in &mut own {
                if self.slower > 0 {
                    *block = without_faster(block, self.slower);
                }
                if let Some(redacted) = redaction.records(&identity.cgroup, block) {
                    *block = redacted;
                }
            }
            own.retain(|block| !block.is_empty());
            if !own.is_empty() {
                let lengths = own.iter().map(|block| u32::try_from(block.len())).collect::<Result<_, _>>()?;
                parts.push(Part { whose: place, threads: Vec::new(), blocks: lengths });
                whose.push(followed.track);
                blocks.extend(own);
            }
        }
        // Where there was nothing yet, it is waited for.
        let all_gone = !self.tracks.is_empty() && self.tracks.iter().all(|followed| followed.gone);
        ensure!(!all_gone, "nothing of it is recorded any more");
        if !missed && parts.is_empty() && joined.is_empty() {
            return Ok(None);
        }
        let told_first = !joined.is_empty();
        let mut modules = recorder.modules()?;
        if modules.len() == self.modules {
            modules.clear();
        } else {
            self.modules = modules.len();
            redaction.modules(&mut modules);
        }
        let news = News::Records { until, clock_offset: realtime_offset(), missed, joined, modules, parts };
        let look = (!whose.is_empty()).then(|| recorder.look_at(&whose, told_first));
        Ok(Some(Draft { news, blocks, look, redaction: redaction.clone() }))
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
