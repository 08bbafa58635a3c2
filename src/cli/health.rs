//! What is wrong with a daemon's recording: said beside lists, on stderr, and by doctor.

use crate::{
    control::{Silence, Status},
    render::{date, span},
};

/// For so long a silence that is over is worth a word, seconds.
const A_DAY: f64 = 86_400.0;

/// A line for each thing; none: it records, and what it records outlives it.
pub(super) fn lines(status: &Status) -> Vec<String> {
    #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 fit into a double")]
    let now = jiff::Timestamp::now().as_second() as f64;
    lines_at(status, now)
}

fn lines_at(status: &Status, now: f64) -> Vec<String> {
    let mut lines = Vec::new();
    match status.silences.last() {
        Some(Silence { from, to: None }) => lines.push(format!(
            "# NOTHING IS RECORDED since {}: the daemon tries to attach its programs anew, and its log says why it cannot",
            date(moment(*from))
        )),
        Some(Silence { from, to: Some(to) }) if now - to < A_DAY => {
            let nanoseconds = jiff::SignedDuration::try_from_secs_f64(to - from).unwrap_or_default().as_nanos();
            let long = span(u64::try_from(nanoseconds).unwrap_or(0));
            lines.push(format!("# nothing was recorded from {} on, for {long}: what was called then is missing", date(moment(*from))));
        }
        _ => {}
    }
    if status.held == Some(false) {
        lines.push("# no keeper holds the recording: it goes on, and ends with the daemon".to_owned());
    }
    lines
}

fn moment(seconds: f64) -> jiff::Timestamp {
    let since = jiff::SignedDuration::try_from_secs_f64(seconds).unwrap_or_default();
    jiff::Timestamp::from_duration(since).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(silences: Vec<Silence>, held: Option<bool>) -> Status {
        let recording = silences.last().is_none_or(|silence| silence.to.is_some());
        Status {
            version: "0".into(),
            pid: 1,
            since: 0,
            tracks: 1,
            memory: 1,
            memory_max: 1,
            losses: Vec::new(),
            limited: Vec::new(),
            recording,
            silences,
            held,
            cost: None,
        }
    }

    #[test]
    fn what_is_well_needs_no_word() {
        let long_ago = Silence { from: 1.8e9, to: Some(1.8e9 + 12.0) };
        for silences in [vec![], vec![long_ago]] {
            assert_eq!(lines_at(&status(silences.clone(), Some(true)), 1.9e9), [""; 0]);
            assert_eq!(lines_at(&status(silences, None), 1.9e9), [""; 0]);
        }
    }

    #[test]
    fn a_silence_and_a_lost_keeper_are_said() {
        let silent = lines_at(&status(vec![Silence { from: 1.8e9, to: None }], Some(false)), 1.9e9);
        assert!(silent[0].starts_with("# NOTHING IS RECORDED since Fri 2027-01-15 "), "{silent:?}");
        assert!(silent[1].starts_with("# no keeper holds the recording"), "{silent:?}");
        let over = lines_at(&status(vec![Silence { from: 1.8e9, to: Some(1.8e9 + 12.0) }], None), 1.8e9 + 60.0);
        assert_eq!(over.len(), 1);
        assert!(over[0].contains(", for 12"), "{over:?}");
    }
}
