//! What calls in flight wait for. Data only: `host` looks, `summary` puts it in words.

use serde::{Deserialize, Serialize};

use super::Process;

/// What a thread's call waits for, as far as the kernel tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The thread.
    pub tid: u32,
    /// What.
    pub on: WaitsOn,
    /// Who has to do something first, if that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub whom: Vec<Process>,
    /// How many more there are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What a call waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitsOn {
    /// Data, or room for it: whoever has the pipe's other end gives it.
    Pipe {
        /// Whether it waits for data.
        reads: bool,
    },
    /// The peer of a socket; those known are of this machine.
    Socket,
    /// A lock of a file, which somebody holds.
    FileLock,
    /// A word of memory: a lock whose owner stands beside it, as the C library's mutexes have it.
    Mutex,
    /// The end of another thread.
    Thread,
    /// Children.
    Child,
    /// Something about these descriptors.
    Descriptors(Vec<i32>),
}

/// A call that has been in flight for long.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stuck {
    /// Whose it is: the name that people use.
    pub target: String,
    /// Its process.
    pub pid: u32,
    /// Its thread.
    pub tid: u32,
    /// The thread's name, escaped.
    pub comm: String,
    /// The call as the text format writes it.
    pub call: String,
    /// For how long, in seconds.
    pub seconds: f64,
    /// Whether it may be longer: nobody saw it begin.
    pub at_least: bool,
    /// What it waits for, in words; `None`: the kernel does not tell.
    pub waits_for: Option<String>,
    /// Who has to do something first, as far as is known.
    pub whom: Vec<Process>,
    /// Where it was made: functions of the kernel and of the program, the innermost first; none: it could not be
    /// looked at.
    pub stack: Vec<String>,
}
