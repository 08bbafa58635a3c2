//! What is taken out of records before they leave the recorder: to the disk, to clients, to the journal.
//!
//! Rules are the configuration's. Records stay records: what a rule names is written over by `<redacted>`, contents
//! that are not to be kept lose their pieces, and a dump says that it was done. What the rings hold is not changed.
//! Knows records and the table of calls; nothing of sockets, files and who asks.

mod option;
mod pattern;
mod record;
mod role;
mod user;

use anyhow::Result;
use serde::Deserialize;

pub use pattern::Patterns;
pub use user::of_user;

use crate::{
    cgroup::Rules,
    model::{Block, Files, Module, Recording},
    wire,
};

/// How much of the contents of reads, writes and messages is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// Nothing.
    None,
    /// The first 32 bytes of each.
    Head,
    /// All that was recorded.
    Full,
}

/// Bytes of contents that `Payload::Head` keeps.
const HEAD: usize = 32;

impl Payload {
    /// What is not kept, in words; nothing of `Full`.
    fn words(self) -> Option<String> {
        match self {
            Self::None => Some("the contents of reads, writes and messages are not kept".to_owned()),
            Self::Head => Some(format!("of contents, {HEAD} bytes are kept")),
            Self::Full => None,
        }
    }
}

/// What is taken out. The default is nothing.
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    payload: Vec<(Rules, Payload)>,
    patterns: Patterns,
}

impl Redaction {
    /// Rules for cgroups, of which the first that fits counts, and patterns for all.
    pub fn new(payload: impl IntoIterator<Item = (Vec<String>, Payload)>, patterns: Patterns) -> Result<Self> {
        let rule = |(units, payload): (Vec<String>, Payload)| Ok((Rules::new(&units, &[])?, payload));
        Ok(Self { payload: payload.into_iter().map(rule).collect::<Result<_>>()?, patterns })
    }

    /// How much of a cgroup's contents is kept.
    pub fn payload_of(&self, cgroup: &str) -> Payload {
        self.payload.iter().find(|(rules, _)| rules.wants(cgroup)).map_or(Payload::Full, |(_, payload)| *payload)
    }

    fn is_needed(&self, payload: Payload) -> bool {
        payload != Payload::Full || !self.patterns.is_empty()
    }

    /// A recording without what the rules name; it says so.
    pub fn apply(&self, mut recording: Recording) -> Recording {
        let payloads: Vec<_> = recording.dump.identities.iter().map(|of| self.payload_of(&of.cgroup)).collect();
        // Where blocks do not tell whose they are, the strictest rule counts.
        let strictest = payloads.iter().copied().min_by_key(|payload| *payload as u8).unwrap_or(Payload::Full);
        if !self.is_needed(strictest) {
            return recording;
        }
        let several = !recording.dump.each.is_empty();
        let mut count = 0;
        for block in &mut recording.blocks {
            let own = payloads.get(usize::from(block.whose)).filter(|_| several);
            let own = *own.unwrap_or(&strictest);
            // What cannot be unpacked cannot be looked at: nothing of it may leave.
            let bytes = block.plain().map_or_else(|_| Vec::new(), |bytes| self.block(&bytes, own, &mut count));
            *block = Block { thinned: block.thinned, ..Block::of(block.cpu, block.whose, bytes) };
        }
        let dump = &mut recording.dump;
        count += self.patterns.files(&mut dump.files) + self.patterns.files(&mut dump.files_before);
        count += self.patterns.modules(&mut dump.modules);
        for payload in [Payload::None, Payload::Head] {
            let Some(words) = payload.words().filter(|_| payloads.contains(&payload)) else { continue };
            let whose = dump.identities.iter().zip(&payloads).filter(|(_, own)| **own == payload);
            let names: Vec<_> = whose.map(|(identity, _)| identity.to_string()).collect();
            match (several, payload == strictest) {
                (true, _) => dump.redacted.push(format!("{words}: {}", names.join(", "))),
                (false, true) => dump.redacted.push(words),
                (false, false) => {}
            }
        }
        if count > 0 {
            dump.redacted.push(format!("{count} values are shown as <redacted>"));
        }
        recording
    }

    /// The same of records that are followed.
    pub fn records(&self, cgroup: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        let payload = self.payload_of(cgroup);
        self.is_needed(payload).then(|| self.block(bytes, payload, &mut 0))
    }

    /// The same of what descriptors stand for.
    pub fn files(&self, files: &mut [Files]) {
        self.patterns.files(files);
    }

    /// The same of the files that stacks lead through.
    pub fn modules(&self, modules: &mut [Module]) {
        self.patterns.modules(modules);
    }

    fn block(&self, bytes: &[u8], payload: Payload, count: &mut usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for record in wire::records(bytes) {
            match record::redacted(&record, payload, &self.patterns, count) {
                Some(changed) => out.extend(changed),
                None => out.extend_from_slice(record.bytes()),
            }
        }
        out
    }
}

/// Records without what buffers hold, where that is not recorded at all.
pub fn without_contents(records: &[u8]) -> Vec<u8> {
    Redaction::default().block(records, Payload::None, &mut 0)
}

#[cfg(test)]
mod tests;
