//! How calls are to be written: strace's options.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    model::{Network, StraceForm},
    select::Set,
    syscall::{Abi, Filter},
    wire::CallRecord,
};

/// strace's options that change how a call is written.
#[derive(Clone, Debug)]
pub struct Style {
    /// `-s`: bytes of a string that are shown.
    pub string_limit: usize,
    /// `-v`: structures whole.
    pub verbose: bool,
    /// `-e abbrev=`: calls whose structures are shown in part; none: as `verbose` says of all.
    pub abbreviated: Option<Filter>,
    /// `-e raw=`: calls whose arguments are numbers.
    pub raw: Option<Filter>,
    /// `-e read=`: descriptors of which all that is read is shown.
    pub reads: Option<Set<i32>>,
    /// `-e write=`: the same of what is written.
    pub writes: Option<Set<i32>>,
    /// Whose form it is.
    pub strace: StraceForm,
    /// `-X`: how constants are shown.
    pub constants: Constants,
    /// `-x`: how strings are shown.
    pub strings: Strings,
    /// `-y`: what is told of descriptors.
    pub descriptors: Descriptors,
    /// Whether calls are to carry the paths that they touch.
    pub paths: bool,
    /// Whether calls are to carry the descriptors that they take or return.
    pub fds: bool,
    /// Whether calls are to carry what they wrote for people.
    pub said: bool,
    /// Names of network interfaces, by their numbers.
    pub interfaces: BTreeMap<u32, String>,
    /// The same of other network namespaces.
    pub networks: Vec<Network>,
    /// Names of generic netlink's families, by their numbers.
    pub generic_families: BTreeMap<u16, String>,
    /// The architecture on which the records were made.
    pub arch: String,
}

/// `-X`: how constants are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Constants {
    /// As numbers.
    Raw,
    /// By name.
    #[default]
    Abbrev,
    /// As numbers with the names in a comment.
    Verbose,
}

/// `-x`: how strings are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strings {
    /// What does not print is escaped.
    #[default]
    Escaped,
    /// Strings with a byte that does not print: every byte in hexadecimal.
    HexUnlessAscii,
    /// Every byte in hexadecimal.
    Hex,
}

/// `-y`: what is told of descriptors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptors {
    /// The path that they were opened with, or what they are instead.
    pub paths: bool,
    /// Sockets' protocols and addresses.
    pub sockets: bool,
    /// The numbers of devices.
    pub devices: bool,
    /// The processes of pidfds.
    pub pidfds: bool,
}

impl Descriptors {
    /// Nothing.
    pub const NONE: Self = Self { paths: false, sockets: false, devices: false, pidfds: false };
    /// `-y`.
    pub const PATHS: Self = Self { paths: true, ..Self::NONE };
    /// `-yy`.
    pub const ALL: Self = Self { paths: true, sockets: true, devices: true, pidfds: true };

    /// Whether anything is told.
    pub fn any(self) -> bool {
        self != Self::NONE
    }
}

impl Default for Style {
    fn default() -> Self {
        Self {
            string_limit: 32,
            verbose: false,
            abbreviated: None,
            raw: None,
            reads: None,
            writes: None,
            strace: StraceForm::default(),
            constants: Constants::default(),
            strings: Strings::default(),
            descriptors: Descriptors::NONE,
            paths: false,
            fds: false,
            said: false,
            interfaces: BTreeMap::new(),
            networks: Vec::new(),
            generic_families: BTreeMap::new(),
            arch: std::env::consts::ARCH.to_owned(),
        }
    }
}

impl Style {
    /// The names of interfaces that hold for a call: none where its network namespace is not known.
    pub(super) fn interfaces_of(&self, call: &CallRecord<'_>, network: Option<u32>) -> &BTreeMap<u32, String> {
        static NONE: BTreeMap<u32, String> = BTreeMap::new();
        let Some(number) = network else { return &self.interfaces };
        let at = call.time();
        let known = self.networks.iter().find(|network| network.number == number && network.since <= at);
        known.map_or(&NONE, |network| &network.interfaces)
    }

    /// The style in which a call is written.
    pub(super) fn of(&self, call: &CallRecord<'_>) -> Cow<'_, Self> {
        match &self.abbreviated {
            Some(calls) if calls.wants(self.abi(call.compat()), call.nr()) == self.verbose => {
                Cow::Owned(Self { verbose: !self.verbose, ..self.clone() })
            }
            _ => Cow::Borrowed(self),
        }
    }

    /// The ABI of a call.
    pub(super) fn abi(&self, compat: bool) -> Abi {
        Abi::of(&self.arch, compat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{self, Kind, Part, Record, inflight};

    #[test]
    fn interfaces_go_by_the_names_of_their_network() {
        let names = |name: &str| BTreeMap::from([(2, name.to_owned())]);
        let other = Network { number: 7, since: 100, interfaces: names("other0") };
        let style = Style { interfaces: names("eth0"), networks: vec![other], ..Style::default() };
        let name = |time, network: Option<u32>| {
            let piece = network.map(|number| (0, Part::PART_NETWORK, Ok(number.to_ne_bytes().to_vec())));
            let call = inflight { entered: time, nr: 42, ..inflight::default() };
            let bytes = wire::in_flight_record(&call, 3, piece.as_slice());
            let record = Record::parse(&bytes).unwrap();
            assert_eq!(record.kind(), Kind::RECORD_ENTER);
            let call = record.call().unwrap();
            style.interfaces_of(&call, call.network()).get(&2).cloned()
        };
        assert_eq!(name(50, None).as_deref(), Some("eth0"));
        assert_eq!(name(100, Some(7)).as_deref(), Some("other0"));
        // The number was another network's, or is one that nobody knows.
        assert_eq!(name(99, Some(7)), None);
        assert_eq!(name(100, Some(8)), None);
        assert_eq!(name(100, Some(0)), None);
    }
}
