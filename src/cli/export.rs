//! `traceloop export`: a stored dump as a file of its own.

use std::io::{self, Write};

use anyhow::{Context, Result};
use clap::Args;

use super::{End, opening::Opening, output::Output, place::Place, show};

/// Write the newest matching dump to a file or stdout: the dump file itself, or another --format
#[derive(Args, Debug)]
pub(super) struct Export {
    #[command(flatten)]
    opening: Opening,
    #[command(flatten)]
    pub(super) place: Place,
    #[command(flatten)]
    output: Output,
}

impl Export {
    pub(super) fn run(self) -> Result<End> {
        let Some((path, mut file)) = self.opening.opened("export", &self.place)? else { return Ok(End::NoMatch) };
        let doing = || format!("export {}", path.display());
        if self.output.is_asked_for() {
            return show::print(&path, file, &self.output, self.opening.string_limit, false).with_context(doing);
        }
        if self.output.is_terminal() {
            super::usage("a dump file is nothing for a terminal: give -o FILE, or --format text");
        }
        // As it is: a damaged one too may be looked at elsewhere.
        let mut out = self.output.open_raw()?;
        io::copy(&mut file, &mut out).and_then(|_| out.flush()).with_context(doing)?;
        Ok(End::Done)
    }
}
