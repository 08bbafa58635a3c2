//! The task that owns the recorder: everything that happens comes to it, one thing after the other.

use std::{
    future::pending,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Error, Result};
use tokio::{
    io::{Interest, unix::AsyncFd},
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    task::{JoinError, JoinSet},
    time::{MissedTickBehavior, interval, sleep_until, timeout},
};

use super::{
    calls::Calls,
    config::Config,
    describe,
    dumps::{Saving, has_one_of},
    evidence,
    following::Follower,
    names::{self, Names},
    notify::Systemd,
    share::Limit,
    trigger::{Evidence, Last, Planned, Policy, Triggers, Verdict},
    undumped::Lives,
};
use crate::{
    control::{self, Request, Socket},
    host,
    model::{Cause, Recording},
    recorder::{Notice, Recorder, TrackId},
    redact::Redaction,
    store::Store,
    systemd::{self, Managers, UnitFailed},
};

/// Requests that wait for the task.
const WAITING: usize = 64;
/// For systemd to answer after the start.
const HEARD_WITHIN: Duration = Duration::from_secs(5);
/// So many recordings one dump holds that is made of several.
pub(super) const TOGETHER: usize = 32;
/// For dumps to reach the disk when the daemon stops.
const STORED_WITHIN: Duration = Duration::from_secs(60);

/// What the task owns.
#[derive(Debug)]
pub(super) struct Daemon {
    pub(super) recorder: Recorder,
    pub(super) config: Config,
    pub(super) saving: Saving,
    pub(super) followers: Vec<Follower>,
    pub(super) names: Names,
    pub(super) began: SystemTime,
    /// What is taken out of all that leaves.
    pub(super) redaction: Arc<Redaction>,
    /// The configuration's file, if one was named.
    named: Option<PathBuf>,
    policy: Policy,
    pub(super) triggers: Triggers,
    /// Lives that ended without a dump.
    pub(super) undumped: Lives,
    pub(super) calls: Calls,
    systemd: Systemd,
    /// The service managers that tell of units.
    managers: Managers,
    /// Histories of a recording that could not go on, still to be stored.
    replaced: Vec<Recording>,
    /// Failures that systemd tells again; the store is asked whether it has their dumps.
    earlier: JoinSet<Option<UnitFailed>>,
    /// Configurations that are being read, and the store where it is another.
    reading: JoinSet<Result<(Config, Option<Store>)>>,
    /// The newest page of metrics.
    pub(super) page: Option<(Instant, String)>,
}

/// What comes to it.
struct Inbox {
    requests: mpsc::Receiver<Request>,
    units: mpsc::Receiver<UnitFailed>,
    notices: AsyncFd<OwnedFd>,
    reload: Signal,
    dump: Signal,
    terminate: Signal,
    interrupt: Signal,
}

/// Records until SIGTERM or SIGINT.
pub async fn serve(config: Config, named: Option<&Path>) -> Result<()> {
    let given = listenfd::ListenFd::from_env().take_unix_listener(0).context("take the socket that systemd made")?;
    let socket = Socket::open(&config.socket, given)?;
    let (mut daemon, mut inbox, asked) = Daemon::start(config, named)?;
    if let Some(address) = daemon.config.metrics {
        tokio::spawn(control::scrape(address, asked.clone()).await?);
    }
    tokio::spawn(control::serve(socket, asked));
    daemon.say_ready();
    daemon.run(&mut inbox).await
}

impl Daemon {
    fn start(config: Config, named: Option<&Path>) -> Result<(Self, Inbox, mpsc::Sender<Request>)> {
        let store = Store::open(&config.store.directory)?;
        store.seal_for(config.recipients());
        if let Some(directory) =
            config.keeper().as_deref().and_then(Path::parent).filter(|directory| directory.exists())
        {
            control::trusted(directory).context("use the keeper's socket")?;
        }
        let (recorder, replaced) = Recorder::watch(&config.settings(), names::but_us(config.watching()?))?;
        if let Some(shrunk) = recorder.shrunk() {
            let (wanted, size) = (crate::render::size(shrunk.from as u64), crate::render::size(shrunk.to as u64));
            tracing::warn!(wanted, size, "rings are smaller than buffer-size, so that all of them fit into memory-max");
        }
        let (asked, requests) = mpsc::channel(WAITING);
        let notices = recorder.notices()?.try_clone_to_owned().context("wait for the kernel's notices")?;
        // SAFETY: an OwnedFd is the same open descriptor until it is dropped.
        let notices = unsafe { AsyncFd::register_with_interest(notices, Interest::READABLE) };
        let on = |kind: SignalKind| signal(kind).context("wait for signals");
        let (managers, units) = systemd::watch();
        let inbox = Inbox {
            requests,
            units,
            notices: notices.context("wait for the kernel's notices")?,
            reload: on(SignalKind::hangup())?,
            dump: on(SignalKind::user_defined2())?,
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
        };
        let redaction = Arc::new(config.redaction(recorder.least_strings())?);
        let mut daemon = Self {
            recorder,
            saving: Saving::new(store),
            followers: Vec::new(),
            names: Names::new(config.runtimes.clone()),
            began: SystemTime::now(),
            redaction,
            named: named.map(Path::to_owned),
            policy: config.policy(),
            config,
            triggers: Triggers::default(),
            undumped: Lives::default(),
            calls: Calls::default(),
            systemd: Systemd::new(),
            managers,
            replaced,
            earlier: JoinSet::new(),
            reading: JoinSet::new(),
            page: None,
        };
        let known: Vec<TrackId> = daemon.recorder.identities().map(|(id, ..)| id).collect();
        for id in known {
            daemon.born(id);
        }
        daemon.calls = Calls::new(daemon.config.standing()?, &daemon.recorder)?;
        daemon.saving.exec = daemon.config.exec();
        Ok((daemon, inbox, asked))
    }

    fn say_ready(&mut self) {
        self.recorder.started();
        self.tell_status();
        self.systemd.ready();
        let tracks = self.recorder.identities().count();
        let mib = self.recorder.memory().div_ceil(1 << 20);
        tracing::info!(tracks, mib, socket = %self.config.socket.display(), "recording");
        if let Err(error) = host::oom_kills_are_known() {
            tracing::info!(%error, "which memory ran out is not known of processes that the OOM killer ends: CAP_SYSLOG is missing");
        }
    }

    async fn run(&mut self, inbox: &mut Inbox) -> Result<()> {
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // A full queue of dumps is waited for; the rings hold them meanwhile.
            self.store_replaced();
            let due = self.triggers.next().filter(|_| self.saving.has_room());
            let follow = self.followers.iter().map(Follower::due).min();
            tokio::select! {
                Some(request) = inbox.requests.recv() => self.answer(request),
                ready = inbox.notices.readable() => {
                    // Before they are read: what comes meanwhile makes it readable again.
                    ready.context("wait for the kernel's notices")?.clear_ready();
                    let notices = self.recorder.read_notices()?;
                    self.see(&notices);
                }
                Some(failed) = inbox.units.recv() => self.see_unit(failed),
                Some(asked) = self.earlier.join_next() => {
                    if let Ok(Some(failed)) = asked {
                        self.judge_unit(&failed);
                    }
                }
                Some(read) = self.reading.join_next() => self.reloaded(read),
                () = at(self.recorder.next_look()) => {
                    let ends = self.recorder.look_at_ends(Instant::now())?;
                    self.see(&ends);
                }
                () = at(due) => self.dump_due()?,
                () = at(follow) => self.follow_on(),
                () = at(self.calls.next()) => self.look_at_calls(),
                () = self.saving.next() => {}
                Some((id, identity)) = self.names.next() => {
                    self.names.take_over(&mut self.recorder, id, identity);
                    self.calls.named(id, &self.recorder)?;
                }
                _ = second.tick() => self.tidy()?,
                _ = inbox.reload.recv() => self.reload(),
                _ = inbox.dump.recv() => self.dump_targets(&self.config.triggers.on_usr2.clone(), Cause::Request),
                _ = inbox.terminate.recv() => break,
                _ = inbox.interrupt.recv() => break,
            }
        }
        self.stop().await
    }

    /// What has to be looked after once a second.
    fn tidy(&mut self) -> Result<()> {
        let notices = self.recorder.tidy()?;
        self.see(&notices);
        // What happened while the daemon was away is judged with systemd's word, if there is one.
        if self.managers.hears(None) || self.began.elapsed().is_ok_and(|since| since > HEARD_WITHIN) {
            let meanwhile = self.recorder.meanwhile();
            self.see(&meanwhile);
        }
        self.names.look_for_marks(&mut self.recorder);
        self.names.ask_again(&self.recorder, Instant::now());
        self.tell_status();
        self.systemd.alive();
        Ok(())
    }

    /// Takes in the calls that rules name.
    fn look_at_calls(&mut self) {
        for found in self.calls.look(&self.recorder, &self.redaction, Instant::now()) {
            if let Some(identity) = self.recorder.identity(found.track) {
                let cause = Cause::Call { tid: found.call.tid, rule: found.rule, call: Some(Box::new(found.call)) };
                let hears = |user| self.managers.hears(user);
                let evidence = evidence::evidence(found.track, identity, cause, None, hears);
                self.weigh(evidence);
            }
        }
    }

    fn tell_status(&mut self) {
        let tracks = self.recorder.identities().count();
        let mib = self.recorder.memory().div_ceil(1 << 20);
        let status = match (self.recorder.silent_since(), self.recorder.is_held()) {
            (Some(_), _) => "NOTHING IS RECORDED: the journal says why".to_owned(),
            (None, Some(false)) => format!("recording {tracks} cgroups, {mib} MiB; no keeper holds them"),
            (None, _) => format!("recording {tracks} cgroups, {mib} MiB"),
        };
        self.systemd.status(status);
    }

    /// Takes in that a cgroup is recorded.
    fn born(&mut self, id: TrackId) {
        self.names.born(&mut self.recorder, id);
        let identity = self.recorder.identity(id).filter(|identity| identity.container.is_none());
        if let Some(user) = identity.and_then(|identity| identity.user) {
            self.managers.watch_user(user);
        }
    }

    /// Takes in what the kernel tells.
    fn see(&mut self, notices: &[Notice]) {
        for notice in notices {
            match notice {
                Notice::Born(id) => self.born(*id),
                Notice::Died { track, .. } => {
                    let identity = self.recorder.identity(*track);
                    let hears = |user| self.managers.hears(user);
                    let death = identity.and_then(|identity| evidence::death(notice, identity, hears));
                    if let Some(evidence) = death {
                        self.weigh(evidence);
                    }
                }
                Notice::Called { track, time } => {
                    if let Some(identity) = self.recorder.identity(*track) {
                        self.calls.told(*track, identity, *time, Instant::now());
                    }
                }
                Notice::Gone(_) => {}
            }
        }
    }

    /// Takes in that a unit failed. What is told again when the daemon starts may be stored already.
    fn see_unit(&mut self, failed: UnitFailed) {
        if failed.earlier {
            let store = self.saving.store.clone();
            self.earlier.spawn_blocking(move || (!has_one_of(&store, &failed)).then_some(failed));
        } else {
            self.judge_unit(&failed);
        }
    }

    fn judge_unit(&mut self, failed: &UnitFailed) {
        // Which cgroups are gone is known first: a new life of the unit may have begun.
        match self.recorder.read_notices() {
            Ok(notices) => self.see(&notices),
            Err(error) => tracing::warn!(error = %format!("{error:#}"), "the kernel's notices cannot be read"),
        }
        self.names.look_for_marks(&mut self.recorder);
        let Some(track) = names::track_of(&mut self.recorder, failed) else {
            tracing::debug!(unit = failed.unit, result = failed.result, "a unit failed that is not recorded");
            return;
        };
        if let Some(identity) = self.recorder.identity(track) {
            let active = failed.active.map(|microseconds| microseconds.saturating_mul(1000));
            let cause = Cause::Unit { result: failed.result.clone(), status: failed.status, active };
            let evidence = evidence::evidence(track, identity, cause, failed.pid, |user| self.managers.hears(user));
            self.weigh(evidence);
        }
    }

    fn weigh(&mut self, evidence: Evidence) {
        // Of what is off there is nothing to store.
        if self.recorder.is_off(TrackId(evidence.track)) {
            return;
        }
        let (track, cause, name) = (evidence.track, evidence.cause.clone(), evidence.name.clone());
        let verdict = self.triggers.see(&self.policy, evidence, Instant::now());
        tracing::debug!(track, %cause, ?verdict, "a trigger");
        let reason = match verdict {
            Verdict::Planned | Verdict::Unwanted => return,
            Verdict::Told => "told",
            Verdict::Limited(limit, _) => limit.word(),
        };
        *self.saving.counts.suppressed.entry(reason).or_default() += 1;
        if let Verdict::Limited(limit, _) = verdict {
            self.remember(TrackId(track), &name, &cause, limit);
        }
        if let Verdict::Limited(limit, true) = verdict {
            tracing::warn!(
                target_name = name,
                %cause,
                limit = limit.word(),
                "it dies more often than [triggers] lets it have dumps: its last death will have one, and `traceloop \
                 ps` counts those that have none"
            );
        }
    }

    /// A life ends without a dump. Calls that rules name end none.
    fn remember(&mut self, track: TrackId, name: &str, cause: &Cause, limit: Limit) {
        let known = self.recorder.identity(track).zip(self.recorder.began(track));
        if let Some((identity, began)) = known.filter(|_| !matches!(cause, Cause::Call { .. })) {
            let life = describe::undumped(identity, began, cause, limit);
            self.undumped.add(name, life);
        }
    }

    /// Stores the histories of a recording that could not go on, as there is room.
    fn store_replaced(&mut self) {
        while self.saving.has_room()
            && let Some(recording) = self.replaced.pop()
        {
            self.store(move || recording, None, None);
        }
    }

    /// Stores a recording, without what the configuration wants taken out of it.
    pub(super) fn store(
        &mut self,
        recording: impl FnOnce() -> Recording + Send + 'static,
        last: Option<Last>,
        reply: Option<control::Reply<control::Saved>>,
    ) {
        let limits = (self.config.retention(), self.config.dump_most());
        self.saving.store(recording, self.redaction.clone(), limits, last, reply);
    }

    /// Makes the planned dumps whose time has come.
    fn dump_due(&mut self) -> Result<()> {
        while self.saving.has_room()
            && let Some(planned) = self.triggers.due(Instant::now())
        {
            self.dump_one(planned);
        }
        Ok(())
    }

    /// Stores what a track holds. One that cannot be read ends its own dump only.
    fn dump_one(&mut self, planned: Planned) {
        let track = TrackId(planned.track);
        self.names.look_for_mark(&mut self.recorder, track);
        match self.recorder.dump_tracks(&self.with_others(track, &planned.cause), planned.cause) {
            Ok(copied) => {
                if let (Some(last), Some(identity)) = (&planned.last, self.recorder.identity(track)) {
                    self.undumped.has_dump(&last.name, identity.cgroup_id, last.again);
                }
                self.store(move || copied.whole(), planned.last, None);
            }
            // It has waited, and others may have needed its rings.
            Err(error) if planned.last.is_some() && self.recorder.identity(track).is_none() => {
                tracing::info!(%track, error = %format!("{error:#}"), "the last of many deaths has no dump");
            }
            Err(error) => {
                self.saving.counts.failed += 1;
                tracing::error!(%track, error = %format!("{error:#}"), "a dump was not made");
            }
        }
    }

    /// A track and what else its dump is to hold.
    fn with_others(&self, track: TrackId, cause: &Cause) -> Vec<TrackId> {
        let mut tracks = vec![track];
        let with = self.recorder.identity(track).map(|identity| self.calls.with(identity, cause)).unwrap_or_default();
        for target in with {
            match self.choose(target) {
                Ok(others) => others.into_iter().for_each(|other| {
                    if !tracks.contains(&other) && tracks.len() < TOGETHER {
                        tracks.push(other);
                    }
                }),
                Err(error) => tracing::warn!(target, %error, "a dump is made without what [triggers] wants in it"),
            }
        }
        tracks
    }

    /// Plans dumps of all that some targets mean, so that no more are in memory at once than may be.
    fn dump_targets(&mut self, targets: &[String], cause: Cause) {
        for target in targets {
            match self.choose(target) {
                Ok(tracks) => {
                    tracks.iter().for_each(|track| self.triggers.plan(track.0, cause.clone(), Instant::now()))
                }
                Err(error) => tracing::warn!(target, %error, "nothing to dump"),
            }
        }
    }

    fn follow_on(&mut self) {
        let now = Instant::now();
        let (recorder, redaction) = (&self.recorder, &self.redaction);
        self.followers.retain_mut(|follower| follower.due() > now || follower.step(recorder, redaction, now));
    }

    /// Reads the configuration again, beside everything else; one with a mistake changes nothing.
    fn reload(&mut self) {
        self.systemd.reloading();
        let (named, directory) = (self.named.clone(), self.config.store.directory.clone());
        self.reading.spawn_blocking(move || {
            let new = Config::read(named.as_deref())?;
            let is_another = new.store.directory != directory;
            let store = is_another.then(|| Store::open(&new.store.directory)).transpose()?;
            Ok((new, store))
        });
    }

    fn reloaded(&mut self, read: Result<Result<(Config, Option<Store>)>, JoinError>) {
        let read = read.map_err(Error::from).flatten();
        if let Err(error) = read.and_then(|(new, store)| self.take_over(new, store)) {
            tracing::error!(error = %format!("{error:#}"), "the configuration stays as it was");
        }
        self.systemd.ready();
    }

    fn take_over(&mut self, new: Config, store: Option<Store>) -> Result<()> {
        // Before anything changes: it may be refused.
        self.recorder.set_profiles(new.profiles())?;
        let redaction = new.redaction(self.recorder.least_strings())?;
        let recipients = new.recipients();
        if let Some(store) = store {
            self.saving.replace(store);
        }
        self.saving.store.seal_for(recipients);
        for part in self.config.needs_restart(&new) {
            tracing::warn!(part, "this part of the configuration is looked at when the daemon starts");
        }
        self.redaction = Arc::new(redaction);
        self.policy = new.policy();
        self.calls = self.calls.reloaded(new.standing()?, &self.recorder)?;
        self.saving.exec = new.exec();
        self.config = self.config.reloaded(new);
        tracing::info!("the configuration was read again");
        Ok(())
    }

    /// Strings that were cut where they are short are known as such.
    pub(super) fn look_at_strings(&mut self) -> Result<()> {
        self.redaction = Arc::new(self.config.redaction(self.recorder.least_strings())?);
        Ok(())
    }

    /// Stores what is planned and what is to be kept.
    async fn stop(&mut self) -> Result<()> {
        self.systemd.stopping();
        self.dump_targets(&self.config.triggers.on_stop.clone(), Cause::Exit);
        for planned in self.triggers.all() {
            while !self.saving.has_room() {
                self.saving.next().await;
            }
            self.dump_one(planned);
        }
        let stored = async {
            while !self.saving.is_idle() {
                self.saving.next().await;
            }
        };
        let stored = timeout(STORED_WITHIN, stored).await.context("wait for dumps to reach the disk");
        // A service may be on its way to a restart: its keeper is a service of its own, and waits.
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            self.recorder.end();
        } else if self.recorder.is_held() == Some(true) {
            tracing::info!(
                "the keeper goes on recording, and a client of the socket starts the daemon again: `systemctl stop \
                 traceloop.socket traceloop-keeper` ends both"
            );
        }
        stored
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time.into()).await,
        None => pending().await,
    }
}
