//! How a unit is recorded: what is kept of its calls, and the rules by which that differs from unit to unit.
//!
//! A `Profile` is whole: it holds for one unit. A `Rule` is what somebody has written: the units that it is for, and what
//! is to be different there. Of rules the first that fits a unit counts, whole: those behind it add nothing.
//! Knows calls and names of units; nothing of slots, files and who asks.

mod rule;
mod text;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use rule::{Rule, UnitRule};
pub use text::{Calls, Overhead, Time};

use crate::model::{Identity, Stacks};

/// How one unit is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Profile {
    /// Nothing is.
    pub off: bool,
    /// Bytes of a string or buffer that are kept.
    pub string_limit: u32,
    /// Whether it is kept what buffers hold.
    pub payload: bool,
    /// Which calls.
    #[serde(with = "text::as_text")]
    pub syscalls: Calls,
    /// Only calls that lasted at least so long.
    pub only_slower: Duration,
    /// Of which calls stacks are taken.
    #[serde(with = "text::as_text")]
    pub stacks: Stacks,
    /// Bytes of each of its rings; `None`: as all others.
    pub buffer_size: Option<usize>,
    /// How much of the CPU time that it uses itself recording may cost.
    #[serde(with = "text::as_text", default)]
    pub max_overhead: Overhead,
}

/// How much of a unit's calls is recorded, as far as that is not too dear; what its profile leaves out is left out in any
/// case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// All.
    #[default]
    All,
    /// No contents, and no stacks.
    NoContents,
    /// Only what `[history] keep` names.
    Kept,
    /// None: they are counted.
    Counts,
}

impl Level {
    /// Each, the dearest first.
    pub const EACH: [Self; 4] = [Self::All, Self::NoContents, Self::Kept, Self::Counts];

    /// What is left, in words.
    fn words(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::NoContents => Some("no contents of reads, writes and messages, and no stacks"),
            Self::Kept => Some("only calls that [history] keep names, and no contents"),
            Self::Counts => Some("no calls: they were counted, and starts and ends of processes and signals recorded"),
        }
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            off: false,
            string_limit: 32,
            payload: true,
            syscalls: Calls::default(),
            only_slower: Duration::ZERO,
            stacks: Stacks::None,
            buffer_size: None,
            max_overhead: Overhead::default(),
        }
    }
}

impl Profile {
    /// Whether calls are not recorded.
    pub fn misses_calls(&self, level: Level) -> bool {
        level >= Level::Kept || self.off || !self.syscalls.are_all() || !self.only_slower.is_zero()
    }

    /// What is recorded, in words, as far as it is not what is recorded where nothing is configured; empty: it is.
    pub fn words(&self, level: Level) -> String {
        if self.off {
            return "nothing".to_owned();
        }
        let usual = Self::default();
        let words = [
            (!self.syscalls.are_all()).then(|| format!("only the calls {}", self.syscalls)),
            (!self.only_slower.is_zero()).then(|| format!("only calls that lasted {:?} or more", self.only_slower)),
            (!self.payload && level == Level::All).then(|| "no contents of reads, writes and messages".to_owned()),
            (self.string_limit != usual.string_limit).then(|| format!("{} bytes of strings", self.string_limit)),
            (self.stacks != usual.stacks && level == Level::All)
                .then(|| format!("stacks of {}", of_which(self.stacks))),
            level.words().map(str::to_owned),
        ];
        words.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

fn of_which(stacks: Stacks) -> String {
    match stacks {
        Stacks::None => "no calls".to_owned(),
        Stacks::All => "all calls".to_owned(),
        Stacks::Failed => "failed calls".to_owned(),
        Stacks::Slower(least) => format!("calls that lasted {least:?} or more"),
    }
}

/// How each unit is recorded.
#[derive(Clone, Debug, Default)]
pub struct Profiles {
    /// Those that no rule is for.
    pub base: Profile,
    /// The others, by the first rule that fits.
    pub rules: Vec<UnitRule>,
}

impl Profiles {
    /// How a unit is recorded; `own`: what was asked for it alone, which comes before all rules.
    pub fn of(&self, identity: &Identity, own: Option<&Rule>) -> Profile {
        let rule = || self.rules.iter().find(|rule| rule.is_for(identity)).map(UnitRule::rule);
        own.or_else(rule).map_or_else(|| self.base.clone(), |rule| rule.onto(&self.base))
    }

    /// Every profile that there may be without being asked for.
    pub fn all(&self) -> impl Iterator<Item = Profile> {
        std::iter::once(self.base.clone()).chain(self.rules.iter().map(|rule| rule.rule().onto(&self.base)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Result<Vec<UnitRule>, toml::de::Error> {
        #[derive(Deserialize)]
        struct Rules {
            unit: Vec<UnitRule>,
        }
        toml::from_str::<Rules>(text).map(|rules| rules.unit)
    }

    fn unit(name: &str) -> Identity {
        Identity { cgroup: format!("/system.slice/{name}"), unit: Some(name.to_owned()), ..Identity::default() }
    }

    #[test]
    fn the_first_rule_that_fits_counts_whole() {
        let rules = rules(
            "[[unit]]\nmatch = [\"db.service\"]\nstring-limit = 64\n\
             [[unit]]\nmatch = [\"*.service\"]\npayload = false\nsyscalls = \"%file\"\nonly-slower = \"1.5ms\"",
        )
        .unwrap();
        let profiles = Profiles { base: Profile::default(), rules };
        let db = profiles.of(&unit("db.service"), None);
        assert_eq!((db.string_limit, db.payload, db.misses_calls(Level::All)), (64, true, false));
        assert_eq!(db.words(Level::All), "64 bytes of strings");
        let web = profiles.of(&unit("web.service"), None);
        assert_eq!(
            web.words(Level::All),
            "only the calls %file, only calls that lasted 1.5ms or more, no contents of reads, writes and messages"
        );
        assert!(web.misses_calls(Level::All));
        assert_eq!(profiles.of(&unit("a.scope"), None), Profile::default());
        assert_eq!(Profile::default().words(Level::All), "");
        let kept = web.words(Level::Kept);
        assert!(
            kept.contains("1.5ms") && kept.ends_with("only calls that [history] keep names, and no contents"),
            "{kept}"
        );
        assert!(Profile::default().misses_calls(Level::Kept) && !Profile::default().misses_calls(Level::NoContents));
        let own: Rule = toml::from_str("off = true").unwrap();
        let off = profiles.of(&unit("web.service"), Some(&own));
        assert!(off.off && off.misses_calls(Level::All) && off.words(Level::All) == "nothing");
    }

    #[test]
    fn a_profile_comes_back_as_it_was_written_down() {
        let rule: Rule = toml::from_str(
            "string-limit = 7\nsyscalls = \"!futex\"\nonly-slower = \"1.5ms\"\nstacks = \"duration>3s\"\nbuffer-size = \"1M\"\nmax-overhead = \"7%\"",
        )
        .unwrap();
        let text = serde_json::to_string(&rule).unwrap();
        let again: Rule = serde_json::from_str(&text).unwrap();
        assert_eq!(again.onto(&Profile::default()), rule.onto(&Profile::default()));
        let profile = rule.onto(&Profile::default());
        let text = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), profile);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_line() {
        for (text, words) in [
            ("[[unit]]\nmatch = []\noff = true", &["names no units"][..]),
            ("[[unit]]\noff = true", &["names no units"]),
            ("[[unit]]\nmatch = [\"a\"]", &["changes nothing"]),
            ("[[unit]]\nmatch = [\"[\"]\noff = true", &["line 2", "is no pattern"]),
            ("[[unit]]\nmatch = [\"#7\"]\noff = true", &["line 2", "#7"]),
            ("[[unit]]\nmatch = [\"a\"]\noff = true\npayload = false", &["off", "nothing else"]),
            ("[[unit]]\nmatch = [\"a\"]\noff = false", &["off"]),
            ("[[unit]]\nmatch = [\"a\"]\nstring-limit = 5000", &["line 3", "4096"]),
            ("[[unit]]\nmatch = [\"a\"]\nstrings = 5", &["line 3", "strings", "string-limit"]),
            ("[[unit]]\nmatch = [\"a\"]\nsyscalls = \"opennat\"", &["line 3", "opennat"]),
            ("[[unit]]\nmatch = [\"a\"]\nonly-slower = \"soon\"", &["line 3", "200ms"]),
            ("[[unit]]\nmatch = [\"a\"]\nstacks = \"some\"", &["line 3", "duration>TIME"]),
            ("[[unit]]\nmatch = [\"a\"]\nbuffer-size = \"4K\"", &["line 3", "too small"]),
            ("[[unit]]\nmatch = [\"a\"]\nmax-overhead = \"0%\"", &["line 3", "1%", "none"]),
        ] {
            let error = rules(text).unwrap_err().to_string();
            words.iter().for_each(|word| assert!(error.contains(word), "{text:?} is told as {error}"));
        }
    }
}
