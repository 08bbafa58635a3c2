//! What stands in an object store, for whoever reads it by hand or by a program of his own: traceloop itself knows no TLS
//! and holds no credentials.

use std::io::Write;

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Args;
use futures_util::{StreamExt, TryStreamExt};
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStoreExt};
use serde_json::json;

use crate::{End, config, fault, object::Objects};

/// Requests at once.
const AT_ONCE: usize = 16;

/// Prints an object.
pub(crate) async fn get(url: &str, store: &config::Store) -> Result<End> {
    let objects = Objects::open(store, url)?;
    let doing = format!("get {url}");
    let found = fault::of_store(&doing, objects.store.get(&objects.prefix).await)?;
    let mut pieces = found.into_stream();
    let mut out = std::io::stdout().lock();
    while let Some(piece) = pieces.next().await {
        let piece = fault::of_store(&doing, piece)?;
        if let Err(error) = out.write_all(&piece) {
            return ended(error);
        }
    }
    out.flush().or_else(|error| ended(error).map(drop).map_err(std::io::Error::other))?;
    Ok(End::Done)
}

/// Which dumps are listed, and with what of each.
#[derive(Args, Clone, Debug)]
pub(crate) struct Wanted {
    /// With so many of each one's first bytes, base64
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    head: u64,
    /// And of its last
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    tail: u64,
    /// Only those of this time or later, as their names begin: 20261125T031210.481022Z, or the start of it
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only those of this time or before
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

impl Wanted {
    /// Whether an object of this name is; none is left out whose name does not begin with a time.
    fn covers(&self, file: &str) -> bool {
        let time = file.split(['-', '+']).next().unwrap_or_default();
        if !time.starts_with(|first: char| first.is_ascii_digit()) {
            return true;
        }
        // Up to the length that is given.
        let part = |bound: &str| time.get(..bound.len()).unwrap_or(time);
        self.since.as_deref().is_none_or(|since| part(since) >= since)
            && self.until.as_deref().is_none_or(|until| part(until) <= until)
    }
}

/// Lists what dumps there are, in the order of their times. One that cannot be read is listed with why.
pub(crate) async fn ls(url: &str, wanted: &Wanted, store: &config::Store) -> Result<End> {
    let doing = format!("list {url}");
    let objects = Objects::open(store, url)?;
    objects.must_be_there().context(doing.clone())?;
    let mut dumps: Vec<ObjectMeta> = if objects.prefix.as_ref().ends_with(".dump") {
        vec![fault::of_store(&doing, objects.store.head(&objects.prefix).await)?]
    } else {
        fault::of_store(&doing, objects.store.list(Some(&objects.prefix)).try_collect().await)?
    };
    dumps
        .retain(|object| object.location.filename().is_some_and(|name| name.ends_with(".dump") && wanted.covers(name)));
    // Their names begin with when they were made.
    dumps.sort_by(|a, b| a.location.filename().cmp(&b.location.filename()));
    let look = |object: ObjectMeta| {
        let objects = &objects;
        async move { (both(objects, &object, wanted).await, object) }
    };
    let mut looked = futures_util::stream::iter(dumps).map(look).buffered(AT_ONCE);
    let mut out = std::io::stdout().lock();
    while let Some((both, object)) = looked.next().await {
        let url = objects.url_of(&object.location);
        let line = match both {
            Ok((head, tail)) => {
                json!({"url": url, "size": object.size, "head": STANDARD.encode(head), "tail": STANDARD.encode(tail)})
            }
            Err(error) => json!({"url": url, "size": object.size, "error": format!("{error:#}")}),
        };
        if let Err(error) = writeln!(out, "{line}") {
            return ended(error);
        }
    }
    out.flush().context("print the list")?;
    Ok(End::Done)
}

/// How it begins and ends; of a short one with a single request.
async fn both(objects: &Objects, object: &ObjectMeta, wanted: &Wanted) -> Result<(Vec<u8>, Vec<u8>)> {
    let (head, tail) = (wanted.head.min(object.size), wanted.tail.min(object.size));
    let first = part(objects, object, 0..head).await?;
    let last = if head == object.size {
        first[first.len().saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX))..].to_vec()
    } else {
        part(objects, object, object.size - tail..object.size).await?
    };
    Ok((first, last))
}

async fn part(objects: &Objects, object: &ObjectMeta, bytes: std::ops::Range<u64>) -> Result<Vec<u8>> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let options = GetOptions { range: Some(GetRange::Bounded(bytes)), ..GetOptions::default() };
    let doing = format!("read {}", objects.url_of(&object.location));
    let found = fault::of_store(&doing, objects.store.get_opts(&object.location, options).await)?;
    Ok(fault::of_store(&doing, found.bytes().await)?.into())
}

/// Who reads us has seen enough, or it is an error.
fn ended(error: std::io::Error) -> Result<End> {
    if error.kind() == std::io::ErrorKind::BrokenPipe { Ok(End::Done) } else { Err(error).context("print") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_begin_with_a_time_are_chosen_by_it() {
        let names = ["20261124T235959.999999Z+3.1c-a-exit-1.dump", "20261125T031210.481022Z-exit-2.dump", "mine.dump"];
        for (since, until, chosen) in [
            (None, None, &names[..]),
            (Some("20261125"), None, &names[1..]),
            (Some("20261125T031210.481022Z"), Some("20261125T031210.481022Z"), &names[1..]),
            (Some("20261125T031210.481023Z"), None, &names[2..]),
            (None, Some("20261124"), &[names[0], names[2]]),
        ] {
            let text = |bound: Option<&str>| bound.map(str::to_owned);
            let wanted = Wanted { head: 0, tail: 0, since: text(since), until: text(until) };
            let found: Vec<&str> = names.into_iter().filter(|name| wanted.covers(name)).collect();
            assert_eq!(found, chosen, "{since:?} {until:?}");
        }
    }
}
