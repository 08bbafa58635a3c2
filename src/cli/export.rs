//! `traceloop export`: a stored dump as a file of its own.

use std::io;

use anyhow::{Context, Result};
use clap::Args;

use super::{
    End,
    choosing::{Place, newest},
    output::Output,
};
use crate::{
    decode,
    store::{self, Match},
};

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
    place: Place,
    #[command(flatten)]
    output: Output,
}

impl Export {
    pub(super) fn run(self) -> Result<End> {
        let Some((store, entry)) = newest(&self.place, &self.matches)? else { return Ok(End::NoMatch) };
        let mut file = store.file(&entry)?;
        let doing = || format!("export {}", entry.path.display());
        if !self.output.has_format() {
            // As it is: a damaged one too may be looked at elsewhere.
            let mut out = self.output.writer()?;
            io::copy(&mut file, &mut out).and_then(|_| io::Write::flush(&mut out)).with_context(doing)?;
            return Ok(End::Done);
        }
        let (mut recording, damage) = store::read(io::BufReader::new(file)).with_context(doing)?;
        if let Some(damage) = &damage {
            super::say(format_args!("traceloop: {}: {damage}", entry.path.display()))?;
        }
        if recording.dump.last_words.is_none() {
            decode::sum_up(&mut recording);
        }
        let style = self.output.style(self.string_limit);
        self.output.open()?.dump(&recording, &style)?;
        Ok(if damage.is_some() { End::NoMatch } else { End::Done })
    }
}
