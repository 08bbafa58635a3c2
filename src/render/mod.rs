//! Writing events down: one file a format. Sees the model only.

mod about;
mod classic;
mod diff;
mod history;
mod html;
mod json;
mod last_words;
mod lines;
mod moment;
mod moved;
mod parquet;
mod perfetto;
mod quantity;
mod seen;
mod shape;
mod stack;
mod stats;
mod strace;
mod stuck;
mod summary;
mod text;
mod uring;
mod window;

use std::io::{self, Write};

pub use about::{About, Row, about, facts, row};
pub use diff::{Diff, Difference, Side};
pub use history::{Life, Lives, history, how, lives};
pub use json::{SCHEMA, json, tame};
pub use last_words::lines as last_words;
pub use moment::{date, day_time};
pub use quantity::{size, span};
pub use stats::{By, Stats, Wanted};
pub use stuck::stuck;
pub use text::one as line;
pub use window::lines as window;

pub use summary::{Column, Summary, Table};

use crate::model::{Dump, Event, Plain, StraceForm};

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// As `strace -f -ttt -T -a COLUMN` prints.
    Strace {
        /// Where results stand.
        column: u16,
        /// Whose form it is.
        form: StraceForm,
    },
    /// The first traceloop's lines.
    Classic,
    /// One JSON object a line.
    Json,
    /// The same, indented.
    Pretty,
    /// A page for a browser.
    Html,
    /// What the Perfetto UI opens.
    Perfetto,
    /// A table for Apache Parquet's readers.
    Parquet,
}

impl Format {
    /// strace's, with its own column.
    pub const STRACE: Self = Self::Strace { column: Self::COLUMN, form: StraceForm::Newest };
    /// Where results stand, if nobody says otherwise.
    pub const COLUMN: u16 = 40;
}

/// Writes a whole dump. `events` come in the order in which they began, and none of them is kept.
pub fn dump(out: &mut impl Write, format: Format, dump: &Dump, events: impl Iterator<Item = Event>) -> io::Result<()> {
    match format {
        Format::Text => text::dump(&mut Plain(out), dump, events),
        Format::Strace { column, form } => strace::dump(&mut Plain(out), (column, form), dump, events),
        Format::Classic => classic::dump(&mut Plain(out), events),
        Format::Json => json::dump(out, false, dump, events),
        Format::Pretty => json::dump(out, true, dump, events),
        Format::Html => {
            let mut page = html::Page::begin(out, dump)?;
            for event in events {
                page.event(out, &event)?;
            }
            page.finish(out)
        }
        Format::Parquet => parquet::dump(out, dump, events),
        Format::Perfetto => {
            let mut trace = perfetto::Perfetto::begin(out, dump)?;
            for event in events {
                trace.event(out, &event)?;
            }
            Ok(())
        }
    }
}

/// Writes events as they happen, each when it has ended. `names`: what people call the cgroups, if there are several.
pub fn follow(
    out: &mut impl Write,
    format: Format,
    clock_offset: i64,
    names: &[String],
    events: &[Event],
) -> io::Result<()> {
    match format {
        Format::Text => text::follow(&mut Plain(out), clock_offset, names, events),
        Format::Strace { column, form } => strace::follow(&mut Plain(out), (column, form), clock_offset, events),
        Format::Json => json::follow(out, false, clock_offset, names, events),
        Format::Pretty => json::follow(out, true, clock_offset, names, events),
        Format::Classic | Format::Html | Format::Perfetto | Format::Parquet => {
            Err(io::Error::other("this format is made of a whole dump"))
        }
    }
}
