//! Flags and constants: words only, the values come from the same tokens of libc or linux-raw-sys.

pub mod bpf;
pub mod file;
pub mod ioctl;
pub mod ipc;
pub mod kvm;
pub mod memory;
pub mod mount;
pub mod net;
pub mod newer;
pub mod perf;
pub mod prctl;
pub mod process;
pub mod ptrace;
pub mod sched;
pub mod security;
pub mod signal;
pub mod system;
pub mod term;
pub mod time;

use super::Abi;

/// A vocabulary, in the order in which strace prints it.
#[derive(Debug)]
pub struct Words {
    /// What stands in the comment behind a value that has no word: `O_???`.
    pub unknown: &'static str,
    /// Value and word.
    pub list: &'static [(u64, &'static str)],
}

impl Words {
    /// The word of a value.
    pub fn word(&self, value: u64) -> Option<&'static str> {
        self.list.iter().find(|(known, _)| *known == value).map(|(_, word)| *word)
    }

    /// The same words with the values that they have in an ABI.
    pub fn of(&self, abi: Abi) -> &Self {
        let is_open = std::ptr::eq(self.list, file::OPEN.list);
        if is_open && abi == Abi::Aarch64 { &file::OPEN_AARCH64 } else { self }
    }
}

/// A constant's value as its bits: a negative 32-bit constant stays 32 bits wide.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the bits are wanted")]
pub const fn value(constant: i128) -> u64 {
    if constant < 0 && constant >= i32::MIN as i128 { constant as u32 as u64 } else { constant as u64 }
}

/// `words! { /** doc */ pub OPEN "O_???": libc { O_EXCL O_TRUNC } is { O_NEW = 0x40 } }`: groups of
/// words by the module whose constants they are, in printing order; `is` gives values that no module has.
macro_rules! words {
    ($($(#[$doc:meta])* pub $name:ident $unknown:literal: $($group:ident $body:tt)*)*) => {
        $($(#[$doc])*
        pub static $name: $crate::syscall::Words = $crate::syscall::Words {
            unknown: $unknown,
            list: $crate::syscall::words::list!([] $($group $body)*),
        };)*
    };
}

macro_rules! list {
    ([$($done:tt)*]) => { &[$($done)*] };
    ([$($done:tt)*] is { $($word:ident = $value:expr),* $(,)? } $($rest:tt)*) => {
        $crate::syscall::words::list!(
            [$($done)* $(($crate::syscall::words::value($value as i128), stringify!($word)),)*] $($rest)*
        )
    };
    ([$($done:tt)*] $module:ident { $($word:ident)* } $($rest:tt)*) => {
        $crate::syscall::words::list!(
            [$($done)* $(($crate::syscall::words::value($module::$word as i128), stringify!($word)),)*] $($rest)*
        )
    };
}

pub(crate) use {list, words};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_s_words_are_this_machine_s() {
        let words = file::OPEN.of(Abi::native(false));
        for (value, word) in [
            (libc::O_DIRECT, "O_DIRECT"),
            (libc::O_DIRECTORY, "O_DIRECTORY"),
            (libc::O_NOFOLLOW, "O_NOFOLLOW"),
            (libc::O_TMPFILE, "O_TMPFILE"),
        ] {
            assert_eq!(words.word(u64::try_from(value).unwrap()), Some(word));
        }
        assert_eq!(words.word(linux_raw_sys::general::O_LARGEFILE.into()), Some("O_LARGEFILE"));
        assert_eq!(file::OPEN_AARCH64.word(0o40000), Some("O_DIRECTORY"));
        assert_eq!(file::OPEN_AARCH64.list.len(), file::OPEN.list.len());
    }
}
