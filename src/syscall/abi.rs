//! Numbers and names by ABI, and the row behind a number.

use std::{collections::HashMap, sync::LazyLock};

use syscalls::{aarch64, arm, x86, x86_64};

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
    /// 32-bit ARM's calls, on aarch64: their names are known, and no rows.
    Arm,
}

impl Abi {
    /// The ABI of a record made on this machine.
    pub fn native(compat: bool) -> Self {
        Self::of(std::env::consts::ARCH, compat)
    }

    /// The ABI of a record made on a machine of this architecture.
    pub fn of(arch: &str, compat: bool) -> Self {
        match (arch, compat) {
            ("aarch64", true) => Self::Arm,
            ("aarch64", false) => Self::Aarch64,
            (_, true) => Self::Ia32,
            (_, false) => Self::X86_64,
        }
    }

    /// Bytes of a pointer, a long and a size_t.
    pub fn word(self) -> usize {
        if matches!(self, Self::Ia32 | Self::Arm) { 4 } else { 8 }
    }

    fn name(self, nr: usize) -> Option<&'static str> {
        let name = match self {
            Self::X86_64 => x86_64::Sysno::new(nr)?.name(),
            Self::Ia32 => x86::Sysno::new(nr)?.name(),
            Self::Aarch64 => match aarch64::Sysno::new(nr)?.name() {
                // Its table is asm-generic's, which has two names for it; strace prints this one.
                "fstatat" => "newfstatat",
                name => name,
            },
            Self::Arm => arm::Sysno::new(nr)?.name(),
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

type ByName = HashMap<&'static str, &'static Row>;

fn by_name(rows: impl Iterator<Item = &'static Row>) -> ByName {
    rows.map(|row| (row.name, row)).collect()
}

static BY_NAME: LazyLock<ByName> = LazyLock::new(|| by_name(table::rows()));
static IA32_BY_NAME: LazyLock<ByName> = LazyLock::new(|| by_name(table::ia32_rows()));
static AARCH64_BY_NAME: LazyLock<ByName> = LazyLock::new(|| by_name(table::aarch64_rows()));

static BY_NUMBER: LazyLock<[Vec<Known>; 4]> = LazyLock::new(|| {
    [Abi::X86_64, Abi::Ia32, Abi::Aarch64, Abi::Arm].map(|abi| {
        let of = |name: &str| match abi {
            Abi::X86_64 => BY_NAME.get(name),
            Abi::Ia32 => IA32_BY_NAME.get(name).or_else(|| BY_NAME.get(name)),
            Abi::Aarch64 => AARCH64_BY_NAME.get(name).or_else(|| BY_NAME.get(name)),
            Abi::Arm => None,
        };
        (0..NUMBERS)
            .map(|nr| {
                let name = abi.name(usize::from(nr));
                let row = name.and_then(|name| of(name).copied());
                Known { name: row.map(|row| row.name).or(name), row }
            })
            .collect()
    })
});

/// The bit that makes an x32 call of a number of x86-64's; -1 and its like are numbers, and no bits.
pub(super) const X32: i32 = 0x4000_0000;

fn known(abi: Abi, nr: i32) -> Option<&'static Known> {
    let nr = if abi == Abi::X86_64 && nr > 0 { nr & !X32 } else { nr };
    BY_NUMBER[abi.index()].get(usize::try_from(nr).ok()?)
}

/// The row of a number.
pub fn row(abi: Abi, nr: impl Into<i32>) -> Option<&'static Row> {
    known(abi, nr.into())?.row
}

/// The name of a number, if the kernel has such a call.
pub fn name(abi: Abi, nr: impl Into<i32>) -> Option<&'static str> {
    known(abi, nr.into())?.name
}

/// What stands for the name of a number that the kernel has no call for: the number as the kernel widens it.
pub fn nameless(nr: i32) -> String {
    format!("syscall_{:#x}", i64::from(nr))
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
    fn a_number_is_no_other_s_whose_lower_half_it_has() {
        for abi in [Abi::X86_64, Abi::Ia32, Abi::Aarch64, Abi::Arm] {
            for nr in [0x10001, 0x1003b, 0x1000b, -1, -65535, i32::MIN + 1, i32::MAX, 0x4001_0001] {
                assert!(name(abi, nr).is_none() && row(abi, nr).is_none(), "{abi:?} {nr:#x}");
            }
        }
        assert_eq!((name(Abi::X86_64, 0x4000_0001), name(Abi::Ia32, 0x4000_0004)), (Some("write"), None));
        assert_eq!([0x10001, -1].map(nameless), ["syscall_0x10001", "syscall_0xffffffffffffffff"]);
    }

    #[test]
    fn the_same_number_means_different_calls() {
        assert_eq!(name(Abi::X86_64, 11), Some("munmap"));
        assert_eq!(name(Abi::Ia32, 11), Some("execve"));
        assert_eq!(name(Abi::Aarch64, 63), Some("read"));
        assert_eq!((name(Abi::Arm, 3), row(Abi::Arm, 3).is_none()), (Some("read"), true));
    }

    /// Numbers as include/uapi/asm-generic/unistd.h has them, which aarch64 takes as they are.
    #[test]
    fn aarch64_s_numbers_are_the_generic_ones() {
        let known = [
            (17, "getcwd"),
            (21, "epoll_ctl"),
            (22, "epoll_pwait"),
            (24, "dup3"),
            (25, "fcntl"),
            (29, "ioctl"),
            (38, "renameat"),
            (56, "openat"),
            (57, "close"),
            (59, "pipe2"),
            (62, "lseek"),
            (64, "write"),
            (73, "ppoll"),
            (78, "readlinkat"),
            (79, "newfstatat"),
            (80, "fstat"),
            (93, "exit"),
            (94, "exit_group"),
            (98, "futex"),
            (115, "clock_nanosleep"),
            (129, "kill"),
            (134, "rt_sigaction"),
            (139, "rt_sigreturn"),
            (167, "prctl"),
            (172, "getpid"),
            (191, "semctl"),
            (203, "connect"),
            (220, "clone"),
            (221, "execve"),
            (222, "mmap"),
            (260, "wait4"),
            (276, "renameat2"),
            (281, "execveat"),
            (291, "statx"),
            (435, "clone3"),
        ];
        for (nr, wanted) in known {
            assert_eq!(name(Abi::Aarch64, nr), Some(wanted), "{nr}");
        }
        for own in table::aarch64_rows() {
            let nr = number(Abi::Aarch64, own.name).unwrap();
            assert!(std::ptr::eq(row(Abi::Aarch64, nr).unwrap(), own), "{}", own.name);
            let theirs = row(Abi::X86_64, number(Abi::X86_64, own.name).unwrap()).unwrap();
            assert!(!std::ptr::eq(theirs, own), "{}", own.name);
        }
    }
}
