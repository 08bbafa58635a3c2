//! Which stored dumps are given up, and when: the one policy.
//!
//! Oldest first, dumps go while they are older than `max_age`, while all together take more of the disk
//! than `max_use`, or while the file system has less free than `keep_free`. A dump that was just written
//! is never given up for it, though it alone be too large. Two processes that do this at once wait for
//! each other, so that neither gives up more than is needed.
//!
//! Mostly it is others that fill a disk. What giving up dumps cannot cure is not tried: where the dumps do not take
//! what is missing, the store does not grow, and that is all. A little it may always hold.

use std::{collections::HashSet, fmt, fs::File, time::Duration};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use nix::{
    fcntl::{Flock, FlockArg, OFlag, openat},
    sys::{stat::Mode, statvfs::fstatvfs},
};
use serde::{Deserialize, Serialize};

use super::{
    directory::{Entry, Store},
    save::Saved,
    trouble::Trouble,
};
use crate::model::Recording;

/// How much of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Amount {
    /// So many bytes.
    Bytes(u64),
    /// So much of its size, percent.
    Percent(u8),
}

/// When stored dumps are given up. `None`: not for this reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// All dumps together take at most this.
    pub max_use: Option<Amount>,
    /// At least this stays free in the file system.
    pub keep_free: Option<Amount>,
    /// No dump gets older.
    pub max_age: Option<Duration>,
}

impl Default for Retention {
    /// journald's and coredumpctl's shares; no age.
    fn default() -> Self {
        Self { max_use: Some(Amount::Percent(10)), keep_free: Some(Amount::Percent(15)), max_age: None }
    }
}

/// A file system's state, bytes.
#[derive(Clone, Copy, Debug)]
struct Space {
    size: u64,
    free: u64,
}

impl Retention {
    /// The dumps to give up of `entries` (oldest first), which are on a file system with this space.
    fn victims<'a>(&self, entries: &'a [Entry], space: Space, now: Timestamp, why: Vacuum<'_>) -> Vec<&'a Entry> {
        let most = self.max_use.map_or(u64::MAX, |amount| amount.of(space.size));
        let least_free = self.keep_free.map_or(0, |amount| amount.of(space.size));
        let mut used: u64 = entries.iter().map(|entry| entry.used).sum();
        let missing = least_free.saturating_sub(space.free);
        let (least_used, to_free) = match why {
            Vacuum::Asked => (0, missing),
            Vacuum::Grown { by, .. } => {
                let little = LITTLE.min(space.size / LITTLE_OF);
                let cures = used.saturating_sub(little) >= missing;
                (little, if cures { missing } else { by.min(missing) })
            }
        };
        let keep = if let Vacuum::Grown { keep, .. } = why { keep } else { "" };
        let mut freed = 0;
        let mut victims = Vec::new();
        for entry in entries.iter().filter(|entry| entry.id() != keep) {
            let age = Duration::try_from(now.duration_since(entry.name.time)).unwrap_or_default();
            let frees = freed < to_free && used > least_used;
            if used > most || frees || self.max_age.is_some_and(|most| age > most) {
                used -= entry.used;
                freed = freed.saturating_add(entry.used);
                victims.push(entry);
            }
        }
        victims
    }
}

/// The store may hold that much, or that part of the file system, however full that is.
const LITTLE: u64 = 16 << 20;
const LITTLE_OF: u64 = 200;

/// Why dumps are given up.
#[derive(Clone, Copy, Debug)]
pub enum Vacuum<'a> {
    /// Somebody asked for it, and gets it.
    Asked,
    /// The store has grown, or is about to.
    Grown {
        /// By so many bytes.
        by: u64,
        /// The id of the dump by which it has; "": it is not there yet.
        keep: &'a str,
    },
}

/// What storing a dump under a policy did.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The dump.
    pub saved: Saved,
    /// What was given up for it.
    pub given_up: Vec<Entry>,
}

impl Store {
    /// Stores a dump and gives up what the policy then wants given up. Where there is no room for it,
    /// the policy is asked first.
    pub fn keep(&self, recording: &Recording, retention: &Retention) -> Result<Kept> {
        let mut given_up = Vec::new();
        let saved = match self.save(recording) {
            Err(error) if error.downcast_ref().is_some_and(Trouble::is_full) => {
                let by = recording.blocks.iter().map(|block| block.plain_length() as u64).sum();
                given_up = self.vacuum(retention, Vacuum::Grown { by, keep: "" }, None)?;
                if given_up.is_empty() {
                    return Err(error);
                }
                self.save(recording)?
            }
            result => result?,
        };
        match self.vacuum(retention, Vacuum::Grown { by: saved.size, keep: &saved.id }, None) {
            Ok(more) => given_up.extend(more),
            // The dump is there; what should have gone will go next time.
            Err(error) => tracing::warn!(error = %format!("{error:#}"), "old dumps stay"),
        }
        Ok(Kept { saved, given_up })
    }

    /// Gives up what the policy wants given up. `only`: as if no other dumps were there. What cannot be removed does not keep the others from it.
    pub fn vacuum(&self, retention: &Retention, why: Vacuum<'_>, only: Option<&HashSet<String>>) -> Result<Vec<Entry>> {
        let doing = || format!("make room in {}", self.path().display());
        let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let own = openat(self, ".", flags, Mode::empty()).with_context(doing)?;
        let lock = Flock::lock(File::from(own), FlockArg::LockExclusive).map_err(|(_, errno)| errno);
        let _lock = lock.with_context(doing)?;
        let system = fstatvfs(self).with_context(doing)?;
        let space = Space {
            size: system.blocks() * system.fragment_size(),
            free: system.blocks_available() * system.fragment_size(),
        };
        let mut entries = self.entries()?;
        if let Some(only) = only {
            entries.retain(|entry| only.contains(entry.id()));
        }
        let mut removed = Vec::new();
        let mut failed = None;
        for entry in retention.victims(&entries, space, Timestamp::now(), why) {
            match self.remove(entry) {
                Ok(true) => {
                    tracing::info!(id = entry.id(), of = entry.name.owner, bytes = entry.size, "a dump is given up");
                    removed.push(entry.clone());
                }
                Ok(false) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if !removed.is_empty() {
            self.sync()?;
        }
        match failed {
            Some(error) if removed.is_empty() => Err(error),
            Some(error) => {
                tracing::warn!(error = %format!("{error:#}"), "some dumps could not be removed");
                Ok(removed)
            }
            None => Ok(removed),
        }
    }
}

impl Amount {
    /// `4G`, `512M`, `10%`.
    pub fn parse(text: &str) -> Result<Self> {
        if let Some(percent) = text.strip_suffix('%') {
            return match percent.trim().parse() {
                Ok(percent @ 0..=100) => Ok(Self::Percent(percent)),
                _ => bail!("a share is told as 10%, not {text:?}"),
            };
        }
        let bare = text.trim().trim_end_matches(['B', 'b']).trim_end_matches('i');
        let units = [(['K', 'k'], 10), (['M', 'm'], 20), (['G', 'g'], 30), (['T', 't'], 40)];
        let unit = units.iter().find_map(|(unit, shift)| bare.strip_suffix(unit).map(|number| (number, *shift)));
        let (number, shift) = unit.unwrap_or((bare, 0));
        match number.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift)) {
            Some(bytes) => Ok(Self::Bytes(bytes)),
            None => bail!("a size is told as 512M, 4G or 10%, not {text:?}"),
        }
    }

    fn of(self, whole: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => whole / 100 * u64::from(percent),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{bytes}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl TryFrom<String> for Amount {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Name;

    const MIB: u64 = 1 << 20;
    const ROOMY: Space = Space { size: 1000 * MIB, free: 900 * MIB };
    const NOTHING: Retention = Retention { max_use: None, keep_free: None, max_age: None };

    /// Dumps of so many MiB; the first is as many days old as there are dumps, the last one day.
    fn entries(sizes: &[u64]) -> Vec<Entry> {
        let day = |n: usize| now() - Duration::from_secs(86400 * (sizes.len() - n) as u64);
        let entry =
            |(n, size): (usize, &u64)| Entry::pretended(Name::pretended(day(n), &format!("{n:012x}")), size * MIB);
        sizes.iter().enumerate().map(entry).collect()
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn given_up(retention: Retention, entries: &[Entry], space: Space, keep: &str) -> Vec<usize> {
        let why = if keep.is_empty() {
            Vacuum::Asked
        } else {
            let by = entries.iter().find(|entry| entry.id() == keep).map_or(0, |entry| entry.used);
            Vacuum::Grown { by, keep }
        };
        let ids = retention.victims(entries, space, now(), why).into_iter().map(|entry| entry.id().to_owned());
        ids.map(|id| usize::from_str_radix(&id, 16).unwrap()).collect()
    }

    #[test]
    fn the_oldest_go_until_the_rest_fits() {
        let all = entries(&[10, 20, 30]);
        let most = |bytes| Retention { max_use: Some(Amount::Bytes(bytes)), ..NOTHING };
        assert_eq!(given_up(most(60 * MIB), &all, ROOMY, ""), [0_usize; 0]);
        assert_eq!(given_up(most(59 * MIB), &all, ROOMY, ""), [0]);
        assert_eq!(given_up(most(49 * MIB), &all, ROOMY, ""), [0, 1]);
        assert_eq!(given_up(most(0), &all, ROOMY, ""), [0, 1, 2]);
        let percent = Retention { max_use: Some(Amount::Percent(4)), ..NOTHING };
        assert_eq!(given_up(percent, &all, ROOMY, ""), [0, 1]);
    }

    #[test]
    fn free_space_is_kept_free() {
        let all = entries(&[10, 20, 30]);
        let free = |bytes| Retention { keep_free: Some(Amount::Bytes(bytes)), ..NOTHING };
        assert_eq!(given_up(free(900 * MIB), &all, ROOMY, ""), [0_usize; 0]);
        assert_eq!(given_up(free(901 * MIB), &all, ROOMY, ""), [0]);
        assert_eq!(given_up(free(930 * MIB), &all, ROOMY, ""), [0, 1]);
    }

    #[test]
    fn age_counts_alone() {
        let all = entries(&[1, 1, 1]);
        let age = Retention { max_age: Some(Duration::from_secs(86400 * 2)), ..NOTHING };
        assert_eq!(given_up(age, &all, ROOMY, ""), [0]);
        assert_eq!(given_up(NOTHING, &all, ROOMY, ""), [0_usize; 0]);
    }

    #[test]
    fn the_dump_just_written_is_never_the_victim() {
        let all = entries(&[10, 20, 3000]);
        let full = Space { size: 1000 * MIB, free: 0 };
        assert_eq!(given_up(Retention::default(), &all, full, "000000000002"), [0, 1]);
    }

    #[test]
    fn what_giving_up_dumps_cannot_cure_costs_none() {
        let new = |n: usize| format!("{:012x}", n - 1);
        // 86 % of 100 GB are others', and 15 % are to stay free: dumps of 5 MiB in all are not the trouble.
        let disk = Space { size: 100_000 * MIB, free: 14_000 * MIB };
        assert_eq!(given_up(Retention::default(), &entries(&[1, 1, 1, 1, 1]), disk, &new(5)), [0_usize; 0]);
        // Nor does a large store that is not the trouble grow.
        let large = entries(&[200, 200, 200, 200]);
        assert_eq!(given_up(Retention::default(), &large, disk, &new(4)), [0]);
        // Where they are the trouble, they go.
        let most = Space { free: 14_700 * MIB, ..disk };
        assert_eq!(given_up(Retention::default(), &large, most, &new(4)), [0, 1]);
        // Whoever asks for it gets it.
        assert_eq!(given_up(Retention::default(), &entries(&[1, 1]), disk, ""), [0, 1]);
    }

    #[test]
    fn amounts() {
        assert_eq!(Amount::parse("4G").unwrap(), Amount::Bytes(4 << 30));
        assert_eq!(Amount::parse("512MiB").unwrap(), Amount::Bytes(512 << 20));
        assert_eq!(Amount::parse("0").unwrap(), Amount::Bytes(0));
        assert_eq!(Amount::parse("10%").unwrap(), Amount::Percent(10));
        for wrong in ["", "x", "-1", "101%", "%", "99999999T", "1.5G"] {
            assert!(Amount::parse(wrong).is_err(), "{wrong}");
        }
    }
}
