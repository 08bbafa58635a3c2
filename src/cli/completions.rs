//! `traceloop completions SHELL`: what a shell needs to complete our verbs and options, from the
//! same definition as the help.

use std::io::{self, Write};

use anyhow::{Context, Result};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, End};

/// Print the completions for a shell, to be sourced or installed
#[derive(Args, Debug)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<End> {
        // Into memory first: a reader that has seen enough is no panic.
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "traceloop", &mut text);
        io::stdout().write_all(&text).context("print the completions")?;
        Ok(End::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_knows_every_verb() {
        let command = Cli::command();
        let shown: Vec<_> = command.get_subcommands().filter(|verb| !verb.is_hide_set()).collect();
        assert!(shown.len() > 4);
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "traceloop", &mut text);
            let text = String::from_utf8(text).unwrap();
            for verb in &shown {
                assert!(text.contains(verb.get_name()), "{shell} does not know {}", verb.get_name());
            }
        }
    }
}
