//! How a call ended, as strace's `-e status=` names it.

use anyhow::{Result, bail};

use crate::model::Outcome;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It returned without an error.
    Successful,
    /// It returned an error, or was interrupted.
    Failed,
    /// It did not return.
    Unfinished,
    /// It returned, but nobody could tell what.
    Unavailable,
    /// Its thread was let go of before it returned.
    Detached,
}

const NAMES: [(&str, Status); 5] = [
    ("successful", Status::Successful),
    ("failed", Status::Failed),
    ("unfinished", Status::Unfinished),
    ("unavailable", Status::Unavailable),
    ("detached", Status::Detached),
];

/// A set of them.
#[derive(Clone, Debug)]
pub struct Statuses(Vec<Status>);

impl Default for Statuses {
    fn default() -> Self {
        Self(NAMES.iter().map(|(_, status)| *status).collect())
    }
}

impl Statuses {
    /// These alone.
    pub fn only(statuses: impl IntoIterator<Item = Status>) -> Self {
        Self(statuses.into_iter().collect())
    }

    /// `failed,unfinished`, `!successful`, `all`, `none`.
    pub fn parse(text: &str) -> Result<Self> {
        let bare = text.trim_start_matches('!');
        let mut inverted = (text.len() - bare.len()) % 2 == 1;
        let mut named = Vec::new();
        match bare {
            "none" => {}
            "all" => inverted = !inverted,
            _ => {
                for word in bare.split(',') {
                    match NAMES.iter().find(|(name, _)| *name == word) {
                        Some((_, status)) => named.push(*status),
                        None => {
                            bail!("there is no status {word:?}: successful, failed, unfinished, unavailable, detached")
                        }
                    }
                }
            }
        }
        Ok(Self(NAMES.iter().map(|(_, status)| *status).filter(|status| named.contains(status) != inverted).collect()))
    }

    /// Whether a call that ended so is wanted.
    pub fn wants(&self, outcome: &Outcome) -> bool {
        self.0.contains(&match outcome {
            Outcome::Returned { .. } => Status::Successful,
            Outcome::Failed { .. } | Outcome::Interrupted { .. } => Status::Failed,
            Outcome::Never | Outcome::Died { .. } | Outcome::InFlight { .. } | Outcome::EndMissing => {
                Status::Unfinished
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_statuses() {
        let failed = Outcome::Failed { errno: 1, text: "".into() };
        assert!(Statuses::parse("failed").unwrap().wants(&failed));
        assert!(!Statuses::parse("!failed,unfinished").unwrap().wants(&failed));
        assert!(Statuses::parse("all").unwrap().wants(&Outcome::Never));
        assert!(Statuses::parse("unfinished").unwrap().wants(&Outcome::Never));
        assert!(Statuses::parse("nonsense").is_err());
    }
}
