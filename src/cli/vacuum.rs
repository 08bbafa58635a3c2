//! `traceloop vacuum`: old dumps make room.

use std::{collections::HashSet, io::Write, time::Duration};

use anyhow::{Result, bail};
use clap::Args;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde_json::json;

use super::{End, choosing::Choosing, stored::stdout};
use crate::{
    render::size,
    store::{self, Amount, Retention},
};

/// Remove old dumps until the rest keeps within limits
#[derive(Args, Debug)]
pub(super) struct Vacuum {
    /// All dumps together take at most this: 4G, or a share of the file system
    #[arg(long, value_name = "SIZE|PERCENT", value_parser = Amount::parse)]
    max_use: Option<Amount>,
    /// At least this stays free in the file system
    #[arg(long, value_name = "SIZE|PERCENT", value_parser = Amount::parse)]
    keep_free: Option<Amount>,
    /// No dump is older: 14d, 12h
    #[arg(long, value_name = "TIME", value_parser = age)]
    max_age: Option<Duration>,
    #[command(flatten)]
    pub(super) choosing: Choosing,
}

impl Vacuum {
    pub(super) fn run(self) -> Result<End> {
        let given = Retention { max_use: self.max_use, keep_free: self.keep_free, max_age: self.max_age };
        let nothing = Retention { max_use: None, keep_free: None, max_age: None };
        let retention = if given == nothing { Retention::default() } else { given };
        let Some((store, dumps)) = self.choosing.changeable("vacuum")? else { return Ok(End::NoMatch) };
        let only: HashSet<String> = dumps.iter().map(|entry| entry.id().to_owned()).collect();
        let only = (!self.choosing.is_all()).then_some(only);
        let removed = store.vacuum(&retention, store::Vacuum::Asked, only.as_ref())?;
        let mut out = stdout();
        for entry in &removed {
            if self.choosing.json.is_wanted() {
                let gone = json!({"id": entry.id(), "path": entry.path.to_string_lossy(), "size": entry.size});
                self.choosing.json.write(&mut out, &gone)?;
            } else {
                writeln!(out, "deleted {}", entry.path.display())?;
            }
        }
        out.flush()?;
        let freed = size(removed.iter().map(|entry| entry.used).sum());
        if !self.choosing.is_quiet() {
            let dumps = if removed.len() == 1 { "dump" } else { "dumps" };
            super::say(format_args!("deleted {} {dumps}, {freed}", removed.len()))?;
        }
        Ok(End::Done)
    }
}

/// `14d`, `2weeks`, `12h 30m`.
fn age(text: &str) -> Result<Duration> {
    let span = text.parse::<Span>().ok();
    let duration = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    match duration.filter(|duration| *duration >= SignedDuration::ZERO).and_then(|it| Duration::try_from(it).ok()) {
        Some(age) => Ok(age),
        None => bail!("an age is told as 14d, 2w, 12h; not {text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        assert_eq!(age("14d").unwrap(), Duration::from_secs(14 * 86400));
        assert_eq!(age("2w").unwrap(), Duration::from_secs(14 * 86400));
        assert_eq!(age("90m").unwrap(), Duration::from_secs(5400));
        assert!(age("x").is_err() && age("-1d").is_err() && age("7").is_err());
    }
}
