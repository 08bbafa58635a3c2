//! `traceloop close TARGET`: the daemon records something no longer.

use anyhow::{Result, bail};
use clap::Args;
use clap_complete::ArgValueCandidates;

use super::{End, offered, place::Place, signals::runtime};
use crate::identity::Target;

/// Have the daemon record something no longer, and forget its history
#[derive(Args, Debug)]
pub(super) struct Close {
    /// A unit, slice, container, pod, cgroup path or glob, process, #RECORDING
    #[arg(value_name = "TARGET", add = ArgValueCandidates::new(offered::targets))]
    target: String,
    #[command(flatten)]
    pub(super) place: Place,
}

impl Close {
    pub(super) fn run(self) -> Result<End> {
        let client = self.place.client();
        let closed = runtime()?.block_on(async {
            let tracks = client.tracks(Some(&self.target)).await?;
            // A part of what is recorded cannot be closed by itself, and the rest of it was not named.
            if let Some(whole) = tracks.iter().find(|track| is_part(&self.target, &track.identity.cgroup)) {
                bail!("{} is recorded as a part of {}, #{}: close that", self.target, whole.target, whole.id);
            }
            for track in &tracks {
                client.close(track.id).await?;
                super::say(format_args!("closed {}, #{}", track.target, track.id))?;
            }
            anyhow::Ok(tracks.len())
        })?;
        Ok(if closed == 0 { End::NoMatch } else { End::Done })
    }
}

/// Whether a path is one below this cgroup. What is typed may have the mount's path before it.
fn is_part(target: &str, cgroup: &str) -> bool {
    let Some(below) = Target::parse(target).ok().and_then(|target| target.path().map(str::to_owned)) else {
        return false;
    };
    below.strip_prefix(cgroup.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_not_the_whole() {
        assert!(is_part("/w.service/sub", "/w.service") && is_part("/sys/fs/cgroup/w.service/sub/", "/w.service"));
        assert!(is_part("/w.service", "/") && !is_part("/w.service", "/w.service") && !is_part("w.service", "/"));
        assert!(!is_part("/w.service", "/w.service/sub") && !is_part("/", ""));
    }
}
