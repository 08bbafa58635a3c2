//! A rule for calls as people write it: `openat=EACCES:/etc/*`, `fsync>200ms`, `connect=ECONNREFUSED>100/s`.

use std::{str::FromStr, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use globset::{GlobBuilder, GlobMatcher};
use nix::errno::Errno;

use crate::{
    kernel::{CallRule, End},
    model::{Call, Outcome, duration},
    syscall::{self, Abi},
};

/// So many rules there can be: the kernel side has a row for each ABI of each.
pub(super) const MOST: usize = 16;

/// Which calls make a dump.
#[derive(Clone, Debug)]
pub struct Rule {
    /// As it was written.
    pub text: String,
    /// The call's name.
    pub call: String,
    /// What about it.
    pub when: When,
    /// How often; `None`: each one.
    pub rate: Option<Rate>,
    native: Option<u16>,
    compat: Option<u16>,
    /// A path that one of its arguments has to match.
    path: Option<GlobMatcher>,
}

/// More than so many within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// So many are none too many.
    pub most: u32,
    /// The time.
    pub within: Duration,
}

/// Their times are kept until there are so many.
const RATE_MOST: u32 = 10_000;

/// What makes a call one of those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It failed so.
    Failed(i32),
    /// It lasted at least so long.
    Longer(Duration),
}

impl Rule {
    /// Whether it is for calls of this number.
    pub fn is_for(&self, nr: impl Into<i32>, compat: bool) -> bool {
        (if compat { self.compat } else { self.native }).map(i32::from) == Some(nr.into())
    }

    /// Whether a call may be meant, before it is decoded.
    pub fn may_fit(&self, nr: impl Into<i32>, compat: bool, ret: i64, took: Option<u64>) -> bool {
        self.is_for(nr, compat)
            && match self.when {
                When::Failed(errno) => ret == -i64::from(errno),
                When::Longer(least) => took.is_some_and(|took| u128::from(took) >= least.as_nanos()),
            }
    }

    /// Whether a call's paths decide.
    pub fn is_by_path(&self) -> bool {
        self.path.is_some()
    }

    /// For the kernel side: the rule without its path, by each ABI that has the call.
    pub fn kinds(&self) -> impl Iterator<Item = CallRule> {
        let end = match self.when {
            When::Failed(errno) => End::Failed(errno),
            When::Longer(least) => End::Longer(u64::try_from(least.as_nanos()).unwrap_or(u64::MAX)),
        };
        [(self.native, false), (self.compat, true)]
            .into_iter()
            .filter_map(move |(nr, compat)| Some(CallRule { nr: nr?, compat, end }))
    }

    /// Whether a decoded call is meant.
    pub fn fits(&self, call: &Call) -> bool {
        let when = match self.when {
            When::Failed(wanted) => matches!(call.outcome, Outcome::Failed { errno, .. } if errno == wanted),
            When::Longer(least) => call.duration.is_some_and(|took| u128::from(took) >= least.as_nanos()),
        };
        when && call.name() == self.call && self.path.as_ref().is_none_or(|path| has_path(call, path))
    }
}

/// The decoder tells the paths where its style asks for them.
fn has_path(call: &Call, path: &GlobMatcher) -> bool {
    call.paths.iter().any(|touched| path.is_match(&*String::from_utf8_lossy(touched)))
}

impl FromStr for Rule {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let whole = text;
        let doing = || {
            format!(
                "understand the rule {text:?} (as in openat=EACCES, openat=ENOENT:/etc/*, fsync>200ms, connect=ECONNREFUSED>100/s)"
            )
        };
        let parse = || -> Result<Self> {
            let (text, rate) = rate(text)?;
            let (call, when, path) = if let Some((call, rest)) = text.split_once('=') {
                let (errno, path) = rest.split_once(':').map_or((rest, None), |(errno, path)| (errno, Some(path)));
                (call, When::Failed(number(errno)?), path)
            } else if let Some((call, rest)) = text.split_once('>') {
                let (time, path) = rest.split_once(':').map_or((rest, None), |(time, path)| (time, Some(path)));
                (call, When::Longer(duration(time)?), path)
            } else {
                bail!("it has neither an errno nor a duration");
            };
            if syscall::find(call).is_none() {
                bail!("there is no system call {call:?}; `traceloop explain` lists them all");
            }
            let path = path.map(|path| GlobBuilder::new(path).literal_separator(true).build()).transpose()?;
            let path = path.map(|glob| glob.compile_matcher());
            let number = |compat| syscall::number(Abi::native(compat), call);
            let (native, compat) = (number(false), number(true));
            Ok(Self { text: whole.to_owned(), call: call.to_owned(), when, rate, native, compat, path })
        };
        parse().with_context(doing)
    }
}

/// What stands before `>100/s`, and that.
fn rate(text: &str) -> Result<(&str, Option<Rate>)> {
    let Some((rest, (count, unit))) =
        text.rsplit_once('>').and_then(|(rest, rate)| Some((rest, rate.split_once('/')?)))
    else {
        return Ok((text, None));
    };
    // Of `fsync>200ms:/var/*` the path has it.
    if count.is_empty() || !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok((text, None));
    }
    let within = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3600,
        _ => bail!("a rate is so many a time, as 100/s, 5/min or 1/h; not {count}/{unit}"),
    };
    let most = count.parse().ok().filter(|most| (1..=RATE_MOST).contains(most));
    let most = most.with_context(|| format!("a rate is 1 to {RATE_MOST}, not {count}"))?;
    ensure!(rest.contains(['=', '>']), "a rate is of calls that failed with an errno, or lasted");
    Ok((rest, Some(Rate { most, within: Duration::from_secs(within) })))
}

/// An errno's number, by its name.
fn number(name: &str) -> Result<i32> {
    /// Linux' largest errno is below that.
    const MOST: i32 = 256;
    let errno = (1..MOST).find(|errno| format!("{:?}", Errno::from_raw(*errno)) == name);
    errno.with_context(|| format!("there is no errno {name:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_as_people_write_them() {
        let rule: Rule = "openat=EACCES".parse().unwrap();
        assert_eq!((rule.call.as_str(), rule.when), ("openat", When::Failed(13)));
        let rule: Rule = "fsync>200ms".parse().unwrap();
        assert_eq!(rule.when, When::Longer(Duration::from_millis(200)));
        let nr = syscall::number(Abi::native(false), "fsync").unwrap();
        assert!(rule.may_fit(nr, false, 0, Some(200_000_000)) && !rule.may_fit(nr, false, 0, Some(199_999_999)));
        assert!(!rule.may_fit(nr + 1, false, 0, Some(200_000_000)) && !rule.may_fit(nr, false, 0, None));
        let rule: Rule = "openat=ENOENT:/etc/*".parse().unwrap();
        assert!(rule.path.unwrap().is_match("/etc/hosts"));
        let rule: Rule = "connect=ECONNREFUSED>100/s".parse().unwrap();
        let rate = |most, seconds| Some(Rate { most, within: Duration::from_secs(seconds) });
        assert_eq!(
            (rule.when, rule.rate, &*rule.text),
            (When::Failed(111), rate(100, 1), "connect=ECONNREFUSED>100/s")
        );
        let rule: Rule = "fsync>200ms:/var/*>5/min".parse().unwrap();
        assert!(rule.is_by_path() && rule.rate == rate(5, 60) && rule.when == When::Longer(Duration::from_millis(200)));
        assert_eq!("fsync>200ms:/var/5/s".parse::<Rule>().unwrap().rate, None);
        for wrong in ["fsync>5/s", "openat=EACCES>0/s", "openat=EACCES>5/d", "openat=EACCES>99999/s"] {
            assert!(wrong.parse::<Rule>().is_err(), "{wrong}");
        }
        for wrong in ["openat", "openat=", "openat=ENONSENSE", "opennat=EACCES", "fsync>x", "openat=EACCES:[", ""] {
            assert!(wrong.parse::<Rule>().is_err(), "{wrong}");
        }
    }
}
