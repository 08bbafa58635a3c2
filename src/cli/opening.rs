//! The dump that a verb reads: a file from anywhere, or the newest stored one that matches.

use std::{
    fs::File,
    io::{self, Seek},
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use clap_complete::ArgValueCompleter;

use super::{
    choosing::{newest, quietly},
    elsewhere, offered,
    place::Place,
    source::decrypted,
};
use crate::{
    decode,
    model::Recording,
    store::{self, Damage, Match},
};

/// What the verbs take that open one dump.
#[derive(Args, Debug)]
pub(super) struct Opening {
    /// A dump file that is there, - for standard input, or as `traceloop list` takes it: the newest dump that matches is meant
    #[arg(value_name = "FILE|MATCH", allow_negative_numbers = true, add = ArgValueCompleter::new(offered::dumps_or_files))]
    what: Vec<String>,
    /// Bytes of each string that are shown
    #[arg(short = 's', long, value_name = "N", default_value_t = 32)]
    pub(super) string_limit: usize,
}

impl Opening {
    pub(super) fn opened(&self, verb: &str, place: &Place) -> Result<Option<(PathBuf, File)>> {
        opened(verb, &self.what, place)
    }
}

/// A dump's recording, with what is said of it where an older recorder did not say it; and what is damaged.
pub(super) fn recording(file: File) -> Result<(Recording, Option<Damage>)> {
    let (recording, damage) = store::open(file)?;
    let is_told = recording.dump.last_words.is_some() && recording.dump.summary.is_some();
    Ok((if is_told { recording } else { decode::summed_up(recording) }, damage))
}

/// The dump that is meant, opened and, where its key is given, decrypted; `None`: there is none, which was said. `verb` is
/// what is done with it.
fn opened(verb: &str, what: &[String], place: &Place) -> Result<Option<(PathBuf, File)>> {
    let Some((path, file)) = as_it_is(verb, what, place)? else { return Ok(None) };
    let file = decrypted(file, place.identity()).with_context(|| format!("{verb} {}", path.display()))?;
    Ok(Some((path, file)))
}

fn as_it_is(verb: &str, what: &[String], place: &Place) -> Result<Option<(PathBuf, File)>> {
    let text = match what {
        [text] if text == "-" => return Ok(Some(("standard input".into(), stdin()?))),
        [text] => text.as_str(),
        _ => "",
    };
    if is_file(text) {
        let mut file = File::open(text).with_context(|| format!("{verb} {text}"))?;
        // A pipe is read once: what it brings is looked at there.
        if file.metadata().is_ok_and(|about| about.is_file()) {
            let is_dump = store::is_dump(&file);
            file.rewind().with_context(|| format!("{verb} {text}"))?;
            ensure!(is_dump || store::is_sealed(&file), "{verb} {text}: this is not a traceloop dump");
            file.rewind().with_context(|| format!("{verb} {text}"))?;
        }
        return Ok(Some((text.into(), file)));
    }
    let matches: Vec<Match> = match what.iter().map(|text| elsewhere::parse(text)).collect() {
        Ok(matches) => matches,
        Err(error) => super::usage(format_args!("{error:#}")),
    };
    // One word may be the name of a file, or a slip in it.
    let (source, entry) = match &matches[..] {
        [Match::Word(_)] => quietly(place, &matches)?.with_context(|| missing(verb, text, place))?,
        _ => match newest(place, &matches)? {
            Some(found) => found,
            None => return Ok(None),
        },
    };
    Ok(Some((entry.path.clone(), source.file(&entry)?)))
}

/// Whether a word is the name of a file that is there: of one that can be none but a file's, or of a dump file.
pub(super) fn is_file(text: &str) -> bool {
    let path = Path::new(text);
    path.is_file() || (text.contains('/') && path.exists())
}

/// What is said where neither a file nor a dump is called so.
pub(super) fn missing(verb: &str, text: &str, place: &Place) -> String {
    format!("{verb} {text}: No such file, and no dump matches in {}", place.directory().display())
}

/// What stands on standard input, which may be a pipe.
fn stdin() -> Result<File> {
    Ok(io::stdin().as_fd().try_clone_to_owned().context("read standard input")?.into())
}

/// The same, read; damage was said, and is told by `false`.
pub(super) fn read(verb: &str, what: &[String], place: &Place) -> Result<Option<(Recording, bool)>> {
    let Some((path, file)) = opened(verb, what, place)? else { return Ok(None) };
    let (recording, damage) = store::open(file).with_context(|| format!("{verb} {}", path.display()))?;
    if let Some(damage) = &damage {
        super::say(format_args!("traceloop: {}: {damage}", path.display()))?;
    }
    Ok(Some((recording, damage.is_none())))
}
