//! Times for people: the records' clock in the reader's time zone.

use jiff::{Timestamp, tz::TimeZone};

use super::strace;

/// A record's time in the given form.
pub(super) fn moment(time: u64, clock_offset: i64, zone: &TimeZone, form: &str) -> String {
    let (seconds, micros) = strace::wall(time, clock_offset);
    let timestamp = Timestamp::new(i64::try_from(seconds).unwrap_or(0), i32::try_from(micros * 1000).unwrap_or(0));
    timestamp.map_or_else(
        |_| time.to_string(),
        |timestamp| timestamp.to_zoned_datetime(zone.clone()).strftime(form).to_string(),
    )
}

/// Time of day, with microseconds.
pub(super) fn clock(time: u64, clock_offset: i64, zone: &TimeZone) -> String {
    moment(time, clock_offset, zone, "%H:%M:%S.%6f")
}
