//! Colours for the text format on a terminal: what failed, what died, what only stands around it.
//!
//! Lines are coloured whole and after they were made: nothing recorded comes out as a control sequence.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

use clap::ValueEnum;

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Colour {
    /// Whether to colour what goes to stdout, or elsewhere.
    pub(super) fn is_wanted(self, to_stdout: bool) -> bool {
        let plain = || env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = || env::var_os("TERM").is_none_or(|term| term == "dumb");
        match self {
            Self::Auto => to_stdout && io::stdout().is_terminal() && !plain() && !dumb(),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

const FAINT: &str = "2";
const RED: &str = "31";
const BOLD_RED: &str = "1;31";
const YELLOW: &str = "33";
const CYAN: &str = "36";

/// The first of these that a line holds decides.
const SIGNS: [(&str, &str); 8] = [
    (" was killed by ", BOLD_RED),
    (" <in flight", CYAN),
    ("+++ killed by ", BOLD_RED),
    ("+++ exited with 0 ", FAINT),
    ("+++ exited with ", YELLOW),
    ("+++ ", FAINT),
    ("] --- SIG", YELLOW),
    (") = -1 E", RED),
];

/// Colours whole lines.
pub(super) struct Painter<W: Write> {
    out: W,
    /// A line whose end has not come.
    line: Vec<u8>,
    painted: Vec<u8>,
}

impl<W: Write> Painter<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, line: Vec::new(), painted: Vec::new() }
    }

    fn paint(&mut self) {
        let text = String::from_utf8_lossy(&self.line);
        let sign = SIGNS.iter().find(|(sign, _)| text.contains(sign)).map(|(_, colour)| *colour);
        let colour = sign.or_else(|| text.starts_with('#').then_some(FAINT));
        match (colour, self.line.strip_suffix(b"\n")) {
            (Some(colour), Some(line)) => {
                let parts = [b"\x1b[", colour.as_bytes(), b"m", line, b"\x1b[0m\n"];
                parts.iter().for_each(|part| self.painted.extend_from_slice(part));
            }
            _ => self.painted.extend_from_slice(&self.line),
        }
        self.line.clear();
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let written = self.out.write_all(&self.painted);
        self.painted.clear();
        written
    }
}

impl<W: Write> Write for Painter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.paint();
            }
        }
        self.pass_on()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Drop for Painter<W> {
    fn drop(&mut self) {
        self.paint();
        let _ = self.pass_on();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(text: &str) -> String {
        let mut out = Vec::new();
        let mut painter = Painter::new(&mut out);
        // However it comes in pieces.
        text.as_bytes().chunks(3).for_each(|part| painter.write_all(part).unwrap());
        drop(painter);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_failed_is_seen() {
        assert_eq!(painted("a[1] close(3) = 0\n"), "a[1] close(3) = 0\n");
        assert_eq!(painted("a[1] close(3) = -1 EBADF\n"), "\x1b[31ma[1] close(3) = -1 EBADF\x1b[0m\n");
        assert_eq!(painted("# head\nx"), "\x1b[2m# head\x1b[0m\nx");
    }
}
