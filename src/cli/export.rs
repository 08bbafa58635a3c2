//! `traceloop export`: a stored dump as a file of its own.

use std::io::{self, Write};

use anyhow::{Context, Result};
use clap::Args;

use super::{End, choosing::newest, output::Output, place::Place, show};
use crate::store::Match;

/// Write the newest matching dump to a file or stdout: the dump file itself, or another --format
#[derive(Args, Debug)]
pub(super) struct Export {
    /// As `traceloop list` takes it; the newest dump that matches is meant
    #[arg(value_name = "MATCH", allow_negative_numbers = true, value_parser = Match::parse)]
    matches: Vec<Match>,
    /// Bytes of each string that are shown
    #[arg(short = 's', long, value_name = "N", default_value_t = 32)]
    string_limit: usize,
    #[command(flatten)]
    pub(super) place: Place,
    #[command(flatten)]
    output: Output,
}

impl Export {
    pub(super) fn run(self) -> Result<End> {
        let Some((source, entry)) = newest(&self.place, &self.matches)? else { return Ok(End::NoMatch) };
        let mut file = source.file(&entry)?;
        let doing = || format!("export {}", entry.path.display());
        if self.output.is_asked_for() {
            return show::print(&entry.path, file, &self.output, self.string_limit, false).with_context(doing);
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
