//! Our own cgroup, and paths as we are shown them.
//!
//! In a container with a cgroup namespace, /proc shows its own cgroup as `/` and all others by the way there: `/..` is the
//! one above. Where the whole tree is mounted all the same, as for the pod of a DaemonSet, the way's beginning is found
//! by looking for ourselves in that tree, once.

use std::{
    fs,
    path::{Component, Path, PathBuf},
    sync::OnceLock,
};

use super::{Cgroup, v2_mount};

/// The cgroup that this process is in, by its path from the root of the tree that is mounted. `None`: it is outside.
pub fn own() -> Option<String> {
    let shown = fs::read_to_string("/proc/self/cgroup").ok()?;
    whole(shown.lines().find_map(|line| line.strip_prefix("0::"))?)
}

/// The path from the root of the mounted tree of a cgroup that /proc shows to us as `shown`.
pub fn whole(shown: &str) -> Option<String> {
    static NAMESPACE: OnceLock<Option<String>> = OnceLock::new();
    let root = v2_mount().ok()?.root;
    if !leads_up(&root) {
        return Some(shown.to_owned());
    }
    below(NAMESPACE.get_or_init(look_for_us).as_deref()?, shown)
}

/// Whether the mount's root lies above the root of our namespace.
fn leads_up(root: &Path) -> bool {
    root.components().any(|part| part == Component::ParentDir)
}

/// `shown`, as seen from `namespace`, as a path from the root.
fn below(namespace: &str, shown: &str) -> Option<String> {
    let mut path = PathBuf::from(namespace);
    for part in Path::new(shown).components() {
        match part {
            Component::ParentDir if !path.pop() => return None,
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    Some(path.display().to_string())
}

/// The root of our cgroup namespace: we have just been started in it.
fn look_for_us() -> Option<String> {
    let shown = fs::read_to_string("/proc/self/cgroup").ok()?;
    let shown = shown.lines().find_map(|line| line.strip_prefix("0::"))?.to_owned();
    let us = std::process::id().to_string();
    let root = Cgroup::open(&v2_mount().ok()?.point).ok()?;
    let is_ours = |cgroup: &Cgroup| {
        let inside = fs::read_to_string(cgroup.path().join("cgroup.procs")).unwrap_or_default();
        inside.lines().any(|pid| pid == us)
    };
    let found = root.descendants().into_iter().find(is_ours)?.name();
    found.strip_suffix(shown.trim_end_matches('/')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_from_a_namespace_is_a_path_from_the_root() {
        let namespace = "/kubepods/besteffort/pod1/a";
        for (shown, path) in [
            ("/", Some("/kubepods/besteffort/pod1/a")),
            ("/init", Some("/kubepods/besteffort/pod1/a/init")),
            ("/../b", Some("/kubepods/besteffort/pod1/b")),
            ("/../../pod2/c", Some("/kubepods/besteffort/pod2/c")),
            ("/../../../..", Some("/")),
            ("/../../../../..", None),
        ] {
            assert_eq!(below(namespace, shown).as_deref(), path, "{shown}");
        }
        assert!(leads_up(Path::new("/../..")) && !leads_up(Path::new("/")) && !leads_up(Path::new("/a")));
    }

    #[test]
    fn outside_of_a_namespace_it_is_what_proc_shows() {
        let shown = fs::read_to_string("/proc/self/cgroup").unwrap();
        let shown = shown.lines().find_map(|line| line.strip_prefix("0::")).unwrap();
        if !leads_up(&v2_mount().unwrap().root) {
            assert_eq!(own().as_deref(), Some(shown));
        }
    }
}
