//! Sets of system calls, as strace's `-e trace=` names them.

use anyhow::{Result, bail};

use super::row::Row;

/// A class of calls: `%name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words are strace's")]
pub enum Class {
    Desc,
    File,
    Memory,
    Process,
    Signal,
    Ipc,
    Network,
    Creds,
    Clock,
    Stat,
    Lstat,
    Fstat,
    StatLike,
    Statfs,
    Fstatfs,
    StatfsLike,
    Pure,
}

impl Class {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "desc" => Self::Desc,
            "file" => Self::File,
            "memory" => Self::Memory,
            "process" => Self::Process,
            "signal" => Self::Signal,
            "ipc" => Self::Ipc,
            "net" | "network" => Self::Network,
            "creds" => Self::Creds,
            "clock" => Self::Clock,
            "stat" => Self::Stat,
            "lstat" => Self::Lstat,
            "fstat" => Self::Fstat,
            "%stat" => Self::StatLike,
            "statfs" => Self::Statfs,
            "fstatfs" => Self::Fstatfs,
            "%statfs" => Self::StatfsLike,
            "pure" => Self::Pure,
            _ => return None,
        })
    }
}

/// Which calls are wanted: `openat,%network`, `!futex`, `all`, `none`.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    inverted: bool,
    words: Vec<Word>,
}

#[derive(Clone, Debug)]
enum Word {
    All,
    Name(String),
    Class(Class),
}

impl Filter {
    /// Parses a set; an unknown name is an error, unless a `?` stands before it.
    pub fn parse(text: &str, known: impl Fn(&str) -> bool) -> Result<Self> {
        let text = text.strip_prefix("trace=").unwrap_or(text);
        let (inverted, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut words = Vec::new();
        for word in text.split(',').filter(|word| !word.is_empty()) {
            let (optional, word) = match word.strip_prefix('?') {
                Some(rest) => (true, rest),
                None => (false, word),
            };
            match word.strip_prefix('%') {
                _ if word == "all" => words.push(Word::All),
                _ if word == "none" => {}
                Some(class) => match Class::of(class) {
                    Some(class) => words.push(Word::Class(class)),
                    None => bail!("there is no class %{class}; see `traceloop explain --classes`"),
                },
                None if known(word) => words.push(Word::Name(word.to_owned())),
                None if optional => {}
                None => bail!("there is no system call {word:?}; `traceloop explain` lists them all"),
            }
        }
        Ok(Self { inverted, words })
    }

    /// Whether a call is wanted. Without any word, everything is.
    pub fn wants(&self, row: Option<&Row>, name: &str) -> bool {
        let named = self.words.iter().any(|word| match word {
            Word::All => true,
            Word::Name(wanted) => wanted == name,
            Word::Class(class) => row.is_some_and(|row| row.classes.contains(class)),
        });
        (self.words.is_empty() && !self.inverted) || named != self.inverted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(filter: &str, name: &str) -> bool {
        let filter = Filter::parse(filter, |name| name != "nonsense").unwrap();
        let row = super::super::abi::find(name);
        filter.wants(row, name)
    }

    #[test]
    fn names_classes_and_their_opposite() {
        assert!(wants("openat,close", "openat"));
        assert!(!wants("openat,close", "read"));
        assert!(wants("%file", "openat"));
        assert!(!wants("!%file", "openat"));
        assert!(wants("!futex", "read"));
        assert!(wants("all", "read"));
        assert!(!wants("none", "read") || wants("", "read"));
        assert!(Filter::parse("nonsense", |name| name != "nonsense").is_err());
        assert!(Filter::parse("?nonsense", |name| name != "nonsense").is_ok());
    }
}
