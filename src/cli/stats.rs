//! `traceloop stats`: calls, errors and times by thread, as `perf trace -s` tells.

use std::io::Write;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::{
    End, json::Json, offered, opening, place::Place, selecting::Selecting, signals::runtime, stored,
    summarizing::Summarizing,
};
use crate::{
    control::Refused,
    decode,
    model::{Dump, Recording},
    render, store,
};

/// Count calls: how many, how many failed, how long they took, for each thread
///
/// Of what the daemon has recorded until now of a TARGET; of a dump file; or else of the newest stored dump that
/// matches.
#[derive(Args, Debug)]
pub(super) struct Stats {
    /// What the daemon records, as `traceloop dump` takes it; a dump file; or as `traceloop list` takes it
    #[arg(value_name = "TARGET|FILE|MATCH", allow_negative_numbers = true, add = ArgValueCompleter::new(offered::dumps_or_files))]
    what: Vec<String>,
    /// Stored dumps only, whatever is recorded now
    #[arg(long)]
    stored: bool,
    /// Whose calls are counted together
    #[arg(long, value_enum, default_value_t = By::Thread)]
    by: By,
    /// How long the calls took, in powers of two
    #[arg(long)]
    histogram: bool,
    /// Which errors they failed with
    #[arg(long)]
    errno_summary: bool,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    pub(super) place: Place,
    #[command(flatten)]
    selecting: Selecting,
    #[command(flatten)]
    summarizing: Summarizing,
}

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    /// Each thread's
    Thread,
    /// Each process's
    Process,
    /// Each cgroup's
    Cgroup,
}

/// The names of the cgroups, by their places; of a dump that does not tell them apart, one for all.
fn whose(dump: &Dump) -> Vec<String> {
    let names = dump.names_of_each();
    if names.is_empty() { vec![dump.names().join(" ")] } else { names }
}

impl Stats {
    pub(super) fn run(self) -> Result<End> {
        if let (true, Some(option)) = (self.json.is_wanted(), self.summarizing.given()) {
            super::usage(format_args!(
                "{option} prints strace's table, and --json has all of its figures: leave one out"
            ));
        }
        let (recording, whole) = match self.live()? {
            Some(found) => found,
            None => match opening::read("count", &self.what, &self.place)? {
                Some(found) => found,
                None => return Ok(End::NoMatch),
            },
        };
        let by = match self.by {
            By::Thread => render::By::Thread,
            By::Process => render::By::Process,
            By::Cgroup => render::By::Cgroup,
        };
        let style = self.selecting.style(decode::Style::default());
        let history = decode::History::of(&recording, &style)?;
        let selection = self.selecting.selection();
        let wanted = render::Wanted { by, histogram: self.histogram, errnos: self.errno_summary };
        let mut stats = render::Stats::new(wanted);
        let mut table = self.summarizing.table().map(render::Table::new);
        for event in history.chosen(&selection) {
            stats.event(&event);
            if let Some(table) = &mut table {
                table.see(&event);
            }
        }
        let mut whole = whole;
        for what in history.damage() {
            super::say(format_args!("traceloop: not counted: {what}"))?;
            whole = false;
        }
        let mut out = stored::stdout();
        if self.json.is_wanted() {
            stats.told(&whose(&recording.dump)).iter().try_for_each(|told| self.json.write(&mut out, told))?;
        } else if !self.summarizing.is_all() {
            stats.finish(&mut out, &whose(&recording.dump)).context("write the table")?;
        }
        if let Some(table) = table {
            table.write(&mut out).context("write the summary")?;
        }
        out.flush().context("write the table")?;
        for line in render::window(&recording.dump) {
            super::say(format_args!("traceloop: {line}"))?;
        }
        Ok(if whole { End::Done } else { End::NoMatch })
    }

    /// What the daemon has recorded, if there is one and it knows the target.
    fn live(&self) -> Result<Option<(Recording, bool)>> {
        let [target] = &self.what[..] else { return Ok(None) };
        // -1 is the newest dump.
        if self.stored || !self.place.is_daemons() || target.starts_with('-') || std::path::Path::new(target).is_file()
        {
            return Ok(None);
        }
        let client = self.place.client();
        runtime()?.block_on(async {
            if !client.is_there().await {
                return Ok(None);
            }
            let file = match client.dump(target).await {
                Err(error) if error.downcast_ref::<Refused>().is_some_and(Refused::is_unknown) => return Ok(None),
                file => file?,
            };
            let (recording, damage) = store::read(&file[..]).context("read the daemon's dump")?;
            super::say(format_args!("traceloop: {target} as recorded until now"))?;
            if let Some(damage) = &damage {
                super::say(format_args!("traceloop: {damage}"))?;
            }
            Ok(Some((recording, damage.is_none())))
        })
    }
}
