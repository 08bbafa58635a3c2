//! `traceloop show`: a stored dump, or a dump file from anywhere, decoded without root and without BPF.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

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
        let Some((path, file)) = self.file()? else { return Ok(End::NoMatch) };
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

    /// The dump that is meant, opened; `None`: there is none, which was said.
    fn file(&self) -> Result<Option<(PathBuf, File)>> {
        if let [path] = &self.what[..]
            && (path.contains('/') || Path::new(path).is_file())
        {
            let file = File::open(path).with_context(|| format!("show {path}"))?;
            return Ok(Some((path.into(), file)));
        }
        let matches: Vec<Match> = match self.what.iter().map(|text| Match::parse(text)).collect() {
            Ok(matches) => matches,
            Err(error) => super::usage(format_args!("{error:#}")),
        };
        let Some((store, entry)) = newest(&self.place, &matches)? else { return Ok(None) };
        Ok(Some((entry.path.clone(), store.file(&entry)?)))
    }
}
