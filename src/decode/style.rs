//! How calls are to be written: strace's options.

use std::collections::BTreeMap;

use crate::syscall::Abi;

/// strace's options that change how a call is written.
#[derive(Clone, Debug)]
pub struct Style {
    /// `-s`: bytes of a string that are shown.
    pub string_limit: usize,
    /// `-v`: structures whole.
    pub verbose: bool,
    /// `-X`: how constants are shown.
    pub constants: Constants,
    /// `-x`: how strings are shown.
    pub strings: Strings,
    /// `-y`: what is told of descriptors.
    pub descriptors: Descriptors,
    /// Whether calls are to carry the paths that they touch.
    pub paths: bool,
    /// Names of network interfaces, by their numbers.
    pub interfaces: BTreeMap<u32, String>,
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
            constants: Constants::default(),
            strings: Strings::default(),
            descriptors: Descriptors::NONE,
            paths: false,
            interfaces: BTreeMap::new(),
            generic_families: BTreeMap::new(),
            arch: std::env::consts::ARCH.to_owned(),
        }
    }
}

impl Style {
    /// The ABI of a call.
    pub(super) fn abi(&self, compat: bool) -> Abi {
        Abi::of(&self.arch, compat)
    }
}
