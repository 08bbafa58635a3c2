//! Walking the tree: what is there already at the start, and again where a notice was lost.

use std::{collections::BTreeSet, path::Path};

use anyhow::Result;

use super::{
    Recorder, TrackId, boottime,
    slot::{LOBBY, REST, is_lent},
    track::{assign_all, name_of},
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
            if kind != NameKind::Leaf {
                left.push(path);
            }
        }
    }
    count
}

fn below(path: &Path) -> Vec<(std::path::PathBuf, String)> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories.map(|entry| (entry.path(), entry.file_name().to_string_lossy().into_owned())).collect()
}

impl Recorder {
    /// Takes in what the rules want and is not recorded yet.
    pub(super) fn take_in(&mut self) -> Result<BTreeSet<u64>> {
        let mut found = BTreeSet::new();
        let mut new = Vec::new();
        let mut left = vec![self.root.clone()];
        while let Some(path) = left.pop() {
            // What goes away meanwhile is left out.
            let Ok(cgroup) = Cgroup::open(&path) else { continue };
            found.insert(cgroup.id());
            for (path, name) in below(&path) {
                if let Ok(cgroup) = Cgroup::open(&path)
                    && self.take_in_one(&cgroup, &name, &mut found, &mut new)?
                {
                    left.push(path);
                }
            }
        }
        if self.watched()?.descriptors {
            self.look_at_files(&new);
        }
        Ok(found)
    }

    /// Takes one cgroup in, whose parent only holds others; whether those below it are looked at, too.
    fn take_in_one(
        &mut self,
        cgroup: &Cgroup,
        name: &str,
        found: &mut BTreeSet<u64>,
        new: &mut Vec<TrackId>,
    ) -> Result<bool> {
        let shown = name_of(cgroup.path(), &self.root);
        let kind = kind_of(name);
        let parted = kind != NameKind::Leaf;
        found.insert(cgroup.id());
        if kind == NameKind::Leaf {
            found.extend(cgroup.descendants().iter().map(Cgroup::id));
        }
        let known = self.kernel.assignment(cgroup.id())?;
        let watch = self.watched_mut()?;
        if watch.tree.get(cgroup.id()).is_some() {
            return Ok(parted);
        }
        let wanted = if kind == NameKind::Pass { !watch.rules.forbids(&shown) } else { watch.rules.wants(&shown) };
        if !wanted {
            watch.tree.add(cgroup.id(), Node { path: cgroup.path().to_owned(), parted, track: None });
            if known.is_some() {
                self.kernel.release(cgroup)?;
            }
            return Ok(parted && kind == NameKind::Both);
        }
        if kind == NameKind::Pass {
            let rest = watch.rest;
            self.kernel.assign(cgroup, Assignment { slot: REST, parted: true })?;
            let node = Node { path: cgroup.path().to_owned(), parted, track: Some(rest) };
            self.watched_mut()?.tree.add(cgroup.id(), node);
            return Ok(true);
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
        if parted {
            self.kernel.assign(cgroup, Assignment { slot: number, parted })?;
        } else {
            assign_all(cgroup, number, &self.kernel)?;
            self.know_below(cgroup, id)?;
        }
        new.push(id);
        Ok(parted)
    }

    /// The cgroups below a leaf are its own.
    fn know_below(&mut self, leaf: &Cgroup, id: TrackId) -> Result<()> {
        let watch = self.watched_mut()?;
        for below in leaf.descendants() {
            let path = below.path().to_owned();
            watch.tree.add(below.id(), Node { path, parted: false, track: Some(id) });
        }
        Ok(())
    }
}
