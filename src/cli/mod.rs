//! The command line: one file a verb, each turning arguments into calls of what lies below.

mod add;
mod attached;
mod cgroups;
mod choosing;
mod close;
mod colour;
mod completions;
mod delete;
mod diff;
mod doctor;
mod dump;
mod elsewhere;
mod explain;
mod export;
mod follow;
mod following;
mod health;
mod help;
mod history;
mod info;
mod json;
mod keep;
mod limits;
mod list;
mod logging;
mod look;
mod manual;
mod offered;
mod opening;
mod output;
mod pager;
mod piped;
mod place;
mod progress;
mod ps;
mod recorded;
mod recording;
mod run;
mod selecting;
mod serve;
mod show;
mod signals;
mod source;
mod stats;
mod stored;
mod stuck;
mod styling;
mod summarizing;
mod table;
mod top;
mod topic;
mod trigger;
mod vacuum;
mod view;

use std::{ffi::OsString, io, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::model::plain_lines;

/// A flight recorder for system calls: always on, per cgroup, and it reads like strace.
#[derive(Debug, Parser)]
#[command(name = "traceloop", version, max_term_width = 100, disable_help_subcommand = true, after_help = help::topics())]
struct Cli {
    /// Defaults to `list`
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    given: place::Given,
    /// Not through $PAGER or less, even on a terminal
    #[arg(long)]
    no_pager: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Cgroups(cgroups::Cgroups),
    Run(run::Run),
    Serve(serve::Serve),
    Ps(ps::Ps),
    Add(add::Add),
    Close(close::Close),
    Dump(dump::Dump),
    Stuck(stuck::Stuck),
    Follow(follow::Follow),
    Trigger(trigger::Triggers),
    List(list::List),
    Info(info::Info),
    Show(show::Show),
    View(view::View),
    Stats(stats::Stats),
    Diff(diff::Compare),
    Top(top::Top),
    Export(export::Export),
    Delete(delete::Delete),
    Vacuum(vacuum::Vacuum),
    Doctor(doctor::Doctor),
    Explain(explain::Explain),
    Keep(keep::Keep),
    #[command(hide = true)]
    Look(look::Look),
    Completions(completions::Completions),
    Help(help::Help),
    #[command(hide = true)]
    Manual(manual::Manual),
}

impl Verb {
    /// What a verb has that reads the store or asks the daemon; the others have none.
    fn place(&mut self) -> Option<&mut place::Place> {
        Some(match self {
            Self::Ps(verb) => &mut verb.place,
            Self::Add(verb) => &mut verb.place,
            Self::Close(verb) => &mut verb.place,
            Self::Dump(verb) => &mut verb.recorded.place,
            Self::Stuck(verb) => &mut verb.place,
            Self::Follow(verb) => &mut verb.recorded.place,
            Self::Trigger(verb) => verb.place(),
            Self::List(verb) => &mut verb.choosing.place,
            Self::Info(verb) => &mut verb.choosing.place,
            Self::Show(verb) => &mut verb.place,
            Self::View(verb) => &mut verb.place,
            Self::Stats(verb) => &mut verb.place,
            Self::Diff(verb) => &mut verb.place,
            Self::Top(verb) => &mut verb.place,
            Self::Export(verb) => &mut verb.place,
            Self::Delete(verb) => &mut verb.choosing.place,
            Self::Vacuum(verb) => &mut verb.choosing.place,
            Self::Doctor(verb) => &mut verb.place,
            Self::Cgroups(_)
            | Self::Run(_)
            | Self::Serve(_)
            | Self::Explain(_)
            | Self::Keep(_)
            | Self::Look(_)
            | Self::Completions(_)
            | Self::Help(_)
            | Self::Manual(_) => return None,
        })
    }

    fn run(self) -> Result<End> {
        match self {
            Self::Cgroups(verb) => verb.run(),
            Self::Run(verb) => verb.run(),
            Self::Serve(verb) => verb.run(),
            Self::Ps(verb) => verb.run(),
            Self::Add(verb) => verb.run(),
            Self::Close(verb) => verb.run(),
            Self::Dump(verb) => verb.run(),
            Self::Stuck(verb) => verb.run(),
            Self::Follow(verb) => verb.run(),
            Self::Trigger(verb) => verb.run(),
            Self::List(verb) => verb.run(),
            Self::Info(verb) => verb.run(),
            Self::Show(verb) => verb.run(),
            Self::View(verb) => verb.run(),
            Self::Stats(verb) => verb.run(),
            Self::Diff(verb) => verb.run(),
            Self::Top(verb) => verb.run(),
            Self::Export(verb) => verb.run(),
            Self::Delete(verb) => verb.run(),
            Self::Vacuum(verb) => verb.run(),
            Self::Doctor(verb) => verb.run(),
            Self::Explain(verb) => verb.run(),
            Self::Keep(verb) => verb.run(),
            Self::Look(verb) => verb.run(),
            Self::Completions(verb) => verb.run(),
            Self::Help(verb) => verb.run(),
            Self::Manual(verb) => verb.run(),
        }
    }

    /// Takes in what stands before the verb.
    fn settle(&mut self, before: place::Given) -> Result<()> {
        if let Some(place) = self.place() {
            return place.settle(before);
        }
        match self {
            Self::Serve(verb) => verb.settle(before),
            _ => match before.any() {
                Some(option) => usage(format_args!(
                    "{option} stands before a verb that neither reads stored dumps nor asks the daemon: leave it out"
                )),
                None => Ok(()),
            },
        }
    }
}

/// How a verb ended, where that is not a failure of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Done,
    NoMatch,
    Status(u8),
}

/// Runs the command line; failures go to stderr with what was being done.
pub fn main() -> ExitCode {
    offered::answer();
    let cli = match Cli::try_parse_from(with_two_dashes(std::env::args_os())) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    crate::host::helped_by(std::path::Path::new("/proc/self/exe"));
    logging::start(if matches!(cli.verb, Some(Verb::Serve(_))) { "info" } else { "warn" });
    if cli.no_pager {
        pager::forgo();
    }
    let mut verb = cli.verb.unwrap_or_else(|| Verb::List(list::List::all()));
    let ended = verb.settle(cli.given).and_then(|()| verb.run());
    match ended {
        Ok(End::Done) => ExitCode::SUCCESS,
        Ok(End::NoMatch) => ExitCode::from(1),
        Ok(End::Status(status)) => ExitCode::from(status),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("traceloop: {}", plain_lines(&format!("{error:#}")));
            ExitCode::from(1)
        }
    }
}

/// Whether a command line makes sense, or what is said to it; nothing is done.
pub fn understood(args: impl IntoIterator<Item = OsString>) -> Result<(), String> {
    Cli::try_parse_from(with_two_dashes(args.into_iter())).map(drop).map_err(|error| error.to_string())
}

/// The reader of our output has seen enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// The original took long options with one dash; they go on working, before the `--` of `run`.
fn with_two_dashes(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    const LONG: [&str; 4] = ["-dump-on-exit", "-format", "-buffer-size", "-output"];
    let mut ours = true;
    args.map(|arg| {
        ours &= arg != "--";
        let old = arg.to_str().filter(|arg| {
            ours && LONG
                .iter()
                .any(|long| arg.strip_prefix(long).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')))
        });
        match old {
            Some(old) => format!("-{old}").into(),
            None => arg,
        }
    })
    .collect()
}

/// Says something to the user that is not data.
fn say(text: impl std::fmt::Display) -> Result<()> {
    use io::Write;
    // At once: others may write to the same place.
    io::stderr().write_all(plain_lines(&format!("{text}\n")).as_bytes())?;
    Ok(())
}

/// Ends with the exit code of a mistake in the command line.
fn usage(what: impl std::fmt::Display) -> ! {
    use clap::CommandFactory;
    Cli::command().error(clap::error::ErrorKind::ValueValidation, what).exit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn single_dash_options_of_the_original() {
        let args = ["traceloop", "cgroups", "-dump-on-exit", "-s", "8", "--", "-dump-on-exit"];
        let parsed = with_two_dashes(args.iter().map(OsString::from));
        assert_eq!(parsed[2], "--dump-on-exit");
        assert_eq!(parsed[3], "-s");
        assert_eq!(parsed[6], "-dump-on-exit");
    }
}
