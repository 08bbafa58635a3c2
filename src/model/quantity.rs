//! How people write sizes and durations.

use std::{fmt, time::Duration};

use anyhow::{Context, Result, bail};
use jiff::SignedDuration;
use serde::{Deserializer, de};

/// `256K`, `64M`, `1G`, or bytes.
pub fn size(text: &str) -> Result<usize> {
    let text = text.trim();
    let (digits, shift) = match text.bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 10),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 20),
        Some(b'g' | b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number: usize =
        digits.parse().with_context(|| format!("a size is a number with K, M or G behind it, not {text:?}"))?;
    number.checked_mul(1 << shift).context("a size that no machine has")
}

/// A size as text, or a number of bytes.
pub fn size_from<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    struct Size;
    impl de::Visitor<'_> for Size {
        type Value = usize;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a size as \"256K\", \"64M\", \"1G\", or a number of bytes")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<usize, E> {
            size(text).map_err(|error| E::custom(format!("{error:#}")))
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<usize, E> {
            usize::try_from(number).map_err(E::custom)
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<usize, E> {
            usize::try_from(number).map_err(E::custom)
        }
    }
    from.deserialize_any(Size)
}

/// `200ms`, `1.5s`, `10min`.
pub fn duration(text: &str) -> Result<Duration> {
    let duration = text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    match duration {
        Some(duration) => Ok(duration),
        None => bail!("a duration is told as 200ms, 1.5s, 2m; not {text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("256K").unwrap(), 256 << 10);
        assert_eq!(size("64M").unwrap(), 64 << 20);
        assert_eq!(size("512").unwrap(), 512);
        for wrong in ["x", "", "K", "-1", "99999999999G"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(duration("200ms").unwrap(), Duration::from_millis(200));
        assert_eq!(duration("1.5s").unwrap(), Duration::from_millis(1500));
        assert_eq!(duration("10min").unwrap(), Duration::from_secs(600));
        assert!(duration("x").is_err() && duration("-1s").is_err() && duration("").is_err());
    }
}
