//! Answers to clients' requests.

use std::time::SystemTime;

use anyhow::Result;

use super::{
    choosing::choose,
    describe, following,
    following::Follower,
    run::{Daemon, TOGETHER},
    stored,
    stored::Whose,
};
use crate::{
    control::{
        Add, Fire, FollowWanted, Kind, Limited, Peer, Problem, Reply, Request, Status, StuckWanted, Track, Which,
    },
    decode, host,
    model::{Cause, Module, Stack, Stuck, plain},
    recorder::{TrackId, Unfound, Windows, find},
    store,
};

impl Daemon {
    /// Answers a request; a client that is gone gets none.
    pub(super) fn answer(&mut self, request: Request) {
        match request {
            Request::Status(reply) => send(reply, self.status()),
            Request::Tracks(target, reply) => send(reply, self.tracks(target.as_deref())),
            Request::Track(id, reply) => send(reply, self.info(id)),
            Request::GivenUp(reply) => {
                send(reply, Ok(self.recorder.given_up().0.iter().map(describe::given_up).collect()));
            }
            Request::Add(add, peer, reply) => {
                let added = self.add(&add);
                if let Ok(track) = &added {
                    self.tell_of("add", &track.target, &peer);
                }
                send(reply, added);
            }
            Request::Close(id, peer, reply) => {
                let target = self.target(id);
                let closed = self.close(id);
                if closed.is_ok() {
                    self.tell_of("close", &target, &peer);
                }
                send(reply, closed);
            }
            Request::Triggers(reply) => send(reply, Ok(self.calls.triggers())),
            Request::AddTrigger(add, peer, reply) => {
                let added = self.calls.add(&add, &self.recorder);
                if added.is_ok() {
                    self.tell_of("trigger add", &add.rule, &peer);
                }
                send(reply, added);
            }
            Request::RemoveTrigger(number, peer, reply) => {
                let removed = self.calls.remove(number, &self.recorder);
                if removed.is_ok() {
                    self.tell_of("trigger rm", &number.to_string(), &peer);
                }
                send(reply, removed);
            }
            Request::Fire(fire, peer, reply) if !reply.is_closed() => self.fire(&fire, &peer, reply),
            Request::Fire(..) => {}
            Request::Stuck(wanted, peer, reply) if !reply.is_closed() => self.stuck(&wanted, &peer, reply),
            Request::Dump(which, peer, reply) if !reply.is_closed() => self.dump(&which, &peer, reply),
            Request::Save(id, peer, reply) if !reply.is_closed() => self.save(id, &peer, reply),
            Request::Follow(wanted, peer, reply) if !reply.is_closed() => {
                let target = self.called(&wanted.which);
                let news = self.follow(wanted);
                if news.is_ok() {
                    self.tell_of("follow", &target, &peer);
                }
                send(reply, news);
            }
            Request::Stored(which, peer, reply) => {
                if which.follow {
                    self.tell_of("stream", "stored dumps", &peer);
                }
                let news = which.follow.then(|| self.saving.news());
                stored::list(Whose::of(self.saving.directory(), &peer), which, news, reply);
            }
            Request::StoredFile(id, peer, reply) => {
                // What is somebody's own is no news, and he could flood the log with it.
                if peer.only.is_none() {
                    self.tell_of("stored", &id, &peer);
                }
                stored::file(Whose::of(self.saving.directory(), &peer), id, reply);
            }
            Request::Stuck(..) | Request::Dump(..) | Request::Save(..) | Request::Follow(..) => {}
            Request::Count(wanted, reply) => self.count(&wanted, reply),
            Request::Metrics(reply) => send(reply, self.metrics().map_err(Into::into)),
        }
    }

    /// Who was given what: what is recorded may hold secrets.
    fn tell_of(&self, what: &'static str, target: &str, peer: &Peer) {
        let (target, comm) = (plain(target), plain(&peer.comm));
        tracing::info!(what, target_name = %target, uid = peer.uid, pid = peer.pid, comm = %comm, "a client was served");
    }

    /// What people call a track.
    fn target(&self, id: u64) -> String {
        self.recorder.identity(TrackId(id)).map(ToString::to_string).unwrap_or_default()
    }

    /// The same of what a client asks for.
    fn called(&self, which: &Which) -> String {
        match which {
            Which::Track(id) => self.target(*id),
            Which::Target(target) => target.clone(),
        }
    }

    fn status(&self) -> Result<Status, Problem> {
        let since = self.began.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            since: since.try_into().unwrap_or(i64::MAX),
            tracks: self.recorder.identities().count() as u64,
            memory: self.recorder.memory() as u64,
            memory_max: self.recorder.memory_most() as u64,
            losses: self.recorder.losses()?,
            limited: self.limited(),
            recording: self.recorder.silent_since().is_none(),
            silences: self.recorder.silences().map(describe::silence).collect(),
            held: self.recorder.is_held(),
            cost: Some(describe::cost(self.recorder.cost())),
        })
    }

    /// What died and has no dump, for the limits; whoever did so last is last.
    pub(super) fn limited(&self) -> Vec<Limited> {
        let mut missed: Vec<_> = self.triggers.missed().collect();
        missed.sort_by_key(|(_, missed)| missed.last);
        missed.into_iter().map(|(name, missed)| describe::limited(name, missed, self.undumped.of(name))).collect()
    }

    fn tracks(&self, target: Option<&str>) -> Result<Vec<Track>, Problem> {
        let Some(target) = target else {
            return Ok(self.recorder.tracks(Windows::Now)?.iter().map(describe::track).collect());
        };
        let mut chosen = self.choose(target)?;
        chosen.sort_unstable();
        Ok(self.recorder.tracks_of(&chosen)?.iter().map(describe::track).collect())
    }

    /// The tracks that TARGET means.
    pub(super) fn choose(&self, target: &str) -> Result<Vec<TrackId>, Problem> {
        choose(&self.recorder, target)
    }

    /// The tracks that a client asks for.
    fn which(&self, which: &Which) -> Result<Vec<TrackId>, Problem> {
        match which {
            Which::Target(target) => self.choose(target),
            Which::Track(id) if self.recorder.identity(TrackId(*id)).is_none() => Err(Problem::no_track(*id)),
            Which::Track(id) => Ok(vec![TrackId(*id)]),
        }
    }

    fn info(&self, id: u64) -> Result<Track, Problem> {
        let info = self.recorder.track_info(TrackId(id)).map_err(|_| Problem::no_track(id))?;
        Ok(describe::track(&info))
    }

    fn add(&mut self, add: &Add) -> Result<Track, Problem> {
        let wrong = |error: anyhow::Error| Problem::new(Kind::Wrong, format!("understand the settings: {error:#}"));
        if let Some(settings) = &add.settings {
            settings.check_own().and_then(|()| self.recorder.can_record(settings)).map_err(wrong)?;
        }
        let cgroup = find(&add.target).map_err(problem)?;
        let known = self.recorder.identities().find(|(_, identity, _)| identity.cgroup_id == cgroup.id());
        let known = known.filter(|(id, ..)| !self.recorder.is_in_lobby(*id));
        let id = match (known, &add.settings) {
            (Some((id, identity, _)), None) => {
                return Err(Problem::new(Kind::Conflict, format!("{identity} is recorded already, as {id}")));
            }
            (Some((id, ..)), Some(_)) => id,
            (None, _) => self.recorder.add(cgroup)?,
        };
        if let Some(settings) = &add.settings {
            self.recorder.ask_for(id, settings.clone())?;
            self.look_at_strings()?;
        }
        self.names.born(&mut self.recorder, id);
        self.info(id.0)
    }

    fn close(&mut self, id: u64) -> Result<(), Problem> {
        if self.recorder.identity(TrackId(id)).is_none() {
            return Err(Problem::no_track(id));
        }
        if self.recorder.is_rest(TrackId(id)) {
            let sentence = format!("#{id} is all that is in no unit: while the daemon runs, it cannot be closed");
            return Err(Problem::new(Kind::Conflict, sentence));
        }
        Ok(self.recorder.close(TrackId(id))?)
    }

    /// Asks the kernel here, looks into processes elsewhere.
    fn stuck(&self, wanted: &StuckWanted, peer: &Peer, reply: Reply<Vec<Stuck>>) {
        let tracks = match &wanted.target {
            Some(target) => self.choose(target),
            None => Ok(self.recorder.identities().filter(|(_, _, live)| *live).map(|(id, ..)| id).collect()),
        };
        let copied = tracks.and_then(|tracks| Ok(self.recorder.calls_in_flight(&tracks, wanted.longer)?));
        let copied = match copied {
            Ok(copied) => copied,
            Err(problem) => return send(reply, Err(problem)),
        };
        self.tell_of("stuck", wanted.target.as_deref().unwrap_or("all"), peer);
        let (redaction, longer) = (self.redaction.clone(), wanted.longer);
        tokio::task::spawn_blocking(move || {
            let longer = u64::try_from(longer.as_nanos()).unwrap_or(u64::MAX);
            let recording = redaction.apply(copied.whole());
            let stuck = decode::stuck(&recording, longer);
            send(reply, stuck.map(|stuck| with_lines(&recording.dump.modules, stuck)).map_err(Into::into));
        });
    }

    /// Copies the rings here, packs them elsewhere.
    fn dump(&self, which: &Which, peer: &Peer, reply: Reply<Vec<u8>>) {
        let copied = self.which(which).and_then(|tracks| Ok(self.recorder.dump_tracks(&tracks, Cause::Request)?));
        let copied = match copied {
            Ok(copied) => copied,
            Err(problem) => return send(reply, Err(problem)),
        };
        self.tell_of("dump", &self.called(which), peer);
        let redaction = self.redaction.clone();
        tokio::task::spawn_blocking(move || {
            let mut file = Vec::new();
            let written = store::write(&mut file, &decode::summed_up(redaction.apply(copied.whole())));
            send(reply, written.map(|()| file).map_err(Into::into));
        });
    }

    fn save(&mut self, id: u64, peer: &Peer, reply: Reply<crate::control::Saved>) {
        match self.recorder.dump_track(TrackId(id), Cause::Request) {
            Ok(copied) => {
                self.tell_of("save", &self.target(id), peer);
                self.store(move || copied.whole(), None, Some(reply));
            }
            Err(_) if self.recorder.identity(TrackId(id)).is_none() => send(reply, Err(Problem::no_track(id))),
            Err(error) => send(reply, Err(error.into())),
        }
    }

    /// Stores one dump of all that is named.
    fn fire(&mut self, fire: &Fire, peer: &Peer, reply: Reply<crate::control::Saved>) {
        let mut tracks: Vec<TrackId> = Vec::new();
        for target in &fire.targets {
            match self.choose(target) {
                Ok(chosen) => tracks.extend(chosen),
                Err(problem) => return send(reply, Err(problem)),
            }
        }
        let mut seen = std::collections::HashSet::new();
        tracks.retain(|track| seen.insert(*track));
        if tracks.is_empty() || tracks.len() > TOGETHER {
            let sentence = format!("one dump holds 1 to {TOGETHER} recordings, and {} are named", tracks.len());
            return send(reply, Err(Problem::new(Kind::Wrong, sentence)));
        }
        match self.recorder.dump_tracks(&tracks, Cause::Request) {
            Ok(copied) => {
                self.tell_of("trigger fire", &fire.targets.join(" "), peer);
                self.store(move || copied.whole(), None, Some(reply));
            }
            Err(error) => send(reply, Err(error.into())),
        }
    }

    fn follow(&mut self, wanted: FollowWanted) -> Result<tokio::sync::mpsc::Receiver<Vec<u8>>, Problem> {
        let tracks = match self.which(&wanted.which) {
            Err(Problem { kind: Kind::NotFound, .. }) if wanted.wait => Vec::new(),
            tracks => tracks?,
        };
        if self.followers.len() >= following::MOST {
            let sentence = format!("{} clients follow already: that is the most", following::MOST);
            return Err(Problem::new(Kind::Busy, sentence));
        }
        let (follower, news) = Follower::new(&self.recorder, self.redaction.clone(), &tracks, wanted)?;
        self.followers.push(follower);
        Ok(news)
    }
}

/// A client that is gone needs no answer.
fn send<T>(reply: Reply<T>, answer: Result<T, Problem>) {
    let _ = reply.send(answer);
}

/// Whose fault it is that a name means no cgroup.
pub(super) fn problem(unfound: Unfound) -> Problem {
    match unfound {
        Unfound::Wrong(sentence) => Problem::new(Kind::Wrong, sentence),
        Unfound::Nothing(sentence) => Problem::new(Kind::NotFound, sentence),
        Unfound::Several(sentence) => Problem::new(Kind::Conflict, sentence),
        Unfound::Failed(error) => error.into(),
    }
}

/// Calls that hang with where they were made.
fn with_lines(modules: &[Module], hung: Vec<(Stuck, Option<Stack>)>) -> Vec<Stuck> {
    let (mut calls, stacks): (Vec<_>, Vec<_>) = hung
        .into_iter()
        .map(|(call, stack)| {
            let pid = call.pid;
            (call, (pid, stack))
        })
        .unzip();
    for (call, lines) in calls.iter_mut().zip(host::stack_lines(modules, &stacks)) {
        call.stack = lines;
    }
    calls
}
