//! What a dump tells of its end before anybody decodes it: how many calls it holds, which of them had
//! not ended, which failed last, and how its processes ended.

use serde::{Deserialize, Serialize};

/// What a dump holds, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// System calls that ended; what never returns, or had not ended, is not among them.
    pub calls: u64,
    /// Those of them that failed, or were interrupted.
    pub failed: u64,
    /// The oldest record's time, CLOCK_BOOTTIME nanoseconds; 0: there is none.
    pub first: u64,
    /// The newest record's.
    pub last: u64,
}

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LastWords {
    /// Calls that had not ended when the dump was made.
    pub in_flight: Vec<LastCall>,
    /// How many more there were.
    pub more_in_flight: usize,
    /// The last calls that failed, oldest first.
    pub failed: Vec<LastCall>,
    /// How processes ended, oldest first.
    pub ended: Vec<Ended>,
    /// How many had ended before those.
    pub more_ended: usize,
    /// The programs that its processes have begun, by their paths as execve was given them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<String>,
}

/// A call in one line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LastCall {
    /// When it began, CLOCK_BOOTTIME nanoseconds.
    pub start: u64,
    /// The thread.
    pub tid: u32,
    /// Its process; 0: not known.
    pub pid: u32,
    /// The thread's name, escaped.
    pub comm: String,
    /// The call as the text format writes it, cut where it is long.
    pub text: String,
}

/// How a process ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ended {
    /// When, CLOCK_BOOTTIME nanoseconds.
    pub time: u64,
    /// The process.
    pub pid: u32,
    /// Its name, escaped.
    pub comm: String,
    /// Its exit status; `None`: a signal ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u8>,
    /// The signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Whether a core was dumped.
    pub core: bool,
    /// Who sent the signal: `timeout[12]`, or the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_by: Option<String>,
    /// What came with the signal, as strace writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
    /// The last call of a process that a signal ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_call: Option<String>,
}
