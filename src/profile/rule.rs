//! What somebody has written: which units, and what is to be different there.

use anyhow::{Result, ensure};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    Calls, Overhead, Profile,
    text::{Time, as_some_text},
};
use crate::{
    identity::Target,
    model::{Identity, Stacks, size_from},
    wire,
};

/// What is to be different. Without units it is for one that is named elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Rule {
    #[serde(rename = "match", skip_serializing_if = "Units::is_empty")]
    units: Units,
    /// Bytes of each string and buffer.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "string_limit")]
    pub string_limit: Option<u32>,
    /// Whether it is kept what buffers hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<bool>,
    /// Only these calls.
    #[serde(skip_serializing_if = "Option::is_none", with = "as_some_text")]
    pub syscalls: Option<Calls>,
    /// Only calls that lasted at least so long.
    #[serde(skip_serializing_if = "Option::is_none", with = "as_some_text")]
    pub only_slower: Option<Time>,
    /// Of which calls stacks are taken.
    #[serde(skip_serializing_if = "Option::is_none", with = "as_some_text")]
    pub stacks: Option<Stacks>,
    /// Bytes of each ring.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "buffer_size")]
    pub buffer_size: Option<usize>,
    /// How much of its own CPU time recording may cost.
    #[serde(skip_serializing_if = "Option::is_none", with = "as_some_text")]
    pub max_overhead: Option<Overhead>,
    /// Nothing is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub off: Option<bool>,
}

impl Rule {
    /// That, and what is as it is for all else.
    pub fn onto(&self, base: &Profile) -> Profile {
        Profile {
            off: self.off.unwrap_or(base.off),
            string_limit: self.string_limit.unwrap_or(base.string_limit),
            payload: self.payload.unwrap_or(base.payload),
            syscalls: self.syscalls.clone().unwrap_or_else(|| base.syscalls.clone()),
            only_slower: self.only_slower.as_ref().map_or(base.only_slower, Time::length),
            stacks: self.stacks.unwrap_or(base.stacks),
            buffer_size: self.buffer_size.or(base.buffer_size),
            max_overhead: self.max_overhead.unwrap_or(base.max_overhead),
        }
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self { units: self.units.clone(), ..Self::default() }
    }

    /// Refuses what makes no sense of one unit.
    pub fn check(&self) -> Result<()> {
        ensure!(
            !self.is_empty(),
            "it changes nothing: string-limit, payload, syscalls, only-slower, stacks, buffer-size, max-overhead or off"
        );
        let off = Self { off: Some(true), units: self.units.clone(), ..Self::default() };
        ensure!(
            self.off.is_none() || *self == off,
            "`off = true` stands alone: of what is off, nothing else can be said"
        );
        Ok(())
    }

    /// The same of one that names no units itself.
    pub fn check_own(&self) -> Result<()> {
        ensure!(self.units.is_empty(), "`match` stands in the configuration only");
        self.check()
    }
}

/// A rule with the units that it is for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Rule")]
pub struct UnitRule(Rule);

impl UnitRule {
    /// Whether it is for this one.
    pub fn is_for(&self, identity: &Identity) -> bool {
        self.0.units.0.iter().any(|target| identity.matches(target))
    }

    /// What it says.
    pub fn rule(&self) -> &Rule {
        &self.0
    }
}

impl TryFrom<Rule> for UnitRule {
    type Error = anyhow::Error;

    fn try_from(rule: Rule) -> Result<Self> {
        ensure!(
            !rule.units.is_empty(),
            "a rule of [[record.unit]] names no units: match = [\"db.service\", \"/kubepods/*\"]"
        );
        rule.check()?;
        Ok(Self(rule))
    }
}

/// Names of units, as a command's TARGET.
#[derive(Clone, Debug, Default)]
struct Units(Vec<Target>);

impl Units {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Units {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().map(Target::text).eq(other.0.iter().map(Target::text))
    }
}

impl Eq for Units {}

impl Serialize for Units {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(Target::text))
    }
}

impl<'de> Deserialize<'de> for Units {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let target = |text: String| {
            let target = Target::parse(&text)?;
            ensure!(target.ring().is_none(), "{text} is the number of a recording: name the unit");
            Ok(target)
        };
        let texts = Vec::<String>::deserialize(from)?;
        let targets = texts.into_iter().map(target).collect::<Result<_>>();
        targets.map(Self).map_err(|error| de::Error::custom(format!("{error:#}")))
    }
}

/// Strings are kept no longer.
const STRING_MOST: u32 = 4096;

fn string_limit<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let limit = u32::deserialize(from)?;
    if limit > STRING_MOST {
        return Err(de::Error::custom(format!("string-limit is {STRING_MOST} at most")));
    }
    Ok(Some(limit))
}

fn buffer_size<'de, D: Deserializer<'de>>(from: D) -> Result<Option<usize>, D::Error> {
    let size = size_from(from)?;
    let least = (2 * wire::SAMPLE_MOST).next_power_of_two();
    if size < least {
        return Err(de::Error::custom(format!("a ring of {size} bytes is too small: the least is {}K", least >> 10)));
    }
    Ok(Some(size.next_power_of_two()))
}
