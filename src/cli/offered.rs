//! What a shell is offered where a word is to be completed: dumps, what is recorded now, calls. It asks the same program,
//! by an environment variable, and must not wait: who does not answer at once has nothing to offer.

use std::{collections::BTreeSet, ffi::OsStr, time::Duration};

use clap::CommandFactory;
use clap_complete::{CompleteEnv, CompletionCandidate, PathCompleter, engine::ValueCompleter};
use tokio::time::timeout;

use super::{Cli, choosing::Choosing, place::Given, signals::runtime};
use crate::{
    model::errno_name,
    syscall::{self, Abi, Class, NUMBERS},
};

/// The variable by which a shell asks.
pub(super) const VARIABLE: &str = "_TRACELOOP_COMPLETE";
/// So long the daemon may take.
const PATIENCE: Duration = Duration::from_millis(500);
/// So many dumps' ids are offered, the newest.
const IDS: usize = 100;

/// Answers a shell, if one asks, and ends then.
pub(super) fn answer() {
    CompleteEnv::with_factory(Cli::command).var(VARIABLE).bin("traceloop").completer("traceloop").complete();
}

/// What a MATCH may be: whose dumps there are, and their ids.
pub(super) fn dumps() -> Vec<CompletionCandidate> {
    let mut choosing = Choosing::unsaid();
    if choosing.place.settle(Given::default()).is_err() {
        return Vec::new();
    }
    let Ok(Some((_, mut dumps))) = choosing.dumps() else { return Vec::new() };
    let whose: BTreeSet<String> = dumps.iter().map(|entry| entry.name.whose()).filter(|name| is_a_word(name)).collect();
    dumps.reverse();
    let ids = dumps.iter().take(IDS).map(|entry| {
        let about = format!("{}, {}", entry.name.whose(), entry.name.reason);
        CompletionCandidate::new(entry.id()).help(Some(crate::model::plain(&about).into_owned().into()))
    });
    whose.into_iter().map(CompletionCandidate::new).chain(ids).collect()
}

/// The same, or files.
pub(super) fn dumps_or_files(current: &OsStr) -> Vec<CompletionCandidate> {
    let begun = current.to_string_lossy();
    let mut offered = dumps();
    offered.retain(|dump| dump.get_value().to_string_lossy().starts_with(&*begun));
    offered.extend(PathCompleter::file().complete(current));
    offered
}

/// What a TARGET may be: what the daemon records.
pub(super) fn targets() -> Vec<CompletionCandidate> {
    let mut place = super::place::Place::usual();
    let asked = place.settle(Given::default()).and_then(|()| {
        let client = place.client();
        runtime()?.block_on(async { timeout(PATIENCE, client.tracks(None)).await? })
    });
    let names: BTreeSet<String> =
        asked.unwrap_or_default().into_iter().map(|track| track.target).filter(|name| is_a_word(name)).collect();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// The numbers of rules that were added, and what they are.
pub(super) fn triggers() -> Vec<CompletionCandidate> {
    let mut place = super::place::Place::usual();
    let asked = place.settle(Given::default()).and_then(|()| {
        let client = place.client();
        runtime()?.block_on(async { timeout(PATIENCE, client.triggers()).await? })
    });
    let added = asked.unwrap_or_default().into_iter().filter(|trigger| !trigger.configured);
    added
        .map(|trigger| {
            let about = crate::model::plain(&trigger.rule).into_owned();
            CompletionCandidate::new(trigger.id.to_string()).help(Some(about.into()))
        })
        .collect()
}

/// A rule for calls: their names, and behind = what they fail with.
pub(super) fn rules(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    let words: Vec<String> = match current.split_once('=') {
        Some((call, _)) => {
            // Some numbers in between are nothing.
            let errnos = (1..134).map(errno_name).filter(|name| name.starts_with('E'));
            errnos.map(|errno| format!("{call}={errno}")).collect()
        }
        None => names().flat_map(|call| [format!("{call}="), format!("{call}>")]).collect(),
    };
    words.into_iter().filter(|word| word.starts_with(current)).map(CompletionCandidate::new).collect()
}

/// Names of recorded programs must not drive the shell or its terminal.
fn is_a_word(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|char| char.is_alphanumeric() || "._@%:/+-".contains(char))
}

/// The words of `-e`: what may stand before `=`, and calls and classes behind it or alone, also behind a comma.
pub(super) fn expressions(current: &OsStr) -> Vec<CompletionCandidate> {
    const KINDS: [&str; 10] =
        ["trace=", "signal=", "status=", "trace-fds=", "quiet=", "decode-fds=", "read=", "write=", "abbrev=", "raw="];
    let Some(current) = current.to_str() else { return Vec::new() };
    let words: Vec<String> = match current.split_once('=') {
        Some(("trace" | "t" | "abbrev" | "a" | "raw" | "x", _)) => calls().collect(),
        Some(("status", _)) => words(&["successful", "failed", "unfinished", "unavailable", "detached"]),
        Some(("quiet" | "q", _)) => words(&["exit", "superseded", "all", "none"]),
        Some(("decode-fds" | "decode-fd", _)) => words(&["path", "socket", "dev", "pidfd", "all", "none"]),
        Some(("signal" | "s", _)) => (1..=31).map(crate::model::signal_name).collect(),
        Some(_) => Vec::new(),
        None if current.contains(',') => calls().collect(),
        None => KINDS.iter().map(ToString::to_string).chain(calls()).collect(),
    };
    let from = current.rfind(['=', ',']).map_or(0, |at| at + 1);
    let from = from + (current.len() - from) - current[from..].trim_start_matches('!').len();
    let (before, begun) = current.split_at(from);
    let fits = words.into_iter().filter(|word| word.starts_with(begun));
    fits.map(|word| CompletionCandidate::new(format!("{before}{word}"))).collect()
}

/// Calls by their names.
pub(super) fn rows() -> Vec<CompletionCandidate> {
    names().map(CompletionCandidate::new).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

fn calls() -> impl Iterator<Item = String> {
    Class::ALL.iter().map(|(_, name, _)| format!("%{name}")).chain(names().map(str::to_owned))
}

fn names() -> impl Iterator<Item = &'static str> {
    (0..NUMBERS).filter_map(|nr| syscall::name(Abi::native(false), nr))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(current: &str) -> Vec<String> {
        texts(&expressions(OsStr::new(current)))
    }

    fn texts(words: &[CompletionCandidate]) -> Vec<String> {
        words.iter().map(|word| word.get_value().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn words_of_expressions() {
        assert_eq!(offered("trac"), ["trace=", "trace-fds="]);
        assert_eq!(offered("trace=openat"), ["trace=openat", "trace=openat2"]);
        assert_eq!(offered("!openat"), ["!openat", "!openat2"]);
        assert_eq!(offered("trace=close,%netw"), ["trace=close,%network"]);
        assert_eq!(offered("close,!epoll_pw"), ["close,!epoll_pwait", "close,!epoll_pwait2"]);
        assert_eq!(offered("status=f"), ["status=failed"]);
        assert_eq!(offered("signal=SIGSE"), ["signal=SIGSEGV"]);
        assert!(offered("read=").is_empty() && offered("nonsense=").is_empty());
        let of_rules = |current: &str| texts(&rules(OsStr::new(current)));
        assert_eq!(of_rules("openat="), texts(&rules(OsStr::new("openat=E"))));
        assert_eq!(of_rules("openat=EAC"), ["openat=EACCES"]);
        assert_eq!(of_rules("fsyn"), ["fsync=", "fsync>"]);
        assert!(is_a_word("web@1.service") && !is_a_word("a\x1b[31m") && !is_a_word("a b"));
    }
}
