//! The names of tracks: what the path tells at once, what systemd and container runtimes tell a moment later.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{
    cgroup::own,
    identity::{Resolver, Runtimes, cgroup_of, invocation_of, of_path},
    keeper::{Keeper, Place},
    model::Identity,
    recorder::{Recorder, TrackId, Watching},
    systemd::UnitFailed,
};

/// systemd marks a cgroup right after it made it; one that is not marked by then never is.
const TRIES: u32 = 5;

/// What is to be watched, but for what records: a service is left out by its unit's name, but the name of a
/// container's cgroup is another one each time.
pub(super) fn but_us(watching: Watching) -> Watching {
    let Watching { rules, keeper, .. } = watching;
    let there = keeper.as_ref().and_then(|place| Keeper::connect(&place.socket).ok().flatten());
    let kept_in = there.as_ref().and_then(Keeper::pid).and_then(|pid| cgroup_of(pid).ok());
    // Who started it elsewhere starts it again.
    let start = there.is_none() || kept_in.is_some() && kept_in == own();
    let keeper = keeper.map(|place| Place { start, ..place });
    let ours = own().into_iter().chain(kept_in).filter(|cgroup| of_path(cgroup, 0).container.is_some());
    let rules = rules.without(ours.collect());
    Watching { rules, keeper, ..watching }
}

/// What is still being asked for.
#[derive(Debug)]
pub(super) struct Names {
    resolver: Arc<Resolver>,
    asking: JoinSet<(TrackId, Identity)>,
    /// Tracks whose invocation is not known yet, and how often it was asked for.
    unmarked: HashMap<TrackId, u32>,
    /// Tracks whose runtime did not tell their container's name: how often it was asked, and when it is again.
    unnamed: HashMap<TrackId, (usize, Instant)>,
}

/// A runtime that has just started may be busy for longer than one question is worth.
const ASKED_AGAIN: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(8), Duration::from_secs(30), Duration::from_secs(120)];

impl Names {
    pub(super) fn new(runtimes: Runtimes) -> Self {
        let resolver = Arc::new(Resolver::new(runtimes));
        Self { resolver, asking: JoinSet::new(), unmarked: HashMap::new(), unnamed: HashMap::new() }
    }

    /// A track has begun.
    pub(super) fn born(&mut self, recorder: &mut Recorder, id: TrackId) {
        let Some(known) = recorder.identity(id) else { return };
        let identity = of_path(&known.cgroup, known.cgroup_id);
        // A keeper's notes may hold names that no runtime knows any more.
        let named = known.container.as_ref().is_some_and(|container| container.name.is_some());
        if !named && (identity.container.is_some() || identity.pod.is_some()) {
            self.ask(id, identity);
        }
        let unmarked = known.unit.is_some() && known.invocation.is_none();
        if unmarked && !mark(recorder, id) {
            self.unmarked.insert(id, 1);
        }
    }

    fn ask(&mut self, id: TrackId, identity: Identity) {
        let resolver = self.resolver.clone();
        self.asking.spawn(async move { (id, resolver.resolve(identity).await) });
    }

    /// Asks again for names that were not told: to be called about once a second.
    pub(super) fn ask_again(&mut self, recorder: &Recorder, now: Instant) {
        let due: Vec<TrackId> = self.unnamed.iter().filter(|(_, (_, at))| *at <= now).map(|(id, _)| *id).collect();
        for id in due {
            let Some(known) = recorder.identity(id) else {
                self.unnamed.remove(&id);
                continue;
            };
            if let Some((tries, at)) = self.unnamed.get_mut(&id) {
                // Not before there is an answer.
                (*tries, *at) = (*tries + 1, now + Duration::from_secs(3600));
            }
            self.ask(id, of_path(&known.cgroup, known.cgroup_id));
        }
    }

    /// A runtime has told names, or none; what became known meanwhile stays.
    pub(super) fn take_over(&mut self, recorder: &mut Recorder, id: TrackId, named: Identity) {
        let Some(known) = recorder.identity(id) else {
            self.unnamed.remove(&id);
            return;
        };
        let tries = self.unnamed.get(&id).map_or(0, |(tries, _)| *tries);
        let is_named = named.container.as_ref().is_none_or(|container| container.name.is_some());
        if let Some(pause) = ASKED_AGAIN.get(tries).filter(|_| !is_named) {
            self.unnamed.insert(id, (tries, Instant::now() + *pause));
        } else {
            self.unnamed.remove(&id);
        }
        let invocation = known.invocation.clone().or(named.invocation);
        recorder.identify(id, Identity { invocation, ..named });
    }

    /// Waits for the next names that a runtime tells; for ever if none is asked.
    pub(super) async fn next(&mut self) -> Option<(TrackId, Identity)> {
        match self.asking.join_next().await {
            Some(named) => named.ok(),
            None => std::future::pending().await,
        }
    }

    /// Asks for the mark of one track before its dump: it may have lived too short for the next look.
    pub(super) fn look_for_mark(&mut self, recorder: &mut Recorder, id: TrackId) {
        if self.unmarked.contains_key(&id) && mark(recorder, id) {
            self.unmarked.remove(&id);
        }
    }

    /// Asks systemd's marks again: to be called about once a second, and before invocations matter.
    pub(super) fn look_for_marks(&mut self, recorder: &mut Recorder) {
        self.unmarked.retain(|id, tries| {
            *tries += 1;
            !mark(recorder, *id) && *tries <= TRIES
        });
    }
}

/// The track of an invocation that failed. systemd may be faster than we: then it is the newest track of the
/// unit whose invocation is not known, one that has ended before one that lives, since systemd may already
/// have started the unit again. From now on its invocation is known.
pub(super) fn track_of(recorder: &mut Recorder, failed: &UnitFailed) -> Option<TrackId> {
    let of_unit = |identity: &Identity| {
        identity.container.is_none() && identity.unit.as_ref() == Some(&failed.unit) && identity.user == failed.user
    };
    let (mut known, mut ended, mut living) = (None, None, None);
    for (id, identity, lives) in recorder.identities().filter(|(_, identity, _)| of_unit(identity)) {
        match &identity.invocation {
            Some(invocation) if *invocation == failed.invocation => known = known.or(Some(id)),
            Some(_) => {}
            None if lives => living = Some(id),
            None => ended = Some(id),
        }
    }
    // Its main process ended while its cgroup was there: one whose cgroup had gone before, or has been followed by
    // another, holds calls of an earlier life.
    let ended = ended.filter(|id| failed.exited.is_none_or(|exited| recorder.may_have_lived_at(*id, exited)));
    let living = living.filter(|id| !recorder.was_replaced(*id));
    // One that failed before we listened, and that we do not know, is ours if it ended while its track lived.
    let known = known.or_else(|| ended.filter(|id| failed.exited.is_some_and(|exited| recorder.lived_at(*id, exited))));
    let id = known.or_else(|| ended.or(living).filter(|_| !failed.earlier))?;
    let identity = recorder.identity(id)?.clone();
    recorder.identify(id, Identity { invocation: Some(failed.invocation.clone()), ..identity });
    Some(id)
}

/// Whether nothing is left to be looked for.
fn mark(recorder: &mut Recorder, id: TrackId) -> bool {
    let Some(identity) = recorder.identity(id) else { return true };
    let (path, cgroup_id) = (recorder.path_of(id), identity.cgroup_id);
    let Some(invocation) = path.and_then(|path| invocation_of(&path, cgroup_id)) else { return false };
    let identity = Identity { invocation: Some(invocation), ..identity.clone() };
    recorder.identify(id, identity);
    true
}
