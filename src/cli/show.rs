//! `traceloop show`: a stored dump, or a dump file from anywhere, decoded without root and without BPF.

use std::io::BufReader;

use anyhow::{Context, Result};
use clap::Args;

use super::{End, choosing::Place, opening::opened, output::Output};
use crate::{decode, store};

/// Print a dump: the newest that matches, or a file
#[derive(Args, Debug)]
pub(super) struct Show {
    /// A dump file (a path with a / in it, or a file that is there), or as `traceloop list` takes it: the
    /// newest dump that matches is meant
    #[arg(value_name = "FILE|MATCH", allow_negative_numbers = true)]
    what: Vec<String>,
    /// Bytes of each string that are shown
    #[arg(short = 's', long, value_name = "N", default_value_t = 32)]
    string_limit: usize,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: Output,
}

impl Show {
    pub(super) fn run(self) -> Result<End> {
        let Some((path, file)) = opened("show", &self.what, &self.place)? else { return Ok(End::NoMatch) };
        let doing = || format!("show {}", path.display());
        let (mut recording, damage) = store::read(BufReader::new(file)).with_context(doing)?;
        if let Some(damage) = &damage {
            super::say(format_args!("traceloop: {}: {damage}", path.display()))?;
        }
        if recording.dump.last_words.is_none() {
            decode::sum_up(&mut recording);
        }
        let style = self.output.style(self.string_limit);
        self.output.open()?.dump(&recording, &style)?;
        Ok(if damage.is_some() { End::NoMatch } else { End::Done })
    }
}
