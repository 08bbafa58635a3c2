//! Stored dumps as verbs have them, and where they go.

use std::io::{self, BufWriter, Write};

use clap::Args;

use super::pager;
pub(super) use crate::daemon::Stored;
use crate::model::Plain;

/// Whether a pager is started for who reads on a terminal.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(super) struct Paging {
    /// Not through $PAGER or less, even on a terminal
    #[arg(long)]
    pub(super) no_pager: bool,
}

impl Paging {
    /// stdout, for whole lines that people read. What is said behind them waits until it is dropped.
    pub(super) fn stdout(self) -> Plain<BufWriter<Box<dyn Write>>> {
        let pager = if self.no_pager { None } else { pager::start() };
        Plain(BufWriter::new(match pager {
            Some(pager) => Box::new(pager),
            None => Box::new(io::stdout().lock()),
        }))
    }
}

/// The same where no pager is wanted.
pub(super) fn stdout() -> Plain<BufWriter<io::StdoutLock<'static>>> {
    Plain(BufWriter::new(io::stdout().lock()))
}
