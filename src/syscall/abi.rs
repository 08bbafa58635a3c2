//! Numbers and names by ABI, and the row behind a number.

use std::{collections::HashMap, sync::LazyLock};

use syscalls::{aarch64, x86, x86_64};

use super::{case, row::Row, table};

/// How a call came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Abi {
    /// x86-64's own calls.
    X86_64,
    /// i386's calls, on x86-64: int 0x80 and 32-bit programs.
    Ia32,
    /// aarch64's own calls.
    Aarch64,
}

impl Abi {
    /// The ABI of a record made on this machine.
    pub fn native(compat: bool) -> Self {
        Self::of(std::env::consts::ARCH, compat)
    }

    /// The ABI of a record made on a machine of this architecture.
    pub fn of(arch: &str, compat: bool) -> Self {
        match (arch, compat) {
            ("aarch64", _) => Self::Aarch64,
            (_, true) => Self::Ia32,
            (_, false) => Self::X86_64,
        }
    }

    /// Bytes of a pointer, a long and a size_t.
    pub fn word(self) -> usize {
        if self == Self::Ia32 { 4 } else { 8 }
    }

    fn name(self, nr: u16) -> Option<&'static str> {
        let nr = usize::from(nr);
        let name = match self {
            Self::X86_64 => x86_64::Sysno::new(nr)?.name(),
            Self::Ia32 => x86::Sysno::new(nr)?.name(),
            Self::Aarch64 => aarch64::Sysno::new(nr)?.name(),
        };
        Some(case::plain(name))
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// Numbers that a table is kept for; the kernel's are below.
pub const NUMBERS: u16 = 512;

struct Known {
    name: Option<&'static str>,
    row: Option<&'static Row>,
}

static BY_NAME: LazyLock<HashMap<&'static str, &'static Row>> =
    LazyLock::new(|| table::rows().map(|row| (row.name, row)).collect());

static IA32_BY_NAME: LazyLock<HashMap<&'static str, &'static Row>> =
    LazyLock::new(|| table::ia32_rows().map(|row| (row.name, row)).collect());

static BY_NUMBER: LazyLock<[Vec<Known>; 3]> = LazyLock::new(|| {
    [Abi::X86_64, Abi::Ia32, Abi::Aarch64].map(|abi| {
        let own = |name: &str| (abi == Abi::Ia32).then(|| IA32_BY_NAME.get(name)).flatten();
        (0..NUMBERS)
            .map(|nr| {
                let name = abi.name(nr);
                let row = name.and_then(|name| own(name).or_else(|| BY_NAME.get(name)).copied());
                Known { name: row.map(|row| row.name).or(name), row }
            })
            .collect()
    })
});

/// The row of a number.
pub fn row(abi: Abi, nr: u16) -> Option<&'static Row> {
    BY_NUMBER[abi.index()].get(usize::from(nr))?.row
}

/// The name of a number, if the kernel has such a call.
pub fn name(abi: Abi, nr: u16) -> Option<&'static str> {
    BY_NUMBER[abi.index()].get(usize::from(nr))?.name
}

/// The row of a name.
pub fn find(name: &str) -> Option<&'static Row> {
    BY_NAME.get(name).or_else(|| IA32_BY_NAME.get(name)).copied()
}

/// The number of a name.
pub fn number(abi: Abi, wanted: &str) -> Option<u16> {
    (0..NUMBERS).find(|nr| name(abi, *nr) == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_every_abi_has_a_row() {
        for abi in [Abi::X86_64, Abi::Ia32, Abi::Aarch64] {
            let missing: Vec<_> =
                (0..NUMBERS).filter_map(|nr| name(abi, nr).filter(|_| row(abi, nr).is_none())).collect();
            assert_eq!(missing, Vec::<&str>::new(), "{abi:?}");
        }
    }

    #[test]
    fn every_row_is_some_abis_call() {
        for row in table::rows() {
            let known = [Abi::X86_64, Abi::Ia32, Abi::Aarch64].iter().any(|abi| number(*abi, row.name).is_some());
            assert!(known, "{} is no system call", row.name);
        }
    }

    #[test]
    fn the_same_number_means_different_calls() {
        assert_eq!(name(Abi::X86_64, 11), Some("munmap"));
        assert_eq!(name(Abi::Ia32, 11), Some("execve"));
        assert_eq!(name(Abi::Aarch64, 63), Some("read"));
    }
}
