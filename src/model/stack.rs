//! Where in a program a call was made.

use std::{fmt::Write as _, sync::Arc};

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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The number of its file; `None`: it is in no file.
    pub module: Option<u16>,
    /// Where in the file, or the address.
    pub at: u64,
    /// The word at the stack pointer tells it, and no frame pointer does: a call stands before the place that
    /// it points to, but it may be left from an earlier one.
    pub likely: bool,
    /// The file's path, if the dump tells it.
    #[serde(skip)]
    pub file: Option<Arc<str>>,
    /// The function, if it was looked for and found.
    #[serde(skip)]
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

impl Stack {
    /// A line for each function, the innermost first, and one where nothing more is known. A frame that no frame pointer
    /// tells is marked as the kernel marks its own: `?`.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.kernel.iter().map(|function| format!("kernel: {function}")).collect();
        for frame in &self.frames {
            let mut line = String::from(if frame.likely { "? " } else { "" });
            frame.push_to(&mut line);
            if let Some(source) = frame.symbol.as_ref().and_then(|symbol| symbol.source.as_ref()) {
                let _ = write!(line, " {source}");
            }
            lines.push(line);
        }
        let end = if self.frames.is_empty() {
            Some("(the program's stack could not be taken)")
        } else if self.cut {
            Some("(there are more frames than are kept)")
        } else if self.ends {
            Some("(no frame pointers beyond this)")
        } else {
            None
        };
        lines.extend(end.map(str::to_owned));
        lines
    }
}

impl Frame {
    /// Appends it as `strace -k` writes it: `FILE(FUNCTION+0x14) [0x1149e4]`.
    pub fn push_to(&self, text: &mut String) {
        let Self { module, at, file, symbol, .. } = self;
        let _ = match (module, file, symbol) {
            (None, ..) => write!(text, "[{at:#x}]"),
            (_, Some(file), Some(symbol)) => write!(text, "{file}({}+{:#x}) [{at:#x}]", symbol.name, symbol.offset),
            (_, Some(file), None) => write!(text, "{file}() [{at:#x}]"),
            (Some(number), None, _) => write!(text, "file {number}() [{at:#x}]"),
        };
    }
}
