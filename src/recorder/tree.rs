//! The cgroups that are known: their paths, and whose track each belongs to.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
};

use super::TrackId;

/// A cgroup that exists.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) path: PathBuf,
    /// Whether what is made below is looked at by its own name.
    pub(super) parted: bool,
    /// Whose records it makes; `None`: it is not recorded.
    pub(super) track: Option<TrackId>,
}

/// So many cgroups of one track are told apart in a shared ring.
const MEMBERS_MOST: usize = 4096;

/// All that exist, by id.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: HashMap<u64, Node>,
    members: HashMap<TrackId, BTreeSet<u64>>,
}

impl Tree {
    pub(super) fn add(&mut self, cgroup: u64, node: Node) {
        if let Some(track) = node.track {
            let members = self.members.entry(track).or_default();
            members.insert(cgroup);
            // Ids grow: the first to go are long gone.
            if members.len() > MEMBERS_MOST {
                members.pop_first();
            }
        }
        self.nodes.insert(cgroup, node);
    }

    pub(super) fn get(&self, cgroup: u64) -> Option<&Node> {
        self.nodes.get(&cgroup)
    }

    /// It is gone; the track still owns what it left in a shared ring.
    pub(super) fn remove(&mut self, cgroup: u64) -> Option<Node> {
        self.nodes.remove(&cgroup)
    }

    /// The cgroups that have ever belonged to a track.
    pub(super) fn members(&self, track: TrackId) -> BTreeSet<u64> {
        self.members.get(&track).cloned().unwrap_or_default()
    }

    /// A track is no longer there.
    pub(super) fn forget(&mut self, track: TrackId) {
        for cgroup in self.members.remove(&track).unwrap_or_default() {
            if let Some(node) = self.nodes.get_mut(&cgroup) {
                node.track = None;
            }
        }
    }

    /// Those that the file system no longer has.
    pub(super) fn missing(&self, found: &BTreeSet<u64>) -> Vec<u64> {
        self.nodes.keys().copied().filter(|cgroup| !found.contains(cgroup)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_track_keeps_what_its_cgroups_left() {
        let mut tree = Tree::default();
        let node = |path: &str, track| Node { path: path.into(), parted: false, track };
        tree.add(1, node("/a", Some(TrackId(7))));
        tree.add(2, node("/a/b", Some(TrackId(7))));
        tree.add(3, node("/c", None));
        assert!(tree.remove(2).is_some() && tree.get(2).is_none());
        assert_eq!(tree.members(TrackId(7)), [1, 2].into());
        assert_eq!(tree.missing(&[1].into()), [3]);
        tree.forget(TrackId(7));
        assert_eq!(tree.get(1).unwrap().track, None);
        assert!(tree.members(TrackId(7)).is_empty());
    }
}
