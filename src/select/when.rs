//! A moment as people say it: a time of day, a date and time, how long before the end, unix seconds.

use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, ZonedDateTime, civil, tz::TimeZone};

/// A moment.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// So long before the dump was made.
    Before(SignedDuration),
    /// A time of day on the day on which the dump was made, in the reader's time zone.
    Clock(civil::Time),
    /// The beginning of the day on which the dump was made, or of so many days before.
    Day(i64),
    /// A date and time in the reader's time zone.
    Local(civil::DateTime),
    /// A moment.
    Instant(Timestamp),
}

impl When {
    /// So long before the end: `30s`, `5m`.
    pub fn before(text: &str) -> Result<Self> {
        Self::parse(&format!("-{text}"))
    }

    /// `-30s` or `30s`: before the end; `30s ago`, `now`: by the clock; `03:12`, `03:12:10.5`, `2026-05-01 03:12`,
    /// `2026-05-01T03:12:10Z`, `1777600000.25`.
    pub fn parse(text: &str) -> Result<Self> {
        if text == "now" {
            return Ok(Self::Instant(Timestamp::now()));
        }
        if let Some(ago) = text.strip_suffix(" ago").and_then(long) {
            let moment = Timestamp::now().checked_sub(ago);
            return Ok(Self::Instant(moment.with_context(|| format!("{text:?} is too long ago"))?));
        }
        if let Some(before) = text.strip_prefix('-') {
            return match long(before) {
                Some(before) => Ok(Self::Before(before)),
                None => bail!("how long before the end is told as -30s, -5m, -1h30m, -2d; not {text:?}"),
            };
        }
        if let Some(before) = long(text) {
            return Ok(Self::Before(before));
        }
        if let Some(days_ago) = ["today", "yesterday"].iter().position(|word| *word == text) {
            return Ok(Self::Day(i64::from(days_ago > 0)));
        }
        let seconds = text.strip_prefix('@').unwrap_or(text);
        if seconds.contains(|char: char| char.is_ascii_digit())
            && seconds.chars().all(|char| char.is_ascii_digit() || char == '.')
        {
            let (whole, part) = seconds.split_once('.').unwrap_or((seconds, ""));
            let nanoseconds = format!("{part:0<9}");
            if let (Ok(whole), Ok(part)) = (whole.parse(), nanoseconds.get(..9).unwrap_or_default().parse())
                && let Ok(timestamp) = Timestamp::new(whole, part)
            {
                return Ok(Self::Instant(timestamp));
            }
        }
        if let Ok(timestamp) = text.parse::<Timestamp>() {
            return Ok(Self::Instant(timestamp));
        }
        if let Ok(zoned) = text.parse::<ZonedDateTime>() {
            return Ok(Self::Instant(zoned.timestamp()));
        }
        // A time of day would be read as one of today's date and time.
        if !text.contains('-')
            && let Ok(time) = text.parse()
        {
            return Ok(Self::Clock(time));
        }
        match text.parse() {
            Ok(local) => Ok(Self::Local(local)),
            Err(_) => {
                bail!(
                    "a time is told as 03:12:10, 2026-05-01 03:12, RFC 3339, -30s or 30s before the end, 30s ago, now or \
                     unix seconds; not {text:?}"
                )
            }
        }
    }

    /// On the records' clock, for a dump that was made at `taken` on it.
    pub fn boottime(&self, taken: u64, clock_offset: i64) -> u64 {
        let end = i128::from(taken) + i128::from(clock_offset);
        let zone = TimeZone::system();
        let today = || Timestamp::from_nanosecond(end).unwrap_or_default().to_zoned_datetime(zone.clone()).date();
        let local = |local: civil::DateTime| {
            local.to_zoned_datetime(zone.clone()).map_or(end, |zoned| zoned.timestamp().as_nanosecond())
        };
        let real = match self {
            Self::Before(before) => return u64::try_from(i128::from(taken) - before.as_nanos()).unwrap_or(0),
            Self::Instant(timestamp) => timestamp.as_nanosecond(),
            Self::Local(date) => local(*date),
            Self::Clock(time) => local(today().to_datetime(*time)),
            Self::Day(ago) => {
                local(today().saturating_sub(Span::new().days(*ago)).to_datetime(civil::Time::midnight()))
            }
        };
        u64::try_from(real - i128::from(clock_offset)).unwrap_or(0)
    }
}

/// `30s`, `1h30m`, `2d`; not what a minus stands in.
fn long(text: &str) -> Option<SignedDuration> {
    // A time of day is one, and no length.
    let span = text.contains(char::is_alphabetic).then(|| text.trim().parse::<Span>().ok())??;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok().filter(|long| !long.is_negative())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_as_people_say_them() {
        let offset = 1_000_000_000;
        let at = |text: &str| When::parse(text).unwrap().boottime(90_000_000_000, offset);
        assert_eq!(at("-30s"), 60_000_000_000);
        assert_eq!(at("-1m30s"), 0);
        assert_eq!(at("-200ms"), 89_800_000_000);
        assert_eq!((at("30s"), at("1min 15s")), (60_000_000_000, 15_000_000_000));
        let ago = |text: &str| match When::parse(text).unwrap() {
            When::Instant(moment) => Timestamp::now().duration_since(moment).as_secs(),
            other => panic!("{other:?}"),
        };
        assert!(ago("now") < 60 && (180..240).contains(&ago("3m ago")) && (7200..7260).contains(&ago("2 hours ago")));
        assert_eq!(at("31"), 30_000_000_000);
        assert_eq!(at("@31.5"), 30_500_000_000);
        assert_eq!(at("1970-01-01T00:00:31Z"), 30_000_000_000);
        assert_eq!(at("1970-01-01T01:00:31+01:00"), 30_000_000_000);
        let day = 86_400_000_000_000;
        assert_eq!(When::parse("-2d").unwrap().boottime(3 * day, 0), day);
        let (today, yesterday) = (When::parse("today").unwrap(), When::parse("yesterday").unwrap());
        let noon = 20_000 * day + day / 2;
        assert_eq!(today.boottime(noon, 0) - yesterday.boottime(noon, 0), day);
        assert!(noon - today.boottime(noon, 0) < day);
        assert!(matches!(When::parse("03:12").unwrap(), When::Clock(_)));
        assert!(matches!(When::parse("03:12:10.25").unwrap(), When::Clock(_)));
        assert!(matches!(When::parse("2026-05-01 03:12").unwrap(), When::Local(_)));
        assert!(matches!(When::parse("2026-05-01T03:12:10").unwrap(), When::Local(_)));
        for wrong in ["", "-", "tomorrow", "-x", "25:00", "ago", "-3m ago", "3 ago", "--3m"] {
            assert!(When::parse(wrong).is_err(), "{wrong}");
        }
    }
}
