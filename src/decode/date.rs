//! A time behind a number of seconds: ` /* 2022-11-25T03:00:30.123456789+0000 */`.

use jiff::{Timestamp, tz::TimeZone};

use super::text::Text;

/// Tells a time in a comment; nothing for the epoch itself and for what is no time. The fraction has
/// `width` digits.
pub(super) fn comment(text: &mut Text<'_>, seconds: i64, fraction: u64, width: u32) {
    if (seconds == 0 && fraction == 0) || fraction >= 10_u64.pow(width) {
        return;
    }
    let Ok(timestamp) = Timestamp::from_second(seconds) else {
        return;
    };
    let zoned = timestamp.to_zoned_datetime(TimeZone::system());
    text.push(" /* ");
    text.push(&zoned.strftime("%Y-%m-%dT%H:%M:%S").to_string());
    if fraction > 0 {
        text.push(&format!(".{fraction:0width$}", width = width as usize));
    }
    text.push(&zoned.strftime("%z").to_string());
    text.push(" */");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn the_epoch_and_nonsense_are_no_time() {
        let style = Style::default();
        let mut text = Text::new(&style);
        comment(&mut text, 0, 0, 9);
        comment(&mut text, 1, 1_000_000_000, 9);
        comment(&mut text, i64::MAX, 0, 9);
        assert_eq!(text.len(), 0);
        comment(&mut text, 86_400 * 365, 5, 9);
        let text = text.finish();
        assert!(text.starts_with(" /* 19") && text.contains(".000000005"), "{text}");
    }
}
