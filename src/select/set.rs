//! Sets as strace writes them: words with commas between them, `!` in front for all but these.

use anyhow::{Result, bail};

use crate::model::errno_name;

/// Some things, or all but some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set<T> {
    inverted: bool,
    named: Vec<T>,
}

impl<T: PartialEq> Set<T> {
    /// `a,b`, `!a`, `all`, `none`; `word` knows what one is.
    pub fn parse(text: &str, word: impl Fn(&str) -> Result<T>) -> Result<Self> {
        let bare = text.trim_start_matches('!');
        let inverted = (text.len() - bare.len()) % 2 == 1;
        Ok(match bare {
            "none" => Self { inverted, named: Vec::new() },
            "all" => Self { inverted: !inverted, named: Vec::new() },
            _ => Self { inverted, named: bare.split(',').map(word).collect::<Result<_>>()? },
        })
    }

    /// Whether this is one of them.
    pub fn has(&self, one: &T) -> bool {
        self.named.contains(one) != self.inverted
    }
}

impl Set<i32> {
    /// Errors by name or number: `ENOENT,EACCES`, `!EAGAIN`.
    pub fn errnos(text: &str) -> Result<Self> {
        Self::parse(text, errno)
    }

    /// Descriptors: `3,5`, `!1`.
    pub fn descriptors(text: &str) -> Result<Self> {
        Self::parse(text, |word| match word.parse() {
            Ok(fd @ 0..) => Ok(fd),
            _ => bail!("a descriptor is a number, not {word:?}"),
        })
    }
}

impl Set<u32> {
    /// Processes or threads by number.
    pub fn processes(text: &str) -> Result<Self> {
        Self::parse(text, |word| match word.parse() {
            Ok(pid @ 1..) => Ok(pid),
            _ => bail!("a process is a number, not {word:?}"),
        })
    }
}

fn errno(word: &str) -> Result<i32> {
    const MOST: i32 = 4095;
    if let Ok(errno @ 1..=MOST) = word.parse() {
        return Ok(errno);
    }
    let wanted = word.to_uppercase();
    let wanted = match &*wanted {
        "EWOULDBLOCK" => "EAGAIN",
        "EDEADLOCK" => "EDEADLK",
        "ENOTSUP" => "EOPNOTSUPP",
        name => name,
    };
    match (1..=MOST).find(|errno| errno_name(*errno) == wanted) {
        Some(errno) => Ok(errno),
        None => bail!("there is no error {word:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_descriptors() {
        assert!(Set::errnos("ENOENT,eacces").unwrap().has(&13) && Set::errnos("2").unwrap().has(&2));
        assert!(!Set::errnos("!EWOULDBLOCK").unwrap().has(&11) && Set::errnos("ENOTSUP").unwrap().has(&95));
        assert!(Set::errnos("all").unwrap().has(&1) && !Set::errnos("none").unwrap().has(&1));
        assert!(Set::descriptors("0,3").unwrap().has(&0) && !Set::descriptors("!3").unwrap().has(&3));
        for wrong in ["", "ENONSENSE", "0", "5000", "-1", "ENOENT,"] {
            assert!(Set::errnos(wrong).is_err(), "{wrong}");
        }
        assert!(Set::descriptors("-1").is_err() && Set::processes("0").is_err());
    }
}
