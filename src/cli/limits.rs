//! What died and has no dump, for the limits, and what is wrong with the recording: said beside lists, on stderr.

use std::time::Duration;

use super::{choosing::Choosing, health, signals::runtime};
use crate::{
    control::{Client, Limited},
    model::{Undumped, plain},
    render::date,
};

/// A list of stored dumps does not wait for a daemon that is busy.
const WITHIN: Duration = Duration::from_secs(2);

/// Says what the daemon that stores these dumps tells, if one is there and lets us ask.
pub(super) fn say(choosing: &Choosing) {
    if let (Some(client), Ok(runtime)) = (choosing.daemon(), runtime()) {
        runtime.block_on(say_of(&client));
    }
}

/// Says what a daemon tells.
pub(super) async fn say_of(client: &Client) {
    if let Ok(Ok(status)) = tokio::time::timeout(WITHIN, client.status()).await {
        for line in health::lines(&status).into_iter().chain(status.limited.iter().map(line)) {
            // Nobody who reads stderr is no reason to fail.
            let _ = super::say(format_args!("{line}"));
        }
    }
}

/// The lives without a dump among those that are meant, by the names that people use, as the daemon knows of them.
pub(super) fn undumped(choosing: &Choosing) -> Vec<(String, Undumped)> {
    let (Some(client), Ok(runtime)) = (choosing.daemon(), runtime()) else { return Vec::new() };
    let status = runtime.block_on(async { tokio::time::timeout(WITHIN, client.status()).await });
    let Ok(Ok(status)) = status else { return Vec::new() };
    let lives = status
        .limited
        .into_iter()
        .flat_map(|Limited { target, lives, .. }| lives.into_iter().map(move |life| (target.clone(), life)));
    lives.filter(|(_, life)| choosing.covers(life.ended)).collect()
}

fn line(limited: &Limited) -> String {
    let Limited { target, times, last, cause, limit, .. } = limited;
    let time = jiff::Timestamp::from_duration(jiff::SignedDuration::try_from_secs_f64(*last).unwrap_or_default());
    let last = date(time.unwrap_or_default());
    let often = if *times == 1 { "once".to_owned() } else { format!("{times} times") };
    let (target, cause) = (plain(target), plain(cause));
    format!("# {target} died {often} more without a dump, for the limit {limit}; the last time {last}: {cause}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each() {
        let cause = "a[7] was killed by SIGSEGV".to_owned();
        let (target, limit) = ("a.service".to_owned(), "burst".to_owned());
        let text = line(&Limited { target, times: 12, cause, limit, last: 1.8e9, since: 1.7e9, lives: Vec::new() });
        assert!(
            text.starts_with(
                "# a.service died 12 times more without a dump, for the limit burst; the last time Fri 2027-01-15 "
            ),
            "{text}"
        );
        assert!(text.ends_with(": a[7] was killed by SIGSEGV"), "{text}");
        assert!(line(&Limited { times: 1, ..Limited::default() }).contains(" died once more without "));
    }
}
