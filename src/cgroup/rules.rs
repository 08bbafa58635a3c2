//! Which cgroups get rings of their own: the leaves that have a name.
//!
//! A cgroup's own name decides, by the first row of `NAMES` that fits; the kernel side goes by the same
//! rows when a cgroup is made, before anything can run in it. What the user includes or leaves out is
//! decided here alone, by whole paths, a moment later.

use std::path::Path;

use anyhow::{Context, Result};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// What a cgroup's name says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// It has rings of its own, shared by all that is below it.
    Leaf,
    /// It only holds others, each of which is looked at by its own name.
    Pass,
    /// Both: it has rings of its own, and what is below it is looked at by its own name.
    Both,
}

/// Where a text stands in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is the name.
    Whole(&'static str),
    /// It begins it.
    Prefix(&'static str),
    /// It ends it.
    Suffix(&'static str),
}

impl Place {
    fn fits(self, name: &str) -> bool {
        match self {
            Self::Whole(text) => name == text,
            Self::Prefix(text) => name.starts_with(text),
            Self::Suffix(text) => name.ends_with(text),
        }
    }
}

/// The names that are no leaves, or that look as if they were none. Sixteen rows at most.
pub const NAMES: [(Place, NameKind); 13] = [
    (Place::Prefix("user@"), NameKind::Both),
    (Place::Suffix(".service"), NameKind::Leaf),
    (Place::Suffix(".scope"), NameKind::Leaf),
    (Place::Suffix(".slice"), NameKind::Pass),
    (Place::Whole("kubepods"), NameKind::Pass),
    (Place::Whole("besteffort"), NameKind::Pass),
    (Place::Whole("burstable"), NameKind::Pass),
    (Place::Whole("guaranteed"), NameKind::Pass),
    (Place::Prefix("pod"), NameKind::Pass),
    (Place::Whole("docker"), NameKind::Pass),
    (Place::Whole("libpod_parent"), NameKind::Pass),
    (Place::Whole("lxc"), NameKind::Pass),
    (Place::Whole("buildkit"), NameKind::Pass),
];

/// What the name of a cgroup says, whose parent only holds others.
pub fn kind_of(name: &str) -> NameKind {
    NAMES.iter().find(|(place, _)| place.fits(name)).map_or(NameKind::Leaf, |(_, kind)| *kind)
}

/// What the user wants recorded, on top of that.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    include: Option<GlobSet>,
    exclude: GlobSet,
    /// Paths of what records, whatever it is called here.
    ours: Vec<String>,
}

impl Rules {
    /// Globs with a `/` in them match whole paths from the root of the tree, with or without a `/` (or the place where
    /// the tree is mounted) before them and a `/` behind; others match the name of any cgroup on the way. What is below
    /// a match belongs to it. Without `include`, everything is wanted.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Self> {
        let include = (!include.is_empty()).then(|| globs(include)).transpose()?;
        Ok(Self { include, exclude: globs(exclude)?, ours: Vec::new() })
    }

    /// The same, but for these cgroups.
    pub fn without(self, ours: Vec<String>) -> Self {
        Self { ours, ..self }
    }

    /// Whether a cgroup is to be recorded.
    pub fn wants(&self, path: &str) -> bool {
        self.include.as_ref().is_none_or(|include| covers(include, path)) && !self.forbids(path)
    }

    /// Whether all of a subtree is left out, so that nobody need look into it.
    pub fn forbids(&self, path: &str) -> bool {
        covers(&self.exclude, path) || self.ours.iter().any(|ours| Path::new(path).starts_with(ours))
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let doing = || format!("understand the pattern {pattern:?}");
        let anchored = anchored(pattern);
        set.add(GlobBuilder::new(&anchored).literal_separator(true).build().with_context(doing)?);
    }
    set.build().context("understand the patterns of cgroups")
}

/// The pattern of whole paths.
fn anchored(pattern: &str) -> String {
    const MOUNTS: [&str; 2] = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
    let below = MOUNTS
        .iter()
        .find_map(|mount| pattern.strip_prefix(mount))
        .filter(|below| below.is_empty() || below.starts_with('/'));
    let path = below.unwrap_or(pattern).trim_end_matches('/');
    match path.trim_start_matches('/') {
        // All of the tree.
        "" if below.is_some() || pattern.contains('/') => "/".to_owned(),
        // A name, wherever it is.
        name if !pattern.contains('/') => format!("**/{name}"),
        path => format!("/{path}"),
    }
}

fn covers(globs: &GlobSet, path: &str) -> bool {
    !globs.is_empty() && Path::new(path).ancestors().any(|part| globs.is_match(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, kind) in [
            ("nginx.service", NameKind::Leaf),
            ("podman.service", NameKind::Leaf),
            ("user@1000.service", NameKind::Both),
            ("system.slice", NameKind::Pass),
            ("pod1b0f7b2e", NameKind::Pass),
            ("libpod-0123", NameKind::Leaf),
            ("anything", NameKind::Leaf),
        ] {
            assert_eq!(kind_of(name), kind, "{name}");
        }
    }

    #[test]
    fn what_the_user_wants() {
        let all = Rules::default();
        assert!(all.wants("/system.slice/a.service") && !all.forbids("/system.slice"));
        let some = Rules::new(&["/system.slice/*.service".into(), "user.slice".into()], &["b.service".into()]).unwrap();
        assert!(some.wants("/system.slice/a.service"));
        assert!(some.wants("/user.slice/user-1.slice/session-1.scope"));
        assert!(!some.wants("/system.slice/b.service") && !some.wants("/machine.slice/c.scope"));
        assert!(some.forbids("/system.slice/b.service/below"));
        assert!(Rules::new(&["[".into()], &[]).is_err());
        let wants = |pattern: &str, path| Rules::new(&[pattern.into()], &[]).unwrap().wants(path);
        for pattern in [
            "/system.slice/a.service",
            "system.slice/a.service",
            "system.slice/*.service/",
            "/sys/fs/cgroup/system.slice/a.service",
            "/sys/fs/cgroup/unified/system.slice",
            "**/a.service",
            "*/a.service",
            "system.slice/",
            "a.service/",
            "/",
            "/sys/fs/cgroup",
        ] {
            let is_rooted = pattern != "a.service/";
            assert_eq!(wants(pattern, "/system.slice/a.service"), is_rooted, "{pattern}");
        }
        assert!(wants("a.service/", "/a.service/below") && wants("a.service", "/x/a.service"));
        assert!(!wants("slice/a.service", "/system.slice/a.service") && !wants("*.service", "/system.slice"));
        let but_us = all.without(vec!["/kubepods/pod1/[a]".into()]);
        assert!(but_us.forbids("/kubepods/pod1/[a]/below") && !but_us.wants("/kubepods/pod1/[a]"));
        assert!(but_us.wants("/kubepods/pod1/a") && but_us.wants("/kubepods/pod1/[a]b"));
    }
}
