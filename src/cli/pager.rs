//! A pager for whoever reads on a terminal.

use std::{
    env,
    io::{self, IsTerminal, Write},
    process::{Child, Command, Stdio},
};

use nix::sys::signal::{SigHandler, Signal, signal};

/// What is started if nobody says otherwise, and how: quit if it fits the screen, pass colours on, cut
/// long lines, leave the text on the screen.
const PAGER: &str = "less";
const LESS: &str = "FRSX";

/// A running pager; the text goes to its stdin.
pub(super) struct Pager {
    child: Child,
}

/// Starts the pager if stdout is a terminal: `$PAGER`, or less. `None`: there is none, or none is wanted.
pub(super) fn start() -> Option<Pager> {
    if !io::stdout().is_terminal() {
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
    let child = command.stdin(Stdio::piped()).spawn().ok()?;
    // SAFETY: no handler is installed. From here on an interrupt is the pager's: it stops what it is
    // doing, and its end is ours.
    let _ = unsafe { signal(Signal::SIGINT, SigHandler::SigIgn) };
    Some(Pager { child })
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.child.stdin {
            Some(stdin) => stdin.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.child.stdin.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Pager {
    /// The text ends, and the reader goes on reading.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
