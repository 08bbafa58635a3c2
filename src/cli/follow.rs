//! `traceloop follow TARGET`: calls as they happen, decoded here and not in the daemon.

use anyhow::{Result, bail};
use clap::Args;

use super::{
    End,
    daemon::{Recorded, only},
    following::Following,
    output::Destination,
    signals::{Request, Signals, runtime},
};
use crate::{control::News, decode::Style};

/// Print the calls of something as they happen, until SIGINT
#[derive(Args, Debug)]
pub(super) struct Follow {
    #[command(flatten)]
    recorded: Recorded,
}

impl Follow {
    pub(super) fn run(self) -> Result<End> {
        let output = &self.recorded.output;
        output.check_follow()?;
        let mut destination = output.open()?;
        runtime()?.block_on(follow(&self.recorded, &mut destination))?;
        Ok(End::Done)
    }
}

async fn follow(recorded: &Recorded, destination: &mut Destination<'_>) -> Result<()> {
    let mut signals = Signals::new()?;
    let (client, style) = (recorded.client(), recorded.style());
    let track = only(&client, &recorded.target).await?;
    let mut stream = client.follow(track.id, recorded.output.slower()).await?;
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
