//! `traceloop info --history`: the lives that stored dumps tell of, and what differs from the last that went well.

use std::{fs, io::Write};

use anyhow::{Context, Result};
use serde::Serialize;

use super::{diff, json::Json, source::Source, stored::Stored};
use crate::{
    decode::Style,
    model::{Recording, Undumped},
    render::{self, Diff, Life, Lives, Side},
    select::Selection,
    store::{self, Entry},
};

/// A history for programs.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    lives: &'a Lives,
    /// The life that went well, which the last bad one is compared with.
    compared_with: Option<&'a str>,
    /// The differences, a line each.
    diff: Vec<String>,
}

/// Writes the history of each unit and container that the dumps are of.
pub(super) fn write(
    out: &mut impl Write,
    source: &Source,
    dumps: &[Entry],
    undumped: &[(String, Undumped)],
    json: Json,
) -> Result<()> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let mut dumps: Vec<&Entry> = dumps.iter().collect();
    dumps.sort_by_key(|entry| entry.name.time);
    let seen: Vec<Stored<'_>> = dumps.iter().map(|entry| source.look(entry)).collect();
    let known = seen.iter().filter_map(|stored| Some((stored.entry.id(), stored.about.as_ref().ok()?)));
    for (n, lives) in render::lives(known, boot.trim(), undumped).iter().enumerate() {
        let all = &lives.lives;
        let at = all.iter().rposition(Life::ended_badly);
        let bad = at.map(|at| &all[at]);
        // One before it, or else one that came after.
        let well = at.and_then(|at| {
            all[..at].iter().rfind(|life| life.well).or_else(|| all[at..].iter().rfind(|life| life.well))
        });
        let pair = well.zip(bad);
        let differences = match pair {
            Some((well, bad)) => differences(source, &dumps, well, bad)?,
            None => String::new(),
        };
        if json.is_wanted() {
            let compared_with = pair.and_then(|(well, _)| well.id.as_deref());
            let told = Told { lives, compared_with, diff: differences.lines().map(str::to_owned).collect() };
            json.write(out, &told)?;
            continue;
        }
        if n > 0 {
            writeln!(out)?;
        }
        out.write_all(render::history(lives).as_bytes())?;
        match (pair, bad) {
            (Some((well, bad)), _) => {
                let id = |life: &Life| life.id.clone().unwrap_or_default();
                writeln!(
                    out,
                    "what differs from the last that went well ({}), as traceloop diff {0} {}:",
                    id(well),
                    id(bad)
                )?;
                out.write_all(differences.as_bytes())?;
            }
            (None, Some(_)) => {
                writeln!(
                    out,
                    "none of these went well, so there is nothing to compare with: `traceloop dump --save {}` stores one \
                     that does",
                    lives.target
                )?;
            }
            (None, None) => {}
        }
    }
    Ok(())
}

fn differences(source: &Source, dumps: &[&Entry], well: &Life, bad: &Life) -> Result<String> {
    let read = |life: &Life| -> Result<Recording> {
        let entry = dumps.iter().find(|entry| Some(entry.id()) == life.id.as_deref()).context("find the dump")?;
        let (recording, _) =
            store::open(source.file(entry)?).with_context(|| format!("read the dump {}", entry.id()))?;
        Ok(recording)
    };
    let (a, b) = (read(well)?, read(bad)?);
    let mut diff = Diff::new(&a.dump, &b.dump);
    for (side, recording) in [(Side::A, &a), (Side::B, &b)] {
        diff::feed(&mut diff, side, recording, &Selection::default(), Style::default())?;
    }
    let mut text = Vec::new();
    diff.finish(&mut text).context("compare the two")?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
