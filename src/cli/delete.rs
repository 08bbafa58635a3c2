//! `traceloop delete`: stored dumps, removed.

use std::io::Write;

use anyhow::Result;
use clap::Args;

use super::{
    End,
    choosing::Choosing,
    stored::{Stored, stdout},
};

/// Remove stored dumps; it does not ask
#[derive(Args, Debug)]
pub(super) struct Delete {
    #[command(flatten)]
    pub(super) choosing: Choosing,
}

impl Delete {
    pub(super) fn run(self) -> Result<End> {
        if self.choosing.is_all() {
            let why = "what is to be deleted? Give a MATCH, --since or --until; `traceloop vacuum` removes old dumps";
            super::usage(why);
        }
        let Some((store, dumps)) = self.choosing.changeable("delete")? else { return Ok(End::NoMatch) };
        let mut out = stdout();
        let mut failed = None;
        for entry in &dumps {
            let stored = self.choosing.json.is_wanted().then(|| Stored::look(&store, entry));
            match store.remove(entry) {
                Ok(false) => {}
                Ok(true) => match stored {
                    Some(stored) => self.choosing.json.write(&mut out, &stored.object())?,
                    None => writeln!(out, "deleted {}", entry.path.display())?,
                },
                // The others can go all the same.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        out.flush()?;
        store.sync()?;
        failed.map_or(Ok(End::Done), Err)
    }
}
