//! The names of cgroups: what the daemon calls them, or what their paths tell.

use std::{collections::HashMap, path::PathBuf};

use crate::{cgroup::Cgroup, control::Track, identity, model::Reading};

/// Names by the ids of cgroups; what is gone keeps its name.
pub(super) struct Units {
    root: PathBuf,
    names: HashMap<u64, String>,
}

impl Units {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, names: HashMap::new() }
    }

    /// Whether all of a reading's cgroups have names.
    pub(super) fn know(&self, reading: &Reading) -> bool {
        reading.counts.iter().all(|count| self.names.contains_key(&count.cgroup))
    }

    /// Looks at the whole tree, and at what is recorded; what is gone already stays as its id.
    pub(super) fn learn(&mut self, reading: &Reading, tracks: &[Track]) {
        if let Ok(root) = Cgroup::open(&self.root) {
            for cgroup in root.descendants().iter().chain([&root]) {
                let (id, path) = (cgroup.id(), cgroup.name());
                self.names.entry(id).or_insert_with(|| match recorded(&path, tracks) {
                    Some(track) => track.target.clone(),
                    None => identity::of_path(&path, id).to_string(),
                });
            }
        }
        for count in &reading.counts {
            self.names.entry(count.cgroup).or_insert_with(|| format!("cgroup {}", count.cgroup));
        }
    }

    pub(super) fn name(&self, cgroup: u64) -> String {
        self.names.get(&cgroup).cloned().unwrap_or_default()
    }
}

/// The recording that a cgroup belongs to; not that of all that is in no unit.
fn recorded<'a>(path: &str, tracks: &'a [Track]) -> Option<&'a Track> {
    let holds = |track: &&Track| {
        let inside = path.strip_prefix(&track.identity.cgroup);
        track.ended.is_none() && inside.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let named = tracks.iter().filter(|track| track.identity.cgroup != "/");
    named.filter(holds).max_by_key(|track| track.identity.cgroup.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Counted, Identity};

    fn track(cgroup: &str, target: &str) -> Track {
        let identity = Identity { cgroup: cgroup.into(), ..Identity::default() };
        Track { target: target.into(), identity, ..Track::default() }
    }

    #[test]
    fn the_innermost_recording_names_a_cgroup() {
        let tracks = [track("/", "/"), track("/a", "outer"), track("/a/b", "inner")];
        let name = |path| recorded(path, &tracks).map(|track| track.target.as_str());
        assert_eq!([name("/a/b/c"), name("/a/bc"), name("/ab"), name("/")], [Some("inner"), Some("outer"), None, None]);
    }

    #[test]
    fn a_cgroup_that_is_gone_is_its_id() {
        let mut units = Units::new("/nonexistent".into());
        let reading = Reading { counts: vec![Counted { cgroup: 7, ..Counted::default() }], ..Reading::default() };
        assert!(!units.know(&reading));
        units.learn(&reading, &[]);
        assert!(units.know(&reading));
        assert_eq!(units.name(7), "cgroup 7");
    }
}
