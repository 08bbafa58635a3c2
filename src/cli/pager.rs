//! A pager for whoever reads on a terminal.

use std::{
    env,
    io::{self, IsTerminal},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

use nix::sys::signal::{SigHandler, Signal, signal};

use super::piped::Piped;

/// What is started if nobody says otherwise, and how: quit if it fits the screen, pass colours on, cut
/// long lines, leave the text on the screen.
const PAGER: &str = "less";
const LESS: &str = "FRSX";

/// Whether the command line has said before its verb that none is wanted.
static UNWANTED: AtomicBool = AtomicBool::new(false);

/// None is started from here on.
pub(super) fn forgo() {
    UNWANTED.store(true, Ordering::Relaxed);
}

/// Starts the pager if stdout is a terminal: `$PAGER`, or less. `None`: there is none, or none is wanted.
pub(super) fn start() -> Option<Piped> {
    if UNWANTED.load(Ordering::Relaxed) || !io::stdout().is_terminal() {
        return None;
    }
    let pager = env::var("PAGER").unwrap_or_else(|_| PAGER.to_owned());
    if matches!(pager.trim(), "" | "cat") {
        return None;
    }
    let mut command = Command::new("sh");
    // A shell that is asked first does not leave us with a pager that cannot be started.
    let name = pager.split_whitespace().next().unwrap_or_default().to_owned();
    command.arg("-c").arg(format!("command -v \"$0\" >/dev/null || exec cat; {pager}")).arg(name);
    if env::var_os("LESS").is_none() {
        command.env("LESS", LESS);
    }
    let pager = Piped::start(&mut command).ok()?;
    // SAFETY: no handler is installed. From here on an interrupt is the pager's: it stops what it is
    // doing, and its end is ours.
    let _ = unsafe { signal(Signal::SIGINT, SigHandler::SigIgn) };
    Some(pager)
}
