//! Names for the places of stacks, out of the files of the machine that reads them.
//!
//! A file counts only if it is the one that was mapped: its build id says so or, where it has none, it has not changed
//! since on the very machine. What cannot be named keeps its file and offset. The file's code also tells where a stack
//! ends: a place that no call stands before is no return address, and what led there no frame pointer.
//! Knows the model and files; nothing of records.

mod code;
mod find;

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

use blazesym::symbolize::{
    Input, Symbolized, Symbolizer,
    source::{Elf, Source},
};

pub use code::{BEFORE, is_behind_call};

use find::{Found, find};

use crate::model::{Dump, Event, Frame, Module, Stack, Symbol, What, plain};

/// Names places; what was looked up once is remembered.
pub struct Symbols {
    symbolizer: Symbolizer,
    modules: HashMap<u16, Known>,
    /// Places that were looked up, by file and offset, and whether they were the innermost.
    places: HashMap<(u16, u64, bool), Seen>,
    /// Of this machine since it was started, and by numbers of our /proc: its processes may still be there.
    here: bool,
    x86: bool,
    taken: i64,
}

struct Seen {
    function: Option<Arc<Symbol>>,
    /// Whether a call stands before it.
    called: bool,
}

struct Known {
    module: Module,
    path: Arc<str>,
    /// `None`: not looked for yet.
    found: Option<Result<Found, &'static str>>,
}

impl std::fmt::Debug for Symbols {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Symbols").field("places", &self.places.len()).finish_non_exhaustive()
    }
}

impl Symbols {
    /// For a dump. `sees_all_pids`: whether /proc has the numbers that processes have in it.
    pub fn of(dump: &Dump, sees_all_pids: bool) -> Self {
        let taken = dump.taken.saturating_add_signed(dump.clock_offset) / 1_000_000_000;
        let mut symbols = Self {
            symbolizer: Symbolizer::new(),
            modules: HashMap::new(),
            places: HashMap::new(),
            here: sees_all_pids && !dump.boot_id.is_empty() && find::boot_id() == dump.boot_id,
            x86: dump.arch == "x86_64",
            taken: i64::try_from(taken).unwrap_or(i64::MAX),
        };
        symbols.learn(&dump.modules);
        symbols
    }

    /// For what happens here and now.
    pub fn live(sees_all_pids: bool) -> Self {
        let arch = std::env::consts::ARCH.to_owned();
        let dump = Dump { boot_id: find::boot_id(), arch, taken: i64::MAX.unsigned_abs(), ..Dump::default() };
        Self::of(&dump, sees_all_pids)
    }

    /// Takes in what has become known of files.
    pub fn learn(&mut self, modules: &[Module]) {
        for module in modules {
            let path = Arc::from(&*plain(&module.path));
            self.modules.entry(module.number).or_insert_with(|| Known { module: module.clone(), path, found: None });
        }
    }

    /// Names the places of an event's stack.
    pub fn name(&mut self, event: &mut Event) {
        let pid = event.pid;
        if let What::Call(call) = &mut event.what
            && let Some(stack) = &mut call.stack
        {
            self.name_stack(pid, stack);
        }
    }

    /// Files that were not found, with the reason.
    pub fn missing(&self) -> BTreeMap<String, &'static str> {
        let reasons = self
            .modules
            .values()
            .filter_map(|known| Some((known.path.to_string(), known.found.as_ref()?.as_ref().err()?)));
        reasons.map(|(path, why)| (path, *why)).collect()
    }

    /// Names the places of a stack of a process.
    pub fn name_stack(&mut self, pid: u32, stack: &mut Stack) {
        let mut at = 0;
        while let Some(frame) = stack.frames.get_mut(at) {
            if self.name_frame(pid, frame, at == 0) {
                at += 1;
            } else if frame.likely {
                // A word that was left there is no frame, and says nothing of those behind it.
                stack.frames.remove(at);
            } else {
                stack.frames.truncate(at);
                stack.cut = false;
            }
        }
        stack.ends = !stack.cut && !stack.frames.is_empty() && !is_whole(stack);
    }

    /// Names a frame; whether it can be one.
    fn name_frame(&mut self, pid: u32, frame: &mut Frame, innermost: bool) -> bool {
        let Some(number) = frame.module else { return true };
        let Some(known) = self.modules.get_mut(&number) else { return true };
        frame.file = Some(known.path.clone()).filter(|path| !path.is_empty());
        let (here, taken) = (self.here, self.taken);
        let found = known.found.get_or_insert_with(|| find(&known.module, here.then_some(pid), taken));
        let Ok(found) = found else { return true };
        let key = (number, frame.at, innermost);
        if let Some(seen) = self.places.get(&key) {
            frame.symbol.clone_from(&seen.function);
            return innermost || seen.called;
        }
        let called = !self.x86 || found.code(frame.at).is_none_or(|code| code::returns_there(&code));
        // The call is what is looked for, and not what stands behind it: that may be another function.
        let back = u64::from(!innermost);
        let symbol = function(&self.symbolizer, found.path(), frame.at, back).map(Arc::new);
        frame.symbol.clone_from(&symbol);
        self.places.insert(key, Seen { function: symbol, called });
        innermost || called
    }
}

/// The function that holds a place, by debug information or, where that is missing, by the file's own symbols.
fn function(symbolizer: &Symbolizer, path: &Path, at: u64, back: u64) -> Option<Symbol> {
    let by = |debug_syms| {
        let mut elf = Elf::new(path);
        elf.debug_syms = debug_syms;
        let place = Input::FileOffset(at.saturating_sub(back));
        match symbolizer.symbolize_single(&Source::Elf(elf), place) {
            Ok(Symbolized::Sym(symbol)) => Some(Symbol {
                name: plain(&symbol.name).into_owned(),
                offset: u64::try_from(symbol.offset).unwrap_or(0).saturating_add(back),
                source: symbol.code_info.as_ref().map(|info| {
                    let file = info.file.to_string_lossy();
                    let line = info.line.map_or_else(String::new, |line| format!(":{line}"));
                    plain(&format!("{file}{line}")).into_owned()
                }),
            }),
            Ok(Symbolized::Unknown(reason)) => {
                tracing::debug!(path = %path.display(), at, debug_syms, %reason, "a place has no function");
                None
            }
            Err(error) => {
                tracing::debug!(path = %path.display(), at, debug_syms, error = %format!("{error:#}"), "no function is known");
                None
            }
        }
    };
    by(true).or_else(|| by(false))
}

/// Functions in which programs and threads begin: nothing stands behind them.
const BEGINNINGS: [&str; 9] = [
    "_start",
    "__libc_start_main",
    "__libc_start_call_main",
    "start_thread",
    "clone",
    "__clone",
    "clone3",
    "__clone3",
    "runtime.goexit",
];

/// Whether a stack ends where its thread began.
fn is_whole(stack: &Stack) -> bool {
    let last = stack.frames.last().and_then(|frame| frame.symbol.as_ref());
    last.is_some_and(|symbol| BEGINNINGS.iter().any(|name| symbol.name.split('@').next() == Some(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_looked_for_by_a_number_of_another_namespace() {
        // Found only through a process that has it: it is not at this path for us.
        let inside = tempfile::NamedTempFile::new().unwrap();
        let module = Module { number: 1, build_id: None, path: inside.path().display().to_string() };
        let named = |sees_all_pids: bool| {
            let mut symbols = Symbols::live(sees_all_pids);
            symbols.learn(std::slice::from_ref(&module));
            let mut frame = Frame { module: Some(1), at: 0, likely: false, file: None, symbol: None };
            symbols.name_frame(std::process::id(), &mut frame, true);
            symbols.missing().len()
        };
        assert_eq!((named(true), named(false)), (0, 1));
    }
}
