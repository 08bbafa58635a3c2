//! `traceloop ps`: what the daemon records.

use std::io::{self, Write};

use anyhow::{Context, Result};
use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::{End, daemon::Daemon, limits, signals::runtime};
use crate::{
    control::{GivenUp, Track},
    render::{size, span, tame},
};

/// List what the daemon records
#[derive(Args, Debug)]
pub(super) struct Ps {
    /// Only what this means: a unit, slice, container, pod, cgroup path or glob, process, #RECORDING
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// The histories that were given up last, and why: age, memory, closed
    #[arg(long, conflicts_with = "target")]
    given_up: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Daemon,
}

impl Ps {
    pub(super) fn run(self) -> Result<End> {
        let client = self.daemon.client();
        let (text, count) = runtime()?.block_on(async {
            if self.given_up {
                let gone = client.given_up().await?;
                anyhow::Ok((if self.json { lines(&gone)? } else { gone_table(&gone) }, gone.len()))
            } else {
                let tracks = client.tracks(self.target.as_deref()).await?;
                if self.json {
                    return Ok((lines(&tracks)?, tracks.len()));
                }
                Ok((table(&tracks, client.status().await?.recording), tracks.len()))
            }
        })?;
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("write the list")?;
        if !self.json {
            runtime()?.block_on(limits::say_of(&client));
        }
        Ok(if count == 0 { End::NoMatch } else { End::Done })
    }
}

fn lines(items: &[impl Serialize]) -> Result<String> {
    let mut text = String::new();
    for item in items {
        text += &tame(&serde_json::to_string(item)?);
        text.push('\n');
    }
    Ok(text)
}

fn table(tracks: &[Track], recording: bool) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["", "TARGET", "CALLS", "WINDOW", "LOST", "MEMORY", "STATE"]);
    for column in [2, 3, 4, 5] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for track in tracks {
        table.add_row([
            format!("#{}", track.id),
            track.target.clone(),
            track.calls.to_string(),
            seconds(track.window),
            track.lost.to_string(),
            size(track.memory),
            state(track, recording),
        ]);
    }
    text(&table)
}

fn gone_table(gone: &[GivenUp]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["TARGET", "GIVEN UP", "WHY"]);
    for gone in gone {
        table.add_row([gone.target.clone(), format!("{} ago", seconds(now() - gone.at)), gone.why.clone()]);
    }
    text(&table)
}

fn text(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn state(track: &Track, recording: bool) -> String {
    match (track.ended, track.shared) {
        (Some(ended), _) => format!("ended {} ago", seconds(now() - ended)),
        _ if !recording => "NOT RECORDED".to_owned(),
        (None, true) => "shares a ring".to_owned(),
        (None, false) => "recording".to_owned(),
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
        let track = Track { id: 3, target: "a.service".into(), calls: 17, memory: 524_288, ..Track::default() };
        let text = table(std::slice::from_ref(&track), true);
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["TARGET", "CALLS", "WINDOW", "LOST", "MEMORY", "STATE"]);
        assert_eq!(rows[1], ["#3", "a.service", "17", "0ms", "0", "512K", "recording"]);
        let ended = Track { ended: Some(1.0), ..track.clone() };
        let text = table(&[track, ended], false);
        assert!(text.lines().nth(1).is_some_and(|row| row.ends_with("  NOT RECORDED")), "{text}");
        assert!(text.lines().nth(2).is_some_and(|row| row.contains("ended ")), "{text}");
    }
}
