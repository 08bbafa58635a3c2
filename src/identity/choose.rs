//! Which of the recorded cgroups a target means now: the living before the dead, the exact name before a
//! part of it. What is still ambiguous is told with the candidates, what is not there with what is near.

use std::{collections::BTreeMap, error::Error, fmt};

use crate::model::{Identity, Pod};

use super::{
    live::{cgroup_of, is_there},
    matching::{Fit, Match, best},
    target::{Kind, Target},
    unit,
};

/// A message names at most so many.
const MOST: usize = 6;

/// Where runtimes put a service manager's tree in a container's cgroup.
const INNER_ROOTS: [&str; 3] = ["", "/payload", "/container"];

/// A ring that a target may mean.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its number, larger for newer ones.
    pub ring: u64,
    /// Whose calls it holds.
    pub identity: &'a Identity,
    /// Whether its cgroup still exists.
    pub live: bool,
}

/// A ring that a target means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Its number.
    pub ring: u64,
    /// The path of the cgroup that the target names: the ring's own, or one above it.
    pub place: String,
}

/// Why a target means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmatched {
    /// There is nothing of this name.
    Nothing {
        /// The target.
        target: String,
        /// What is more to say: where the process is that it names.
        why: Option<String>,
        /// Names that are near, the nearest first.
        near: Vec<String>,
    },
    /// There are several things of this name.
    Ambiguous {
        /// The target.
        target: String,
        /// What it may mean: name and path.
        candidates: Vec<String>,
    },
}

impl Target {
    /// The rings that it means. A process is looked up in /proc.
    pub fn choose(&self, candidates: &[Candidate<'_>]) -> Result<Vec<Chosen>, Unmatched> {
        self.choose_with(candidates, |pid| cgroup_of(pid).map_err(|error| error.to_string()), is_there)
    }

    fn choose_with(
        &self,
        candidates: &[Candidate<'_>],
        cgroup_of: impl Fn(u32) -> Result<String, String>,
        is_there: impl Fn(&str) -> bool,
    ) -> Result<Vec<Chosen>, Unmatched> {
        if let Kind::Ring(ring) = self.kind {
            let found = candidates.iter().find(|candidate| candidate.ring == ring);
            return found.map(|found| vec![own(found)]).ok_or_else(|| self.nothing(None, candidates));
        }
        let several = matches!(self.kind, Kind::Glob(_));
        let mut sandboxes = None;
        for live in [true, false] {
            let fits = |candidate: &&Candidate<'_>| candidate.live == live;
            let matched: Vec<_> = candidates
                .iter()
                .filter(fits)
                .filter_map(|candidate| Some((*candidate, best(self, candidate.identity)?)))
                .collect();
            let only_sandboxes = !several && matched.iter().all(|(candidate, _)| candidate.identity.is_sandbox());
            // It outlives the containers that are asked for.
            match (matched.is_empty(), live, only_sandboxes) {
                (true, ..) => {}
                (_, true, true) => sandboxes = Some(matched),
                (_, false, true) if sandboxes.is_some() => {}
                _ => return self.one_thing(matched, live),
            }
        }
        if let Some(sandboxes) = sandboxes {
            return self.one_thing(sandboxes, true);
        }
        let (path, why) = match &self.kind {
            Kind::Number(pid) => match cgroup_of(*pid) {
                Ok(path) => (path.clone(), Some(format!("process {pid} is in {path}, which is not recorded"))),
                Err(error) => return Err(self.nothing(Some(error), candidates)),
            },
            Kind::Path(path) if !is_there(path) => return Err(self.no_such_path(path, candidates, is_there)),
            Kind::Path(path) => (path.clone(), None),
            Kind::Name => match self.inside(candidates, is_there) {
                Some(path) => (path, None),
                None => return Err(self.nothing(None, candidates)),
            },
            _ => return Err(self.nothing(None, candidates)),
        };
        // Not recorded by itself, but with what it is a part of.
        let around = candidates.iter().filter(|candidate| candidate.live && holds(&candidate.identity.cgroup, &path));
        let around = around.max_by_key(|candidate| (candidate.identity.cgroup.len(), candidate.ring));
        around.map(|found| vec![own(found)]).ok_or_else(|| self.nothing(why, candidates))
    }

    fn one_thing(&self, matched: Vec<(Candidate<'_>, Match<'_>)>, live: bool) -> Result<Vec<Chosen>, Unmatched> {
        let several = matches!(self.kind, Kind::Glob(_));
        let rank = |found: &Match<'_>| (found.fit, found.foreign);
        let top = matched.iter().map(|(_, found)| rank(found)).min();
        let mut matched: Vec<_> =
            matched.into_iter().filter(|(_, found)| several || Some(rank(found)) == top).collect();
        let mut places = BTreeMap::new();
        for (candidate, found) in &matched {
            places.entry(found.place).or_insert(candidate);
        }
        if !several && places.len() > 1 {
            let newest = matched.iter().max_by_key(|(candidate, _)| candidate.ring);
            let by_id = top.is_some_and(|(fit, _)| fit == Fit::Beginning);
            match newest.map(|(_, found)| found.place) {
                // Of what is gone, the last that had the name is meant.
                Some(place) if !live && !by_id => matched.retain(|(_, found)| found.place == place),
                _ => {
                    let told = places.iter().map(|(place, candidate)| format!("{} ({place})", candidate.identity));
                    let candidates = told.collect();
                    return Err(Unmatched::Ambiguous { target: self.text.clone(), candidates });
                }
            }
        }
        // A pod is its containers, not the sandbox that keeps their namespaces, while there are any.
        let of_pod = |(_, found): &(Candidate<'_>, Match<'_>)| !several && found.fit != Fit::Around;
        let sandbox = |(candidate, _): &(Candidate<'_>, Match<'_>)| candidate.identity.is_sandbox();
        if matched.iter().any(|found| !sandbox(found)) {
            matched.retain(|found| !of_pod(found) || !sandbox(found));
        }
        // One cgroup, and one container of a pod, may have had several lives.
        let mut newest = BTreeMap::new();
        for (candidate, found) in &matched {
            let kept = newest.entry(life(candidate.identity)).or_insert((candidate.ring, found.place));
            if candidate.ring > kept.0 {
                *kept = (candidate.ring, found.place);
            }
        }
        let mut chosen: Vec<_> =
            newest.into_values().map(|(ring, place)| Chosen { ring, place: place.to_owned() }).collect();
        chosen.sort_by_key(|chosen| chosen.ring);
        Ok(chosen)
    }

    /// The cgroup of a unit in a container that is recorded as a whole: `web/nginx.service`, `web/init.scope`.
    fn inside(&self, candidates: &[Candidate<'_>], is_there: impl Fn(&str) -> bool) -> Option<String> {
        let (outer, unit) = self.text.split_once('/')?;
        let unit = unit::unit(unit)?;
        let live = candidates.iter().filter(|candidate| candidate.live);
        let own = live.filter_map(|candidate| candidate.identity.container.as_ref());
        let named = own.filter(|container| container.called() == outer || container.id == outer);
        let mut places = named.flat_map(|container| {
            INNER_ROOTS.iter().flat_map(move |root| {
                ["/system.slice", ""].map(|slice| format!("{}{root}{slice}/{unit}", container.cgroup))
            })
        });
        places.find(|place| is_there(place))
    }

    /// What a path may have meant: what is the most of it that exists, and what is recorded near it.
    fn no_such_path(&self, path: &str, candidates: &[Candidate<'_>], is_there: impl Fn(&str) -> bool) -> Unmatched {
        let mut above = path.rmatch_indices('/').map(|(at, _)| &path[..at]);
        let part = above.find(|above| !above.is_empty() && is_there(above)).map(str::to_owned);
        let paths = candidates.iter().map(|candidate| candidate.identity.cgroup.clone());
        let beside = near(path, paths).into_iter().filter(|near| Some(near) != part.as_ref());
        let near = part.iter().cloned().chain(beside).take(MOST).collect();
        Unmatched::Nothing { target: self.text.clone(), why: Some("there is no such cgroup".to_owned()), near }
    }

    fn nothing(&self, why: Option<String>, candidates: &[Candidate<'_>]) -> Unmatched {
        let names = candidates.iter().map(|candidate| candidate.identity.to_string());
        // A number is a process; no other number is near it.
        let near = if self.pid().is_some() { Vec::new() } else { near(&self.text, names) };
        Unmatched::Nothing { target: self.text.clone(), why, near }
    }
}

/// What one after the other has: the cgroup, or the container's name in its pod.
fn life(identity: &Identity) -> (&str, Option<&str>) {
    match &identity.pod {
        Some(Pod { uid, container: Some(container), .. }) => (uid, Some(container)),
        _ => (&identity.cgroup, None),
    }
}

fn own(candidate: &Candidate<'_>) -> Chosen {
    Chosen { ring: candidate.ring, place: candidate.identity.cgroup.clone() }
}

fn holds(cgroup: &str, path: &str) -> bool {
    path.strip_prefix(cgroup.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The names that someone may have meant: those that contain the text, and those that are a slip away.
fn near(text: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    if text.len() > 256 {
        return Vec::new();
    }
    let text = text.to_lowercase();
    let mut found: Vec<(usize, String)> = names
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let stem = lower.rsplit_once('.').map_or(lower.as_str(), |(stem, _)| stem);
            let slips = strsim::damerau_levenshtein(&text, stem).min(strsim::damerau_levenshtein(&text, &lower));
            let close = slips <= text.chars().count() / 3 || (text.len() > 2 && lower.contains(&text));
            close.then_some((slips, name))
        })
        .collect();
    found.sort();
    found.dedup();
    found.into_iter().map(|(_, name)| name).take(MOST).collect()
}

impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing { target, why, near } => {
                match why {
                    Some(why) => write!(f, "nothing that is recorded is called {target}, and {why}")?,
                    None => write!(f, "nothing that is recorded is called {target}")?,
                }
                if near.is_empty() {
                    return f.write_str("; `traceloop ps` lists what is");
                }
                write!(f, "; near it: {}", near.join(", "))
            }
            Self::Ambiguous { target, candidates } => {
                write!(
                    f,
                    "{target} may mean {}",
                    candidates.iter().take(MOST).cloned().collect::<Vec<_>>().join(" or ")
                )?;
                if candidates.len() > MOST {
                    write!(f, " or {} more", candidates.len() - MOST)?;
                }
                f.write_str(": give more of it, or the path")
            }
        }
    }
}

impl Error for Unmatched {}

#[cfg(test)]
#[path = "choose_tests.rs"]
mod tests;
