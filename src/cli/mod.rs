//! The command line: one file a verb, each turning arguments into calls of what lies below.

mod cgroups;
mod completions;
mod doctor;
mod explain;
mod manual;
mod output;
mod recording;
mod run;
mod selecting;
mod show;
mod signals;
mod styling;
mod summarizing;

use std::{
    ffi::OsString,
    io::{self, IsTerminal},
    process::ExitCode,
};

use anyhow::Result;
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// A flight recorder for system calls: always on, per cgroup, and it reads like strace.
#[derive(Debug, Parser)]
#[command(name = "traceloop", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Cgroups(cgroups::Cgroups),
    Run(run::Run),
    Show(show::Show),
    Doctor(doctor::Doctor),
    Explain(explain::Explain),
    Completions(completions::Completions),
    #[command(hide = true)]
    Manual(manual::Manual),
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
    let cli = match Cli::try_parse_from(with_two_dashes(std::env::args_os())) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(EnvFilter::try_from_env("TRACELOOP_LOG").unwrap_or_else(|_| EnvFilter::new("warn")))
        .without_time()
        .init();
    let ended = match cli.verb {
        Verb::Cgroups(verb) => verb.run(),
        Verb::Run(verb) => verb.run(),
        Verb::Show(verb) => verb.run(),
        Verb::Doctor(verb) => verb.run(),
        Verb::Explain(verb) => verb.run(),
        Verb::Completions(verb) => verb.run(),
        Verb::Manual(verb) => verb.run(),
    };
    match ended {
        Ok(End::Done) => ExitCode::SUCCESS,
        Ok(End::NoMatch) => ExitCode::from(1),
        Ok(End::Status(status)) => ExitCode::from(status),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("traceloop: {error:#}");
            ExitCode::from(1)
        }
    }
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
    writeln!(io::stderr(), "{text}")?;
    Ok(())
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
