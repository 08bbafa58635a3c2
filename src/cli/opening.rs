//! The dump that a verb reads: a file from anywhere, or the newest stored one that matches.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{
    choosing::{newest, quietly},
    place::Place,
};
use crate::{
    model::Recording,
    store::{self, Match},
};

/// The dump that is meant, opened; `None`: there is none, which was said. `verb` is what is done with it.
pub(super) fn opened(verb: &str, what: &[String], place: &Place) -> Result<Option<(PathBuf, File)>> {
    if let [text] = what {
        let path = Path::new(text);
        if path.is_file() || (text.contains('/') && path.exists()) {
            let file = File::open(path).with_context(|| format!("{verb} {text}"))?;
            return Ok(Some((path.to_owned(), file)));
        }
        // namespace/pod, or the path of a cgroup; or a slip.
        if text.contains('/') {
            let matched = Match::parse(text).ok();
            let found = matched.map(|matched| quietly(place, &[matched])).transpose()?.flatten();
            let (source, entry) =
                found.with_context(|| format!("{verb} {text}: No such file, and no stored dump matches"))?;
            return Ok(Some((entry.path.clone(), source.file(&entry)?)));
        }
    }
    let matches: Vec<Match> = match what.iter().map(|text| Match::parse(text)).collect() {
        Ok(matches) => matches,
        Err(error) => super::usage(format_args!("{error:#}")),
    };
    let Some((source, entry)) = newest(place, &matches)? else { return Ok(None) };
    Ok(Some((entry.path.clone(), source.file(&entry)?)))
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
