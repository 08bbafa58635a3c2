//! A cgroup's path read from the root down: each directory may be a slice, a unit, a pod or a container,
//! and what lies inside a container belongs to the container's own service manager.

use crate::model::{Container, Identity, Pod};

use super::{container, pod, unit};

/// Everything that the path of a cgroup tells of who it is. The innermost name of each kind counts; the
/// containers around it are kept in `outer`.
pub fn of_path(path: &str, cgroup_id: u64) -> Identity {
    let mut identity = Identity { cgroup: path.to_owned(), cgroup_id, ..Identity::default() };
    let mut manager = None;
    let mut parent = "";
    let mut start = 0;
    for directory in path.split('/') {
        let (above, end) = (&path[..start], start + directory.len());
        let here = &path[..end];
        start = end + 1;
        if let Some(uid) = pod::uid_of(above, directory) {
            identity.pod = Some(Pod { uid, ..Pod::default() });
        }
        if let Some(slice) = unit::slice(directory) {
            if end == path.trim_end_matches('/').len() {
                identity.unit = Some(slice.to_owned());
                identity.user = manager;
            } else {
                identity.unit = None;
                identity.slice = Some(slice.to_owned());
            }
        } else if let Some(unit) = unit::unit(directory) {
            // A unit right below its manager has no slice.
            if identity.unit.is_some() {
                identity.slice = None;
            }
            identity.unit = Some(unit.to_owned());
            identity.user = manager;
            manager = unit::manager_of(unit).or(manager);
        }
        if let Some(named) = container::named(parent, directory) {
            let (runtime, cgroup) = (named.runtime.to_owned(), here.to_owned());
            let found = Container { runtime, id: named.id, name: named.name, cgroup, ..Container::default() };
            identity.outer.extend(identity.container.replace(found));
            manager = None;
        }
        parent = directory;
    }
    identity
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
