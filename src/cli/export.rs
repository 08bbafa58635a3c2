//! `traceloop export`: a stored dump as a file of its own.

use std::io::{self, Write};

use anyhow::{Context, Result};
use clap::Args;
use clap_complete::ArgValueCompleter;

use super::{End, offered, opening::opened, output::Output, place::Place, show};

/// Write the newest matching dump to a file or stdout: the dump file itself, or another --format
#[derive(Args, Debug)]
pub(super) struct Export {
    /// A dump file that is there, - for standard input, or as `traceloop list` takes it: the newest dump that matches is
    /// meant
    #[arg(value_name = "FILE|MATCH", allow_negative_numbers = true, add = ArgValueCompleter::new(offered::dumps_or_files))]
    what: Vec<String>,
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
        let Some((path, mut file)) = opened("export", &self.what, &self.place)? else { return Ok(End::NoMatch) };
        let doing = || format!("export {}", path.display());
        if self.output.is_asked_for() {
            return show::print(&path, file, &self.output, self.string_limit, false).with_context(doing);
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
