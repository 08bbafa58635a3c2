//! What stands in an object store, for whoever reads it by hand or by a program of his own: traceloop itself knows no TLS
//! and holds no credentials.

use std::io::Write;

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{StreamExt, TryStreamExt};
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStoreExt};
use serde_json::json;

use crate::{End, config, fault, object::Objects, say};

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

/// Lists what dumps there are, in the order of their times.
pub(crate) async fn ls(url: &str, ends: (u64, u64), store: &config::Store) -> Result<End> {
    let objects = Objects::open(store, url)?;
    objects.must_be_there()?;
    let doing = format!("list {url}");
    let mut dumps: Vec<ObjectMeta> = if objects.prefix.as_ref().ends_with(".dump") {
        vec![fault::of_store(&doing, objects.store.head(&objects.prefix).await)?]
    } else {
        fault::of_store(&doing, objects.store.list(Some(&objects.prefix)).try_collect().await)?
    };
    dumps.retain(|object| object.location.as_ref().ends_with(".dump"));
    // Their names begin with when they were made.
    dumps.sort_by(|a, b| a.location.filename().cmp(&b.location.filename()));
    let look = |object: ObjectMeta| {
        let objects = &objects;
        async move { (both(objects, &object, ends).await, object) }
    };
    let mut looked = futures_util::stream::iter(dumps).map(look).buffered(AT_ONCE);
    let mut out = std::io::stdout().lock();
    let mut end = End::Done;
    while let Some((both, object)) = looked.next().await {
        let url = objects.url_of(&object.location);
        let line = match both {
            Ok((head, tail)) => {
                json!({"url": url, "size": object.size, "head": STANDARD.encode(head), "tail": STANDARD.encode(tail)})
            }
            Err(error) => {
                say(format_args!("{error:#}"));
                end = End::Failed;
                continue;
            }
        };
        if let Err(error) = writeln!(out, "{line}") {
            return ended(error);
        }
    }
    out.flush().context("print the list")?;
    Ok(end)
}

/// How it begins and ends; of a short one with a single request.
async fn both(objects: &Objects, object: &ObjectMeta, (head, tail): (u64, u64)) -> Result<(Vec<u8>, Vec<u8>)> {
    let (head, tail) = (head.min(object.size), tail.min(object.size));
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
