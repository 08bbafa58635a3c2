//! Which recordings a client means by a TARGET.

use crate::{
    control::{Kind, Problem},
    identity::{Candidate, Target, Unmatched},
    recorder::{Recorder, TrackId},
};

/// The tracks that TARGET means.
pub(super) fn choose(recorder: &Recorder, target: &str) -> Result<Vec<TrackId>, Problem> {
    let target = Target::parse(target).map_err(|error| Problem::new(Kind::Wrong, format!("{error:#}")))?;
    let candidates: Vec<_> =
        recorder.identities().map(|(id, identity, live)| Candidate { ring: id.0, identity, live }).collect();
    let chosen = target.choose(&candidates).map_err(|unmatched| {
        let kind = match unmatched {
            Unmatched::Nothing { .. } => Kind::NotFound,
            Unmatched::Ambiguous { .. } => Kind::Conflict,
        };
        Problem::new(kind, unmatched.to_string())
    })?;
    Ok(chosen.into_iter().map(|chosen| TrackId(chosen.ring)).collect())
}
