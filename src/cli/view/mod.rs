//! `traceloop view`: a dump on a terminal, to be looked through by keys.
//!
//! Promise: however large the dump is, what is kept of it is some pages of events around the line that is looked at, and
//! what is read for them is the blocks that they stand in (`pages`). Keys are answered meanwhile: pages are made on a
//! thread of their own, which leaves off when something else is wanted.
//!
//! Data flows one way: `pages` (blocks to events) to `listed` (the events around one line) to `screen` (lines, keys);
//! `typed` makes a choice of what is typed.

mod listed;
mod pages;
mod screen;
mod typed;

use std::{
    env,
    io::{self, IsTerminal},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use clap::Args;

use self::{pages::Pages, screen::Screen};
use super::{
    End,
    opening::{Opening, recording},
    place::Place,
    selecting::Selecting,
    styling::Styling,
};

/// What is said to `-n`.
const ALL: &str = "-n: all calls can be looked through, and what is not on the screen is not read";

/// Look through a dump on a terminal: calls as they went, a filter as you type, failures, threads, the summary's events
///
/// Keys: arrows, Page Up and Down, Home and End move; / filters (strace's words, options of `show`, or a condition as
/// --where takes it); f and F go to the next call that failed and the one before; s shows the summary and its events; t the
/// threads; Enter a call with its arguments, whole structures and stack, which J and K scroll; q ends.
#[derive(Args, Debug)]
pub(super) struct View {
    #[command(flatten)]
    opening: Opening,
    #[command(flatten)]
    pub(super) place: Place,
    #[command(flatten)]
    styling: Styling,
    #[command(flatten)]
    selecting: Selecting,
}

impl View {
    pub(super) fn run(self) -> Result<End> {
        let selection = self.selecting.selection();
        if selection.last.is_some() {
            super::usage(ALL);
        }
        terminal()?;
        let Some((path, file)) = self.opening.opened("view", &self.place)? else { return Ok(End::NoMatch) };
        let doing = || format!("view {}", path.display());
        let (recording, damage) = recording(file).with_context(doing)?;
        let style = self.selecting.style(self.styling.style(self.opening.string_limit));
        let recording = Arc::new(recording);
        let pages = Pages::of(recording.clone());
        let mut screen = Screen::new(recording, pages, (selection, style));
        screen.note(damage.map(|damage| damage.to_string()));
        let mut terminal = ratatui::try_init().context("use the terminal")?;
        let ended = screen.run(&mut terminal);
        ratatui::restore();
        ended.map(|()| End::Done).with_context(doing)
    }
}

/// Whether there is a terminal that can show it.
fn terminal() -> Result<()> {
    const INSTEAD: &str = "`traceloop show` prints the same calls anywhere";
    ensure!(io::stdout().is_terminal(), "view needs a terminal, and standard output is none: {INSTEAD}");
    let kind = env::var("TERM").unwrap_or_default();
    ensure!(
        !matches!(&*kind, "" | "dumb" | "unknown"),
        "view needs a terminal that it can draw on, and TERM is {kind:?}: {INSTEAD}"
    );
    Ok(())
}
