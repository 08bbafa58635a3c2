//! The cgroup that a name means, where it is not recorded yet: looked for in the whole tree.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Error, Result};

use crate::{
    cgroup::{Cgroup, v2_mount},
    identity::{Target, cgroup_of, of_path},
};

/// Why a name means no cgroup.
#[derive(Debug)]
pub enum Unfound {
    /// It cannot be a name.
    Wrong(String),
    /// There is none.
    Nothing(String),
    /// There are several.
    Several(String),
    /// The tree could not be read.
    Failed(Error),
}

impl fmt::Display for Unfound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(sentence) | Self::Nothing(sentence) | Self::Several(sentence) => f.write_str(sentence),
            Self::Failed(error) => write!(f, "{error:#}"),
        }
    }
}

impl std::error::Error for Unfound {}

/// The cgroup that a target means: a directory, a path in the tree, a name in it, or the cgroup of a process.
pub fn find(target: &str) -> Result<Cgroup, Unfound> {
    let mount = v2_mount().map_err(Unfound::Failed)?;
    if target.starts_with('/') {
        let inside = PathBuf::from(format!("{}{target}", mount.point.display()));
        let path = if Path::new(target).is_dir() && target != "/" { Path::new(target) } else { &inside };
        return Cgroup::open(path).map_err(|_| {
            let root = mount.point.display();
            let nearest = path.ancestors().skip(1).find(|above| above.is_dir() && above.starts_with(&mount.point));
            let nearest = nearest.unwrap_or(&mount.point).display();
            let sentence =
                format!("there is no cgroup {target}, neither there nor below {root}: the nearest is {nearest}");
            Unfound::Nothing(sentence)
        });
    }
    let wanted = Target::parse(target).map_err(|error| Unfound::Wrong(format!("{error:#}")))?;
    let root = Cgroup::open(&mount.point).context("look through the cgroup tree").map_err(Unfound::Failed)?;
    let mut found: Vec<_> =
        root.descendants().into_iter().filter(|cgroup| of_path(&cgroup.name(), cgroup.id()).matches(&wanted)).collect();
    // What lies below a match belongs to it.
    found.sort_by_key(|cgroup| cgroup.path().components().count());
    let Some(first) = (!found.is_empty()).then(|| found.remove(0)) else {
        if let Some(path) = target.parse().ok().and_then(|pid| cgroup_of(pid).ok()) {
            return find(&path);
        }
        let sentence = format!("no cgroup of this machine is called {target}: give its path (systemd-cgls lists them)");
        return Err(Unfound::Nothing(sentence));
    };
    if let Some(other) = found.iter().find(|cgroup| !cgroup.path().starts_with(first.path())) {
        let sentence = format!("{target} may be {} or {}: give the path", first.name(), other.name());
        return Err(Unfound::Several(sentence));
    }
    Ok(first)
}
