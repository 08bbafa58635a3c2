//! Options of which events are shown.

use std::{fs, os::unix::ffi::OsStrExt, path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};
use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use globset::{GlobBuilder, GlobMatcher};

use super::{offered, styling};
use crate::{
    decode::{self, Descriptors},
    model::duration,
    select::{Condition, Selection, Set, Signals, Status, Statuses, When},
    syscall::Filter,
};

/// Which events are shown.
#[derive(Args, Debug)]
#[command(next_help_heading = "What is shown")]
pub(super) struct Selecting {
    /// strace's -e: [trace=]SET of calls (names, %classes, /regex, ! for all but them), signal=SET,
    /// status=SET, trace-fds=SET, quiet=SET, decode-fds=SET, read=FDS, write=FDS, abbrev=SET, raw=SET
    #[arg(short = 'e', value_name = "EXPR", value_parser = expression, allow_hyphen_values = true, add = ArgValueCompleter::new(offered::expressions))]
    expressions: Vec<Expression>,
    /// Only calls that succeeded
    #[arg(short = 'z', long)]
    successful_only: bool,
    /// Only calls that failed
    #[arg(short = 'Z', long)]
    failed_only: bool,
    /// Only calls that ended so: successful, failed, unfinished, unavailable, detached
    #[arg(long, value_name = "SET", value_parser = Statuses::parse)]
    status: Option<Statuses>,
    /// Only these signals
    #[arg(long, value_name = "SET", value_parser = Signals::parse)]
    signal: Option<Signals>,
    /// Only calls that touch this path, by argument or descriptor
    #[arg(short = 'P', long = "trace-path", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only calls that lasted at least so long: 200ms, 1.5s
    #[arg(long, value_name = "TIME", value_parser = duration)]
    duration: Option<Duration>,
    /// Only calls that failed with one of these: ENOENT,EACCES; !EAGAIN for all but it
    #[arg(long, value_name = "SET", value_parser = Set::errnos)]
    errno: Option<Set<i32>>,
    /// Only calls that take or return one of these descriptors
    #[arg(long, visible_alias = "trace-fds", value_name = "SET", value_parser = Set::descriptors)]
    fd: Option<Set<i32>>,
    /// Only these threads
    #[arg(long, value_name = "TID", value_delimiter = ',')]
    tid: Vec<u32>,
    /// Only these processes, with all their threads
    #[arg(id = "processes", long = "pid", value_name = "SET", value_parser = Set::processes)]
    processes: Option<Set<u32>>,
    /// Only threads that are called so at that time; * and ? stand for anything
    #[arg(long, value_name = "NAME", value_parser = comm)]
    comm: Vec<GlobMatcher>,
    /// Only events of which this holds, in the Common Expression Language over the fields of JSON lines: comm == "nginx"
    /// && errno == "ENOENT" && path.startsWith("/etc"); traceloop help reading
    #[arg(long = "where", value_name = "CONDITION", value_parser = Condition::parse)]
    conditions: Vec<Condition>,
    /// Not what ended before: 03:12:10, RFC 3339, 30s (before the end), 30s ago, now, unix seconds
    #[arg(long, value_name = "TIME", value_parser = When::parse, allow_hyphen_values = true)]
    since: Option<When>,
    /// Not what began after
    #[arg(long, value_name = "TIME", value_parser = When::parse, allow_hyphen_values = true)]
    until: Option<When>,
    /// Only what ended within this time before the end: 30s, 5m
    #[arg(long = "last", value_name = "TIME", value_parser = When::before, conflicts_with = "since")]
    within: Option<When>,
    /// Only the last N calls, and what happened between them
    #[arg(short = 'n', long = "lines", value_name = "N")]
    last: Option<usize>,
    /// Not how threads ended with -qq, nor what execve did to other threads with -qqq
    #[arg(short = 'q', long, action = ArgAction::Count)]
    quiet: u8,
}

/// strace's `-e`.
#[derive(Clone, Debug)]
enum Expression {
    Calls(Filter),
    Signals(Signals),
    Statuses(Statuses),
    Quiet { exits: bool, superseded: bool },
    Descriptors(Descriptors),
    Fds(Set<i32>),
    Reads(Set<i32>),
    Writes(Set<i32>),
    Abbreviated(Filter),
    Raw(Filter),
}

impl Expression {
    /// Whether it is about how calls are written, not which.
    fn is_of_style(&self) -> bool {
        match self {
            Self::Quiet { .. } | Self::Descriptors(_) => true,
            Self::Reads(_) | Self::Writes(_) | Self::Abbreviated(_) | Self::Raw(_) => true,
            Self::Calls(_) | Self::Signals(_) | Self::Statuses(_) | Self::Fds(_) => false,
        }
    }
}

impl Selecting {
    pub(super) fn selection(&self) -> Selection {
        let mut selection = Selection {
            duration: self.duration.map(|duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)),
            threads: self.tid.clone(),
            processes: self.processes.clone(),
            comms: self.comm.clone(),
            errnos: self.errno.clone(),
            fds: self.fds().cloned(),
            conditions: self.conditions.clone(),
            since: self.since.clone().or_else(|| self.within.clone()),
            until: self.until.clone(),
            last: self.last,
            no_exits: self.quiet > 1,
            no_superseded: self.quiet > 2,
            paths: self.wanted_paths(),
            ..Selection::default()
        };
        for expression in &self.expressions {
            match expression.clone() {
                Expression::Calls(calls) => selection.calls = calls,
                Expression::Signals(signals) => selection.signals = signals,
                Expression::Statuses(statuses) => selection.statuses = statuses,
                Expression::Quiet { exits, superseded } => {
                    selection.no_exits |= exits;
                    selection.no_superseded |= superseded;
                }
                Expression::Descriptors(_) | Expression::Fds(_) => {}
                Expression::Reads(_) | Expression::Writes(_) | Expression::Abbreviated(_) | Expression::Raw(_) => {}
            }
        }
        let short = [(self.successful_only, Status::Successful), (self.failed_only, Status::Failed)];
        if short.iter().any(|(given, _)| *given) {
            selection.statuses = Statuses::only(short.iter().filter(|(given, _)| *given).map(|(_, status)| *status));
        }
        if let Some(statuses) = &self.status {
            selection.statuses = statuses.clone();
        }
        if let Some(signals) = &self.signal {
            selection.signals = signals.clone();
        }
        selection
    }

    /// The first of the options that choose, if one is given.
    pub(super) fn given(&self) -> Option<&'static str> {
        self.options().next()
    }

    /// The first of those that choose from a whole dump, which has an end.
    pub(super) fn of_whole_dumps(&self) -> Option<&'static str> {
        self.options().find(|option| ["--since", "--until", "--last", "-n"].contains(option))
    }

    /// Those that choose and are given.
    fn options(&self) -> impl Iterator<Item = &'static str> {
        // Each by its name: an option that is added has to be here, too.
        let Self { expressions, successful_only, failed_only, status, signal, paths, duration, errno, fd, .. } = self;
        let Self { tid, processes, comm, conditions, since, until, within, last, quiet: _, .. } = self;
        let given = [
            ("-e", expressions.iter().any(|expression| !expression.is_of_style())),
            ("-z", *successful_only),
            ("-Z", *failed_only),
            ("--status", status.is_some()),
            ("--signal", signal.is_some()),
            ("-P", !paths.is_empty()),
            ("--duration", duration.is_some()),
            ("--errno", errno.is_some()),
            ("--fd", fd.is_some()),
            ("--tid", !tid.is_empty()),
            ("--pid", processes.is_some()),
            ("--comm", !comm.is_empty()),
            ("--where", !conditions.is_empty()),
            ("--since", since.is_some()),
            ("--until", until.is_some()),
            ("--last", within.is_some()),
            ("-n", last.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name)
    }

    /// Shorter calls are not shown.
    pub(super) fn least_duration(&self) -> Duration {
        self.duration.unwrap_or_default()
    }

    /// The descriptors that are asked for.
    fn fds(&self) -> Option<&Set<i32>> {
        let expressions = self.expressions.iter().rev().find_map(|expression| match expression {
            Expression::Fds(fds) => Some(fds),
            _ => None,
        });
        self.fd.as_ref().or(expressions)
    }

    /// Whether paths decide.
    pub(super) fn by_path(&self) -> bool {
        self.selection().by_path()
    }

    /// A style in which calls carry what they are chosen by, and are written as `-e` asks.
    pub(super) fn style(&self, style: decode::Style) -> decode::Style {
        let selection = self.selection();
        let (paths, fds) = (style.paths || selection.by_path(), style.fds || selection.by_fd());
        let mut style = decode::Style { paths, fds, ..style };
        for expression in self.expressions.iter().cloned() {
            match expression {
                Expression::Reads(fds) => style.reads = Some(fds),
                Expression::Writes(fds) => style.writes = Some(fds),
                Expression::Abbreviated(calls) => style.abbreviated = Some(calls),
                Expression::Raw(calls) => style.raw = Some(calls),
                Expression::Calls(_) | Expression::Signals(_) | Expression::Statuses(_) => {}
                Expression::Quiet { .. } | Expression::Descriptors(_) | Expression::Fds(_) => {}
            }
        }
        style
    }

    /// Whether some structures are shown whole.
    pub(super) fn is_verbose(&self) -> bool {
        self.expressions.iter().any(|expression| matches!(expression, Expression::Abbreviated(_)))
    }

    /// What `-e decode-fds=` asks for.
    pub(super) fn descriptors(&self) -> Option<Descriptors> {
        self.expressions.iter().rev().find_map(|expression| match expression {
            Expression::Descriptors(descriptors) => Some(*descriptors),
            _ => None,
        })
    }

    /// The paths as given, and what they lead to.
    fn wanted_paths(&self) -> Vec<Vec<u8>> {
        let bytes = |path: &PathBuf| path.as_os_str().as_bytes().to_vec();
        let mut paths: Vec<_> = self.paths.iter().map(bytes).collect();
        for resolved in self.paths.iter().filter_map(|path| fs::canonicalize(path).ok()) {
            if !paths.contains(&bytes(&resolved)) {
                paths.push(bytes(&resolved));
            }
        }
        paths
    }
}

fn comm(text: &str) -> Result<GlobMatcher> {
    let glob = GlobBuilder::new(text).backslash_escape(false).build();
    Ok(glob.with_context(|| format!("{text:?} is not a pattern"))?.compile_matcher())
}

fn expression(text: &str) -> Result<Expression> {
    let Some((name, set)) = text.split_once('=') else {
        return Ok(Expression::Calls(filter(text)?));
    };
    Ok(match name {
        "trace" | "t" => Expression::Calls(filter(set)?),
        "signal" | "signals" | "s" => Expression::Signals(Signals::parse(set)?),
        "status" => Expression::Statuses(Statuses::parse(set)?),
        "quiet" | "silent" | "silence" | "q" => quiet(set)?,
        "decode-fd" | "decode-fds" => Expression::Descriptors(styling::descriptors(set)?),
        "fd" | "fds" | "trace-fd" | "trace-fds" => Expression::Fds(Set::descriptors(set)?),
        "read" | "reads" | "r" => Expression::Reads(Set::descriptors(set)?),
        "write" | "writes" | "w" => Expression::Writes(Set::descriptors(set)?),
        "abbrev" | "a" => Expression::Abbreviated(filter(set)?),
        "raw" | "x" => Expression::Raw(filter(set)?),
        "inject" | "fault" => bail!("-e {name}= changes what a program sees, which is never done here"),
        "verbose" | "v" => {
            bail!("-e {name}= leaves structures out, which are recorded: -e raw=SET shows numbers for them")
        }
        "kvm" | "namespace" | "namespaces" => {
            bail!("-e {name}= asks the kernel of a living program, which a record cannot")
        }
        _ => bail!(
            "-e takes trace=, signal=, status=, trace-fds=, quiet=, decode-fds=, read=, write=, abbrev= and raw=, not {name}="
        ),
    })
}

/// `exit,superseded`; what strace says of itself, and we do not, is accepted too.
fn quiet(set: &str) -> Result<Expression> {
    let (mut exits, mut superseded) = (false, false);
    for word in set.split(',') {
        match word {
            "exit" | "exits" => exits = true,
            "superseded" | "thread-execve" => superseded = true,
            "all" => (exits, superseded) = (true, true),
            "none" | "attach" | "path-resolution" | "personality" => {}
            _ => bail!("there is nothing called {word:?} to be quiet about: exit, superseded"),
        }
    }
    Ok(Expression::Quiet { exits, superseded })
}

/// `trace=SET`, or the set alone.
pub(super) fn filter(text: &str) -> Result<Filter> {
    Filter::parse(text.strip_prefix("trace=").unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn straces_expressions() {
        assert!(matches!(expression("openat,%network").unwrap(), Expression::Calls(_)));
        assert!(matches!(expression("trace=!openat").unwrap(), Expression::Calls(_)));
        assert!(matches!(expression("!openat").unwrap(), Expression::Calls(_)));
        assert!(matches!(expression("s=none").unwrap(), Expression::Signals(_)));
        assert!(matches!(expression("read=3,5").unwrap(), Expression::Reads(_)));
        assert!(matches!(expression("raw=openat@x32").unwrap(), Expression::Raw(_)));
        for (wrong, why) in [("inject=all", "never done"), ("verbose=none", "-e raw="), ("reed=3", "not reed=")] {
            let said = expression(wrong).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
        assert!(matches!(expression("status=failed").unwrap(), Expression::Statuses(_)));
        assert!(matches!(expression("quiet=exit").unwrap(), Expression::Quiet { exits: true, superseded: false }));
        for wrong in ["trace=nonsense", "nonsense", "signal=SIGNONE", "status=good", "fault=open", "quiet=x"] {
            assert!(expression(wrong).is_err(), "{wrong}");
        }
    }
}
