//! Stored dumps as verbs have them, and where they go.

use std::io;

pub(super) use crate::daemon::Stored;

/// stdout, for whole lines.
pub(super) fn stdout() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::new(io::stdout().lock())
}
