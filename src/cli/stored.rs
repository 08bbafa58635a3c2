//! A stored dump as a list or a description has it.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::{
    model::{Dump, plain},
    render,
    store::{Entry, Store},
};

/// A stored dump that was looked at.
pub(super) struct Stored<'a> {
    pub(super) entry: &'a Entry,
    /// What it says of itself, or what is wrong with it.
    pub(super) about: Result<Dump, String>,
    /// Whether its end is there.
    whole: bool,
}

/// The same for programs.
#[derive(Serialize)]
struct Object<'a> {
    id: &'a str,
    path: Cow<'a, str>,
    size: u64,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(flatten)]
    about: Option<render::About<'a>>,
}

impl<'a> Stored<'a> {
    pub(super) fn look(store: &Store, entry: &'a Entry) -> Self {
        match store.header(entry) {
            Ok((dump, whole)) => Self { entry, about: Ok(dump), whole },
            Err(error) => Self { entry, about: Err(plain(&format!("{error:#}")).into_owned()), whole: false },
        }
    }

    /// `whole`, `torn`: its end is missing, `unreadable`: its header is damaged.
    pub(super) fn state(&self) -> &'static str {
        match (&self.about, self.whole) {
            (Ok(_), true) => "whole",
            (Ok(_), false) => "torn",
            (Err(_), _) => "unreadable",
        }
    }

    /// Writes it as an object on one line.
    pub(super) fn write_json(&self, out: &mut impl Write) -> Result<()> {
        let object = Object {
            id: self.entry.id(),
            path: self.entry.path.to_string_lossy(),
            size: self.entry.size,
            state: self.state(),
            error: self.about.as_ref().err().map(String::as_str),
            about: self.about.as_ref().ok().map(render::about),
        };
        let text = serde_json::to_string(&object).context("write a dump as JSON")?;
        writeln!(out, "{}", render::tame(&text))?;
        Ok(())
    }
}

/// stdout, for whole lines.
pub(super) fn stdout() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::new(io::stdout().lock())
}
