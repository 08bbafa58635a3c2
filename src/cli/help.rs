//! `traceloop help [VERB|TOPIC]`: the help of a verb, or a page in prose.

use std::io::{self, Write};

use anyhow::{Context, Result, bail};
use clap::{Args, CommandFactory};

use super::{
    Cli, End, pager,
    topic::{TOPICS, Topic},
};

/// Print the help of a verb, or a page about a topic
#[derive(Args, Debug)]
#[command(after_help = topics())]
pub(super) struct Help {
    /// A verb or a topic
    #[arg(value_name = "VERB|TOPIC")]
    what: Option<String>,
}

impl Help {
    pub(super) fn run(self) -> Result<End> {
        let mut cli = Cli::command();
        let Some(what) = self.what else {
            return print(&format!("{}\n{}\n", cli.render_help(), topics()));
        };
        cli.build();
        if let Some(verb) = cli.find_subcommand_mut(&what) {
            return print(&verb.render_long_help().to_string());
        }
        let Some(topic) = Topic::of(&what) else {
            bail!("there is no verb and no topic {what:?}; `traceloop help` lists them");
        };
        print(topic.text)
    }
}

/// What a line of the list says of each.
pub(super) fn topics() -> String {
    let lines = TOPICS.iter().map(|topic| format!("  {:12} {}\n", topic.name, topic.about()));
    format!("Topics (`traceloop help TOPIC`):\n{}", lines.collect::<String>().trim_end())
}

fn print(text: &str) -> Result<End> {
    match pager::start() {
        Some(mut pager) => pager.write_all(text.as_bytes()),
        None => io::stdout().write_all(text.as_bytes()),
    }
    .context("print the help")?;
    Ok(End::Done)
}
