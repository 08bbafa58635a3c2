//! Stored dumps as verbs have them, and where they go.

use std::io;

pub(super) use crate::daemon::Stored;
use crate::model::Plain;

/// stdout, for whole lines that people read.
pub(super) fn stdout() -> Plain<io::BufWriter<io::StdoutLock<'static>>> {
    Plain(io::BufWriter::new(io::stdout().lock()))
}
