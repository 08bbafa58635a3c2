//! `traceloop show`: a stored dump, or a dump file from anywhere, decoded without root and without BPF.

use std::{fs::File, path::Path};

use anyhow::{Context, Result};
use clap::Args;
use clap_complete::ArgValueCompleter;

use super::{End, offered, opening::opened, output::Output, place::Place, stored::Paging};
use crate::{decode, store};

/// Print a dump: the newest that matches, or a file
#[derive(Args, Debug)]
pub(super) struct Show {
    /// A dump file that is there, - for standard input, or as `traceloop list` takes it: the newest dump that matches is meant
    #[arg(value_name = "FILE|MATCH", allow_negative_numbers = true, add = ArgValueCompleter::new(offered::dumps_or_files))]
    what: Vec<String>,
    /// Bytes of each string that are shown
    #[arg(short = 's', long, value_name = "N", default_value_t = 32)]
    string_limit: usize,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    pub(super) place: Place,
    #[command(flatten)]
    output: Output,
}

impl Show {
    pub(super) fn run(self) -> Result<End> {
        let Some((path, file)) = opened("show", &self.what, &self.place)? else { return Ok(End::NoMatch) };
        print(&path, file, &self.output, self.string_limit, !self.paging.no_pager)
            .with_context(|| format!("show {}", path.display()))
    }
}

/// Writes a dump file as the options want it; what stands before some damage is written too.
pub(super) fn print(path: &Path, file: File, output: &Output, string_limit: usize, paged: bool) -> Result<End> {
    let (mut recording, damage) = store::open(file)?;
    if let Some(damage) = &damage {
        super::say(format_args!("traceloop: {}: {damage}", path.display()))?;
    }
    if recording.dump.last_words.is_none() || recording.dump.summary.is_none() {
        recording = decode::summed_up(recording);
    }
    let whole = output.open_for_reader(paged)?.dump(&recording, &output.style(string_limit))?;
    Ok(if damage.is_some() || !whole { End::NoMatch } else { End::Done })
}
