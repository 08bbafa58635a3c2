//! Where our own words go: to the journal with their fields where systemd runs us, else to stderr.

use std::{
    env,
    io::{self, IsTerminal},
    os::fd::AsFd,
};

use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// From now on, events from `level` up are told; TRACELOOP_LOG says otherwise.
pub(super) fn start(level: &str) {
    let filter = EnvFilter::try_from_env("TRACELOOP_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let to_journal = if stderr_is_journal() { tracing_journald::layer().ok() } else { None };
    let layer = match to_journal {
        Some(journal) => journal.with_syslog_identifier("traceloop".to_owned()).boxed(),
        None => tracing_subscriber::fmt::layer()
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .without_time()
            .boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(filter)).init();
}

/// systemd names the stream that it gave as stderr, in case that it was led elsewhere since.
fn stderr_is_journal() -> bool {
    let Ok(stream) = env::var("JOURNAL_STREAM") else { return false };
    let Ok(about) = nix::sys::stat::fstat(io::stderr().as_fd()) else { return false };
    stream == format!("{}:{}", about.st_dev, about.st_ino)
}
