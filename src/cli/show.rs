//! `traceloop show`: a stored dump, or a dump file from anywhere, decoded without root and without BPF.

use std::{fs::File, path::Path};

use anyhow::{Context, Result};
use clap::Args;

use super::{
    End,
    opening::{Opening, recording},
    output::Output,
    place::Place,
    stored::Paging,
};

/// Print a dump: the newest that matches, or a file
#[derive(Args, Debug)]
pub(super) struct Show {
    #[command(flatten)]
    opening: Opening,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    pub(super) place: Place,
    #[command(flatten)]
    output: Output,
}

impl Show {
    pub(super) fn run(self) -> Result<End> {
        let Some((path, file)) = self.opening.opened("show", &self.place)? else { return Ok(End::NoMatch) };
        print(&path, file, &self.output, self.opening.string_limit, !self.paging.no_pager)
            .with_context(|| format!("show {}", path.display()))
    }
}

/// Writes a dump file as the options want it; what stands before some damage is written too.
pub(super) fn print(path: &Path, file: File, output: &Output, string_limit: usize, paged: bool) -> Result<End> {
    let (recording, damage) = recording(file)?;
    if let Some(damage) = &damage {
        super::say(format_args!("traceloop: {}: {damage}", path.display()))?;
    }
    let whole = output.open_for_reader(paged)?.dump(&recording, &output.style(string_limit))?;
    Ok(if damage.is_some() || !whole { End::NoMatch } else { End::Done })
}
