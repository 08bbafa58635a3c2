//! Signals to us, as something to wait for.

use std::os::unix::net::UnixStream;

use anyhow::{Context, Result};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
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
    /// Those that were ignored when we began.
    ignored: Vec<Signal>,
}

impl Signals {
    /// Takes over the signals; needs a running tokio runtime.
    pub(super) fn new() -> Result<Self> {
        let ignored = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGUSR2]
            .into_iter()
            .filter(|signal| is_ignored(*signal))
            .collect();
        let (int, term, usr2, child) = (stream(SIGINT)?, stream(SIGTERM)?, stream(SIGUSR2)?, stream(SIGCHLD)?);
        Ok(Self { int, term, usr2, child, ignored })
    }

    /// Until the answer is dropped, signals are as they were when we began: a command that is started meanwhile has that
    /// from us, as from a shell. Rust ignores SIGPIPE, and execve would hand that on.
    pub(super) fn as_they_were(&self) -> AsTheyWere {
        let ignored = self.ignored.iter().map(|signal| (*signal, SigHandler::SigIgn));
        let set = |(signal, handler)| {
            let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
            // SAFETY: neither the default action nor to ignore a signal has a handler that could run.
            Some((signal, unsafe { sigaction(signal, &action) }.ok()?))
        };
        AsTheyWere(ignored.chain([(Signal::SIGPIPE, SigHandler::SigDfl)]).filter_map(set).collect())
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

/// What is done about signals as it was when we began, for a while; with what is done about them otherwise.
pub(super) struct AsTheyWere(Vec<(Signal, SigAction)>);

impl Drop for AsTheyWere {
    fn drop(&mut self) {
        for (signal, otherwise) in &self.0 {
            // SAFETY: what was in place before is put there again.
            let _ = unsafe { sigaction(*signal, otherwise) };
        }
    }
}

fn is_ignored(signal: Signal) -> bool {
    // SAFETY: an action is numbers, a set of signals and a handler, of which zero is the default one.
    let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: it is asked only; the answer is of this function.
    let known = unsafe { libc::sigaction(signal as i32, std::ptr::null(), &raw mut now) } == 0;
    known && now.sa_sigaction == libc::SIG_IGN
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
