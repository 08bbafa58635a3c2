//! `traceloop show FILE`: a dump file, decoded on any machine, without root and without BPF.

use std::{fs::File, io::BufReader, path::PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use super::{End, output::Output};
use crate::store;

/// Print a dump file
#[derive(Args, Debug)]
pub(super) struct Show {
    /// A file written with --format raw
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Bytes of each string that are shown
    #[arg(short = 's', long, value_name = "N", default_value_t = 32)]
    string_limit: usize,
    #[command(flatten)]
    output: Output,
}

impl Show {
    pub(super) fn run(self) -> Result<End> {
        let doing = || format!("show {}", self.file.display());
        let file = File::open(&self.file).with_context(doing)?;
        let (recording, damage) = store::read(BufReader::new(file)).with_context(doing)?;
        if let Some(damage) = &damage {
            super::say(format_args!("traceloop: {}: {damage}", self.file.display()))?;
        }
        let style = self.output.style(self.string_limit);
        self.output.open()?.dump(&recording, &style)?;
        Ok(if damage.is_some() { End::NoMatch } else { End::Done })
    }
}
