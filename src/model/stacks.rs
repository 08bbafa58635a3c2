//! Of which calls stacks are taken: `all`, `failed`, `duration>100ms`.

use std::{fmt, str::FromStr, time::Duration};

use anyhow::{Context, Error, Result, bail};

use serde::{Deserialize, Serialize};

use super::duration;

/// Of which calls stacks are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stacks {
    /// Of none.
    #[default]
    None,
    /// Of all that are recorded.
    All,
    /// Of those that failed.
    Failed,
    /// Of those that lasted at least so long.
    Slower(Duration),
}

impl FromStr for Stacks {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "none" => Self::None,
            "all" => Self::All,
            "failed" => Self::Failed,
            _ => match text.strip_prefix("duration>") {
                Some(least) => Self::Slower(duration(least).with_context(|| format!("understand {text:?}"))?),
                None => bail!(
                    "stacks are taken of all calls, of failed ones, of duration>TIME, or of none, not of {text:?}"
                ),
            },
        })
    }
}

impl fmt::Display for Stacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::All => f.write_str("all"),
            Self::Failed => f.write_str("failed"),
            Self::Slower(least) => write!(f, "duration>{least:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_stacks() {
        let parse = |text: &str| text.parse::<Stacks>();
        assert_eq!(parse("failed").unwrap(), Stacks::Failed);
        assert_eq!(parse("duration>100ms").unwrap(), Stacks::Slower(Duration::from_millis(100)));
        assert_eq!(parse("duration>100ms").unwrap().to_string(), "duration>100ms");
        assert!(parse("slow").unwrap_err().to_string().contains("duration>TIME"));
        assert!(parse("duration>soon").is_err());
    }
}
