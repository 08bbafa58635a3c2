//! Sets of system calls, as strace's `-e trace=` names them.

use anyhow::{Result, bail};
use regex_lite::Regex;

use super::{
    abi::{self, Abi, NUMBERS},
    class::Class,
    row::Row,
};

/// The number of io_uring_enter, in every ABI.
const IO_URING_ENTER: u16 = 426;

/// Which calls are wanted: `openat,%network`, `!futex`, `/^sched_`, `all`, `none`.
#[derive(Clone, Debug)]
pub struct Filter {
    inverted: bool,
    words: Vec<Word>,
}

impl Default for Filter {
    /// Everything.
    fn default() -> Self {
        Self { inverted: true, words: Vec::new() }
    }
}

#[derive(Clone, Debug)]
struct Word {
    what: What,
    /// `@64`, `@32`, `@x32`: only calls of this kind.
    width: Option<Width>,
}

/// Which of a machine's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    W64,
    W32,
    X32,
}

impl Width {
    fn of(abi: Abi, nr: i32) -> Self {
        match abi.word() {
            4 => Self::W32,
            _ if abi == Abi::X86_64 && nr > 0 && nr & abi::X32 != 0 => Self::X32,
            _ => Self::W64,
        }
    }
}

#[derive(Clone, Debug)]
enum What {
    Name(String),
    Number(u16),
    Class(Class),
    Regex(Regex),
}

impl Word {
    fn parse(text: &str) -> Result<Self> {
        let (text, width) = match text.rsplit_once('@') {
            Some((text, "64")) => (text, Some(Width::W64)),
            Some((text, "32")) => (text, Some(Width::W32)),
            Some((text, "x32")) => (text, Some(Width::X32)),
            Some((_, other)) => bail!("behind @ stands 64, 32 or x32, not {other:?}"),
            None => (text, None),
        };
        let what = if let Some(regex) = text.strip_prefix('/') {
            match Regex::new(regex.strip_suffix('/').unwrap_or(regex)) {
                Ok(regex) => What::Regex(regex),
                Err(error) => bail!("{regex:?} is no regular expression: {error}"),
            }
        } else if text.starts_with(|first: char| first.is_ascii_digit()) {
            match text.parse() {
                Ok(number) => What::Number(number),
                Err(_) => bail!("there is no system call {text}"),
            }
        } else if let Some(class) = text.strip_prefix('%') {
            match Class::of(class) {
                Some(class) => What::Class(class),
                None => bail!("there is no class %{class}; see `traceloop explain --classes`"),
            }
        } else {
            Class::of_old(text).map_or_else(|| What::Name(text.to_owned()), What::Class)
        };
        Ok(Self { what, width })
    }

    fn wants(&self, abi: Abi, nr: i32, name: &str, row: Option<&Row>) -> bool {
        self.width.is_none_or(|width| width == Width::of(abi, nr))
            && match &self.what {
                What::Name(wanted) => wanted == name,
                What::Number(wanted) => i32::from(*wanted) == nr,
                What::Class(class) => row.is_some_and(|row| row.classes.contains(class)),
                What::Regex(regex) => regex.is_match(name),
            }
    }

    /// Whether there is any such call.
    fn is_known(&self) -> bool {
        matches!(self.what, What::Class(_))
            || [Abi::X86_64, Abi::Ia32, Abi::Aarch64].into_iter().any(|abi| {
                (0..NUMBERS).any(|nr| {
                    let numbers = [nr.into(), i32::from(nr) | abi::X32];
                    let wants = |name| numbers.iter().any(|number| self.wants(abi, *number, name, abi::row(abi, nr)));
                    abi::name(abi, nr).is_some_and(wants)
                })
            })
    }
}

impl Filter {
    /// Parses a set; an unknown call is an error, unless a `?` stands before it.
    pub fn parse(text: &str) -> Result<Self> {
        let bare = text.trim_start_matches('!');
        let mut inverted = (text.len() - bare.len()) % 2 == 1;
        let mut words = Vec::new();
        match bare {
            "none" => {}
            "all" => inverted = !inverted,
            _ => {
                for word in bare.split(',').filter(|word| !word.is_empty()) {
                    let asked = word.trim_start_matches('?');
                    let parsed = Word::parse(asked)?;
                    if parsed.is_known() {
                        words.push(parsed);
                    } else if asked.len() == word.len() {
                        bail!("there is no system call {asked:?}; `traceloop explain` lists them all");
                    }
                }
                if bare.split(',').all(str::is_empty) {
                    bail!("name system calls or %classes, with commas between them");
                }
            }
        }
        Ok(Self { inverted, words })
    }

    /// The same for what is recorded: there x32's calls are those of unknown numbers.
    pub fn recorded(text: &str) -> Result<Self> {
        let filter = Self::parse(text.strip_prefix("trace=").unwrap_or(text))?;
        if filter.words.iter().any(|word| word.width == Some(Width::X32)) {
            bail!("x32 calls are not told apart when they are recorded: choose them where they are shown, with -e");
        }
        Ok(filter)
    }

    /// Whether requests of io_uring's are wanted: as io_uring_enter is.
    pub fn wants_uring(&self, abi: Abi) -> bool {
        self.wants(abi, IO_URING_ENTER)
    }

    /// Whether calls of this number are wanted, also where they are x32's.
    pub fn wants_any(&self, abi: Abi, nr: u16) -> bool {
        self.wants(abi, nr) || (abi == Abi::X86_64 && self.wants(abi, i32::from(nr) | abi::X32))
    }

    /// Whether a call is wanted.
    pub fn wants(&self, abi: Abi, nr: impl Into<i32>) -> bool {
        let nr = nr.into();
        let name = abi::name(abi, nr).unwrap_or_default();
        let row = abi::row(abi, nr);
        self.words.iter().any(|word| word.wants(abi, nr, name, row)) != self.inverted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(filter: &str, name: &str) -> bool {
        Filter::parse(filter).unwrap().wants(Abi::X86_64, abi::number(Abi::X86_64, name).unwrap())
    }

    #[test]
    fn names_classes_and_their_opposite() {
        assert!(wants("openat,close", "openat"));
        assert!(!wants("openat,close", "read"));
        assert!(wants("%file", "openat"));
        assert!(wants("network", "socket"));
        assert!(wants("%net", "socket"));
        assert!(!wants("!%file", "openat"));
        assert!(wants("!futex", "read"));
        assert!(!wants("!!futex", "read"));
        assert!(wants("all", "read"));
        assert!(!wants("none", "read"));
        assert!(!wants("!all", "read"));
        assert!(wants("0", "read"));
    }

    #[test]
    fn classes_of_stats() {
        assert!(wants("%stat", "stat") && !wants("%stat", "fstat"));
        assert!(wants("%fstat", "newfstatat") && wants("%%stat", "newfstatat") && wants("%%stat", "lstat"));
        assert!(wants("%%statfs", "fstatfs") && !wants("%statfs", "fstatfs"));
    }

    #[test]
    fn regular_expressions_and_widths() {
        assert!(wants("/^open", "openat") && !wants("/^open", "mq_open"));
        assert!(wants("/open/", "mq_open"));
        assert!(wants("read@64", "read") && !wants("read@32", "read") && !wants("read@x32", "read"));
        let x32 = Filter::parse("read@x32,openat@64").unwrap();
        let number = |name| i32::from(abi::number(Abi::X86_64, name).unwrap()) | abi::X32;
        assert!(x32.wants(Abi::X86_64, number("read")) && !x32.wants(Abi::X86_64, number("write")));
        assert!(!x32.wants(Abi::X86_64, number("openat")) && !x32.wants(Abi::X86_64, 0));
        assert!(x32.wants_any(Abi::X86_64, 0) && !x32.wants_any(Abi::X86_64, 1));
    }

    #[test]
    fn what_is_unknown_is_an_error() {
        for wrong in ["nonsense", "%nonsense", "/nonsense", "read@16", "/(", "", "70000"] {
            assert!(Filter::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(!wants("?nonsense", "read"));
        assert!(wants("?nonsense,read", "read"));
    }
}
