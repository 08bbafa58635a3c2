//! How each track is recorded, and since when: the profiles of units in force, told to the kernel side slot by slot.
//!
//! A change takes effect with the next call and costs no history. What was in force when stays with the track, so that a
//! dump says for which of its time calls are missing since they were not to be recorded. Cgroups that share the lobby are
//! recorded as those that no rule is for.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::{Recorder, TrackId, boottime, slot::LOBBY, track::Track};
use crate::{
    host::How,
    kernel::{self, Kernel},
    model::{Manner, Stacks},
    profile::{Profile, Profiles, Rule},
};

/// So many changes of one track are remembered.
const MOST: usize = 64;

/// A profile and since when it is in force, CLOCK_BOOTTIME nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Term {
    pub(super) from: u64,
    pub(super) profile: Profile,
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
    pub(super) fn profile(&self) -> Option<&Profile> {
        self.terms.last().map(|term| &term.profile)
    }

    /// From now on, or from its beginning on, as nothing was recorded before.
    fn add(&mut self, profile: Profile, from: u64) {
        match self.terms.last_mut() {
            Some(last) if last.from == from => last.profile = profile,
            _ => self.terms.push(Term { from, profile }),
        }
        // Of what is forgotten the least is said: that nothing was recorded which later profiles leave out.
        while self.terms.len() > MOST {
            let gone = self.terms.remove(0);
            let next = &mut self.terms[0];
            if gone.profile.misses_calls() || !next.profile.misses_calls() {
                next.profile = gone.profile;
            }
            next.from = gone.from;
        }
    }

    /// What is to be said of it until then: times in which it was recorded otherwise than where nothing is configured.
    pub(super) fn manners(&self, until: u64) -> Vec<Manner> {
        let ends = self.terms.iter().skip(1).map(|next| Some(next.from)).chain([None]);
        let manner = |(term, to): (&Term, Option<u64>)| {
            let what = term.profile.words();
            let to = to.filter(|to| *to < until);
            (!what.is_empty() && term.from < until).then(|| Manner {
                from: term.from,
                to,
                what,
                misses_calls: term.profile.misses_calls(),
                why: None,
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
        self.kernel.set_profile(LOBBY, &self.profiles.base)?;
        let used = self.watch.iter().flat_map(|watch| &watch.used);
        let waiting: Vec<u32> = self.spare.values().chain(used).map(|slot| slot.number).collect();
        waiting.into_iter().try_for_each(|slot| self.kernel.set_profile(slot, &self.profiles.base))?;
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
            track.terms.add(self.profiles.base.clone(), track.began);
        }
        let before = boottime();
        let changes = track.terms.profile() != Some(&wanted);
        if let Some(slot) = &mut track.slot {
            slot.wants(wanted.buffer_size);
            self.kernel.set_profile(slot.number, &wanted)?;
        }
        if changes {
            // Both hold in between: who leaves calls out has done so since, at most.
            let from = if wanted.misses_calls() { before } else { boottime() };
            let from = if is_new && self.is_empty_until_now(id)? { self.began(id).unwrap_or(from) } else { from };
            self.begin_term(id, wanted, from, is_new)?;
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

    fn begin_term(&mut self, id: TrackId, wanted: Profile, from: u64, is_new: bool) -> Result<()> {
        let Some(track) = self.tracks.get_mut(&id) else { return Ok(()) };
        let words = wanted.words();
        tracing::debug!(target_name = %track.identity, what = words, "it is recorded otherwise from now on");
        let is_off = wanted.off;
        track.terms.add(wanted, from);
        // What was recorded of it before anybody could see its name was not to be.
        if is_new && is_off {
            self.kernel.flush()?;
            let by = super::slot::By { kernel: &self.kernel, hold: &self.hold, history: &self.history };
            track.slot.iter_mut().try_for_each(|slot| slot.begin(by))?;
        }
        Ok(())
    }

    /// Whether nothing of a track was recorded yet.
    fn is_empty_until_now(&self, id: TrackId) -> Result<bool> {
        self.kernel.flush()?;
        let Some(slot) = self.tracks.get(&id).and_then(|track| track.slot.as_ref()) else { return Ok(false) };
        let written = slot.written(&self.kernel)?;
        Ok(written.records == 0 && written.lost == 0)
    }
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

    fn profile(strings: u32, off: bool) -> Profile {
        Profile { string_limit: strings, off, ..Profile::default() }
    }

    #[test]
    fn what_was_in_force_is_told_with_its_time() {
        let mut terms = Terms::default();
        assert!(terms.manners(9).is_empty());
        terms.add(profile(32, false), 1);
        assert!(terms.manners(9).is_empty(), "nothing is to be said of what is as ever");
        terms.add(profile(64, false), 3);
        terms.add(profile(32, true), 5);
        terms.add(profile(32, false), 7);
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
            terms.add(profile(32, n % 2 == 1), 10 * n);
        }
        assert_eq!(terms.terms.len(), MOST);
        let told = terms.manners(u64::MAX);
        assert_eq!((told[0].from, told[0].misses_calls), (0, true));
    }
}
