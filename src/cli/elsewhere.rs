//! Stores elsewhere, by their URL: `s3://dumps/prod`, `file:///mnt/dumps`.
//!
//! traceloop knows no TLS and holds no credentials: `traceloop-ship`, run as a child, gets what is there, and what it prints is
//! read here. Promise: what such a store holds is only read.

use std::{
    collections::HashMap,
    env,
    fs::File,
    io::{self, BufRead, BufReader, Seek},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Deserialize;

use super::{source::in_memory, stored::Stored};
use crate::{
    model::{Dump, plain, plain_lines},
    store::{self, Entry, Match, Name, Sealed},
};

/// Who speaks to them.
const HELPER: &str = "traceloop-ship";
/// What a dump says of itself is mostly shorter, bytes; of one where it is longer, the whole is got.
const HEAD: &str = "65536";
/// Of its end, so that it is known whether that is there, bytes.
const TAIL: &str = "256";

/// What is there, and what it says of itself.
#[derive(Debug)]
pub(super) struct Elsewhere {
    url: String,
    told: HashMap<PathBuf, Seen>,
}

/// What one says of itself.
#[derive(Debug)]
struct Seen {
    dump: Result<Dump, String>,
    /// Whether its end is there.
    whole: bool,
    sealed: bool,
}

/// A line of the helper's list.
#[derive(Deserialize)]
struct Line {
    url: String,
    size: u64,
    #[serde(default)]
    head: String,
    #[serde(default)]
    tail: String,
    /// Why neither could be read.
    error: Option<String>,
}

/// Whether this is a URL; the helper knows which lead to a store.
fn is_url(text: &str) -> bool {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
    };
    text.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme))
}

/// What is said of the dump that is meant, or where it is.
pub(super) fn parse(text: &str) -> Result<Match> {
    if is_url(text) { Ok(Match::Elsewhere(text.to_owned())) } else { Match::parse(text) }
}

impl Line {
    /// Which object it is of, how long that is, what it says of itself, and whether its end is there.
    fn understood(text: &str) -> Result<(PathBuf, u64, Seen)> {
        let line: Self = serde_json::from_str(text).with_context(|| format!("understand what {HELPER} prints"))?;
        let path = PathBuf::from(&line.url);
        if let Some(error) = &line.error {
            let dump = Err(plain(error).into_owned());
            return Ok((path, line.size, Seen { dump, whole: false, sealed: false }));
        }
        let bytes = |text: &str| STANDARD.decode(text).with_context(|| format!("understand what {HELPER} prints"));
        let (head, tail) = (bytes(&line.head)?, bytes(&line.tail)?);
        let mut dump = store::header(&mut &head[..]);
        if dump.is_err() && line.size > head.len() as u64 && store::is_dump(&head[..]) {
            dump = got(&path).and_then(|mut file| store::header(&mut file));
        }
        let sealed = dump.as_ref().is_err_and(anyhow::Error::is::<Sealed>);
        let dump = dump.map_err(|error| plain(&format!("{error:#}")).into_owned());
        Ok((path, line.size, Seen { dump, whole: store::has_end(&tail), sealed }))
    }
}

impl Elsewhere {
    /// What is below a URL, in the order of time; what is of another time is left out where that is known before it is read.
    pub(super) fn list(url: &str, since: Option<Timestamp>, until: Option<Timestamp>) -> Result<(Self, Vec<Entry>)> {
        let doing = || format!("list {}", plain(url));
        let mut command = helper(&["ls", "--head", HEAD, "--tail", TAIL]);
        for (option, time) in [("--since", since), ("--until", until)] {
            command.args(time.map(|time| format!("{option}={}", Name::time_of(time))));
        }
        let mut child = started(&doing(), command.args(["--", url]).stdout(Stdio::piped()))?;
        let mut told = HashMap::new();
        let mut entries = Vec::new();
        // A line at a time: a fleet's dumps are many.
        for line in BufReader::new(child.stdout.take().context("read what traceloop-ship prints")?).lines() {
            let line = line.with_context(doing)?;
            let (path, size, seen) = Line::understood(&line).with_context(doing)?;
            // What is called as none of ours and says nothing of itself is no dump.
            let Some(entry) = Entry::elsewhere(&path, size, seen.dump.as_ref().ok()) else { continue };
            entries.push(entry);
            told.insert(path, seen);
        }
        ended(&doing(), child)?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok((Self { url: url.to_owned(), told }, entries))
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// What a dump there says of itself.
    pub(super) fn look<'a>(&self, entry: &'a Entry) -> Stored<'a> {
        match self.told.get(&entry.path) {
            Some(Seen { dump, whole, sealed }) => Stored::told(entry, dump.clone(), *whole).sealed(*sealed),
            None => Stored::told(entry, Err("it was not listed".to_owned()), false),
        }
    }

    /// The same, where it is readable.
    pub(super) fn header(&self, entry: &Entry) -> Option<Dump> {
        self.told.get(&entry.path).and_then(|seen| seen.dump.as_ref().ok().cloned())
    }
}

/// A dump's bytes.
pub(super) fn got(url: &Path) -> Result<File> {
    let doing = || format!("get {}", url.display());
    let mut file = in_memory()?;
    let mut command = helper(&["get", "--"]);
    let child = started(&doing(), command.arg(url).stdout(file.try_clone().with_context(doing)?))?;
    ended(&doing(), child)?;
    file.rewind().with_context(doing)?;
    Ok(file)
}

/// The one beside us, or the one that is installed.
fn helper(words: &[&str]) -> Command {
    let beside = env::current_exe().ok().map(|ours| ours.with_file_name(HELPER)).filter(|path| path.is_file());
    let mut command = Command::new(beside.unwrap_or_else(|| HELPER.into()));
    command.args(words);
    command
}

fn started(doing: &str, command: &mut Command) -> Result<Child> {
    match command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!(
                "{doing}: {HELPER} is what speaks to stores, and it is not installed: put it beside traceloop, or into PATH"
            )
        }
        child => child.with_context(|| format!("{doing}: run {HELPER}")),
    }
}

/// Waits for its end. What it says where it fails is the error, and says what was being done.
fn ended(doing: &str, child: Child) -> Result<()> {
    let done = child.wait_with_output().with_context(|| format!("{doing}: wait for {HELPER}"))?;
    let said = String::from_utf8_lossy(&done.stderr);
    if !done.status.success() {
        let last = said.lines().next_back().unwrap_or_default();
        let why = last.strip_prefix(HELPER).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(last);
        bail!(
            "{}",
            if why.is_empty() {
                format!("{doing}: {HELPER} failed: {}", done.status)
            } else {
                plain_lines(why).into_owned()
            }
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_place_and_no_field() {
        for url in [
            "s3://dumps",
            "s3://dumps/cluster=prod/namespace=shop",
            "gs://a/b",
            "az://a",
            "file:///mnt/a=b",
            "ftp://a/b",
        ] {
            assert!(matches!(parse(url).unwrap(), Match::Elsewhere(place) if place == url), "{url}");
        }
        for text in ["shop/cart-2", "UNIT=a", "/s3://", "http.service", "s3:", "a/b://c"] {
            assert!(!matches!(parse(text), Ok(Match::Elsewhere(_))), "{text}");
        }
    }
}
