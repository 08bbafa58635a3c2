//! How each track is recorded, and since when: the profiles of units in force, told to the kernel side slot by slot.
//!
//! A change takes effect with the next call and costs no history. What was in force when stays with the track, so that a
//! dump says for which of its time calls are missing since they were not to be recorded. Cgroups that share the lobby are
//! recorded as those that no rule is for.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::{
    Cost, Recorder, TrackId, boottime,
    overhead::{Step, used_by},
    slot::LOBBY,
    track::Track,
};
use crate::{
    host::How,
    kernel::{self, Kernel},
    model::{Manner, Stacks},
    profile::{Level, Profile, Profiles, Rule},
};

/// So many changes of one track are remembered.
const MOST: usize = 64;

/// A profile and since when it is in force, CLOCK_BOOTTIME nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Term {
    pub(super) from: u64,
    pub(super) profile: Profile,
    /// How much of its calls is not too dear.
    #[serde(default)]
    pub(super) level: Level,
    /// Why that is not all, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
}

impl Term {
    fn misses_calls(&self) -> bool {
        self.profile.misses_calls(self.level)
    }

    /// What is recorded, in words; empty: as where nothing is configured.
    pub(super) fn words(&self) -> String {
        self.profile.words(self.level)
    }
}

/// How a track has been recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Terms {
    /// The latest last; none: there are no profiles here.
    terms: Vec<Term>,
    /// What was asked for it alone.
    #[serde(default)]
    own: Option<Rule>,
}

impl Terms {
    /// The one in force.
    pub(super) fn now(&self) -> Option<&Term> {
        self.terms.last()
    }

    /// Its profile.
    pub(super) fn profile(&self) -> Option<&Profile> {
        self.now().map(|term| &term.profile)
    }

    /// From now on, or from its beginning on, as nothing was recorded before.
    fn add(&mut self, term: Term) {
        match self.terms.last_mut() {
            Some(last) if last.from == term.from => *last = term,
            _ => self.terms.push(term),
        }
        // Of what is forgotten the least is said: that nothing was recorded which later profiles leave out.
        while self.terms.len() > MOST {
            let gone = self.terms.remove(0);
            let next = &mut self.terms[0];
            let from = gone.from;
            if gone.misses_calls() || !next.misses_calls() {
                *next = gone;
            }
            next.from = from;
        }
    }

    /// What is to be said of it until then: times in which it was recorded otherwise than where nothing is configured.
    pub(super) fn manners(&self, until: u64) -> Vec<Manner> {
        let ends = self.terms.iter().skip(1).map(|next| Some(next.from)).chain([None]);
        let manner = |(term, to): (&Term, Option<u64>)| {
            let what = term.words();
            let to = to.filter(|to| *to < until);
            (!what.is_empty() && term.from < until).then(|| Manner {
                from: term.from,
                to,
                what,
                misses_calls: term.misses_calls(),
                why: term.why.clone(),
            })
        };
        self.terms.iter().zip(ends).filter_map(manner).collect()
    }

    /// Of which calls stacks were taken at any time.
    pub(super) fn stacks(&self) -> impl Iterator<Item = Stacks> {
        self.terms.iter().map(|term| term.profile.stacks).filter(|stacks| *stacks != Stacks::None)
    }
}

/// How calls in flight of some tracks are told: no more of any than of each.
pub(super) fn how<'a>(kernel: &Kernel, tracks: impl Iterator<Item = &'a Track>, now: u64) -> How {
    let mut profiles = tracks.filter_map(|track| track.terms.profile());
    let of = |profile: &Profile| How {
        now,
        strings: profile.string_limit,
        contents: profile.payload,
        stacks: profile.stacks,
    };
    let Some(first) = profiles.next().map(of) else { return How::of(kernel, now) };
    profiles.map(of).fold(first, |all, one| How {
        now,
        strings: all.strings.min(one.strings),
        contents: all.contents && one.contents,
        stacks: if all.stacks == one.stacks { all.stacks } else { Stacks::None },
    })
}

impl Recorder {
    /// From now on units are recorded so. What cannot be changes nothing.
    pub fn set_profiles(&mut self, profiles: Profiles) -> Result<()> {
        profiles.all().try_for_each(|profile| possible(&profile))?;
        self.profiles = profiles;
        self.kernel.set_profile(LOBBY, &self.profiles.base, Level::All)?;
        let used = self.watch.iter().flat_map(|watch| &watch.used);
        let waiting: Vec<u32> = self.spare.values().chain(used).map(|slot| slot.number).collect();
        waiting.into_iter().try_for_each(|slot| self.kernel.set_profile(slot, &self.profiles.base, Level::All))?;
        let ids: Vec<TrackId> = self.tracks.keys().copied().collect();
        ids.into_iter().try_for_each(|id| self.fit_profile(id))
    }

    /// One track is recorded so from now on, whatever the rules say.
    pub fn ask_for(&mut self, id: TrackId, rule: Rule) -> Result<()> {
        possible(&rule.onto(&self.profiles.base))?;
        let track = self.tracks.get_mut(&id).with_context(|| format!("there is no track {id} any more"))?;
        track.terms.own = Some(rule);
        self.fit_profile(id)
    }

    /// Refuses what this kernel cannot record.
    pub fn can_record(&self, rule: &Rule) -> Result<()> {
        possible(&rule.onto(&self.profiles.base))
    }

    /// Whether nothing of a track is recorded.
    pub fn is_off(&self, id: TrackId) -> bool {
        let profile = self.tracks.get(&id).and_then(|track| track.terms.profile());
        profile.is_some_and(|profile| profile.off)
    }

    /// Bytes of strings that are recorded at least, of any track and at any time that is remembered.
    pub fn least_strings(&self) -> u32 {
        let remembered = self.tracks.values().flat_map(|track| &track.terms.terms);
        let remembered = remembered.filter(|term| !term.profile.off).map(|term| term.profile.string_limit);
        remembered.chain(self.profiles.all().map(|profile| profile.string_limit)).min().unwrap_or(0)
    }

    /// Sees to it that a track is recorded as the rules want it.
    pub(super) fn fit_profile(&mut self, id: TrackId) -> Result<()> {
        self.fit_profile_for(id, None)
    }

    fn fit_profile_for(&mut self, id: TrackId, why: Option<String>) -> Result<()> {
        if self.watch.is_none() {
            return Ok(());
        }
        let Some(track) = self.tracks.get_mut(&id).filter(|track| track.ended.is_none()) else { return Ok(()) };
        let wanted = match &track.slot {
            Some(_) => self.profiles.of(&track.identity, track.terms.own.as_ref()),
            None => self.profiles.base.clone(),
        };
        let is_new = track.terms.terms.is_empty();
        if is_new {
            track.terms.add(Term {
                from: track.began,
                profile: self.profiles.base.clone(),
                level: Level::All,
                why: None,
            });
        }
        if wanted.off || wanted.max_overhead.share().is_none() {
            track.overhead.begin_anew();
        }
        let level = track.overhead.level();
        let before = boottime();
        let changes = track.terms.now().is_none_or(|now| now.profile != wanted || now.level != level);
        if let Some(slot) = &mut track.slot {
            slot.wants(wanted.buffer_size);
            self.kernel.set_profile(slot.number, &wanted, level)?;
        }
        if changes {
            // Both hold in between: who leaves calls out has done so since, at most.
            let from = if wanted.misses_calls(level) { before } else { boottime() };
            let from = if is_new && self.is_empty_until_now(id)? { self.began(id).unwrap_or(from) } else { from };
            self.begin_term(id, Term { from, profile: wanted, level, why }, is_new)?;
        }
        if (changes || is_new)
            && let Some(track) = self.tracks.get(&id)
        {
            self.hold.track(id, &track.note());
        }
        Ok(())
    }

    /// The same where nobody could be answered.
    pub(super) fn fit_or_warn(&mut self, id: TrackId) {
        if let Err(error) = self.fit_profile(id) {
            tracing::warn!(track = %id, error = %format!("{error:#}"), "a unit is recorded as those that no rule is for");
        }
    }

    fn begin_term(&mut self, id: TrackId, term: Term, is_new: bool) -> Result<()> {
        let Some(track) = self.tracks.get_mut(&id) else { return Ok(()) };
        let words = term.words();
        tracing::debug!(target_name = %track.identity, what = words, "it is recorded otherwise from now on");
        let is_off = term.profile.off;
        track.terms.add(term);
        // What was recorded of it before anybody could see its name was not to be.
        if is_new && is_off {
            self.kernel.flush()?;
            let by = super::slot::By { kernel: &self.kernel, hold: &self.hold, history: &self.history };
            track.slot.iter_mut().try_for_each(|slot| slot.begin(by))?;
        }
        Ok(())
    }

    /// Has units that recording costs more than it may recorded by less, and others by more again. To be called about once
    /// a second.
    pub(super) fn look_at_overhead(&mut self) -> Result<()> {
        let (now, cpus, cost) = (Instant::now(), self.cpus.len(), self.cost);
        let rest = self.watched()?.rest;
        let mut steps = Vec::new();
        for (id, track) in self.tracks.iter_mut().filter(|(id, track)| **id != rest && track.ended.is_none()) {
            let most = track.terms.profile().filter(|profile| !profile.off).and_then(|now| now.max_overhead.share());
            let (Some(most), Some(slot)) = (most, &track.slot) else { continue };
            let counted = slot.counted(&self.kernel)?;
            let step = track.overhead.look(now, counted, most, &cost, cpus, || used_by(&track.path));
            steps.extend(step.map(|step| (*id, step, most)));
        }
        for (id, step, most) in steps {
            self.fit_profile_for(id, (step.to > Level::All).then(|| why(&step, most)))?;
            self.say(id, &step);
        }
        Ok(())
    }

    /// A step is a fact for the log.
    fn say(&self, id: TrackId, step: &Step) {
        let Some(track) = self.tracks.get(&id) else { return };
        let Some(term) = track.terms.now() else { return };
        let (what, why) = (term.words(), term.why.as_deref().unwrap_or_default());
        if step.to > Level::All {
            tracing::warn!(target_name = %track.identity, what, why, "less is recorded of a unit, so that it does not cost more than max-overhead");
        } else {
            tracing::info!(target_name = %track.identity, what, "a unit is recorded again as it is configured");
        }
    }

    /// What recording a call costs here.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Whether nothing of a track was recorded yet.
    fn is_empty_until_now(&self, id: TrackId) -> Result<bool> {
        self.kernel.flush()?;
        let Some(slot) = self.tracks.get(&id).and_then(|track| track.slot.as_ref()) else { return Ok(false) };
        let written = slot.written(&self.kernel)?;
        Ok(written.records == 0 && written.lost == 0)
    }
}

/// Why less is recorded, in words.
fn why(step: &Step, most: f64) -> String {
    let Step { share, calls_per_second, .. } = step;
    let calls = match *calls_per_second {
        calls if calls >= 1e6 => format!("{:.1} million", calls / 1e6),
        calls if calls >= 1e3 => format!("{:.0} thousand", calls / 1e3),
        calls => format!("{calls:.0}"),
    };
    format!(
        "{calls} calls a second, of which recording cost {:.0}% of the CPU time that it used itself; max-overhead is {:.0}%",
        100.0 * share,
        100.0 * most
    )
}

/// Refuses what this kernel cannot do.
fn possible(profile: &Profile) -> Result<()> {
    ensure!(
        profile.stacks == Stacks::None || kernel::can_take_stacks(),
        "take stacks: this kernel cannot tell which file is mapped at an address: use Linux 5.17 or later, or leave stacks out"
    );
    if profile.only_slower > Duration::from_secs(24 * 3600) {
        bail!("only-slower is a day at most, not {:?}", profile.only_slower);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(from: u64, strings: u32, off: bool) -> Term {
        let profile = Profile { string_limit: strings, off, ..Profile::default() };
        Term { from, profile, level: Level::All, why: None }
    }

    #[test]
    fn what_was_in_force_is_told_with_its_time() {
        let mut terms = Terms::default();
        assert!(terms.manners(9).is_empty());
        terms.add(term(1, 32, false));
        assert!(terms.manners(9).is_empty(), "nothing is to be said of what is as ever");
        terms.add(term(3, 64, false));
        terms.add(term(5, 32, true));
        terms.add(term(7, 32, false));
        let told = terms.manners(9);
        let brief: Vec<_> =
            told.iter().map(|manner| (manner.from, manner.to, manner.what.as_str(), manner.misses_calls)).collect();
        assert_eq!(brief, [(3, Some(5), "64 bytes of strings", false), (5, Some(7), "nothing", true)]);
        assert_eq!(terms.manners(6).last().and_then(|last| last.to), None, "it had not ended then");
        assert_eq!(terms.manners(5).len(), 1);
    }

    #[test]
    fn of_what_is_forgotten_nothing_is_said_to_be_complete() {
        let mut terms = Terms::default();
        for n in 0..3 * MOST as u64 {
            terms.add(term(10 * n, 32, n % 2 == 1));
        }
        assert_eq!(terms.terms.len(), MOST);
        let told = terms.manners(u64::MAX);
        assert_eq!((told[0].from, told[0].misses_calls), (0, true));
    }
}
