//! Where in a program a call was made.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A file that stacks lead through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// The number by which frames name it.
    pub number: u16,
    /// Its build id, in hexadecimal; `None`: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_id: Option<String>,
    /// Its path when it was mapped, through all mounts of the process; empty: not known.
    pub path: String,
}

/// The stack of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// The kernel's functions that a call in flight was in, the innermost first.
    pub kernel: Vec<Box<str>>,
    /// The program's frames, the innermost first; none: they could not be taken.
    pub frames: Vec<Frame>,
    /// There were more.
    pub cut: bool,
    /// What stood behind the last frame was none: the functions there keep no frame pointers.
    pub ends: bool,
}

/// A frame of a program's stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The number of its file; `None`: it is in no file.
    pub module: Option<u16>,
    /// Where in the file, or the address.
    pub at: u64,
    /// The word at the stack pointer tells it, and no frame pointer does: a call stands before the place that
    /// it points to, but it may be left from an earlier one.
    pub likely: bool,
    /// The file's path, if the dump tells it.
    pub file: Option<Arc<str>>,
    /// The function, if it was looked for and found.
    pub symbol: Option<Arc<Symbol>>,
}

/// A function, and a place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Its name, demangled.
    pub name: String,
    /// How many bytes behind its beginning.
    pub offset: u64,
    /// The place in its source, if debug information tells it: `main.c:12`.
    pub source: Option<String>,
}
