//! Whether a target means a cgroup, how exactly it says so, and which place in the tree it names: two
//! cgroups in one place (a pod's containers, a slice's units) are meant together, in two places they are
//! two things of one name.

use crate::model::{Container, Identity, Pod};

use super::{
    target::{Kind, Target},
    unit,
};

/// Shorter beginnings of an id mean nothing.
const SHORTEST_ID: usize = 3;

/// How exactly a name was given; the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// The whole name of the cgroup itself.
    Exact,
    /// A unit without its suffix, a pod without its namespace.
    Short,
    /// The name of something around it.
    Around,
    /// The beginning of an id.
    Beginning,
}

/// What a target means by a cgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Match<'a> {
    pub(super) fit: Fit,
    /// Whether it is a unit of a user's manager or of one inside a container: a name without more means
    /// the system's own, as with systemctl.
    pub(super) foreign: bool,
    /// The path of the cgroup that the target names.
    pub(super) place: &'a str,
}

impl Identity {
    /// Whether the target may mean this cgroup, by any of its names. What needs the live system (`#7`, a
    /// process) matches nothing.
    pub fn matches(&self, target: &Target) -> bool {
        best(target, self).is_some()
    }

    /// Whether it is the sandbox that keeps a pod's namespaces: the runtime gives it no name in the pod. It
    /// outlives the pod's containers, and is killed when the pod is stopped.
    pub fn is_sandbox(&self) -> bool {
        self.container.is_some() && self.pod.as_ref().is_some_and(|pod| pod.name.is_some() && pod.container.is_none())
    }
}

/// The best reading of the target for this cgroup.
pub(super) fn best<'a>(target: &Target, identity: &'a Identity) -> Option<Match<'a>> {
    let whole = |place| Match { fit: Fit::Exact, foreign: false, place };
    match &target.kind {
        Kind::Ring(_) => None,
        Kind::Path(path) => {
            let rest = identity.cgroup.strip_prefix(path.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| whole(&identity.cgroup[..path.len()]))
        }
        Kind::Glob(glob) => {
            let path = &identity.cgroup;
            let hits = |text: &str| glob.is_match(text);
            let found = places(path)
                .any(|(place, directory)| hits(place) || hits(directory) || hits(place.trim_start_matches('/')));
            (found || path == &target.text || names(identity).iter().any(|name| hits(name))).then(|| whole(path))
        }
        Kind::Name | Kind::Number(_) => {
            let text = target.text.as_str();
            let by_name = [by_path(text, identity), by_container(text, identity), by_pod(text, identity)];
            let is_inside = identity.container.is_some() || identity.user.is_some();
            let shown =
                (text.contains('/') && is_inside && identity.to_string() == text).then(|| whole(&identity.cgroup));
            by_name.into_iter().flatten().chain(shown).min()
        }
    }
}

/// Each cgroup on the path, the outermost first, and the name of its directory.
fn places(path: &str) -> impl DoubleEndedIterator<Item = (&str, &str)> {
    path.match_indices('/').map(|(slash, _)| {
        let end = path[slash + 1..].find('/').map_or(path.len(), |length| slash + 1 + length);
        (&path[..end], &path[slash + 1..end])
    })
}

/// Names that stand in the path: a unit, a slice, several directories in a row.
fn by_path<'a>(text: &str, identity: &'a Identity) -> Option<Match<'a>> {
    let own = identity.unit.as_deref();
    let last = places(&identity.cgroup).rfind(|(place, directory)| {
        let row = place.strip_suffix(text).is_some_and(|front| front.ends_with('/'));
        let named = || unit::unit(directory).or_else(|| unit::slice(directory));
        row || named() == Some(text) || own.is_some_and(|own| named() == Some(own) && unit::is_short_for(text, own))
    })?;
    let (place, directory) = last;
    let unit = unit::unit(directory).or_else(|| unit::slice(directory));
    let fit = match unit {
        Some(unit) if unit != text && own == Some(unit) && !text.contains('/') => Fit::Short,
        _ if place == identity.cgroup || (unit.is_some() && unit == own) => Fit::Exact,
        _ => Fit::Around,
    };
    let manager = places(place).rev().skip(1).any(|(_, directory)| unit::manager_of(directory).is_some());
    let contained = containers(identity)
        .any(|container| place.strip_prefix(container.cgroup.as_str()).is_some_and(|rest| rest.starts_with('/')));
    Some(Match { fit, foreign: manager || contained, place })
}

fn containers(identity: &Identity) -> impl Iterator<Item = &Container> {
    identity.container.iter().chain(&identity.outer)
}

/// A container's name, its id or the beginning of that.
fn by_container<'a>(text: &str, identity: &'a Identity) -> Option<Match<'a>> {
    let begins = text.len() >= SHORTEST_ID && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let found = containers(identity).filter_map(|container| {
        let whole = container.name.as_deref() == Some(text) || container.id == text;
        let fit = match whole {
            true if identity.container.as_ref() == Some(container) => Fit::Exact,
            true => Fit::Around,
            false if begins && container.id.starts_with(text) => Fit::Beginning,
            false => return None,
        };
        Some(Match { fit, foreign: false, place: place_of(container, identity) })
    });
    found.min()
}

/// The container's own cgroup; names of older dumps do not tell it.
fn place_of<'a>(container: &'a Container, identity: &'a Identity) -> &'a str {
    if container.cgroup.is_empty() { &identity.cgroup } else { &container.cgroup }
}

/// namespace/pod/container, namespace/pod, the pod's name or uid.
fn by_pod<'a>(text: &str, identity: &'a Identity) -> Option<Match<'a>> {
    let pod = identity.pod.as_ref()?;
    let own = identity.container.as_ref().map_or(identity.cgroup.as_str(), |found| place_of(found, identity));
    let around = own.rsplit_once('/').map_or(own, |(around, _)| around);
    let exact = |place| Some(Match { fit: Fit::Exact, foreign: false, place });
    if let Some(rest) = pod.namespace.as_deref().and_then(|namespace| text.strip_prefix(namespace)?.strip_prefix('/')) {
        let rest = rest.strip_prefix(pod.name.as_deref()?)?;
        if rest.is_empty() {
            return exact(around);
        }
        return (rest.strip_prefix('/') == pod.container.as_deref()).then(|| exact(own)).flatten();
    }
    match text {
        _ if text == pod.uid => exact(around),
        _ if Some(text) == pod.name.as_deref() => Some(Match { fit: Fit::Short, foreign: false, place: around }),
        _ => None,
    }
}

/// All that a pattern may mean besides the path.
fn names(identity: &Identity) -> Vec<String> {
    let mut names: Vec<String> = identity.unit.iter().cloned().collect();
    names.push(identity.to_string());
    for container in containers(identity) {
        names.push(container.id.clone());
        names.extend(container.name.clone());
    }
    if let Some(Pod { namespace: Some(namespace), name: Some(name), .. }) = &identity.pod {
        names.push(format!("{namespace}/{name}"));
        names.push(name.clone());
    }
    names
}

#[cfg(test)]
#[path = "matching_tests.rs"]
mod tests;
