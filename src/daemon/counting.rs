//! Counting calls for a client: which cgroups are meant. The counting is a thread of its own, beside the task.

use std::path::PathBuf;

use super::{requests::problem, run::Daemon};
use crate::{
    cgroup::v2_mount,
    control::{CountWanted, Kind, Problem, Reply},
    model::Reading,
    recorder,
};

impl Daemon {
    /// Has calls counted for as long as the client takes the readings.
    pub(super) fn count(&self, wanted: &CountWanted, reply: Reply<tokio::sync::mpsc::Receiver<Reading>>) {
        let places = match self.places(wanted.target.as_deref()) {
            Ok(places) => places,
            Err(problem) => return drop(reply.send(Err(problem))),
        };
        let started = move |readings: anyhow::Result<_>| drop(reply.send(readings.map_err(Into::into)));
        if let Err(error) = recorder::count(places, wanted.every, started) {
            tracing::warn!(error = %format!("{error:#}"), "nothing is counted");
        }
    }

    /// The directories of what a target means, recorded or not; the whole tree without one.
    fn places(&self, target: Option<&str>) -> Result<Vec<PathBuf>, Problem> {
        let Some(target) = target else { return Ok(vec![v2_mount()?.point]) };
        let find = || recorder::find(target).map(|cgroup| vec![cgroup.path().to_owned()]);
        // A recording may be of more than the path or the process.
        if (target.starts_with('/') || target.parse::<u32>().is_ok())
            && let Ok(found) = find()
        {
            return Ok(found);
        }
        let chosen = match self.choose(target) {
            Ok(chosen) => chosen,
            Err(unmatched) if unmatched.kind == Kind::NotFound => return find().map_err(problem),
            Err(unmatched) => return Err(unmatched),
        };
        let live = self.recorder.identities().filter(|(id, _, live)| *live && chosen.contains(id));
        let paths: Vec<_> = live.filter_map(|(id, ..)| self.recorder.path_of(id)).collect();
        if paths.is_empty() {
            return Err(Problem::new(Kind::NotFound, format!("{target} has ended: it makes no calls any more")));
        }
        Ok(paths)
    }
}
