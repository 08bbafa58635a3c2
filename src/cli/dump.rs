//! `traceloop dump TARGET`: what the daemon has recorded of it, while the recording goes on.
//!
//! A target that means several recordings (a slice, a pod, a pattern) gives one dump of all of them: calls in the order
//! of their times, each line with the name of its unit or container, and for each of them for which time it is
//! complete, what was overwritten and what was lost. `--save` stores each as a dump of its own, to be found by its
//! own name.

use std::io::{self, Write};

use anyhow::{Context, Result};
use clap::Args;

use super::{End, recorded::Recorded, signals::runtime};
use crate::store;

/// Print what the daemon has recorded of something; the recording goes on
#[derive(Args, Debug)]
pub(super) struct Dump {
    /// Store it with the other dumps instead of printing it; of several recordings, each by itself
    #[arg(long)]
    save: bool,
    #[command(flatten)]
    pub(super) recorded: Recorded,
}

impl Dump {
    pub(super) fn run(self) -> Result<End> {
        if self.save {
            return self.save();
        }
        let client = self.recorded.client();
        let mut destination = self.recorded.output.open()?;
        let file = runtime()?.block_on(async { client.dump(&self.recorded.target).await })?;
        let (recording, damage) = store::read(&file[..]).context("read the daemon's dump")?;
        if let Some(damage) = &damage {
            super::say(format_args!("traceloop: {damage}"))?;
        }
        drop(file);
        let whole = destination.dump(&recording, &self.recorded.style())?;
        Ok(if damage.is_some() || !whole { End::NoMatch } else { End::Done })
    }

    /// The ids go to stdout, for scripts.
    fn save(&self) -> Result<End> {
        let client = self.recorded.client();
        let saved = runtime()?.block_on(async {
            let tracks = client.tracks(Some(&self.recorded.target)).await?;
            for track in &tracks {
                let saved = client.save(track.id).await?;
                super::say(format_args!("stored {}: {}, {} bytes", track.target, saved.path, saved.bytes))?;
                writeln!(io::stdout(), "{}", saved.id)?;
            }
            anyhow::Ok(tracks.len())
        })?;
        Ok(if saved == 0 { End::NoMatch } else { End::Done })
    }
}
