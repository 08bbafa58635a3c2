//! Times for people: the records' clock in the reader's time zone.

use jiff::{Timestamp, tz::TimeZone};

use super::strace;

/// Day and time, as systemd's tools write them.
pub(super) const DATE: &str = "%a %Y-%m-%d %H:%M:%S %Z";

/// A moment's day and time in the reader's time zone.
pub fn date(time: Timestamp) -> String {
    time.to_zoned_datetime(TimeZone::system()).strftime(DATE).to_string()
}

/// A record's time in the given form.
pub(super) fn moment(time: u64, clock_offset: i64, zone: &TimeZone, form: &str) -> String {
    let (seconds, micros) = strace::wall(time, clock_offset);
    let timestamp = Timestamp::new(i64::try_from(seconds).unwrap_or(0), i32::try_from(micros * 1000).unwrap_or(0));
    timestamp.map_or_else(
        |_| time.to_string(),
        |timestamp| timestamp.to_zoned_datetime(zone.clone()).strftime(form).to_string(),
    )
}

/// Times of day of lines that follow each other: most are in the same second.
pub(super) struct Clock<'a> {
    zone: &'a TimeZone,
    second: u64,
    text: String,
}

impl<'a> Clock<'a> {
    pub(super) fn new(zone: &'a TimeZone) -> Self {
        Self { zone, second: u64::MAX, text: String::new() }
    }

    /// Appends the time of day, with microseconds.
    pub(super) fn push(&mut self, out: &mut String, time: u64, clock_offset: i64) {
        let (second, micros) = strace::wall(time, clock_offset);
        if second != self.second {
            self.text = moment(time, clock_offset, self.zone, "%H:%M:%S");
            self.second = second;
        }
        out.push_str(&self.text);
        strace::micros6(out, micros);
    }
}

/// The same in the reader's time zone.
pub fn day_time(time: u64, clock_offset: i64) -> String {
    clock(time, clock_offset, &TimeZone::system())
}

/// Time of day, with microseconds.
pub(super) fn clock(time: u64, clock_offset: i64, zone: &TimeZone) -> String {
    moment(time, clock_offset, zone, "%H:%M:%S.%6f")
}
