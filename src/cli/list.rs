//! `traceloop list`: the stored dumps.

use std::{collections::HashSet, io::Write};

use anyhow::Result;
use clap::Args;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::{End, choosing::Choosing, limits, source::Source, stored::Paging};
use crate::{
    render::{self, size},
    store::{Entry, Field},
};

/// List stored dumps
#[derive(Args, Debug)]
pub(super) struct List {
    /// Only the values that this field takes, a line each: UNIT, COMM, SIGNAL ... as in FIELD=VALUE
    #[arg(short = 'F', long, value_name = "FIELD", value_parser = Field::parse)]
    field: Option<&'static Field>,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    pub(super) choosing: Choosing,
}

const HEAD: [&str; 9] = ["TIME", "UNIT", "PID", "COMM", "REASON", "CALLS", "WINDOW", "SIZE", "ID"];
const NUMBERS: [usize; 4] = [2, 5, 6, 7];

impl List {
    /// The list of everything.
    pub(super) fn all() -> Self {
        Self { field: None, paging: Paging::default(), choosing: Choosing::all() }
    }

    pub(super) fn run(self) -> Result<End> {
        let Some((source, dumps)) = self.choosing.dumps()? else { return Ok(End::NoMatch) };
        let mut out = self.paging.stdout();
        if let Some(field) = self.field {
            write_values(&mut out, &source, &dumps, field)?;
        } else if self.choosing.json.is_wanted() {
            dumps.iter().try_for_each(|entry| self.choosing.json.write(&mut out, &source.look(entry).object()))?;
        } else {
            writeln!(out, "{}", table(&source, &dumps, self.choosing.has_legend()))?;
        }
        out.flush()?;
        drop(out);
        if self.choosing.has_legend() && self.field.is_none() {
            limits::say(&self.choosing);
        }
        Ok(End::Done)
    }
}

/// The values that a field takes, each once.
fn write_values(out: &mut impl Write, source: &Source, dumps: &[Entry], field: &Field) -> Result<()> {
    let mut told = HashSet::new();
    for entry in dumps {
        // Of one that cannot be read its name says something.
        let dump = source.look(entry).about.unwrap_or_else(|_| entry.name.as_header());
        let values = field.values(&entry.name, &dump);
        for value in values.into_iter().filter(|value| told.insert(value.clone())) {
            writeln!(out, "{value}")?;
        }
    }
    Ok(())
}

fn table(source: &Source, dumps: &[Entry], head: bool) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if head {
        table.set_header(HEAD);
    }
    for entry in dumps {
        let stored = source.look(entry);
        let id = entry.id().to_owned();
        table.add_row(match &stored.about {
            Ok(dump) => {
                let row = render::row(dump);
                let mut size = size(entry.size);
                if stored.state() != "whole" {
                    size = format!("{size} {}", stored.state());
                }
                [row.time, row.whose, row.pid, row.comm, row.reason, row.calls, row.window, size, id]
            }
            Err(_) => {
                let time = render::date(entry.name.time);
                let unknown = || "-".to_owned();
                let size = format!("{} {}", size(entry.size), stored.state());
                let whose = crate::model::plain(&entry.name.whose()).into_owned();
                let reason = entry.name.reason.clone();
                [time, whose, unknown(), unknown(), reason, unknown(), unknown(), size, id]
            }
        });
    }
    for n in NUMBERS {
        if let Some(column) = table.column_mut(n) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    table.trim_fmt()
}
