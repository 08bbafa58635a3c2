//! A dump's identity, its window and what was lost.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{
    Block, Cause, Counts, Files, Identity, LastWords, Module, Network, OomKill, Own, Portion, Summary, User, Wait,
};

/// Everything that a dump says of itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Dump {
    /// Its id in the directory of dumps; `None`: it was not stored there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The version of traceloop that made it.
    pub traceloop: String,
    /// The host's name.
    pub host: String,
    /// /proc/sys/kernel/random/boot_id.
    pub boot_id: String,
    /// uname -r.
    pub kernel: String,
    /// uname -m, as Rust spells it: `x86_64`, `aarch64`.
    pub arch: String,
    /// CLOCK_REALTIME minus CLOCK_BOOTTIME at the dump, nanoseconds.
    pub clock_offset: i64,
    /// When it was made, CLOCK_BOOTTIME nanoseconds: what was written later is not in it, as it might lack what other
    /// CPUs had written before.
    pub taken: u64,
    /// When its recording began, CLOCK_BOOTTIME nanoseconds.
    pub began: u64,
    /// The cgroups recorded in it, as paths from the root of the cgroup tree.
    pub cgroups: Vec<String>,
    /// Who they are.
    #[serde(default)]
    pub identities: Vec<Identity>,
    /// The processes that were recorded wherever they were, as they were when it began; none: cgroups were recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub followed: Vec<Process>,
    /// Why it was made.
    pub cause: Cause,
    /// Whether the kernel handed core dumps to systemd-coredump, which keeps them by the numbers of processes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cores_kept: bool,
    /// The user whose calls are marked in its records; `None`: none are, or nobody knows whose.
    #[serde(skip)]
    pub user: Option<User>,
    /// What of it is his; `None`: nothing, or it was not stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Own>,
    /// That it is one user's part of a larger one; `None`: it is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portion: Option<Portion>,
    /// Which part of it is shown, in words; `None`: all that was asked for.
    #[serde(skip)]
    pub shown: Option<String>,
    /// For which time it is complete.
    pub window: Window,
    /// The same for each of `identities`, where there are several: their blocks say whose they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<Each>,
    /// What it holds, counted; `None`: nobody has counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// How it ended; `None`: nobody has looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_words: Option<LastWords>,
    /// What happened, in a few sentences; `None`: nobody has looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// Only calls that lasted at least so many nanoseconds were recorded; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_slower: Option<u64>,
    /// Of which calls stacks were taken; `None`: of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stacks: Option<String>,
    /// The files that stacks lead through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<Module>,
    /// What was taken out of it, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redacted: Vec<String>,
    /// The threads that were alive, and what was known of others.
    pub processes: Vec<Process>,
    /// What calls in flight waited for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<Wait>,
    /// Whom of its processes the OOM killer chose, and which memory ran out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub oom_kills: Vec<OomKill>,
    /// The names of the network interfaces where the recorder was, by their numbers.
    #[serde(default)]
    pub interfaces: BTreeMap<u32, String>,
    /// The same of other network namespaces that calls were made in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<Network>,
    /// The names of generic netlink's families, by their numbers.
    #[serde(default)]
    pub generic_families: BTreeMap<u16, String>,
    /// What the descriptors of living processes stood for when the recording began.
    #[serde(default)]
    pub files_before: Vec<Files>,
    /// The same when the dump was made.
    #[serde(default)]
    pub files: Vec<Files>,
}

impl Dump {
    /// What people call each of its cgroups, where there are several and every record tells whose it is.
    pub fn names_of_each(&self) -> Vec<String> {
        if self.each.is_empty() { Vec::new() } else { self.identities.iter().map(Identity::to_string).collect() }
    }

    /// Whether there are calls of its units that were not to be recorded.
    pub fn misses_calls(&self) -> bool {
        self.only_slower.is_some() || self.manners().any(|manner| manner.misses_calls)
    }

    /// How all of its units were recorded, where that is to be said.
    pub fn manners(&self) -> impl Iterator<Item = &Manner> {
        let windows = std::iter::once(&self.window).chain(self.each.iter().map(|one| &one.window));
        windows.flat_map(|window| &window.manners)
    }

    /// Whose calls it holds, by the names that people use.
    pub fn names(&self) -> Vec<String> {
        let followed = self.followed.iter().map(ToString::to_string);
        match self.identities.as_slice() {
            [] => self.cgroups.iter().cloned().chain(followed).collect(),
            identities => identities.iter().map(ToString::to_string).chain(followed).collect(),
        }
    }

    /// The processes of which coredumpctl has a core dump, oldest first.
    pub fn core_dumps(&self) -> Vec<u32> {
        let ended = self.last_words.iter().flat_map(|words| &words.ended).filter(|ended| ended.core);
        let mut pids: Vec<u32> = ended.map(|ended| ended.pid).collect();
        if let Cause::Killed { pid, core: true, .. } = self.cause
            && !pids.contains(&pid)
        {
            pids.push(pid);
        }
        pids.retain(|_| self.cores_kept);
        pids
    }
}

/// For which time a dump is complete.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Every call that ended after this time is there, losses apart; `None`: since the recording began.
    pub complete_from: Option<u64>,
    /// CPUs whose rings reach further back.
    pub further: Vec<Reach>,
    /// What was lost.
    pub lost: Vec<Loss>,
    /// Records in the dump.
    pub records: u64,
    /// Records that newer ones have overwritten.
    pub overwritten: u64,
    /// Older records that were left out when it was stored, since one dump takes only so much.
    #[serde(default, skip_serializing_if = "is_none_left_out")]
    pub left_out: u64,
    /// The stretches of its time, oldest first, where that is not all complete; none: it is, from `complete_from` on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stretches: Vec<Stretch>,
    /// Times in which not everything was to be recorded, or more than usual, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manners: Vec<Manner>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_none_left_out(records: &u64) -> bool {
    *records == 0
}

/// A time in which a unit was recorded otherwise than where nothing is configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manner {
    /// Its beginning, CLOCK_BOOTTIME nanoseconds.
    pub from: u64,
    /// Its end; `None`: it went on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// What was recorded, in words.
    pub what: String,
    /// Whether there are calls that were not.
    pub misses_calls: bool,
    /// Why, in words; `None`: the configuration says so, or somebody has asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A stretch of time and how complete a dump is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Its beginning, CLOCK_BOOTTIME nanoseconds.
    pub from: u64,
    /// Its end.
    pub to: u64,
    /// How complete.
    pub state: Completeness,
}

/// How complete a stretch is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Completeness {
    /// Every record is there.
    Complete,
    /// Only what the configuration keeps for longer.
    InPart,
    /// Records are missing.
    Gap {
        /// How many; 0: nobody knows.
        records: u64,
        /// Why, in words.
        reason: String,
    },
}

impl Window {
    /// What was lost for all reasons together.
    pub fn lost_in_all(&self) -> u64 {
        self.lost.iter().fold(0, |sum, loss| sum.saturating_add(loss.count))
    }
}

/// One of several cgroups in a dump.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Each {
    /// When its recording began, CLOCK_BOOTTIME nanoseconds.
    pub began: u64,
    /// For which time it is complete.
    pub window: Window,
}

/// How far a CPU's ring reaches back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// The CPU.
    pub cpu: u32,
    /// The end of its oldest record; `None`: since the recording began.
    pub from: Option<u64>,
}

/// Records that are not there although they should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// How many.
    pub count: u64,
    /// Why, in words.
    pub reason: String,
}

impl Loss {
    /// A loss, if there is one.
    pub fn of(count: u64, reason: &str) -> Option<Self> {
        (count > 0).then(|| Self { count, reason: reason.to_owned() })
    }
}

/// A thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id.
    pub tid: u32,
    /// Its process.
    pub pid: u32,
    /// Its name, escaped.
    pub comm: String,
}

impl fmt::Display for Process {
    /// `nginx[4711]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.comm, self.pid)
    }
}

/// A dump with its records as the kernel wrote them: what is stored, and what is decoded.
#[derive(Clone, Debug)]
pub struct Recording {
    /// What it says of itself.
    pub dump: Dump,
    /// Its records.
    pub blocks: Vec<Block>,
}
