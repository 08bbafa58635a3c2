//! Signals to us, as something to wait for.

use std::os::unix::net::UnixStream;

use anyhow::{Context, Result};
use signal_hook::{
    consts::{SIGCHLD, SIGINT, SIGTERM, SIGUSR2},
    low_level::pipe,
};
use tokio::io::AsyncReadExt;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// SIGINT or SIGTERM: end.
    End(i32),
    /// SIGUSR2: dump and go on.
    Dump,
    /// SIGCHLD: a child has changed.
    Child,
}

/// The signals that we wait for, from its making on.
#[derive(Debug)]
pub(super) struct Signals {
    int: tokio::net::UnixStream,
    term: tokio::net::UnixStream,
    usr2: tokio::net::UnixStream,
    child: tokio::net::UnixStream,
}

impl Signals {
    /// Takes over the signals; needs a running tokio runtime.
    pub(super) fn new() -> Result<Self> {
        Ok(Self { int: stream(SIGINT)?, term: stream(SIGTERM)?, usr2: stream(SIGUSR2)?, child: stream(SIGCHLD)? })
    }

    /// The next signal. Several of one kind in a row may come as one.
    pub(super) async fn next(&mut self) -> Request {
        let (mut a, mut b, mut c, mut d) = ([0; 64], [0; 64], [0; 64], [0; 64]);
        tokio::select! {
            _ = self.int.read(&mut a) => Request::End(SIGINT),
            _ = self.term.read(&mut b) => Request::End(SIGTERM),
            _ = self.usr2.read(&mut c) => Request::Dump,
            _ = self.child.read(&mut d) => Request::Child,
        }
    }
}

fn stream(signal: i32) -> Result<tokio::net::UnixStream> {
    let doing = || format!("wait for signal {signal}");
    let (read, write) = UnixStream::pair().with_context(doing)?;
    pipe::register(signal, write).with_context(doing)?;
    read.set_nonblocking(true).with_context(doing)?;
    tokio::net::UnixStream::from_std(read).with_context(doing)
}

/// The runtime of a verb that waits.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the event loop")
}
