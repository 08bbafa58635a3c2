//! `traceloop cgroups`: the original's command. Records cgroups until it is told to end.

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use clap::Args;

use super::{
    End,
    following::Following,
    output::{Destination, Output},
    recording::{self, Recording},
    signals::{Request, Signals, runtime},
};
use crate::{
    cgroup::Cgroup,
    decode::{self, Style},
    model::Cause,
    recorder::{Recorder, Seen, TrackId, boottime, realtime_offset},
};

/// Record cgroups, with everything below them
///
/// Follows the calls as they happen, or, with --dump-on-exit, keeps the last of them in memory and
/// prints them on SIGINT or SIGTERM. SIGUSR2 prints them and goes on.
#[derive(Args, Debug)]
pub(super) struct Cgroups {
    /// Print what the rings hold at the end, instead of following
    #[arg(long)]
    dump_on_exit: bool,
    /// Paths of cgroup v2 directories
    #[arg(value_name = "CGROUP", required = true)]
    cgroups: Vec<PathBuf>,
    #[command(flatten)]
    recording: Recording,
    #[command(flatten)]
    output: Output,
}

impl Cgroups {
    pub(super) fn run(self) -> Result<End> {
        self.recording.check(&self.output)?;
        if !self.dump_on_exit {
            self.output.check_follow("give --dump-on-exit with it");
        }
        let cgroups = self.cgroups.iter().map(|path| Cgroup::open(path)).collect::<Result<Vec<_>>>()?;
        runtime()?.block_on(self.record(cgroups))
    }

    async fn record(&self, cgroups: Vec<Cgroup>) -> Result<End> {
        let mut signals = Signals::new()?;
        let mut destination = self.output.open()?;
        let count = cgroups.len();
        let mut second = recording::seconds();
        let mut recorder = Recorder::prepare(count, &self.recording.settings(self.output.needs()))?;
        let style = self.output.style(self.recording.string_limit as usize);
        let mut follow = Follow::new(style.clone());
        recorder.record(cgroups)?;
        follow.begin(&recorder)?;
        recording::say_ready(&recorder, &recording::counted(count, "cgroup", "cgroups"))?;
        loop {
            let wait = if self.dump_on_exit { Duration::MAX } else { follow.pause() };
            tokio::select! {
                request = signals.next() => match request {
                    Request::End(_) => break,
                    Request::Dump => {
                        destination.dump(&decode::summed_up(recorder.dump(Cause::Request)?), &style)?;
                    }
                    Request::Child => {}
                },
                _ = second.tick() => look_after(&mut recorder)?,
                () = pause(wait) => follow.step(&recorder, &mut destination)?,
            }
        }
        if self.dump_on_exit {
            destination.dump(&decode::summed_up(recorder.dump(Cause::Exit)?), &style)?;
        } else {
            follow.step(&recorder, &mut destination)?;
            follow.following.flush(&mut destination)?;
            destination.end_following()?;
        }
        Ok(End::Done)
    }
}

/// What has to be looked after once a second.
fn look_after(recorder: &mut Recorder) -> Result<()> {
    recorder.follow_cpus()?;
    for name in recorder.follow_paths()? {
        super::say(format_args!(
            "traceloop: {name} was removed and made again: it is recorded from now on, its first calls may be missing"
        ))?;
    }
    Ok(())
}

async fn pause(wait: Duration) {
    if wait == Duration::MAX { std::future::pending().await } else { tokio::time::sleep(wait).await }
}

/// Reads what is new in the rings, as long as nothing else asks for attention.
struct Follow {
    following: Following,
    /// In the order in which they were made known.
    tracks: Vec<(TrackId, Seen)>,
    quiet: u32,
}

impl Follow {
    /// Pauses between readings: short while something happens, a second when nothing does.
    const SHORTEST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(1);

    fn new(style: Style) -> Self {
        let style = Style {
            interfaces: crate::recorder::interfaces(),
            generic_families: crate::recorder::generic_families(),
            ..style
        };
        Self { following: Following::new(style), tracks: Vec::new(), quiet: 0 }
    }

    /// From here on.
    fn begin(&mut self, recorder: &Recorder) -> Result<()> {
        for (id, identity, _) in recorder.identities() {
            let known = recorder.look_at(&[id], true);
            let known = known.wait();
            self.following.join(identity.to_string(), &known.files, known.networks.clone());
            self.tracks.push((id, Seen::default()));
        }
        Ok(())
    }

    fn pause(&self) -> Duration {
        (Self::SHORTEST * 2_u32.saturating_pow(self.quiet)).min(Self::LONGEST)
    }

    fn step(&mut self, recorder: &Recorder, destination: &mut Destination<'_>) -> Result<()> {
        let until = boottime();
        let news = recorder.news_of_each(self.tracks.iter_mut().map(|(id, seen)| (*id, seen)));
        if news.iter().flatten().any(|(_, missed)| *missed) {
            super::say(
                "traceloop: calls came faster than they were read; some are not shown: give a larger --buffer-size",
            )?;
        }
        let is_news = news.iter().flatten().any(|(blocks, _)| blocks.iter().any(|block| !block.is_empty()));
        if !is_news && self.following.is_empty() {
            self.quiet = (self.quiet + 1).min(8);
            return Ok(());
        }
        self.quiet = 0;
        destination.learn(&recorder.modules()?);
        let ids: Vec<TrackId> = self.tracks.iter().map(|(id, _)| *id).collect();
        let known = recorder.look_at(&ids, false);
        for (whose, (threads, news)) in (0..=u16::MAX).zip(known.wait().threads.iter().zip(news)) {
            if let Some((blocks, _)) = news {
                self.following.take_in(whose, threads, blocks);
            }
        }
        self.following.step(until, realtime_offset(), destination)
    }
}
