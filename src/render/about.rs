//! What a dump says of itself, for lists and descriptions of stored dumps.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::{
    last_words,
    moment::{DATE, moment},
    quantity::span,
    window,
};
use crate::model::{
    Cause, Container, Counts, Dump, Identity, LastWords, Loss, Pod, Process, Summary, plain, signal_name,
};

/// A dump in a list of dumps, for people.
#[derive(Clone, Debug)]
pub struct Row {
    /// When it was made.
    pub time: String,
    /// Whose calls it holds.
    pub whose: String,
    /// The process that it is about, if it is about one.
    pub pid: String,
    /// Its name.
    pub comm: String,
    /// Why it was made.
    pub reason: String,
    /// How many calls it holds.
    pub calls: String,
    /// How long it reaches back with all calls.
    pub window: String,
}

/// What is not known.
const UNKNOWN: &str = "-";

/// A dump's line in a list.
pub fn row(dump: &Dump) -> Row {
    let (pid, comm) = process(dump).map_or((None, None), |(pid, comm)| (Some(pid), Some(comm)));
    let tame = |text: String| plain(&text).into_owned();
    let or_unknown = |text: Option<String>| text.filter(|text| !text.is_empty()).map_or_else(|| UNKNOWN.into(), tame);
    Row {
        time: moment(dump.taken, dump.clock_offset, &TimeZone::system(), DATE),
        whose: or_unknown(Some(whose(dump))),
        pid: or_unknown(pid.map(|pid| pid.to_string())),
        comm: or_unknown(comm),
        reason: tame(reason(&dump.cause)),
        calls: or_unknown(dump.counts.map(|counts| counts.calls.to_string())),
        window: span(window_length(dump)),
    }
}

/// A dump in detail: names and lines of text.
pub fn facts(dump: &Dump) -> Vec<(&'static str, Vec<String>)> {
    let zone = TimeZone::system();
    let mut facts: Vec<(&'static str, Vec<String>)> = Vec::new();
    for identity in &dump.identities {
        facts.extend(names(identity).into_iter().map(|(name, value)| (name, vec![value])));
    }
    let identified: Vec<_> = dump.identities.iter().map(|identity| &identity.cgroup).collect();
    let others = dump.cgroups.iter().filter(|path| !identified.contains(path));
    facts.extend(others.map(|path| ("Cgroup", vec![path.clone()])));
    facts.push(("Processes", dump.followed.iter().map(Process::to_string).collect()));
    facts.push(("Reason", vec![dump.cause.to_string()]));
    facts.push(("Summary", dump.summary.iter().map(|summary| summary.text.clone()).collect()));
    facts.push(("Core dump", dump.core_dumps().iter().map(|pid| format!("coredumpctl info {pid}")).collect()));
    facts.push(("Time", vec![moment(dump.taken, dump.clock_offset, &zone, DATE)]));
    facts.push(("Since", vec![moment(dump.began, dump.clock_offset, &zone, DATE)]));
    facts.push(("Host", vec![format!("{}, Linux {} {}, boot {}", dump.host, dump.kernel, dump.arch, dump.boot_id)]));
    facts.push(("Recorder", vec![format!("traceloop {}", dump.traceloop)]));
    facts.push(("Window", window::lines(dump)));
    if let Some(Counts { calls, failed, .. }) = dump.counts {
        facts.push(("Calls", vec![format!("{calls}, {failed} of them failed")]));
    }
    facts.push(("Last words", last_words::lines(dump, usize::MAX)));
    facts.retain(|(_, lines)| !lines.is_empty());
    let tame = |lines: Vec<String>| lines.iter().map(|line| plain(line).into_owned()).collect();
    facts.into_iter().map(|(name, lines)| (name, tame(lines))).collect()
}

fn names(identity: &Identity) -> Vec<(&'static str, String)> {
    let container = |container: &Container| {
        let mut text = container.name.clone().unwrap_or_else(|| container.id.clone());
        if container.name.is_some() {
            text += &format!(" {}", container.id);
        }
        let more = [Some(&container.runtime), container.image.as_ref()];
        more.into_iter().flatten().filter(|word| !word.is_empty()).for_each(|word| text += &format!(", {word}"));
        text
    };
    let pod = |pod: &Pod| {
        let name = [&pod.namespace, &pod.name, &pod.container].into_iter().flatten().cloned().collect::<Vec<_>>();
        if name.is_empty() { pod.uid.clone() } else { format!("{} {}", name.join("/"), pod.uid) }
    };
    let all = [
        ("Pod", identity.pod.as_ref().map(pod)),
        ("Container", identity.container.as_ref().map(container)),
        ("Unit", identity.unit.clone()),
        ("User", identity.user.map(|user| user.to_string())),
        ("Slice", identity.slice.clone()),
        ("Invocation", identity.invocation.clone()),
        ("Cgroup", Some(identity.cgroup.clone())),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?))).collect()
}

/// A dump for programs: one object.
#[derive(Debug, Serialize)]
pub struct About<'a> {
    /// When it was made, RFC 3339.
    time: String,
    /// Whose calls it holds.
    name: String,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comm: Option<String>,
    cause: &'a Cause,
    /// The processes whose core dumps coredumpctl has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    core_dumps: Vec<u32>,
    identities: &'a [Identity],
    cgroups: &'a [String],
    /// The processes that were recorded wherever they were.
    #[serde(skip_serializing_if = "<[Process]>::is_empty")]
    followed: &'a [Process],
    host: &'a str,
    boot_id: &'a str,
    kernel: &'a str,
    arch: &'a str,
    traceloop: &'a str,
    /// When its recording began, RFC 3339.
    began: String,
    /// From when on it is complete, RFC 3339.
    complete_from: String,
    window_ns: u64,
    records: u64,
    overwritten: u64,
    lost: &'a [Loss],
    #[serde(skip_serializing_if = "Option::is_none")]
    calls: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_words: Option<&'a LastWords>,
    /// What happened, and the events that it is known from.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a Summary>,
}

/// A dump for programs.
pub fn about(dump: &Dump) -> About<'_> {
    let utc = |time| moment(time, dump.clock_offset, &TimeZone::UTC, "%Y-%m-%dT%H:%M:%S.%6fZ");
    let process = process(dump);
    About {
        time: utc(dump.taken),
        name: whose(dump),
        reason: dump.cause.word(),
        pid: process.as_ref().map(|(pid, _)| *pid),
        comm: process.map(|(_, comm)| comm),
        cause: &dump.cause,
        core_dumps: dump.core_dumps(),
        identities: &dump.identities,
        cgroups: &dump.cgroups,
        followed: &dump.followed,
        host: &dump.host,
        boot_id: &dump.boot_id,
        kernel: &dump.kernel,
        arch: &dump.arch,
        traceloop: &dump.traceloop,
        began: utc(dump.began),
        complete_from: utc(dump.window.complete_from.unwrap_or(dump.began)),
        window_ns: window_length(dump),
        records: dump.window.records,
        overwritten: dump.window.overwritten,
        lost: &dump.window.lost,
        calls: dump.counts.map(|counts| counts.calls),
        failed: dump.counts.map(|counts| counts.failed),
        last_words: dump.last_words.as_ref(),
        summary: dump.summary.as_ref(),
    }
}

fn window_length(dump: &Dump) -> u64 {
    dump.taken.saturating_sub(dump.window.complete_from.unwrap_or(dump.began))
}

/// The name that people use, and how many more there are.
fn whose(dump: &Dump) -> String {
    let mut names = dump.names();
    match names.len() {
        0 | 1 => names.pop().unwrap_or_default(),
        more => format!("{} +{}", names[0], more - 1),
    }
}

/// The process that a dump is about: the one that it was made for, the last that a signal ended, that
/// failed, that ended at all, or the first that lives.
fn process(dump: &Dump) -> Option<(u32, String)> {
    if let Cause::Killed { pid, comm, .. } | Cause::Status { pid, comm, .. } = &dump.cause {
        return Some((*pid, comm.clone()));
    }
    if let Cause::Call { call: Some(call), .. } = &dump.cause
        && call.pid != 0
    {
        return Some((call.pid, call.comm.clone()));
    }
    let ended = dump.last_words.iter().flat_map(|words| words.ended.iter().rev());
    let killed = ended.clone().find(|ended| ended.signal.is_some());
    let badly = killed.or_else(|| ended.clone().find(|ended| ended.status != Some(0)));
    let ended = badly.or_else(|| ended.clone().next()).map(|ended| (ended.pid, ended.comm.clone()));
    ended.or_else(|| dump.processes.first().map(|process| (process.pid, process.comm.clone())))
}

fn reason(cause: &Cause) -> String {
    match cause {
        Cause::Unit { result, .. } => result.clone(),
        Cause::Killed { signal, .. } => signal_name(*signal),
        Cause::Status { status, .. } => format!("status {status}"),
        Cause::Call { rule, .. } => rule.clone(),
        Cause::Exit | Cause::Command | Cause::Ended | Cause::Replaced | Cause::Request => cause.word().to_owned(),
    }
}
