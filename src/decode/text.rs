//! The text of a call as it grows: strace's notations for numbers, words, strings and structures.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    asked::View,
    escape::{escape, hex_bytes},
    fds::CWD,
    style::{Constants, Strings, Style},
};
use crate::{
    model::{File, REDACTED, StraceForm},
    syscall::{Words, words::newer::is_newer},
};

/// A text being written.
#[derive(Debug)]
pub(super) struct Text<'a> {
    out: String,
    style: &'a Style,
    /// `-X`, where nothing around it says otherwise.
    constants: Constants,
    /// What descriptors stand for, if it is to be told.
    view: Option<View<'a>>,
    /// The names of network interfaces, by their numbers.
    pub(super) interfaces: &'a BTreeMap<u32, String>,
    /// The paths that were written, if they are asked for.
    pub(super) paths: Vec<Box<[u8]>>,
    /// The same of descriptors.
    pub(super) fds: Vec<i32>,
    /// How much of an argument that the call answers in was known when the call began.
    known: Option<usize>,
}

impl<'a> Text<'a> {
    pub(super) fn new(style: &'a Style) -> Self {
        Self {
            out: String::with_capacity(96),
            style,
            constants: style.constants,
            view: None,
            interfaces: &style.interfaces,
            paths: Vec::new(),
            fds: Vec::new(),
            known: None,
        }
    }

    /// The same, telling what descriptors stand for.
    pub(super) fn with(style: &'a Style, view: Option<View<'a>>) -> Self {
        Self { view, ..Self::new(style) }
    }

    pub(super) fn style(&self) -> &'a Style {
        self.style
    }

    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// Notes that what stands here was known when the call began; what follows in this argument was not.
    pub(super) fn known_until_here(&mut self) {
        self.known = Some(self.out.len());
    }

    /// Takes the note.
    pub(super) fn take_known(&mut self) -> Option<usize> {
        self.known.take()
    }

    /// Takes back what was written behind `length`.
    pub(super) fn truncate(&mut self, length: usize) {
        self.out.truncate(length);
    }

    pub(super) fn finish(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// Notes a path that the call touches.
    pub(super) fn touch(&mut self, path: &[u8]) {
        if self.style.paths {
            self.paths.push(path.into());
        }
    }

    /// Notes a descriptor that the call takes or returns.
    pub(super) fn take_or_return(&mut self, fd: i32) {
        if self.style.fds {
            self.fds.push(fd);
        }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Between two arguments, fields or elements; nothing right behind an opening bracket.
    pub(super) fn separate(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with(['{', '[', '(']) {
            self.out.push_str(", ");
        }
    }

    /// A structure's field: `name=`, with a comma where one belongs.
    pub(super) fn field(&mut self, name: &str) -> &mut Self {
        self.separate();
        self.out.push_str(name);
        self.out.push('=');
        self
    }

    pub(super) fn signed(&mut self, value: impl Into<i64>) {
        self.out.push_str(itoa::Buffer::new().format(value.into()));
    }

    pub(super) fn unsigned(&mut self, value: impl Into<u64>) {
        self.out.push_str(itoa::Buffer::new().format(value.into()));
    }

    /// A descriptor, with what it stood for when the call began.
    pub(super) fn fd(&mut self, fd: i32) {
        self.take_or_return(fd);
        self.signed(fd);
        // The working directory is none here.
        if let Some(file) = self.view.filter(|_| fd >= 0).and_then(|view| view.before(fd)) {
            self.touch(file.path.as_bytes());
            self.file(file);
        }
    }

    /// A descriptor that the call returned.
    pub(super) fn new_fd(&mut self, fd: i32) {
        self.take_or_return(fd);
        self.signed(fd);
        if let Some(file) = self.view.and_then(|view| view.after(fd)) {
            self.file(file);
        }
    }

    /// `AT_FDCWD`, with the working directory.
    pub(super) fn cwd(&mut self, words: &Words) {
        let word = words.word(u64::from(CWD.cast_unsigned())).unwrap_or_default();
        self.either(|text| text.signed(CWD), |text| text.push(word));
        if self.style.descriptors.paths
            && let Some(file) = self.view.and_then(|view| view.before(CWD))
        {
            self.bracketed_path(&file.path, false);
            // The link to a directory that is gone says so inside of the brackets.
            if file.deleted {
                let end = self.out.len() - 1;
                self.out.insert_str(end, " (deleted)");
            }
        }
    }

    fn file(&mut self, file: &File) {
        let asked = self.style.descriptors;
        if let Some(socket) = file.socket.as_ref().filter(|_| asked.sockets) {
            self.out.push('<');
            self.out.push_str(socket);
            self.out.push('>');
        } else if let Some(device) = file.device.as_ref().filter(|_| asked.devices) {
            self.bracketed_path(&file.path, false);
            let end = self.out.len() - 1;
            self.out.insert_str(end, &format!("<{device}>"));
        } else if let Some(process) = file.process.filter(|_| asked.pidfds) {
            let _ = write!(self.out, "<pid:{process}>");
        } else if asked.paths {
            self.bracketed_path(&file.path, file.deleted);
        }
    }

    fn bracketed_path(&mut self, path: &str, deleted: bool) {
        let plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\t'..=b'\r');
        let hex = match self.style.strings {
            Strings::Hex => true,
            Strings::HexUnlessAscii => !path.bytes().all(plain),
            Strings::Escaped => false,
        };
        self.out.push('<');
        let hidden = path.strip_prefix(REDACTED).filter(|below| below.is_empty() || below.starts_with('/'));
        let path = hidden.unwrap_or(path);
        self.out.push_str(hidden.map_or("", |_| REDACTED));
        if hex {
            hex_bytes(&mut self.out, path.as_bytes());
        } else {
            let mut escaped = String::new();
            escape(&mut escaped, path.as_bytes());
            self.out.push_str(&escaped.replace('<', "\\74").replace('>', "\\76"));
        }
        self.out.push_str(if deleted { ">(deleted)" } else { ">" });
    }

    /// `0x1f`, and `0` for nothing.
    pub(super) fn hex(&mut self, value: impl Into<u64>) {
        match value.into() {
            0 => self.out.push('0'),
            value => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                self.out.push_str("0x");
                let digits = (64 - value.leading_zeros()).div_ceil(4);
                for n in (0..digits).rev() {
                    self.out.push(char::from(DIGITS[usize::try_from(value >> (4 * n) & 15).unwrap_or(0)]));
                }
            }
        }
    }

    /// `0644`, and `000` for nothing: permissions as strace writes them.
    pub(super) fn mode(&mut self, value: impl Into<u64>) {
        let value = value.into();
        let _ = write!(self.out, "0{value:02o}");
    }

    /// `022`, and `0` for nothing.
    pub(super) fn octal(&mut self, value: u32) {
        let _ = if value == 0 { write!(self.out, "0") } else { write!(self.out, "0{value:o}") };
    }

    /// A pointer that is not followed.
    pub(super) fn addr(&mut self, value: u64) {
        if value == 0 { self.out.push_str("NULL") } else { self.hex(value) }
    }

    /// The word of a value, if the strace whose form this is has it.
    pub(super) fn known(&self, words: &Words, value: u64) -> Option<&'static str> {
        words.word(value).filter(|word| self.knows(word))
    }

    /// Whether the strace whose form this is has a word.
    fn knows(&self, word: &str) -> bool {
        self.style.strace == StraceForm::Newest || !is_newer(word)
    }

    /// One of several values.
    pub(super) fn word(&mut self, words: &Words, value: u64) {
        let word = self.known(words, value);
        match (self.constants, word) {
            (Constants::Abbrev, Some(word)) => self.out.push_str(word),
            (Constants::Abbrev | Constants::Verbose, None) => {
                self.hex0(value);
                self.comment(words.unknown);
            }
            (Constants::Raw, _) => self.hex0(value),
            (Constants::Verbose, Some(word)) => {
                self.hex0(value);
                let _ = write!(self.out, " /* {word} */");
            }
        }
    }

    /// `-X`, where this is written.
    pub(super) fn constants(&self) -> Constants {
        self.constants
    }

    /// A number that has words, as `-X` wants it: the words, the number, or both.
    pub(super) fn either(&mut self, number: impl FnOnce(&mut Self), words: impl FnOnce(&mut Self)) {
        match self.constants {
            Constants::Abbrev => words(self),
            Constants::Raw => number(self),
            Constants::Verbose => {
                number(self);
                self.push(" /* ");
                self.in_words(words);
                self.push(" */");
            }
        }
    }

    /// Words, whatever `-X` says.
    pub(super) fn in_words(&mut self, words: impl FnOnce(&mut Self)) {
        let constants = std::mem::replace(&mut self.constants, Constants::Abbrev);
        words(self);
        self.constants = constants;
    }

    /// What explains a number: a comment, which nobody wants who wants numbers.
    pub(super) fn explanation(&mut self, words: &str) {
        if self.constants != Constants::Raw {
            self.comment(words);
        }
    }

    /// One of several values from a vocabulary whose unknown values are told of by another comment here.
    pub(super) fn word_else(&mut self, words: &Words, unknown: &'static str, value: u64) {
        self.word(&Words { unknown, list: words.list }, value);
    }

    /// A count of clock ticks: `150 /* 1.50 s */`.
    pub(super) fn ticks(&mut self, ticks: u64) {
        const A_SECOND: u64 = 100;
        self.unsigned(ticks);
        if ticks > 0 {
            self.explanation(&format!("{}.{:02} s", ticks / A_SECOND, ticks % A_SECOND));
        }
    }

    /// `0x00001f`: as wide as `width`, zero as zeros.
    pub(super) fn padded_hex(&mut self, value: impl Into<u64>, width: usize) {
        let value = value.into();
        let _ = if value == 0 { write!(self.out, "{value:0width$}") } else { write!(self.out, "{value:#0width$x}") };
    }

    /// A number, and the words of its bits in a comment.
    pub(super) fn explained_flags(&mut self, words: &Words, value: u64) {
        self.hex(value);
        if value == 0 {
            return;
        }
        self.push(" /* ");
        if words.list.iter().any(|(bits, _)| *bits != 0 && value & bits == *bits) {
            self.flag_words(words, value);
        } else {
            self.push(words.unknown);
        }
        self.push(" */");
    }

    /// ` /* words */`; nothing for no words.
    pub(super) fn comment(&mut self, words: &str) {
        if !words.is_empty() {
            let _ = write!(self.out, " /* {words} */");
        }
    }

    /// `0x1f`, `0` being `0` too: %#x.
    fn hex0(&mut self, value: u64) {
        self.hex(value);
    }

    /// Bits by name, `|` between them; what has no name as a number behind them.
    pub(super) fn flags(&mut self, words: &Words, value: u64) {
        let words = words.of(self.style.abi(false));
        match self.constants {
            Constants::Raw => self.hex(value),
            Constants::Verbose => {
                self.hex(value);
                if value == 0 {
                    self.comment(words.word(0).unwrap_or_default());
                } else if words.list.iter().any(|(bits, word)| *bits != 0 && value & bits == *bits && self.knows(word))
                {
                    self.push(" /* ");
                    self.flag_words(words, value);
                    self.push(" */");
                } else {
                    self.comment(words.unknown);
                }
            }
            Constants::Abbrev => self.flag_words(words, value),
        }
    }

    fn flag_words(&mut self, words: &Words, value: u64) {
        if value == 0 {
            return self.push(words.word(0).unwrap_or("0"));
        }
        let before = self.out.len();
        let mut left = value;
        for (bits, word) in words.list {
            if *bits != 0 && left & bits == *bits && self.knows(word) {
                if self.out.len() > before {
                    self.out.push('|');
                }
                self.out.push_str(word);
                left &= !bits;
            }
        }
        if left == 0 {
            return;
        }
        if self.out.len() > before {
            self.out.push('|');
            self.hex(left);
        } else {
            self.hex(left);
            self.comment(words.unknown);
        }
    }

    /// The flags behind a first word of another vocabulary: `MAP_PRIVATE|MAP_ANONYMOUS`.
    pub(super) fn more_flags(&mut self, words: &Words, value: u64) {
        if value == 0 {
            return;
        }
        self.out.push('|');
        let words = words.of(self.style.abi(false));
        if self.constants != Constants::Abbrev {
            self.flags(&Words { unknown: "", list: words.list }, value);
        } else {
            let before = self.out.len();
            self.flag_words(words, value);
            // Behind another word, an unknown rest is a bare number.
            if self.out.ends_with("*/")
                && let Some(at) = self.out[before..].find(" /*")
            {
                self.out.truncate(before + at);
            }
        }
    }

    /// A quoted string, cut at the string limit. `more`: there was more than `bytes`.
    pub(super) fn string(&mut self, bytes: &[u8], more: bool) {
        let limit = self.style.string_limit;
        self.whole_string(&bytes[..bytes.len().min(limit)]);
        if more || bytes.len() > limit {
            self.out.push_str("...");
        }
    }

    /// Data whose every byte is written in hexadecimal, cut at the string limit.
    pub(super) fn hex_string(&mut self, bytes: &[u8], more: bool) {
        let limit = self.style.string_limit;
        self.whole_hex_string(&bytes[..bytes.len().min(limit)]);
        if more || bytes.len() > limit {
            self.out.push_str("...");
        }
    }

    /// The same, never cut.
    pub(super) fn whole_hex_string(&mut self, bytes: &[u8]) {
        self.out.push('"');
        hex_bytes(&mut self.out, bytes);
        self.out.push('"');
    }

    /// Whether a string of these bytes is written in hexadecimal.
    pub(super) fn is_hex(&self, bytes: &[u8]) -> bool {
        let plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t'..=b'\r');
        match self.style.strings {
            Strings::Hex => true,
            Strings::HexUnlessAscii => !bytes.iter().all(plain),
            Strings::Escaped => false,
        }
    }

    /// A quoted string that is never cut.
    pub(super) fn whole_string(&mut self, bytes: &[u8]) {
        if self.is_hex(bytes) {
            return self.whole_hex_string(bytes);
        }
        self.out.push('"');
        escape(&mut self.out, bytes);
        self.out.push('"');
    }

    /// What stands before the NUL in an array of characters; `...` if there is none.
    pub(super) fn cstring(&mut self, array: &[u8]) {
        let end = array.iter().position(|byte| *byte == 0);
        self.whole_string(&array[..end.unwrap_or(array.len().saturating_sub(1))]);
        if end.is_none() {
            self.push("...");
        }
    }

    /// A structure in braces.
    pub(super) fn braced(&mut self, inside: impl FnOnce(&mut Self)) {
        self.out.push('{');
        inside(self);
        self.out.push('}');
    }

    /// An array in brackets, as many elements as a string would have bytes; `...` for the others.
    pub(super) fn array(&mut self, count: usize, mut element: impl FnMut(&mut Self, usize)) {
        let limit = if self.style.verbose { usize::MAX } else { self.style.string_limit };
        self.bracketed(|text| {
            for n in 0..count {
                if n > 0 {
                    text.push(", ");
                }
                if n >= limit {
                    return text.push("...");
                }
                element(text, n);
            }
        });
    }

    /// An array in brackets.
    pub(super) fn bracketed(&mut self, inside: impl FnOnce(&mut Self)) {
        self.out.push('[');
        inside(self);
        self.out.push(']');
    }
}

/// What a printer writes, with strace's defaults.
#[cfg(test)]
pub(super) fn written(write: impl FnOnce(&mut Text<'_>)) -> String {
    let style = Style { interfaces: [(1, "lo".to_owned())].into(), ..Style::default() };
    let mut text = Text::new(&style);
    write(&mut text);
    text.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscall::words;

    #[test]
    fn numbers() {
        assert_eq!(written(|text| text.hex(0_u64)), "0");
        assert_eq!(written(|text| text.hex(0x1f2e3d_u64)), "0x1f2e3d");
        assert_eq!(written(|text| text.mode(0o644_u32)), "0644");
        assert_eq!(written(|text| text.mode(0_u32)), "000");
        assert_eq!(written(|text| text.addr(0)), "NULL");
    }

    #[test]
    fn ticks_of_the_clock() {
        assert_eq!(written(|text| text.ticks(0)), "0");
        assert_eq!(written(|text| text.ticks(7)), "7 /* 0.07 s */");
        assert_eq!(written(|text| text.ticks(1234)), "1234 /* 12.34 s */");
    }

    #[test]
    fn words_of_flags() {
        let prot = &words::memory::PROT;
        assert_eq!(written(|text| text.flags(prot, 0)), "PROT_NONE");
        assert_eq!(written(|text| text.flags(prot, 3)), "PROT_READ|PROT_WRITE");
        assert_eq!(written(|text| text.flags(prot, 0x101)), "PROT_READ|0x100");
        assert_eq!(written(|text| text.flags(prot, 0x100)), "0x100 /* PROT_??? */");
    }

    #[test]
    fn escapes_are_as_short_as_they_can_be() {
        assert_eq!(written(|text| text.string(b"a\0b\x001\x7f\n\"", false)), r#""a\0b\0001\177\n\"""#);
        assert_eq!(written(|text| text.string(b"\x018\x019\x017", false)), r#""\18\19\0017""#);
        assert_eq!(written(|text| text.hex_string(b"\0A", true)), r#""\x00\x41"..."#);
        assert_eq!(written(|text| text.string(&[b'x'; 40], false)), format!("\"{}\"...", "x".repeat(32)));
    }
}
