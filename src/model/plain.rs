//! Text of strangers, made fit for a terminal.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

/// The text with everything escaped that could drive a terminal or turn a line around: `\u{1b}`.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if acts(char) {
            let _ = write!(out, "{}", char.escape_unicode());
        } else {
            out.push(char);
        }
    }
    Cow::Owned(out)
}

/// The same of several lines: what ends and indents them stays.
pub fn plain_lines(text: &str) -> Cow<'_, str> {
    let acts_in_lines = |char: char| acts(char) && !matches!(char, '\n' | '\t');
    if !text.chars().any(acts_in_lines) {
        return Cow::Borrowed(text);
    }
    let lines = text.split_inclusive(['\n', '\t']).map(|part| {
        let end = part.strip_suffix(['\n', '\t']).map_or(part.len(), str::len);
        plain(&part[..end]).into_owned() + &part[end..]
    });
    Cow::Owned(lines.collect())
}

/// The door through which all goes that is written for people: nothing that acts comes through, whoever forgot to make
/// it plain. Each write holds whole characters.
#[derive(Debug)]
pub struct Plain<W>(pub W);

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // What acts begins with one of these in UTF-8.
        let may_act = |byte: &u8| matches!(byte, ..0x20 | 0x7f | 0xc2 | 0xe2) && !matches!(byte, b'\n' | b'\t');
        if bytes.iter().any(may_act) {
            self.0.write_all(plain_lines(&String::from_utf8_lossy(bytes)).as_bytes())?;
        } else {
            self.0.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Control characters, line separators, and what changes the direction of writing.
pub fn acts(char: char) -> bool {
    char.is_control() || matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_through_the_door_keeps_its_lines() {
        let mut out = Plain(Vec::new());
        write!(out, "a\tb\n\u{85}c\u{1b}[2J\n\u{9b}ü\u{202e}\r\n").unwrap();
        let wanted = "a\tb\n\\u{85}c\\u{1b}[2J\n\\u{9b}ü\\u{202e}\\u{d}\n";
        assert_eq!(String::from_utf8(out.0).unwrap(), wanted);
    }

    #[test]
    fn nothing_that_acts_comes_through() {
        assert_eq!(plain("nginx.service ü"), "nginx.service ü");
        assert_eq!(plain("a\x1b[31m\nb\u{9b}\u{202e}"), "a\\u{1b}[31m\\u{a}b\\u{9b}\\u{202e}");
    }
}
