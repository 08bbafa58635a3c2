//! How calls are to be written: strace's options.

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

impl Default for Style {
    fn default() -> Self {
        Self {
            string_limit: 32,
            verbose: false,
            constants: Constants::default(),
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
