//! Values that keep the words in which they were given.

use std::{fmt, str::FromStr, time::Duration};

use anyhow::{Context, Error};

use crate::{model::duration, syscall::Filter};

/// A set of calls, and how it was written.
#[derive(Clone, Debug)]
pub struct Calls {
    text: String,
    filter: Filter,
}

impl Calls {
    /// Whether it is all calls, and says so.
    pub fn are_all(&self) -> bool {
        self.text == "all"
    }

    /// Which calls it holds.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }
}

impl Default for Calls {
    fn default() -> Self {
        Self { text: "all".to_owned(), filter: Filter::default() }
    }
}

impl FromStr for Calls {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.strip_prefix("trace=").unwrap_or(text);
        Ok(Self { text: text.to_owned(), filter: Filter::recorded(text)? })
    }
}

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Calls {
    /// Whether they were written alike.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Calls {}

/// A time, as people write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Time {
    text: String,
    time: Duration,
}

impl Time {
    /// How long.
    pub fn length(&self) -> Duration {
        self.time
    }
}

impl FromStr for Time {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(Self { text: text.to_owned(), time: duration(text)? })
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A share of the CPU time that a unit uses itself, or no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overhead(Option<u8>);

impl Overhead {
    /// So many per cent.
    pub const fn percent(most: u8) -> Self {
        Self(Some(most))
    }

    /// The share, from 0 to 1; `None`: there is no limit.
    pub fn share(self) -> Option<f64> {
        self.0.map(|percent| f64::from(percent) / 100.0)
    }
}

impl FromStr for Overhead {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text == "none" {
            return Ok(Self(None));
        }
        let percent = text.strip_suffix('%').and_then(|number| number.parse().ok());
        let percent = percent.filter(|percent| (1..=100).contains(percent));
        percent
            .map(|percent| Self(Some(percent)))
            .with_context(|| format!("{text:?} is not \"1%\" to \"100%\", nor \"none\""))
    }
}

impl fmt::Display for Overhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(percent) => write!(f, "{percent}%"),
            None => f.write_str("none"),
        }
    }
}

/// Such values as text.
pub(super) mod as_text {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err = anyhow::Error>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<T, D::Error> {
        String::deserialize(from)?.parse().map_err(|error| de::Error::custom(format!("{error:#}")))
    }
}

/// The same of those that may not be there.
pub(super) mod as_some_text {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserializer, Serializer};

    use super::as_text;

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.collect_str(value),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err = anyhow::Error>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        as_text::deserialize(from).map(Some)
    }
}
