//! The door: parse, run, print the error chain, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    traceloop::cli::main()
}
