//! A time behind a number of seconds: ` /* 2022-11-25T03:00:30.123456789+0000 */`.

use jiff::{Timestamp, tz::TimeZone};

use super::text::Text;

/// Tells a time in a comment; nothing for the epoch itself and for what is no time. The fraction has
/// `width` digits.
pub(super) fn comment(text: &mut Text<'_>, seconds: i64, fraction: u64, width: u32) {
    if let Some(told) = self::text(seconds, fraction, width) {
        text.push(" /* ");
        text.push(&told);
        text.push(" */");
    }
}

/// The same without the comment.
pub(super) fn text(seconds: i64, fraction: u64, width: u32) -> Option<String> {
    if (seconds == 0 && fraction == 0) || fraction >= 10_u64.pow(width) {
        return None;
    }
    let zoned = Timestamp::from_second(seconds).ok()?.to_zoned_datetime(TimeZone::system());
    let mut told = zoned.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    if fraction > 0 {
        told.push_str(&format!(".{fraction:0width$}", width = width as usize));
    }
    told.push_str(&zoned.strftime("%z").to_string());
    Some(told)
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
