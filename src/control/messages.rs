//! What goes over the socket, as JSON. Every type here stands in openapi.json; a test holds them to it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    model::{Files, Identity, Module, Network, Process, Undumped},
    profile::{Level, Rule},
};

/// The daemon itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// When it began, seconds since 1970.
    pub since: i64,
    /// Tracks that are recorded now, the ended ones included.
    pub tracks: u64,
    /// Bytes of all rings.
    pub memory: u64,
    /// Bytes that all rings may take.
    pub memory_max: u64,
    /// Records that are not there although they should be, machine-wide, by reason.
    pub losses: Vec<crate::model::Loss>,
    /// What died and has no dump, for the limits in `[triggers]`.
    #[serde(default)]
    pub limited: Vec<Limited>,
    /// Whether calls are recorded: one of the daemon's own was seen within the last ten seconds.
    #[serde(default = "yes")]
    pub recording: bool,
    /// Times in which nothing was recorded, the latest last.
    #[serde(default)]
    pub silences: Vec<Silence>,
    /// Whether a keeper holds the recording, so that it outlives the daemon; `None`: there is to be none.
    #[serde(default)]
    pub held: Option<bool>,
    /// What recording a call costs on this machine; `None`: it does not say.
    #[serde(default)]
    pub cost: Option<Cost>,
}

/// Nanoseconds that are added to a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// If it is recorded.
    pub call_ns: f64,
    /// For each byte of its record.
    pub byte_ns: f64,
    /// If it is left out where it begins.
    pub skipped_ns: f64,
    /// If it is looked at when it ends, and left out.
    pub unkept_ns: f64,
    /// Whether that was measured when the recording began, and is not what it was elsewhere.
    pub measured: bool,
}

fn yes() -> bool {
    true
}

/// A time in which nothing was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// When a call was seen last before it, seconds since 1970.
    pub from: f64,
    /// When calls were seen again, seconds since 1970; `None`: it goes on.
    pub to: Option<f64>,
}

/// Deaths of one unit or container that have no dump, for a limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limited {
    /// The name that people use.
    pub target: String,
    /// How often.
    pub times: u64,
    /// The first time, seconds since 1970.
    pub since: f64,
    /// The last time, seconds since 1970.
    pub last: f64,
    /// What it was then.
    pub cause: String,
    /// The limit, as the configuration calls it.
    pub limit: String,
    /// The last of the lives that ended so, oldest first.
    #[serde(default)]
    pub lives: Vec<Undumped>,
}

/// One recorded cgroup.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// Its number; never used again while the daemon lives.
    pub id: u64,
    /// The name that people use.
    pub target: String,
    /// All of its names.
    pub identity: Identity,
    /// When its recording began, seconds since 1970.
    pub since: f64,
    /// When its cgroup ended, seconds since 1970; `None`: it lives.
    pub ended: Option<f64>,
    /// Seconds back from now, or from its end, for which its calls are all there.
    pub window: f64,
    /// The same for those that `[history] keep` names, which are kept longer.
    #[serde(default)]
    pub reach: f64,
    /// Whether it shares the ring of those that have none of their own.
    pub shared: bool,
    /// Bytes of its rings.
    pub memory: u64,
    /// Calls that were recorded.
    pub calls: u64,
    /// Records that were written for them.
    pub records: u64,
    /// Those of them that newer ones have overwritten.
    pub overwritten: u64,
    /// Records that the ring did not take.
    pub lost: u64,
    /// What is recorded of it now, in words, where that is not what is recorded where nothing is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<String>,
    /// Calls that were not to be recorded.
    #[serde(default)]
    pub skipped: u64,
    /// How much of its calls is recorded, so that it does not cost more than `max-overhead`.
    #[serde(default)]
    pub level: Level,
    /// What recording it has cost in the last second, of the CPU time that it used itself; `None`: so little that nobody
    /// has looked, or there is no limit.
    #[serde(default)]
    pub overhead: Option<f64>,
}

/// A history that is no longer there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GivenUp {
    /// The name that people use.
    pub target: String,
    /// All of its names.
    pub identity: Identity,
    /// When it was given up, seconds since 1970.
    pub at: f64,
    /// Why.
    pub why: String,
}

/// Asks for a cgroup to be recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// A cgroup directory, a path in the cgroup tree, or the name of a unit or container.
    pub target: String,
    /// How it is to be recorded, where that is not as the configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Rule>,
}

/// A rule that makes dumps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// Its number; 0: the configuration's, which cannot be removed here.
    pub id: u64,
    /// The calls, as in `[triggers]`; `deaths`: it says what else dumps of deaths hold.
    pub rule: String,
    /// Of what; none: of all.
    pub units: Vec<String>,
    /// What else its dumps hold.
    pub with: Vec<String>,
    /// Whether it is the configuration's.
    pub configured: bool,
}

/// Asks for a rule to be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddTrigger {
    /// The calls, as in `[triggers]`: `connect=ECONNREFUSED>100/s`.
    pub rule: String,
    /// Of what: TARGETs; none: of all.
    #[serde(default)]
    pub units: Vec<String>,
    /// What else its dumps are to hold: TARGETs.
    #[serde(default)]
    pub with: Vec<String>,
}

/// Asks for one dump of several things to be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fire {
    /// What the dump is to hold: TARGETs.
    pub targets: Vec<String>,
}

/// A dump that was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Its id: `traceloop show ID`.
    pub id: String,
    /// Its file.
    pub path: String,
    /// The file's size.
    pub bytes: u64,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// A sentence.
    pub error: String,
}

/// What is told of tracks that are followed: see `frame` for how it goes over the socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum News {
    /// Comes first: what a decoder has to know.
    Start {
        /// Whose calls follow; later parts name them by their places here.
        cgroups: Vec<Followed>,
        /// The names of network interfaces, by their numbers.
        interfaces: std::collections::BTreeMap<u32, String>,
        /// The names of generic netlink's families, by their numbers.
        generic_families: std::collections::BTreeMap<u16, String>,
    },
    /// Records, as the kernel wrote them.
    Records {
        /// No later record is older than this, CLOCK_BOOTTIME nanoseconds.
        until: u64,
        /// CLOCK_REALTIME minus CLOCK_BOOTTIME.
        clock_offset: i64,
        /// Whether calls came faster than they were read.
        missed: bool,
        /// Cgroups that the target means by now; they come behind those that were told before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        joined: Vec<Followed>,
        /// The files that stacks lead through, where there are new ones.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        modules: Vec<Module>,
        /// Whose the records are.
        parts: Vec<Part>,
    },
    /// Comes last: nothing that the target meant is recorded any more.
    End {},
}

/// A cgroup that is followed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Followed {
    /// All of its names.
    pub identity: Identity,
    /// What descriptors stand for now.
    pub files: Vec<Files>,
    /// The names of interfaces in other network namespaces that its processes are in.
    #[serde(default)]
    pub networks: Vec<Network>,
}

/// New records of one cgroup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its place among the cgroups that were told.
    pub whose: u16,
    /// The threads that are alive in it.
    pub threads: Vec<Process>,
    /// The lengths of its blocks of records, which stand behind, part after part.
    pub blocks: Vec<u32>,
}

/// How long the daemon and its clients wait for each other.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(30);
