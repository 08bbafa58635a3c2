//! For which time a dump is complete, and what was lost: told with every dump, whatever its format.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::{moment::clock, quantity::span};
use crate::model::{Completeness, Dump, Event, Gap, Identity, Manner, Portion, Window, plain};

/// One line for the window, one for each loss; then, of a dump of several cgroups, the same of each.
pub fn lines(dump: &Dump) -> Vec<String> {
    let mut lines = of_one(dump, &dump.window, None);
    if let Some(Portion { uid, others }) = dump.portion {
        lines.push(format!("the calls of the user {uid}; {others} records of others are left out"));
    }
    lines.extend(dump.shown.clone());
    let redacted = dump.redacted.iter().map(|what| format!("redacted by the configuration: {}", plain(what)));
    lines.extend(redacted);
    for (one, identity) in dump.each.iter().zip(&dump.identities) {
        let told = of_one(dump, &one.window, Some(one.began));
        let name = called(identity);
        lines.extend(told.into_iter().map(|line| format!("{name}: {line}")));
    }
    lines
}

/// A cgroup by what people call it, and its path where that does not end in the name.
pub(super) fn called(identity: &Identity) -> String {
    let (name, path) = (identity.to_string(), plain(&identity.cgroup));
    if path.ends_with(&name) { path.into_owned() } else { format!("{name} ({path})") }
}

/// `began`: of one among several, when its recording began.
fn of_one(dump: &Dump, window: &Window, began: Option<u64>) -> Vec<String> {
    let zone = TimeZone::system();
    let at = |time| clock(time, dump.clock_offset, &zone);
    let mut text = match (window.complete_from, began) {
        (None, None) => "complete since the recording began".to_owned(),
        (None, Some(began)) => format!("complete since its recording began at {}", at(began)),
        (Some(from), _) => format!("complete from {} on", at(from)),
    };
    if let Some(least) = dump.only_slower {
        let _ = write!(text, ", of calls that lasted {:?} or more", std::time::Duration::from_nanos(least));
    }
    if window.manners.iter().any(|manner| manner.misses_calls) {
        text.push_str(", of what was to be recorded");
    }
    text.push_str(if window.lost.is_empty() { ", nothing lost" } else { ", with losses" });
    for reach in &window.further {
        let _ = match reach.from {
            Some(from) => write!(text, "; cpu {} reaches back to {}", reach.cpu, at(from)),
            None => write!(text, "; cpu {} reaches back to the beginning", reach.cpu),
        };
    }
    if let Some(part) = window.stretches.iter().find(|stretch| stretch.state == Completeness::InPart) {
        let _ = write!(text, "; before that, from {} on, only what [history] keep names", at(part.from));
    }
    if window.overwritten > 0 {
        let _ = write!(text, "; {} older records overwritten", window.overwritten);
    }
    if window.left_out > 0 {
        let _ = write!(text, "; {} older records left out, as one stored dump takes no more", window.left_out);
    }
    let losses = window.lost.iter().map(|loss| format!("lost {} records: {}", loss.count, plain(&loss.reason)));
    let unknown = window.stretches.iter().filter_map(|stretch| match &stretch.state {
        Completeness::Gap { records: 0, reason } => {
            Some(format!("missing from {} to {}: {}", at(stretch.from), at(stretch.to), plain(reason)))
        }
        _ => None,
    });
    let began = began.unwrap_or(dump.began);
    let manners = window.manners.iter().map(|manner| recorded(manner, began, at));
    std::iter::once(text).chain(manners).chain(losses).chain(unknown).collect()
}

/// How a unit was recorded for a time.
fn recorded(manner: &Manner, began: u64, at: impl Fn(u64) -> String) -> String {
    let Manner { from, to, what, why, .. } = manner;
    let when = match (*from > began, to) {
        (false, None) => String::new(),
        (true, None) => format!(" from {} on", at(*from)),
        (_, Some(to)) => format!(" from {} to {}", at(*from), at(*to)),
    };
    let why = why.as_ref().map(|why| format!(": {}", plain(why))).unwrap_or_default();
    format!("recorded{when}: {}{why}", plain(what))
}

/// What is missing between two events, for how long and why.
pub(super) fn missing(event: &Event, gap: &Gap) -> String {
    let records = match gap.records {
        0 => "records missing, nobody knows how many".to_owned(),
        1 => "1 record missing".to_owned(),
        records => format!("{records} records missing"),
    };
    format!("{records}, for {}: {}", span(event.end.saturating_sub(event.start)), plain(&gap.reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Each, Loss, Reach, Stretch};

    #[test]
    fn how_it_was_recorded_is_told_with_its_time() {
        let second = 1_000_000_000;
        let manner = |from: u64, to: Option<u64>, misses_calls, why: Option<&str>| Manner {
            from: from * second,
            to: to.map(|to| to * second),
            what: "only the calls %file".into(),
            misses_calls,
            why: why.map(str::to_owned),
        };
        let told = |manners| {
            let window = Window { manners, ..Window::default() };
            lines(&Dump { began: second, window, ..Dump::default() })
        };
        let all = told(vec![manner(1, None, true, None)]);
        assert_eq!(all[0], "complete since the recording began, of what was to be recorded, nothing lost");
        assert_eq!(all[1], "recorded: only the calls %file");
        let parts = told(vec![manner(1, Some(2), false, None), manner(3, None, false, Some("much to do"))]);
        assert_eq!(parts[0], "complete since the recording began, nothing lost");
        assert!(parts[1].starts_with("recorded from ") && parts[1].contains(":02.0"), "{parts:?}");
        assert!(parts[2].ends_with(":03.000000 on: only the calls %file: much to do"), "{parts:?}");
    }

    #[test]
    fn of_several_cgroups_each_is_told() {
        let of = |cgroup: &str, unit: &str| Identity {
            cgroup: cgroup.to_owned(),
            unit: Some(unit.to_owned()),
            ..Identity::default()
        };
        let busy = Window { complete_from: Some(3_000_000_000), overwritten: 5, ..Window::default() };
        let lost = vec![Loss { count: 2, reason: "the ring did not take them".into() }];
        let losing = Window { lost: lost.clone(), ..Window::default() };
        let dump = Dump {
            identities: vec![of("/s.slice/busy.service", "busy.service"), of("/s.slice/idle.service", "idle.service")],
            each: vec![
                Each { began: 1_000_000_000, window: busy.clone() },
                Each { began: 2_000_000_000, window: losing },
            ],
            window: Window { lost, ..busy },
            ..Dump::default()
        };
        let told = lines(&dump);
        assert_eq!(told.len(), 5, "{told:#?}");
        assert!(told[2].starts_with("/s.slice/busy.service: complete from ") && told[2].contains(":03.0"), "{told:#?}");
        assert!(told[2].ends_with("nothing lost; 5 older records overwritten"), "{told:#?}");
        assert!(told[3].starts_with("/s.slice/idle.service: complete since its recording began at "), "{told:#?}");
        assert!(told[3].ends_with(":02.000000, with losses"), "{told:#?}");
        assert_eq!(told[4], "/s.slice/idle.service: lost 2 records: the ring did not take them");
    }

    #[test]
    fn what_is_there_in_part_is_said_behind_what_is_complete() {
        let second = 1_000_000_000;
        let stretch = |from, to, state| Stretch { from: from * second, to: to * second, state };
        let gap = Completeness::Gap { records: 3, reason: "why".into() };
        let stretches = vec![
            stretch(3, 4, Completeness::InPart),
            stretch(4, 5, gap),
            stretch(5, 8, Completeness::InPart),
            stretch(8, 9, Completeness::Complete),
        ];
        let window = Window { complete_from: Some(8 * second), stretches, overwritten: 9, ..Window::default() };
        let told = lines(&Dump { window, ..Dump::default() });
        assert_eq!(told.len(), 1, "{told:?}");
        let parts: Vec<&str> = told[0].split("; ").collect();
        assert!(parts[0].starts_with("complete from ") && parts[0].contains(":08.0"), "{told:?}");
        assert!(parts[1].starts_with("before that, from ") && parts[1].contains(":03.0"), "{told:?}");
        assert!(parts[1].ends_with(" on, only what [history] keep names"), "{told:?}");
        assert_eq!(parts[2], "9 older records overwritten");
    }

    #[test]
    fn the_window_and_the_losses_in_words() {
        let window = Window {
            complete_from: Some(2_000_000_000),
            further: vec![Reach { cpu: 1, from: None }],
            lost: vec![Loss { count: 3, reason: "the ring did not take them".into() }],
            records: 5,
            overwritten: 7,
            ..Window::default()
        };
        let dump = Dump { window, ..Dump::default() };
        let told = lines(&dump);
        assert!(told[0].starts_with("complete from ") && told[0].contains(":02.000000 on, with losses"), "{told:?}");
        assert!(told[0].ends_with("; cpu 1 reaches back to the beginning; 7 older records overwritten"), "{told:?}");
        assert_eq!(told[1], "lost 3 records: the ring did not take them");
    }
}
