//! `traceloop trigger`: rules for calls that make dumps, while the daemon runs; and dumps of several units at once.

use std::io::Write;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use clap_complete::{ArgValueCandidates, ArgValueCompleter};

use super::{End, json::Json, offered, place::Place, signals::runtime, stored, table};
use crate::{
    control::{AddTrigger, Trigger},
    model::plain,
};

/// Rules that make dumps: add, list and remove them while the daemon runs, or make a dump as one would
///
/// A rule that is added here holds until it is removed or the daemon ends; lasting ones stand in [triggers] of
/// traceloop.toml(5).
#[derive(Args, Debug)]
pub(super) struct Triggers {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a dump at such calls: openat=EACCES, openat=ENOENT:/etc/*, fsync>200ms, connect=ECONNREFUSED>100/s
    Add {
        /// The rule
        #[arg(value_name = "RULE", add = ArgValueCompleter::new(offered::rules))]
        rule: String,
        /// Only of what this means: a unit, container, pod, cgroup path or glob
        #[arg(long = "unit", value_name = "TARGET", add = ArgValueCandidates::new(offered::targets))]
        units: Vec<String>,
        /// What else the dump is to hold
        #[arg(long = "with", value_name = "TARGET", add = ArgValueCandidates::new(offered::targets))]
        with: Vec<String>,
        #[command(flatten)]
        json: Json,
        #[command(flatten)]
        place: Place,
    },
    /// List the rules, the configuration's too
    List {
        /// No head line
        #[arg(long)]
        no_legend: bool,
        #[command(flatten)]
        json: Json,
        #[command(flatten)]
        place: Place,
    },
    /// Remove a rule that was added
    Rm {
        /// Its number, as `trigger list` has it
        #[arg(value_name = "NUMBER", add = ArgValueCandidates::new(offered::triggers))]
        number: u64,
        #[command(flatten)]
        place: Place,
    },
    /// Store one dump of all that is named, now
    Fire {
        /// What the dump is to hold
        #[arg(value_name = "TARGET", required = true, add = ArgValueCandidates::new(offered::targets))]
        targets: Vec<String>,
        #[command(flatten)]
        json: Json,
        #[command(flatten)]
        place: Place,
    },
}

impl Triggers {
    pub(super) fn place(&mut self) -> &mut Place {
        match &mut self.verb {
            Verb::Add { place, .. } | Verb::List { place, .. } | Verb::Rm { place, .. } | Verb::Fire { place, .. } => {
                place
            }
        }
    }

    pub(super) fn run(mut self) -> Result<End> {
        let client = self.place().client();
        let runtime = runtime()?;
        let mut out = stored::stdout();
        match self.verb {
            Verb::Add { rule, units, with, json, .. } => {
                let added = runtime.block_on(client.add_trigger(&AddTrigger { rule, units, with }))?;
                if json.is_wanted() {
                    json.write(&mut out, &added)?;
                } else {
                    writeln!(out, "{}", added.id)?;
                }
            }
            Verb::List { no_legend, json, .. } => {
                let triggers = runtime.block_on(client.triggers())?;
                if json.is_wanted() {
                    triggers.iter().try_for_each(|trigger| json.write(&mut out, trigger))?;
                } else {
                    out.write_all(table(&triggers, !no_legend).as_bytes())?;
                }
                out.flush().context("write the list")?;
                return Ok(if triggers.is_empty() { End::NoMatch } else { End::Done });
            }
            Verb::Rm { number, .. } => runtime.block_on(client.remove_trigger(number))?,
            Verb::Fire { targets, json, .. } => {
                let saved = runtime.block_on(client.fire(&targets))?;
                if json.is_wanted() {
                    json.write(&mut out, &saved)?;
                } else {
                    writeln!(out, "{}", saved.id)?;
                }
            }
        }
        out.flush().context("write what was done")?;
        Ok(End::Done)
    }
}

fn table(triggers: &[Trigger], legend: bool) -> String {
    let mut table = table::bare();
    if legend {
        table.set_header(["", "RULE", "UNITS", "WITH", "FROM"]);
    }
    for trigger in triggers {
        let several = |names: &[String], none: &str| if names.is_empty() { none.to_owned() } else { names.join(" ") };
        table.add_row([
            if trigger.configured { String::new() } else { trigger.id.to_string() },
            plain(&trigger.rule).into_owned(),
            plain(&several(&trigger.units, "*")).into_owned(),
            plain(&several(&trigger.with, "-")).into_owned(),
            (if trigger.configured { "configuration" } else { "trigger add" }).to_owned(),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    table::text(&table)
}
