//! `traceloop info`: what stored dumps say of themselves.

use std::io::Write;

use anyhow::Result;
use clap::Args;

use super::{
    End,
    choosing::Choosing,
    history, limits,
    stored::{Paging, Stored},
};
use crate::{
    model::plain,
    render::{self, size},
};

/// Describe stored dumps: whose calls, why, for which time, how it ended
#[derive(Args, Debug)]
pub(super) struct Info {
    /// All lives of each unit or container instead, a line each: what those that ended badly have in common, and what
    /// differs from the last that went well
    #[arg(long)]
    history: bool,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    pub(super) choosing: Choosing,
}

impl Info {
    pub(super) fn run(self) -> Result<End> {
        let Some((source, dumps)) = self.choosing.dumps()? else { return Ok(End::NoMatch) };
        let mut out = self.paging.stdout();
        if self.history {
            let undumped = limits::undumped(&self.choosing);
            history::write(&mut out, &source, &dumps, &undumped, self.choosing.json)?;
            out.flush()?;
            return Ok(End::Done);
        }
        for (n, entry) in dumps.iter().enumerate() {
            let stored = source.look(entry);
            if self.choosing.json.is_wanted() {
                self.choosing.json.write(&mut out, &stored.object())?;
                continue;
            }
            if n > 0 {
                writeln!(out)?;
            }
            describe(&mut out, &stored)?;
        }
        out.flush()?;
        Ok(End::Done)
    }
}

fn describe(out: &mut impl Write, stored: &Stored<'_>) -> Result<()> {
    let entry = stored.entry;
    // A file that is called as none of ours has none.
    if !entry.id().is_empty() {
        fact(out, "ID", &[entry.id()])?;
    }
    match &stored.about {
        Ok(dump) => {
            for (name, lines) in render::facts(dump) {
                fact(out, name, &lines)?;
            }
        }
        Err(what) => {
            // Its name is all that there is.
            fact(out, "Name", &[plain(&entry.name.whose())])?;
            fact(out, "Reason", &[&entry.name.reason])?;
            fact(out, if stored.state() == "encrypted" { "Encrypted" } else { "Unreadable" }, &[what])?;
        }
    }
    let torn = if stored.state() == "torn" { ", its end is missing" } else { "" };
    fact(out, "Size", &[format!("{}{torn}", size(entry.size))])?;
    fact(out, "Path", &[entry.path.display()])
}

/// `       Name: first line`, further lines below it.
fn fact(out: &mut impl Write, name: &str, lines: &[impl std::fmt::Display]) -> Result<()> {
    for (n, line) in lines.iter().enumerate() {
        let name = if n == 0 { format!("{name}:") } else { String::new() };
        writeln!(out, "{name:>13} {line}")?;
    }
    Ok(())
}
