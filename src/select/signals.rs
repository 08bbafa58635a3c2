//! Sets of signals, as strace's `-e signal=` names them.

use anyhow::{Result, bail};

use crate::model::signal_name;

/// A set of signals; the default is all of them.
#[derive(Clone, Debug)]
pub struct Signals {
    inverted: bool,
    named: Vec<i32>,
}

impl Default for Signals {
    fn default() -> Self {
        Self { inverted: true, named: Vec::new() }
    }
}

impl Signals {
    /// `SIGCHLD,term`, `!9`, `all`, `none`.
    pub fn parse(text: &str) -> Result<Self> {
        let bare = text.trim_start_matches('!');
        let inverted = (text.len() - bare.len()) % 2 == 1;
        let named = match bare {
            "none" => Vec::new(),
            "all" => return Ok(Self { inverted: !inverted, named: Vec::new() }),
            _ => bare.split(',').map(number).collect::<Result<_>>()?,
        };
        Ok(Self { inverted, named })
    }

    /// Whether a signal is wanted.
    pub fn wants(&self, signo: i32) -> bool {
        self.named.contains(&signo) != self.inverted
    }
}

fn number(word: &str) -> Result<i32> {
    if let Ok(signo @ 1..=64) = word.parse() {
        return Ok(signo);
    }
    let wanted = word.to_uppercase();
    let bare = wanted.strip_prefix("SIG").unwrap_or(&wanted);
    match (1..=64).find(|signo| signal_name(*signo).strip_prefix("SIG") == Some(bare)) {
        Some(signo) => Ok(signo),
        None => bail!("there is no signal {word:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_numbers_and_their_opposite() {
        assert!(Signals::default().wants(9));
        assert!(Signals::parse("SIGCHLD,term").unwrap().wants(15));
        assert!(Signals::parse("chld").unwrap().wants(17));
        assert!(!Signals::parse("!SIGCHLD").unwrap().wants(17));
        assert!(!Signals::parse("none").unwrap().wants(17));
        assert!(Signals::parse("rt_1").unwrap().wants(33));
        assert!(Signals::parse("65").is_err() && Signals::parse("SIGNONE").is_err());
    }
}
