//! `kubectl traceloop`: the recorder of the node on which a pod runs, found and asked.
//!
//! kubectl itself is the client of the API server: whatever contexts, credentials, proxies and versions it knows are
//! right here, too, and this program has none of its own. It finds the pod's node (`cluster`), runs the recorder's own
//! traceloop there, and passes on what that says and how it ends. Where the pod is gone, or none is named, all nodes are
//! asked at once with a deadline (`gather`); one that does not answer costs its own dumps only, and is named.

mod arguments;
mod cluster;
mod gather;
mod process;
mod refusal;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

/// How it ended; the numbers are the exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Done.
    Done,
    /// Nothing matches, or it failed.
    Failed,
    /// What is printed may lack what is on a node that did not answer.
    InPart,
    /// What the node's traceloop, or kubectl, ended with.
    Theirs(u8),
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        Self::from(match end {
            End::Done => 0,
            End::Failed => 1,
            End::InPart => 3,
            End::Theirs(code) => code,
        })
    }
}

fn main() -> ExitCode {
    // As `kubectl` shows it.
    let arguments = arguments::Arguments::parse();
    match verbs::run(&arguments) {
        Ok(end) => end.into(),
        Err(error) => {
            eprintln!("kubectl traceloop: {error:#}");
            End::Failed.into()
        }
    }
}
