//! A service manager inside a container: its units are recorded by themselves, as those of the machine's are.
//!
//! Where a systemd has the cgroup of a container, or one in it, for its own, the first that it makes there is init.scope,
//! and goes into it. By that it is known. From then on what is made beside init.scope is looked at by its own name.
//! Outside of containers nothing is made of it: units of a manager that nobody can name would pass for the machine's.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Notice, Recorder, slot::LOBBY, track::name_of, tree::Node};
use crate::{
    cgroup::Cgroup,
    identity,
    kernel::{Assignment, Kernel},
};

/// Where a manager puts itself.
const OWN: &str = "init.scope";

/// A cgroup of a leaf.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) cgroup: Cgroup,
    /// Whether what is below it is a manager's, and looked at by its own name.
    pub(super) parted: bool,
}

/// The cgroups that are a leaf's, itself first: all that are below it but what belongs to managers there.
pub(super) fn members(leaf: &Cgroup, root: &Path) -> Result<Vec<Member>> {
    walk(Cgroup::open(leaf.path())?, root, |_, _| Ok(()))
}

/// The same, each shown before what is below it is looked for.
fn walk(leaf: Cgroup, root: &Path, mut show: impl FnMut(&Cgroup, bool) -> Result<()>) -> Result<Vec<Member>> {
    let mut members = Vec::new();
    let mut left = vec![leaf];
    while let Some(cgroup) = left.pop() {
        let parted = cgroup.path().join(OWN).is_dir() && is_in_container(cgroup.path(), root);
        show(&cgroup, parted)?;
        if !parted {
            left.extend(cgroup.children());
        }
        members.push(Member { cgroup, parted });
    }
    Ok(members)
}

/// Whether a cgroup that was made below a leaf tells that a manager has what is above it.
pub(super) fn is_managers_own(name: &str, above: &Path, root: &Path) -> bool {
    name == OWN && is_in_container(above, root)
}

fn is_in_container(path: &Path, root: &Path) -> bool {
    identity::of_path(&name_of(path, root), 0).container.is_some()
}

/// Sends the calls of a leaf's cgroups to a slot; those made below them follow, but for a manager's. What is there
/// already is found afterwards, so none falls between.
pub(super) fn assign(leaf: Cgroup, root: &Path, slot: u32, kernel: &Kernel) -> Result<Vec<Member>> {
    let own = leaf.id();
    walk(leaf, root, |cgroup, parted| match kernel.assign(cgroup, Assignment { slot, parted }) {
        Err(error) if cgroup.id() != own => {
            tracing::warn!(cgroup = %cgroup.path().display(), %error, "a cgroup below is not recorded");
            Ok(())
        }
        assigned => assigned,
    })
}

impl Recorder {
    /// A manager has this cgroup of a leaf's: what is below it gets tracks of its own, which are told.
    pub(super) fn part(&mut self, above: u64) -> Result<Vec<Notice>> {
        let Some(node) = self.watched()?.tree.get(above).cloned().filter(|node| node.track.is_some()) else {
            return Ok(Vec::new());
        };
        // One that has ended meanwhile has nothing below it.
        let Some(cgroup) = Cgroup::open(&node.path).ok().filter(|cgroup| cgroup.id() == above) else {
            return Ok(Vec::new());
        };
        let slot = self.kernel.assignment(above)?.map_or(LOBBY, |known| known.slot);
        // First, so that nothing is made there that is not looked at.
        self.kernel.assign(&cgroup, Assignment { slot, parted: true }).context("look into a container's units")?;
        let watch = self.watched_mut()?;
        watch.tree.add(above, Node { parted: true, ..node });
        for below in cgroup.descendants() {
            watch.tree.remove(below.id());
        }
        let (_, new) = self.walk(vec![cgroup.path().to_owned()])?;
        Ok(new.into_iter().map(Notice::Born).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_is_known_by_its_own_scope_in_a_container() {
        let root = Path::new("/sys/fs/cgroup");
        for (name, above, is) in [
            ("init.scope", "machine.slice/machine-box.scope/payload", true),
            ("init.scope", "lxc.payload.web1", true),
            ("system.slice", "lxc.payload.web1", false),
            ("init.scope", "system.slice/build.service", false),
            ("init.scope", "", false),
        ] {
            assert_eq!(is_managers_own(name, &root.join(above), root), is, "{above}/{name}");
        }
    }
}
