//! Options of which stored dumps are meant.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use clap_complete::ArgValueCandidates;
use jiff::{SignedDuration, Timestamp};

use super::{
    elsewhere::{self, Elsewhere},
    json::Json,
    offered,
    place::Place,
    source::Source,
};
use crate::{
    control::Client,
    select::When,
    store::{self, Choice, Entry, Match, Store},
};

/// Which stored dumps are meant.
#[derive(Args, Debug)]
#[command(next_help_heading = "Which dumps")]
pub(super) struct Choosing {
    /// A unit, container, pod, cgroup, process (name or pid), a dump's id or how it begins, -1 for the
    /// newest (-2 for the one before), FIELD=VALUE; * and ? stand for anything; or a dump file; before them, the URL of a
    /// store: s3://BUCKET/PREFIX
    #[arg(value_name = "MATCH", allow_negative_numbers = true, value_parser = elsewhere::parse, add = ArgValueCandidates::new(offered::dumps))]
    matches: Vec<Match>,
    /// Made at this time or later: 03:12, 2026-05-01, RFC 3339, 2h ago, now, today, unix seconds
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
    /// All of them, of whatever host and boot: so it is without this, too
    #[arg(long, conflicts_with = "last")]
    all: bool,
    /// No head line, and not a word where nothing matches
    #[arg(short, long)]
    quiet: bool,
    /// Neither a head line nor lines below
    #[arg(long)]
    no_legend: bool,
    #[command(flatten)]
    pub(super) json: Json,
    #[command(flatten)]
    pub(super) place: Place,
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
            all: false,
            quiet: false,
            no_legend: false,
            json: Json::default(),
            place: Place::usual(),
        }
    }

    /// The same, without a word where there are none.
    pub(super) fn unsaid() -> Self {
        Self { quiet: true, ..Self::all() }
    }

    /// The daemon that stores in that directory, as far as is known.
    pub(super) fn daemon(&self) -> Option<Client> {
        let is_here = self.elsewhere().is_none() && self.place.is_daemons();
        (is_here && self.place.socket().exists()).then(|| self.place.client())
    }

    /// Whether what ended then, seconds since 1970, is meant, but for whose it is.
    pub(super) fn covers(&self, ended: f64) -> bool {
        let at = SignedDuration::try_from_secs_f64(ended).map(Timestamp::from_duration);
        let Ok(Ok(at)) = at else { return false };
        let Choice { since, until, .. } = self.choice();
        since.is_none_or(|since| since <= at) && until.is_none_or(|until| at <= until)
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether what is printed has a head line, and lines below.
    pub(super) fn has_legend(&self) -> bool {
        !(self.quiet || self.no_legend || self.json.is_wanted())
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

    /// The store that is named instead of the directory.
    fn elsewhere(&self) -> Option<&str> {
        let mut urls =
            self.matches.iter().filter_map(|word| if let Match::Elsewhere(url) = word { Some(url) } else { None });
        let first = urls.next()?;
        match urls.next() {
            Some(other) => super::usage(format_args!("{first} and {other}: one store at a time")),
            None => Some(first),
        }
    }

    /// The dumps that are meant, in the order in which they are told; `None`: none, which was said.
    pub(super) fn dumps(&self) -> Result<Option<(Source, Vec<Entry>)>> {
        if let [word @ Match::Word(_)] = &self.matches[..]
            && let path = PathBuf::from(word.to_string())
            && is_dump(&path)
        {
            let (source, entry) = Source::of_file(&path, self.place.identity())?;
            return Ok(Some((source, vec![entry])));
        }
        let found = match self.elsewhere() {
            Some(url) => Some(found_elsewhere(url, &self.choice())?),
            None => found(&self.place, &self.choice())?,
        };
        let Some((source, mut dumps)) = found else {
            self.nothing(format_args!("there are no dumps: {} is not there", self.place.directory().display()))?;
            return Ok(None);
        };
        if dumps.is_empty() {
            let none = if self.is_all() { "there are no dumps" } else { "no dump matches" };
            self.nothing(format_args!("{none} in {}", source.place()))?;
            return Ok(None);
        }
        if self.reverse {
            dumps.reverse();
        }
        Ok(Some((source.with_identity(self.place.identity()), dumps)))
    }

    /// The directory, for a verb that changes it.
    pub(super) fn changeable(&self, verb: &str) -> Result<Option<(Store, Vec<Entry>)>> {
        let Some((source, dumps)) = self.dumps()? else { return Ok(None) };
        Ok(Some((source.directory(verb, self.place.directory())?, dumps)))
    }

    fn nothing(&self, what: std::fmt::Arguments<'_>) -> Result<()> {
        if self.quiet {
            return Ok(());
        }
        match &self.matches[..] {
            [Match::Word(word)] if Path::new(&word.to_string()).is_file() => {
                super::say(format_args!("traceloop: {word} is not a traceloop dump, and {what}"))
            }
            // It may be a slip in the name of a file.
            [Match::Word(word)] if word.to_string().contains('/') || word.to_string().ends_with(".dump") => {
                super::say(format_args!("traceloop: {word}: No such file, and {what}"))
            }
            _ => super::say(format_args!("traceloop: {what}")),
        }
    }
}

/// The dumps that are meant, oldest first, and where they come from; `None`: the directory was never made, and holds
/// none. One that is not ours to read is the daemon's.
fn found(place: &Place, choice: &Choice) -> Result<Option<(Source, Vec<Entry>)>> {
    let refused = match Store::existing(place.directory()) {
        Ok(store) => {
            let dumps = choice.of(&store)?;
            return Ok(Some((Source::of_directory(store), dumps)));
        }
        Err(_) if !may_be_there(place.directory()) => return Ok(None),
        Err(refused) => refused,
    };
    let is_closed =
        refused.downcast_ref::<io::Error>().is_some_and(|why| why.kind() == io::ErrorKind::PermissionDenied);
    if !is_closed || !place.is_daemons() {
        return Err(refused);
    }
    let asks = |word: &&Match| !matches!(word, Match::Newest(_));
    let words: Vec<String> = choice.matches.iter().filter(asks).map(ToString::to_string).collect();
    let (source, told) = Source::ask(place.client(), &words.join(" ")).with_context(|| format!("{refused:#}"))?;
    Ok(Some((source, choice.of_told(told)?)))
}

/// The same in a store elsewhere.
fn found_elsewhere(url: &str, choice: &Choice) -> Result<(Source, Vec<Entry>)> {
    let (store, entries) = Elsewhere::list(url, choice.since, choice.until)?;
    let dumps = choice.of_those(entries, |entry| store.header(entry))?;
    Ok((Source::of_elsewhere(store), dumps))
}

/// The newest of the dumps that are meant; it is said if there is none.
pub(super) fn newest(place: &Place, matches: &[Match]) -> Result<Option<(Source, Entry)>> {
    newest_of(place, matches, false)
}

/// The same without a word.
pub(super) fn quietly(place: &Place, matches: &[Match]) -> Result<Option<(Source, Entry)>> {
    newest_of(place, matches, true)
}

fn newest_of(place: &Place, matches: &[Match], quiet: bool) -> Result<Option<(Source, Entry)>> {
    let choosing = Choosing { matches: matches.to_vec(), place: place.clone(), quiet, ..Choosing::all() };
    Ok(choosing.dumps()?.and_then(|(source, mut dumps)| Some((source, dumps.pop()?))))
}

/// Whether this is the name of a dump file: a unit may be called as some file here is.
fn is_dump(path: &Path) -> bool {
    let begins_so = |is: fn(&File) -> bool| File::open(path).is_ok_and(|file| is(&file));
    path.is_file() && (begins_so(|file| store::is_dump(file)) || begins_so(|file| store::is_sealed(file)))
}

/// Whether there may be a directory, seen or not.
fn may_be_there(path: &Path) -> bool {
    path.try_exists().unwrap_or(true)
}
