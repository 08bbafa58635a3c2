//! `traceloop follow TARGET`: calls as they happen, decoded here and not in the daemon. What the target comes to mean
//! later (a unit that is started again, a new one of a slice) is followed from its first call; where there are several
//! cgroups, each line tells whose it is.

use std::future::pending;

use anyhow::{Result, bail};
use clap::Args;
use tokio::sync::oneshot;

use super::{
    End,
    following::Following,
    output::Destination,
    recorded::Recorded,
    signals::{Request, Signals, runtime},
};
use crate::{
    control::{Followed, News, Refused},
    decode::Style,
};

/// Print the calls of something as they happen, until SIGINT
#[derive(Args, Debug)]
pub(super) struct Follow {
    #[command(flatten)]
    pub(super) recorded: Recorded,
    /// Wait for it where nothing is recorded yet that is called so: its calls are printed from the first one on
    #[arg(long)]
    wait: bool,
    /// End when standard input ends, too: for who runs this over a connection that may go away
    #[arg(long)]
    while_stdin: bool,
}

impl Follow {
    pub(super) fn run(self) -> Result<End> {
        let output = &self.recorded.output;
        output.check_follow("traceloop dump takes it");
        let mut destination = output.open()?;
        runtime()?.block_on(self.follow(&mut destination))?;
        destination.end_following()?;
        Ok(End::Done)
    }

    async fn follow(&self, destination: &mut Destination<'_>) -> Result<()> {
        let recorded = &self.recorded;
        let mut signals = Signals::new()?;
        let (client, style) = (recorded.client(), recorded.style());
        let target = &recorded.target;
        let mut stream = match client.follow(target, recorded.output.slower(), self.wait).await {
            Err(error) if error.downcast_ref::<Refused>().is_some_and(Refused::is_unknown) => {
                bail!("{error}; --wait waits for what is not there yet");
            }
            stream => stream?,
        };
        let mut following: Option<Following> = None;
        let mut stdin = self.while_stdin.then(end_of_stdin);
        loop {
            let next = tokio::select! {
                next = stream.next() => next?,
                request = signals.next() => match request {
                    Request::End(_) => break,
                    Request::Dump | Request::Child => continue,
                },
                () = ended(stdin.as_mut()) => break,
            };
            let Some((news, blocks)) = next else { bail!("the daemon has ended the stream: has it stopped?") };
            match news {
                News::Start { interfaces, generic_families, cgroups } => {
                    let style = Style { interfaces, generic_families, ..style.clone() };
                    let following = following.insert(Following::new(style));
                    if cgroups.is_empty() {
                        super::say(format_args!("waiting for {target}"))?;
                    }
                    cgroups.iter().try_for_each(|cgroup| join(following, cgroup))?;
                }
                News::Records { until, clock_offset, missed, joined, modules, parts } => {
                    destination.learn(&modules);
                    let Some(following) = &mut following else { bail!("the daemon's stream has no beginning") };
                    if missed {
                        super::say("traceloop: calls came faster than they were read; some are not shown")?;
                    }
                    joined.iter().try_for_each(|cgroup| join(following, cgroup))?;
                    let mut blocks = blocks.into_iter();
                    for part in parts {
                        following.take_in(part.whose, &part.threads, blocks.by_ref().take(part.blocks.len()));
                    }
                    following.step(until, clock_offset, destination)?;
                }
                News::End {} => {
                    super::say(format_args!("traceloop: {target} is no longer recorded"))?;
                    break;
                }
            }
        }
        following.map_or(Ok(()), |mut following| following.flush(destination))
    }
}

/// Comes when standard input is at its end.
fn end_of_stdin() -> oneshot::Receiver<()> {
    let (end, ended) = oneshot::channel();
    std::thread::spawn(move || {
        // An input that cannot be read has ended as well.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        drop(end);
    });
    ended
}

async fn ended(stdin: Option<&mut oneshot::Receiver<()>>) {
    match stdin {
        Some(stdin) => drop(stdin.await),
        None => pending().await,
    }
}

fn join(following: &mut Following, cgroup: &Followed) -> Result<()> {
    let name = cgroup.identity.to_string();
    super::say(format_args!("following {name}"))?;
    following.join(name, &cgroup.files, cgroup.networks.clone());
    Ok(())
}
