//! `traceloop manual DIRECTORY`, hidden: the man pages, of verbs from the same definition as the help, of topics from
//! their text. Packages are built with it.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::{Args, CommandFactory};

use super::{Cli, End, topic};

/// Write the man pages into a directory: traceloop(1), one for each verb, and one for each topic
#[derive(Args, Debug)]
pub(super) struct Manual {
    /// Where to; it is made where it is missing
    #[arg(value_name = "DIRECTORY")]
    directory: PathBuf,
}

impl Manual {
    pub(super) fn run(self) -> Result<End> {
        let to = self.directory;
        fs::create_dir_all(&to).with_context(|| format!("make the directory {}", to.display()))?;
        clap_mangen::generate_to(Cli::command(), &to)
            .with_context(|| format!("write the man pages into {}", to.display()))?;
        for topic in topic::TOPICS {
            let file = to.join(topic.file);
            fs::write(&file, topic::page(topic)).with_context(|| format!("write {}", file.display()))?;
        }
        Ok(End::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_a_page() {
        let to = tempfile::tempdir().unwrap();
        Manual { directory: to.path().join("man") }.run().unwrap();
        for verb in Cli::command().get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let page = to.path().join("man").join(format!("traceloop-{}.1", verb.get_name()));
            assert!(fs::read_to_string(&page).unwrap().contains(".SH NAME"), "{}", page.display());
        }
    }
}
