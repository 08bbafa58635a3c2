//! Walking the tree: what is there already at the start, and again where a notice was lost.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::Result;

use super::{
    Recorder, TrackId, boottime,
    manager::{self, Member, members},
    slot::{LOBBY, REST, is_lent},
    track::name_of,
    tree::Node,
};
use crate::{
    cgroup::{Cgroup, NameKind, Rules, kind_of},
    kernel::Assignment,
};

/// How many named leaves there are that the rules want.
pub(super) fn leaves(root: &Cgroup, rules: &Rules) -> usize {
    let mut count = 0;
    let mut left = vec![root.path().to_owned()];
    while let Some(path) = left.pop() {
        for (path, name) in below(&path) {
            let kind = kind_of(&name);
            let wanted = kind != NameKind::Pass && rules.wants(&name_of(&path, root.path()));
            count += usize::from(wanted);
            match kind {
                NameKind::Leaf => left.extend(Cgroup::open(&path).iter().flat_map(|leaf| managed(leaf, root.path()))),
                NameKind::Pass | NameKind::Both => left.push(path),
            }
        }
    }
    count
}

/// The cgroups of a leaf that a service manager has.
fn managed(leaf: &Cgroup, root: &Path) -> Vec<PathBuf> {
    let members = members(leaf, root).unwrap_or_default().into_iter();
    members.filter(|member| member.parted).map(|member| member.cgroup.path().to_owned()).collect()
}

fn below(path: &Path) -> Vec<(PathBuf, String)> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories.map(|entry| (entry.path(), entry.file_name().to_string_lossy().into_owned())).collect()
}

impl Recorder {
    /// Takes in what the rules want and is not recorded yet.
    pub(super) fn take_in(&mut self) -> Result<BTreeSet<u64>> {
        Ok(self.walk(vec![self.root.clone()])?.0)
    }

    /// The same of what is below these, which only hold others: what is there, and what was not recorded yet.
    pub(super) fn walk(&mut self, mut left: Vec<PathBuf>) -> Result<(BTreeSet<u64>, Vec<TrackId>)> {
        let mut found = BTreeSet::new();
        let mut new = Vec::new();
        while let Some(path) = left.pop() {
            // What goes away meanwhile is left out.
            let Ok(cgroup) = Cgroup::open(&path) else { continue };
            found.insert(cgroup.id());
            for (path, name) in below(&path) {
                if let Ok(cgroup) = Cgroup::open(&path) {
                    left.extend(self.take_in_one(&cgroup, &name, &mut found, &mut new)?);
                }
            }
        }
        if self.watched()?.descriptors {
            self.look_at_files(&new);
        }
        Ok((found, new))
    }

    /// Takes one cgroup in, whose parent only holds others; of which cgroups those below are looked at, too.
    fn take_in_one(
        &mut self,
        cgroup: &Cgroup,
        name: &str,
        found: &mut BTreeSet<u64>,
        new: &mut Vec<TrackId>,
    ) -> Result<Vec<PathBuf>> {
        let shown = name_of(cgroup.path(), &self.root);
        let kind = kind_of(name);
        let parted = kind != NameKind::Leaf;
        let itself = || vec![cgroup.path().to_owned()];
        found.insert(cgroup.id());
        if kind == NameKind::Leaf {
            found.extend(cgroup.descendants().iter().map(Cgroup::id));
        }
        let known = self.kernel.assignment(cgroup.id())?;
        let root = self.root.clone();
        let watch = self.watched_mut()?;
        if let Some(node) = watch.tree.get(cgroup.id()) {
            // Nobody looks below what is not recorded.
            return Ok(match node.track {
                _ if parted => itself(),
                Some(_) => managed(cgroup, &root),
                None => Vec::new(),
            });
        }
        let wanted = if kind == NameKind::Pass { !watch.rules.forbids(&shown) } else { watch.rules.wants(&shown) };
        if !wanted {
            watch.tree.add(cgroup.id(), Node { path: cgroup.path().to_owned(), parted, track: None });
            if known.is_some() {
                self.kernel.release(cgroup)?;
            }
            return Ok(if kind == NameKind::Both { itself() } else { Vec::new() });
        }
        if kind == NameKind::Pass {
            let rest = watch.rest;
            self.kernel.assign(cgroup, Assignment { slot: REST, parted: true })?;
            let node = Node { path: cgroup.path().to_owned(), parted, track: Some(rest) };
            self.watched_mut()?.tree.add(cgroup.id(), node);
            return Ok(itself());
        }
        let identity = self.identity_of(cgroup);
        // The kernel side has given it a slot and the notice was lost, or is still to come.
        let taken = known.filter(|known| is_lent(known.slot)).and_then(|known| self.spare.remove(&known.slot));
        let slot = match taken {
            Some(slot) => Some(slot),
            None => self.lend()?,
        };
        let number = slot.as_ref().map_or(LOBBY, |slot| slot.number);
        let id = self.begin_track(identity, cgroup.path().to_owned(), parted, slot, boottime());
        new.push(id);
        if parted {
            self.kernel.assign(cgroup, Assignment { slot: number, parted })?;
            return Ok(itself());
        }
        // One that goes away meanwhile has no members.
        let members = match Cgroup::open(cgroup.path()) {
            Ok(leaf) => manager::assign(leaf, &root, number, &self.kernel)?,
            Err(_) => Vec::new(),
        };
        let watch = self.watched_mut()?;
        for Member { cgroup, parted } in &members {
            watch.tree.add(cgroup.id(), Node { path: cgroup.path().to_owned(), parted: *parted, track: Some(id) });
        }
        let parted = members.into_iter().filter(|member| member.parted);
        Ok(parted.map(|member| member.cgroup.path().to_owned()).collect())
    }
}
