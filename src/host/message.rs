//! What is asked of a helper and what it answers: JSON behind its length.

use std::{
    io::{self, ErrorKind, Read, Write},
    path::PathBuf,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::waits::{End, Waiting};
use crate::model::{Files, Module, Network, OomKill, Process, Stack, Stacks};

/// No answer is longer: the descriptors of a process with thousands of them, with their paths.
const LONGEST: u32 = 64 << 20;

/// A question.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    /// What the questions behind it are asked for; what was seen before is old.
    How { now: u64, strings: u32, contents: bool, stacks: Stacks },
    /// The threads of a cgroup and of those below it.
    ThreadsOfCgroup { path: PathBuf, id: u64 },
    /// The threads of processes.
    ThreadsOf { pids: Vec<u32> },
    /// Records of one process's calls in flight, out of the iterator's lines; so many modules are numbered.
    Calls { lines: Vec<Vec<u8>>, modules: usize },
    /// What calls in flight of one process wait for.
    Waits { lines: Vec<Vec<u8>> },
    /// Who has these ends of pipes and sockets.
    Holders { ends: Vec<End> },
    /// What a process's descriptors stand for.
    Files { pid: u32 },
    /// The network namespaces of processes, other than the recorder's.
    Networks { pids: Vec<u32> },
    /// Whom the OOM killer chose last.
    OomKills,
    /// The lines of one process's stacks, with functions; of these files.
    Lines { pid: u32, modules: Vec<Module>, stacks: Vec<Stack> },
}

/// What was seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Seen {
    Understood,
    Threads(Vec<Process>),
    Calls { records: Vec<Vec<u8>>, modules: Vec<Module> },
    Waits(Vec<Option<Waiting>>),
    Holders(Vec<Vec<Process>>),
    Files(Option<Files>),
    Networks(Vec<Network>),
    OomKills(Vec<OomKill>),
    Lines(Vec<Vec<String>>),
}

pub(super) fn send(mut to: impl Write, message: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec(message)?;
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    to.write_all(&[&length.to_ne_bytes()[..], &text].concat())
}

/// `None`: the other side is gone.
pub(super) fn receive<T: DeserializeOwned>(mut from: impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = u32::from_ne_bytes(length);
    if length > LONGEST {
        return Err(io::Error::other("a message is too long"));
    }
    let mut text = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    from.read_exact(&mut text)?;
    Ok(Some(serde_json::from_slice(&text)?))
}
