//! traceloop-ship: carries the daemon's stored dumps to where people look for them.
//!
//! It is a client of the daemon's socket and nothing else: it has no capability, reads no file of the host, and the daemon
//! never waits for it. The daemon's store is the spool. What is there is known by `catalogue`, which follows the
//! daemon; each sink (`sink`) is shipped to by a task of its own (`shipping`) with its own cursor (`cursor`), backoff
//! and bandwidth limit (`pace`). Whatever a sink takes has a fixed name, so that a retry after any interruption is
//! harmless.
//!
//! Promise: a dump that was stored while this runs comes to each sink, or is counted and named in the log: as missed
//! where the daemon's store gave it up before, as refused where the sink will never take it.

mod arguments;
mod catalogue;
mod config;
mod cursor;
mod daemon;
mod dump;
mod fault;
mod http;
mod metrics;
mod node;
mod object;
mod pace;
mod reading;
mod running;
mod shipping;
mod sink;

use std::process::ExitCode;

use clap::Parser;

/// How it ended; the numbers are the exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Done.
    Done,
    /// It failed, or something is left that was to be shipped.
    Failed,
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        match end {
            End::Done => Self::SUCCESS,
            End::Failed => Self::from(1),
        }
    }
}

/// A line of the log: systemd's journal and the container's runtime add time and name.
pub(crate) fn say(line: std::fmt::Arguments<'_>) {
    let line: String = line.to_string().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    eprintln!("traceloop-ship: {line}");
}

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    // What is written to a file:// store or to the state directory is for us and, at most, for our group.
    let given = nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o777));
    nix::sys::stat::umask(given | nix::sys::stat::Mode::from_bits_truncate(0o027));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Into::into).and_then(|runtime| {
        let done = runtime.block_on(arguments.run());
        // What still waits for a disk or a name server is not waited for.
        runtime.shutdown_background();
        done
    });
    match done {
        Ok(end) => end.into(),
        Err(error) => {
            say(format_args!("{error:#}"));
            if error.downcast_ref::<config::Wrong>().is_some() { ExitCode::from(2) } else { End::Failed.into() }
        }
    }
}
