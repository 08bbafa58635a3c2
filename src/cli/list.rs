//! `traceloop list`: the stored dumps.

use std::io::Write;

use anyhow::Result;
use clap::Args;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::{End, choosing::Choosing, limits, source::Source, stored::stdout};
use crate::{
    render::{self, size},
    store::Entry,
};

/// List stored dumps
#[derive(Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    pub(super) choosing: Choosing,
}

const HEAD: [&str; 9] = ["TIME", "UNIT", "PID", "COMM", "REASON", "CALLS", "WINDOW", "SIZE", "ID"];
const NUMBERS: [usize; 4] = [2, 5, 6, 7];

impl List {
    /// The list of everything.
    pub(super) fn all() -> Self {
        Self { choosing: Choosing::all() }
    }

    pub(super) fn run(self) -> Result<End> {
        let Some((source, dumps)) = self.choosing.dumps()? else { return Ok(End::NoMatch) };
        let mut out = stdout();
        if self.choosing.json {
            dumps.iter().try_for_each(|entry| source.look(entry).write_json(&mut out))?;
        } else {
            writeln!(out, "{}", table(&source, &dumps, !self.choosing.is_quiet()))?;
        }
        out.flush()?;
        if !self.choosing.is_quiet() && !self.choosing.json {
            limits::say(&self.choosing);
        }
        Ok(End::Done)
    }
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
