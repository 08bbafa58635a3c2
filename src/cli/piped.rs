//! A program that takes what is written to its stdin: a pager, or strace's `-o '|COMMAND'`.

use std::{
    io::{self, Write},
    process::{Child, Command, Stdio},
};

/// A running one.
pub(super) struct Piped {
    child: Child,
}

impl Piped {
    /// Starts it.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        Ok(Self { child: command.stdin(Stdio::piped()).spawn()? })
    }

    /// A command of the shell's. What interrupts us is to end a recording, not what is to take it.
    pub(super) fn shell(command: &str) -> io::Result<Self> {
        Self::start(Command::new("sh").arg("-c").arg(format!("trap '' INT\n{command}")))
    }
}

impl Write for Piped {
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

impl Drop for Piped {
    /// The text ends, and the program goes on with it.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
