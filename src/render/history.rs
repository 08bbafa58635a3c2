//! The lives of a unit or container, as its dumps tell of them: a line each, and what those that ended badly have in
//! common. Compares what headers say; no record is decoded.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::tz::TimeZone;
use serde::Serialize;

use super::{
    moment::{DATE, clock, moment},
    quantity::span,
};
use crate::model::{Cause, Dump, Ended, Undumped, plain, signal_name};

/// One life: from when it was recorded to its end, or to the dump that was made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Life {
    /// The id of its last dump; `None`: it has none, for a limit.
    pub id: Option<String>,
    /// When its recording began.
    pub start: String,
    /// When it ended, or when it was dumped.
    pub end: String,
    /// The time between the two.
    pub lasted: String,
    /// `SIGSEGV`, `exited with 1`, `alive`.
    pub how: String,
    /// Whether it lives, or ended with 0.
    pub well: bool,
    /// The first sentence of its summary.
    pub summary: Option<String>,
    /// Its last calls that failed.
    #[serde(skip)]
    failed: Vec<String>,
    /// Nanoseconds.
    #[serde(skip)]
    length: u64,
    /// Nanoseconds since 1970.
    #[serde(skip)]
    ended: u64,
}

/// All lives of one unit or container, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lives {
    /// Whose, by the name that people use.
    pub target: String,
    /// Each of them.
    pub lives: Vec<Life>,
    /// What those that ended badly have in common.
    pub common: Vec<String>,
}

/// What dumps of one life have in common: boot, cgroup, and mostly its beginning.
type Key<'a> = (&'a str, u64, u64);

/// The lives that dumps with their ids tell of, by whose they are; dumps of the same life count as one, of which the last
/// says how it ended. `dumps`: oldest first. Between them stand those lives of the same names that have none, since the
/// start of this machine that `boot` names.
pub fn lives<'a>(
    dumps: impl IntoIterator<Item = (&'a str, &'a Dump)>,
    boot: &'a str,
    undumped: &[(String, Undumped)],
) -> Vec<Lives> {
    let zone = TimeZone::system();
    let mut of: BTreeMap<String, Vec<(Key<'_>, Life)>> = BTreeMap::new();
    for (id, dump) in dumps {
        let cgroup = dump.identities.first().map_or(0, |identity| identity.cgroup_id);
        let key = (dump.boot_id.as_str(), cgroup, dump.began);
        let lives = of.entry(dump.names().join(" ")).or_default();
        // A recording that was taken over has the same cgroup and another beginning.
        lives.retain(|(known, _)| (known.0, known.1) != (key.0, key.1) || (cgroup == 0 && known.2 != key.2));
        lives.push((key, life(id, dump, &zone)));
    }
    for (target, gone) in undumped {
        if let Some(lives) = of.get_mut(target)
            && !lives.iter().any(|(known, _)| (known.0, known.1) == (boot, gone.cgroup_id))
        {
            let life = without_dump(gone, &zone);
            lives.push(((boot, gone.cgroup_id, life.ended - life.length), life));
        }
    }
    let lives = |(target, lives): (String, Vec<(_, Life)>)| {
        let mut lives: Vec<Life> = lives.into_iter().map(|(_, life)| life).collect();
        lives.sort_by_key(|life| life.ended);
        Lives { target: plain(&target).into_owned(), common: common(&lives), lives }
    };
    of.into_iter().map(lives).collect()
}

fn life(id: &str, dump: &Dump, zone: &TimeZone) -> Life {
    let (how, well, end) = ending(dump);
    let length = end.saturating_sub(dump.began);
    let words = dump.last_words.iter().flat_map(|words| &words.failed);
    Life {
        id: Some(id.to_owned()),
        start: moment(dump.began, dump.clock_offset, zone, DATE),
        end: clock(end, dump.clock_offset, zone),
        lasted: span(length),
        how,
        well,
        summary: dump.summary.as_ref().map(|summary| plain(first_sentence(&summary.text)).into_owned()),
        failed: words.map(|call| format!("{} {}", call.comm, call.text)).collect(),
        length,
        ended: end.saturating_add_signed(dump.clock_offset),
    }
}

/// What is known of a life without its calls.
fn without_dump(gone: &Undumped, zone: &TimeZone) -> Life {
    let since_1970 = |seconds: f64| {
        let span = jiff::SignedDuration::try_from_secs_f64(seconds).unwrap_or_default();
        u64::try_from(span.as_nanos()).unwrap_or(0)
    };
    let ended = since_1970(gone.ended);
    let began = since_1970(gone.began).min(ended);
    Life {
        id: None,
        start: moment(began, 0, zone, DATE),
        end: clock(ended, 0, zone),
        lasted: span(ended - began),
        how: plain(&gone.how).into_owned(),
        well: false,
        summary: Some(plain(&format!("no dump, for the limit {}: {}", gone.limit, gone.cause)).into_owned()),
        failed: Vec::new(),
        length: ended - began,
        ended,
    }
}

/// How a life ended for which a dump is made, in a word or two.
pub fn how(cause: &Cause) -> String {
    match cause {
        Cause::Killed { signal, core, .. } => {
            format!("{}{}", signal_name(*signal), if *core { " (core dumped)" } else { "" })
        }
        Cause::Status { status, .. } => format!("exited with {status}"),
        Cause::Unit { result, .. } => format!("failed: {}", plain(result)),
        _ => "not known".to_owned(),
    }
}

/// How a life ended, whether that is well, and when.
fn ending(dump: &Dump) -> (String, bool, u64) {
    let ended = dump.last_words.iter().flat_map(|words| &words.ended);
    let of_pid = |pid: u32| ended.clone().rev().find(|ended| ended.pid == pid).map_or(dump.taken, |ended| ended.time);
    let how = |ended: &Ended| match (ended.signal, ended.status) {
        (Some(signal), _) => (signal_name(signal), false, ended.time),
        (None, status) => (format!("exited with {}", status.unwrap_or(0)), status.unwrap_or(0) == 0, ended.time),
    };
    match &dump.cause {
        Cause::Killed { pid, .. } => (self::how(&dump.cause), false, of_pid(*pid)),
        Cause::Status { pid, status, .. } => (self::how(&dump.cause), *status == 0, of_pid(*pid)),
        Cause::Unit { .. } => (self::how(&dump.cause), false, ended.last().map_or(dump.taken, |ended| ended.time)),
        _ if !dump.processes.is_empty() => ("alive".to_owned(), true, dump.taken),
        _ => ended.last().map_or_else(|| ("not known".to_owned(), false, dump.taken), how),
    }
}

/// Up to the first full stop that a space or the end stands behind, and that is in no quotes.
fn first_sentence(text: &str) -> &str {
    let mut quoted = false;
    for (at, char) in text.char_indices() {
        match char {
            '`' => quoted = !quoted,
            '.' if !quoted && text[at + 1..].chars().next().is_none_or(|next| next == ' ') => return &text[..=at],
            _ => {}
        }
    }
    text
}

impl Life {
    /// Whether it ended badly and has a dump that says how.
    pub fn ended_badly(&self) -> bool {
        !self.well && self.id.is_some()
    }
}

/// What those that ended badly have in common, numbers and times apart.
fn common(lives: &[Life]) -> Vec<String> {
    let bad: Vec<&Life> = lives.iter().filter(|life| life.ended_badly()).collect();
    let [.., last] = bad[..] else { return Vec::new() };
    if bad.len() < 2 {
        return Vec::new();
    }
    let mut common = Vec::new();
    let all = |same: &dyn Fn(&Life) -> bool| bad.iter().all(|life| same(life));
    if all(&|life| life.how == last.how) {
        common.push(format!("how they ended: {}", last.how));
    } else {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        bad.iter().for_each(|life| *counts.entry(&life.how).or_default() += 1);
        let counts: Vec<String> = counts.into_iter().map(|(how, count)| format!("{how} ({count})")).collect();
        common.push(format!("nothing in how they ended: {}", counts.join(", ")));
    }
    let lengths = bad.iter().map(|life| life.length);
    let (least, most) = (lengths.clone().min().unwrap_or(0), lengths.max().unwrap_or(0));
    // One that lasts as long each time has a reason for it: a timeout, a first request.
    if most > 0 && most - least <= most / 4 {
        common.push(format!("how long they lasted: {} to {}", span(least), span(most)));
    }
    if let Some(summary) = &last.summary {
        let numberless = without_numbers(summary);
        if all(&|life| life.summary.as_deref().map(without_numbers).as_ref() == Some(&numberless)) {
            common.push(format!("the summary, but for numbers: {summary}"));
        }
    }
    let mut told: Vec<String> = Vec::new();
    for failed in last.failed.iter().rev() {
        let shape = without_numbers(failed);
        let in_all = all(&|life| life.failed.iter().any(|failed| without_numbers(failed) == shape));
        if in_all && !told.contains(&shape) {
            common.push(format!("a call that failed: {}", plain(failed)));
            told.push(shape);
        }
    }
    common
}

/// The same text of another run: process ids, addresses and times are others there. A number in a name stays.
fn without_numbers(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut before = ' ';
    while let Some(char) = chars.next() {
        let begins = char.is_ascii_digit() && matches!(before, ' ' | '[' | '(' | ',' | '=' | '<');
        plain.push(if begins { '#' } else { char });
        if begins {
            while chars.next_if(|next| next.is_ascii_hexdigit() || matches!(next, 'x' | '.')).is_some() {}
        }
        before = char;
    }
    // `0.2 ms` of one run is `1.3 s` of another.
    ["less than # ms", "# ms", "# min", "# s", "# h"].iter().fold(plain, |text, span| text.replace(span, "#"))
}

/// For people: the lives in a table, and what the bad ones have in common.
pub fn history(lives: &Lives) -> String {
    let bad = lives.lives.iter().filter(|life| life.ended_badly()).count();
    let with = lives.lives.iter().filter(|life| life.id.is_some()).count();
    let mut text = format!("{}: {} with dumps, {bad} of them ended badly", lives.target, count(with));
    match lives.lives.len() - with {
        0 => text.push('\n'),
        without => {
            let _ = writeln!(text, "; {} without one ended badly, too", count(without));
        }
    }
    let ids = lives.lives.iter().filter_map(|life| life.id.as_ref()).map(String::len).max().unwrap_or(0);
    let widths = [
        lives.lives.iter().map(|life| life.start.chars().count()).max().unwrap_or(0),
        lives.lives.iter().map(|life| life.lasted.chars().count()).max().unwrap_or(0),
        lives.lives.iter().map(|life| life.how.chars().count()).max().unwrap_or(0),
    ];
    for life in &lives.lives {
        let Life { id, start, end, lasted, how, summary, .. } = life;
        let summary = summary.as_deref().unwrap_or("nobody has looked what happened");
        let [starts, lengths, hows] = widths;
        let id = id.as_deref().unwrap_or("-");
        let _ = writeln!(text, "  {start:starts$}  to {end}  {lasted:>lengths$}  {how:hows$}  {id:ids$}  {summary}");
    }
    if !lives.common.is_empty() {
        let _ = writeln!(text, "common to the {bad} that ended badly:");
        for line in &lives.common {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

fn count(lives: usize) -> String {
    if lives == 1 { "1 life".to_owned() } else { format!("{lives} lives") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Identity, LastCall, LastWords, Process, Summary};

    fn dump(cgroup_id: u64, cause: Cause, summary: &str, failed: &str) -> Dump {
        let identity = Identity { cgroup_id, unit: Some("a.service".into()), ..Identity::default() };
        let failed = LastCall { comm: "app".into(), text: failed.to_owned(), ..LastCall::default() };
        Dump {
            identities: vec![identity],
            boot_id: "b".into(),
            began: cgroup_id * 1_000_000_000,
            taken: cgroup_id * 1_000_000_000 + 500_000_000,
            cause,
            summary: Some(Summary { text: summary.to_owned(), ..Summary::default() }),
            last_words: Some(LastWords { failed: vec![failed], ..LastWords::default() }),
            ..Dump::default()
        }
    }

    fn killed(pid: u32) -> Cause {
        Cause::Killed { pid, comm: "app".into(), signal: libc::SIGSEGV, core: false }
    }

    #[test]
    fn what_crashes_have_in_common() {
        let refused =
            |at: &str| format!("app[{at}] died of SIGSEGV, 0.{at} ms after connect to db:5432. It had said: x.");
        let failed = |fd: u32| format!("connect({fd}, {{sun_path=\"/run/db\"}}) = -1 ENOENT (No such file)");
        let mut well = dump(1, Cause::Request, "It waits.", "");
        well.processes.push(Process { tid: 1, pid: 1, comm: "app".into() });
        let dumps = [
            well,
            dump(2, killed(70), &refused("70"), &failed(3)),
            dump(3, killed(81), &refused("81"), &failed(4)),
            dump(3, killed(82), &refused("82"), &failed(5)),
        ];
        let lives = lives(["a", "b", "c", "d"].into_iter().zip(&dumps), "b", &[]);
        let [lives] = &lives[..] else { panic!("{lives:?}") };
        let ids: Vec<&str> = lives.lives.iter().filter_map(|life| life.id.as_deref()).collect();
        assert_eq!(ids, ["a", "b", "d"], "of one life the last dump counts");
        assert!(lives.lives[0].well && lives.lives[0].how == "alive");
        assert_eq!(
            lives.lives[1].summary.as_deref(),
            Some("app[70] died of SIGSEGV, 0.70 ms after connect to db:5432.")
        );
        assert_eq!(lives.common[0], "how they ended: SIGSEGV");
        assert!(lives.common.iter().any(|line| line.starts_with("the summary, but for numbers: app[82]")), "{lives:?}");
        assert!(lives.common.iter().any(|line| line.contains("a call that failed: app connect(5,")), "{lives:?}");
        let text = history(lives);
        assert!(text.starts_with("a.service: 3 lives with dumps, 2 of them ended badly\n"), "{text}");
        assert_eq!(text.lines().count(), 1 + 3 + 1 + lives.common.len(), "{text}");
    }

    #[test]
    fn different_deaths_have_their_names_only() {
        let status = Cause::Status { pid: 9, comm: "app".into(), status: 3 };
        let dumps = [dump(2, killed(70), "One.", "a() = 1"), dump(9, status, "Two.", "b() = 1")];
        let lives = lives(["b", "c"].into_iter().zip(&dumps), "b", &[]);
        assert_eq!(
            lives[0].common,
            ["nothing in how they ended: SIGSEGV (1), exited with 3 (1)", "how long they lasted: 500ms to 500ms"]
        );
        assert!(lives[0].lives.iter().all(|life| !life.well));
    }

    #[test]
    fn lives_without_a_dump_stand_among_the_others() {
        let dumps = [dump(2, killed(70), "One.", ""), dump(9, killed(71), "Two.", "")];
        let gone = |cgroup_id, ended: f64, target: &str| {
            let (how, cause, limit) = ("SIGSEGV".into(), "app[9] was killed by SIGSEGV".into(), "burst".into());
            (target.to_owned(), Undumped { cgroup_id, began: ended - 0.5, ended, how, cause, limit })
        };
        // A dump says more of the same life; another unit has its own.
        let gone = [gone(5, 5.0, "a.service"), gone(2, 6.0, "a.service"), gone(6, 6.0, "b.service")];
        let known = lives(["b", "c"].into_iter().zip(&dumps), "b", &gone);
        let [all] = &known[..] else { panic!("{known:?}") };
        let ids: Vec<Option<&str>> = all.lives.iter().map(|life| life.id.as_deref()).collect();
        assert_eq!(ids, [Some("b"), None, Some("c")]);
        assert!(!all.lives[1].well && all.lives[1].lasted == "500ms", "{:?}", all.lives[1]);
        let text = history(all);
        assert!(
            text.starts_with(
                "a.service: 2 lives with dumps, 2 of them ended badly; 1 life without one ended badly, too\n"
            ),
            "{text}"
        );
        assert!(text.contains("  -  no dump, for the limit burst: app[9] was killed by SIGSEGV\n"), "{text}");
        assert!(text.contains("common to the 2 that ended badly:\n  how they ended: SIGSEGV\n"), "{text}");
        // Of another start of the machine, the cgroup is another one.
        assert_eq!(lives(["b", "c"].into_iter().zip(&dumps), "other", &gone)[0].lives.len(), 4);
    }

    #[test]
    fn sentences_and_numbers() {
        assert_eq!(first_sentence("It had said: `a. b`. And so on."), "It had said: `a. b`.");
        assert_eq!(first_sentence("127.0.0.1:80 was refused"), "127.0.0.1:80 was refused");
        assert_eq!(
            without_numbers("app-2[71] at 0x8, 1.5 s after"),
            without_numbers("app-2[9] at 0xff00, 3.2 ms after")
        );
        assert_ne!(without_numbers("app-2"), without_numbers("app-3"));
    }
}
