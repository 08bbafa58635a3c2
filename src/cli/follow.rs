//! `traceloop follow TARGET`: calls as they happen, decoded here and not in the daemon.

use anyhow::{Result, bail};
use clap::Args;

use super::{
    End,
    daemon::{Daemon, only},
    following::Following,
    output::{Destination, Output},
    signals::{Request, Signals, runtime},
};
use crate::{
    control::{Client, News},
    decode::Style,
};

/// Print the calls of something as they happen, until SIGINT
#[derive(Args, Debug)]
pub(super) struct Follow {
    /// A unit, container, pod, cgroup path, process, #RECORDING
    #[arg(value_name = "TARGET")]
    target: String,
    /// Bytes of each string that are shown
    #[arg(short = 's', long, value_name = "N", default_value_t = 32)]
    string_limit: usize,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    daemon: Daemon,
}

impl Follow {
    pub(super) fn run(self) -> Result<End> {
        self.output.check_follow()?;
        let client = self.daemon.client();
        let mut destination = self.output.open()?;
        let style = self.output.style(self.string_limit);
        runtime()?.block_on(follow(&client, &self.target, style, &mut destination))?;
        Ok(End::Done)
    }
}

async fn follow(client: &Client, target: &str, style: Style, destination: &mut Destination<'_>) -> Result<()> {
    let mut signals = Signals::new()?;
    let track = only(client, target).await?;
    let mut stream = client.follow(track.id).await?;
    super::say(format_args!("following {}, #{}", track.target, track.id))?;
    let mut following: Option<Following> = None;
    loop {
        let next = tokio::select! {
            next = stream.next() => next?,
            request = signals.next() => match request {
                Request::End(_) => break,
                Request::Dump | Request::Child => continue,
            },
        };
        let Some((news, blocks)) = next else { bail!("the daemon has ended the stream: has it stopped?") };
        match news {
            News::Start { interfaces, generic_families, files, .. } => {
                let style = Style { interfaces, generic_families, ..style.clone() };
                following.insert(Following::new(style)).see_files(&files);
            }
            News::Records { until, clock_offset, missed, threads, modules, .. } => {
                destination.learn(&modules);
                let Some(following) = &mut following else { bail!("the daemon's stream has no beginning") };
                if missed {
                    super::say("traceloop: calls came faster than they were read; some are not shown")?;
                }
                following.step(until, clock_offset, blocks, &threads, destination)?;
            }
            News::End {} => {
                super::say(format_args!("traceloop: {} is no longer recorded", track.target))?;
                break;
            }
        }
    }
    following.map_or(Ok(()), |mut following| following.flush(destination))
}
