//! `traceloop ps`: what the daemon records.

use std::{collections::HashMap, io::Write};

use anyhow::{Context, Result};
use clap::Args;
use clap_complete::ArgValueCandidates;
use comfy_table::CellAlignment;
use serde::Serialize;

use super::{End, json::Json, limits, offered, place::Place, signals::runtime, stored, table};
use crate::{
    control::{GivenUp, Track},
    render::{size, span},
};

/// List what the daemon records
#[derive(Args, Debug)]
pub(super) struct Ps {
    /// Only what this means: a unit, slice, container, pod, cgroup path or glob, process, #RECORDING
    #[arg(value_name = "TARGET", add = ArgValueCandidates::new(offered::targets))]
    target: Option<String>,
    /// The histories that were given up last, and why: age, memory, closed
    #[arg(long, conflicts_with = "target")]
    given_up: bool,
    /// Each recording of what has ended, where a unit or container has left several
    #[arg(short, long)]
    all: bool,
    /// Neither a head line nor lines below
    #[arg(long)]
    no_legend: bool,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    pub(super) place: Place,
}

impl Ps {
    pub(super) fn run(self) -> Result<End> {
        let client = self.place.client();
        let (json, legend) = (self.json, !self.no_legend);
        let (text, count) = runtime()?.block_on(async {
            if self.given_up {
                let gone = client.given_up().await?;
                anyhow::Ok((if json.is_wanted() { lines(json, &gone)? } else { gone_table(&gone, legend) }, gone.len()))
            } else {
                let tracks = client.tracks(self.target.as_deref()).await?;
                if json.is_wanted() {
                    return Ok((lines(json, &tracks)?, tracks.len()));
                }
                let recording = client.status().await?.recording;
                Ok((table(&folded(&tracks, self.all), recording, legend), tracks.len()))
            }
        })?;
        let mut out = stored::stdout();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("write the list")?;
        if !json.is_wanted() && legend {
            runtime()?.block_on(limits::say_of(&client));
        }
        Ok(if count == 0 { End::NoMatch } else { End::Done })
    }
}

fn lines(json: Json, items: &[impl Serialize]) -> Result<String> {
    items.iter().map(|item| json.text(item)).collect()
}

/// A line of the table: a recording, and how many older ones of the same name have ended like it.
type Line<'a> = (&'a Track, usize);

/// The newest of those of one name that have ended stands for them all, in its place.
fn folded(tracks: &[Track], all: bool) -> Vec<Line<'_>> {
    let mut dead: HashMap<&str, (u64, usize)> = HashMap::new();
    for track in tracks.iter().filter(|track| track.ended.is_some()) {
        let (newest, count) = dead.entry(&track.target).or_default();
        *newest = (*newest).max(track.id);
        *count += 1;
    }
    let line = |track| -> Option<Line<'_>> {
        let track: &Track = track;
        match dead.get(track.target.as_str()).filter(|_| track.ended.is_some() && !all) {
            None => Some((track, 0)),
            Some((newest, count)) => (*newest == track.id).then(|| (track, count - 1)),
        }
    };
    tracks.iter().filter_map(line).collect()
}

fn table(lines: &[Line<'_>], recording: bool, legend: bool) -> String {
    let mut table = table::bare();
    if legend {
        table.set_header(["", "TARGET", "CALLS", "WINDOW", "REACH", "LOST", "MEMORY", "STATE"]);
    }
    for (track, older) in lines {
        table.add_row([
            format!("#{}", track.id),
            track.target.clone(),
            track.calls.to_string(),
            seconds(track.window),
            seconds(track.reach),
            track.lost.to_string(),
            size(track.memory),
            state(track, *older, recording),
        ]);
    }
    // Columns are there with what stands in them.
    for column in [2, 3, 4, 5, 6] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table::text(&table)
}

fn gone_table(gone: &[GivenUp], legend: bool) -> String {
    let mut table = table::bare();
    if legend {
        table.set_header(["TARGET", "GIVEN UP", "WHY"]);
    }
    for gone in gone {
        table.add_row([gone.target.clone(), format!("{} ago", seconds(now() - gone.at)), gone.why.clone()]);
    }
    table::text(&table)
}

fn state(track: &Track, older: usize, recording: bool) -> String {
    match (track.ended, track.shared) {
        (Some(ended), shared) => {
            let shared = if shared { ", shared a ring" } else { "" };
            let older = if older == 0 { String::new() } else { format!(", {older} more before it: --all") };
            format!("ended {} ago{shared}{older}", seconds(now() - ended))
        }
        _ if !recording => "NOT RECORDED".to_owned(),
        (None, shared) => {
            let state = if shared { "shares a ring" } else { "recording" };
            track.settings.as_ref().map_or_else(|| state.to_owned(), |what| format!("{state} {what}"))
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit into a double")]
fn now() -> f64 {
    jiff::Timestamp::now().as_millisecond() as f64 / 1e3
}

/// Seconds as people say them.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float that is too large becomes the largest number"
)]
fn seconds(seconds: f64) -> String {
    span((seconds.max(0.0) * 1e9) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table() {
        let track = Track {
            id: 3,
            target: "a.service".into(),
            calls: 17,
            window: 2.0,
            reach: 75.0,
            memory: 524_288,
            ..Track::default()
        };
        let text = table(&[(&track, 0)], true, true);
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["TARGET", "CALLS", "WINDOW", "REACH", "LOST", "MEMORY", "STATE"]);
        assert_eq!(rows[1], ["#3", "a.service", "17", "2.0s", "1min", "15s", "0", "512K", "recording"]);
        let changed = Track { settings: Some("only the calls %file".into()), ..track.clone() };
        assert!(table(&[(&changed, 0)], true, true).ends_with("  recording only the calls %file\n"));
        let ended = Track { ended: Some(1.0), ..track.clone() };
        let text = table(&[(&track, 0), (&ended, 0)], false, true);
        assert!(text.lines().nth(1).is_some_and(|row| row.ends_with("  NOT RECORDED")), "{text}");
        assert!(text.lines().nth(2).is_some_and(|row| row.contains("ended ")), "{text}");
    }

    #[test]
    fn a_crash_loop_is_one_line() {
        let track = |id, target: &str, ended| Track { id, target: target.into(), ended, ..Track::default() };
        let tracks = [
            track(1, "a.service", Some(1.0)),
            track(2, "b.service", Some(1.0)),
            track(3, "a.service", Some(2.0)),
            track(4, "a.service", Some(3.0)),
            track(5, "a.service", None),
        ];
        let shown = |all| folded(&tracks, all).iter().map(|(track, older)| (track.id, *older)).collect::<Vec<_>>();
        assert_eq!(shown(false), [(2, 0), (4, 2), (5, 0)]);
        assert_eq!(shown(true).len(), 5);
        assert!(table(&folded(&tracks, false), true, true).contains(", 2 more before it: --all"));
    }
}
