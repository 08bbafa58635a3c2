//! Options of which stored dumps are meant.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use jiff::Timestamp;

use super::End;
use crate::{
    select::When,
    store::{Choice, DIRECTORY, Entry, Match, Store},
};

/// Where dumps are stored.
#[derive(Args, Debug)]
pub(super) struct Place {
    /// The directory of dumps
    #[arg(long, value_name = "DIR", default_value = DIRECTORY)]
    directory: PathBuf,
}

/// Which stored dumps are meant.
#[derive(Args, Debug)]
#[command(next_help_heading = "Which dumps")]
pub(super) struct Choosing {
    /// A unit, container, pod, cgroup, process (name or pid), a dump's id or how it begins, -1 for the
    /// newest (-2 for the one before), FIELD=VALUE; * and ? stand for anything
    #[arg(value_name = "MATCH", allow_negative_numbers = true, value_parser = Match::parse)]
    matches: Vec<Match>,
    /// Made at this time or later: 03:12, 2026-05-01, RFC 3339, -2h before now, today, unix seconds
    #[arg(short = 'S', long, value_name = "TIME", value_parser = When::parse, allow_hyphen_values = true)]
    since: Option<When>,
    /// Made at this time or before
    #[arg(short = 'U', long, value_name = "TIME", value_parser = When::parse, allow_hyphen_values = true)]
    until: Option<When>,
    /// Only so many, the newest
    #[arg(short = 'n', long = "lines", value_name = "N")]
    last: Option<usize>,
    /// Newest first
    #[arg(short, long)]
    reverse: bool,
    /// No head line, and not a word where nothing matches
    #[arg(short, long)]
    quiet: bool,
    /// One JSON object a line
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    place: Place,
}

impl Place {
    /// The directory, if it is there: one that was never made holds no dumps.
    pub(super) fn store(&self) -> Result<Option<Store>> {
        match Store::existing(&self.directory) {
            Err(_) if !self.directory.exists() => Ok(None),
            store => store.map(Some),
        }
    }

    /// Whether no other directory was asked for.
    pub(super) fn is_usual(&self) -> bool {
        self.directory == Path::new(DIRECTORY)
    }

    pub(super) fn path(&self) -> &Path {
        &self.directory
    }
}

impl Choosing {
    /// All dumps of the usual directory.
    pub(super) fn all() -> Self {
        Self {
            matches: Vec::new(),
            since: None,
            until: None,
            last: None,
            reverse: false,
            quiet: false,
            json: false,
            place: Place { directory: DIRECTORY.into() },
        }
    }

    /// Whether the usual directory is looked at.
    pub(super) fn is_usual(&self) -> bool {
        self.place.is_usual()
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether no dump in particular is meant.
    pub(super) fn is_all(&self) -> bool {
        self.choice().is_all()
    }

    fn choice(&self) -> Choice {
        let now = Timestamp::now().as_nanosecond();
        let taken = u64::try_from(now).unwrap_or(0);
        let time = |when: &When| Timestamp::from_nanosecond(when.boottime(taken, 0).into()).unwrap_or(Timestamp::MAX);
        Choice {
            matches: self.matches.clone(),
            since: self.since.as_ref().map(time),
            until: self.until.as_ref().map(time),
            last: self.last,
        }
    }

    /// The dumps that are meant, in the order in which they are told; `None`: none, which was said.
    pub(super) fn dumps(&self) -> Result<Option<(Store, Vec<Entry>)>> {
        let Some(store) = self.place.store()? else {
            self.nothing(format_args!("there are no dumps: {} is not there", self.place.path().display()))?;
            return Ok(None);
        };
        let mut dumps = self.choice().of(&store)?;
        if dumps.is_empty() {
            let none = if self.is_all() { "there are no dumps" } else { "no dump matches" };
            self.nothing(format_args!("{none} in {}", store.path().display()))?;
            return Ok(None);
        }
        if self.reverse {
            dumps.reverse();
        }
        Ok(Some((store, dumps)))
    }

    fn nothing(&self, what: std::fmt::Arguments<'_>) -> Result<End> {
        if !self.quiet {
            super::say(format_args!("traceloop: {what}"))?;
        }
        Ok(End::NoMatch)
    }
}

/// The newest of the dumps that are meant; it is said if there is none.
pub(super) fn newest(place: &Place, matches: &[Match]) -> Result<Option<(Store, Entry)>> {
    newest_of(place, matches, false)
}

/// The same without a word.
pub(super) fn quietly(place: &Place, matches: &[Match]) -> Result<Option<(Store, Entry)>> {
    newest_of(place, matches, true)
}

fn newest_of(place: &Place, matches: &[Match], quiet: bool) -> Result<Option<(Store, Entry)>> {
    let place = Place { directory: place.directory.clone() };
    let choosing = Choosing { matches: matches.to_vec(), place, quiet, ..Choosing::all() };
    Ok(choosing.dumps()?.and_then(|(store, mut dumps)| Some((store, dumps.pop()?))))
}
