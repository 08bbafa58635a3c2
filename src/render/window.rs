//! For which time a dump is complete, and what was lost: told with every dump, whatever its format.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::moment::clock;
use crate::model::{Dump, plain};

/// One line for the window, one for each loss.
pub fn lines(dump: &Dump) -> Vec<String> {
    let zone = TimeZone::system();
    let at = |time| clock(time, dump.clock_offset, &zone);
    let window = &dump.window;
    let mut text = match window.complete_from {
        None => "complete since the recording began".to_owned(),
        Some(from) => format!("complete from {} on", at(from)),
    };
    if let Some(least) = dump.only_slower {
        let _ = write!(text, ", of calls that lasted {:?} or more", std::time::Duration::from_nanos(least));
    }
    text.push_str(if window.lost.is_empty() { ", nothing lost" } else { ", with losses" });
    for reach in &window.further {
        let _ = match reach.from {
            Some(from) => write!(text, "; cpu {} reaches back to {}", reach.cpu, at(from)),
            None => write!(text, "; cpu {} reaches back to the beginning", reach.cpu),
        };
    }
    if window.overwritten > 0 {
        let _ = write!(text, "; {} older records overwritten", window.overwritten);
    }
    let redacted = dump.redacted.iter().map(|what| format!("redacted by the configuration: {}", plain(what)));
    let losses = window.lost.iter().map(|loss| format!("lost {} records: {}", loss.count, plain(&loss.reason)));
    std::iter::once(text).chain(losses).chain(redacted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Loss, Reach, Window};

    #[test]
    fn the_window_and_the_losses_in_words() {
        let window = Window {
            complete_from: Some(2_000_000_000),
            further: vec![Reach { cpu: 1, from: None }],
            lost: vec![Loss { count: 3, reason: "the ring did not take them".into() }],
            records: 5,
            overwritten: 7,
        };
        let dump = Dump { window, ..Dump::default() };
        let told = lines(&dump);
        assert!(told[0].starts_with("complete from ") && told[0].contains(":02.000000 on, with losses"), "{told:?}");
        assert!(told[0].ends_with("; cpu 1 reaches back to the beginning; 7 older records overwritten"), "{told:?}");
        assert_eq!(told[1], "lost 3 records: the ring did not take them");
    }
}
