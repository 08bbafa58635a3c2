//! The names of tracks: what the path tells at once, what systemd and container runtimes tell a moment later.

use std::{collections::HashMap, sync::Arc};

use tokio::task::JoinSet;

use crate::{
    identity::{Resolver, Runtimes, invocation_of, of_path},
    model::Identity,
    recorder::{Recorder, TrackId},
};

/// systemd marks a cgroup right after it made it; one that is not marked by then never is.
const TRIES: u32 = 5;

/// What is still being asked for.
#[derive(Debug)]
pub(super) struct Names {
    resolver: Arc<Resolver>,
    asking: JoinSet<(TrackId, Identity)>,
    /// Tracks whose invocation is not known yet, and how often it was asked for.
    unmarked: HashMap<TrackId, u32>,
}

impl Names {
    pub(super) fn new(runtimes: Runtimes) -> Self {
        let resolver = Arc::new(Resolver::new(runtimes));
        Self { resolver, asking: JoinSet::new(), unmarked: HashMap::new() }
    }

    /// A track has begun.
    pub(super) fn born(&mut self, recorder: &mut Recorder, id: TrackId) {
        let Some(known) = recorder.identity(id) else { return };
        let identity = of_path(&known.cgroup, known.cgroup_id);
        if identity.container.is_some() || identity.pod.is_some() {
            let (resolver, identity) = (self.resolver.clone(), identity.clone());
            self.asking.spawn(async move { (id, resolver.resolve(identity).await) });
        }
        let is_unit = identity.unit.is_some();
        recorder.identify(id, identity);
        if is_unit && !mark(recorder, id) {
            self.unmarked.insert(id, 1);
        }
    }

    /// Waits for the next names that a runtime tells; for ever if none is asked.
    pub(super) async fn next(&mut self) -> Option<(TrackId, Identity)> {
        match self.asking.join_next().await {
            Some(named) => named.ok(),
            None => std::future::pending().await,
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

/// A runtime has told names; what became known meanwhile stays.
pub(super) fn take_over(recorder: &mut Recorder, id: TrackId, named: Identity) {
    if let Some(known) = recorder.identity(id) {
        let invocation = known.invocation.clone().or(named.invocation);
        recorder.identify(id, Identity { invocation, ..named });
    }
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
