//! A dump's last words in lines: how it ended, the calls in flight, the last that failed.

use jiff::tz::TimeZone;

use super::{moment::clock, quantity::span};
use crate::model::{Cause, Dump, Ended, LastCall, plain, signal_name};

/// How the line of a call ends whose start was not seen.
const UNSEEN: &str = "since before the recording>";

/// One line each, no more than so many failed calls; none if nobody has looked, or nothing is to be told.
pub fn lines(dump: &Dump, failed: usize) -> Vec<String> {
    let Some(words) = &dump.last_words else { return Vec::new() };
    let zone = TimeZone::system();
    let at = |time| clock(time, dump.clock_offset, &zone);
    let call = |call: &LastCall| format!("{} {}[{}] {}", at(call.start), call.comm, call.tid, call.text);
    let mut lines = Vec::new();
    if let Cause::Call { rule, call: Some(matched), .. } = &dump.cause {
        lines.push(format!("matched: {} ({rule})", call(matched)));
    }
    if words.more_ended > 0 {
        lines.push(format!("ended: {} processes before these", words.more_ended));
    }
    for ended in &words.ended {
        lines.push(format!("ended: {} {}[{}] {}", at(ended.time), ended.comm, ended.pid, how(ended)));
        lines.extend(ended.last_call.iter().map(|call| format!("       its last call: {call}")));
    }
    for in_flight in &words.in_flight {
        let since = span(dump.taken.saturating_sub(in_flight.start));
        let least = if in_flight.text.ends_with(UNSEEN) { "at least " } else { "" };
        lines.push(format!("in flight: {} for {least}{since}", call(in_flight)));
    }
    if words.more_in_flight > 0 {
        lines.push(format!("in flight: {} more", words.more_in_flight));
    }
    let failed = words.failed.len().saturating_sub(failed)..;
    lines.extend(words.failed[failed].iter().map(|failed| format!("failed: {}", call(failed))));
    lines.iter().map(|line| plain(line).into_owned()).collect()
}

/// `exited with 1`, `was killed by SIGSEGV (core dumped) {si_signo=...}`.
fn how(ended: &Ended) -> String {
    let Some(signal) = ended.signal else { return format!("exited with {}", ended.status.unwrap_or(0)) };
    let core = if ended.core { " (core dumped)" } else { "" };
    let info = ended.info.as_ref().map_or_else(String::new, |info| format!(" {info}"));
    let sent = ended.sent_by.as_ref().map_or_else(String::new, |sender| format!(", sent by {sender}"));
    format!("was killed by {}{core}{sent}{info}", signal_name(signal))
}
