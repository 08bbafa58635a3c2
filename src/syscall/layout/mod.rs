//! Structures as lists of fields: what each holds and how it reads. A structure whose text follows
//! from its own bytes alone is data here; one that needs more has a shape and a decoder of its own.

pub mod bpf;
pub mod ipc;
pub mod key;
pub mod process;
pub mod system;
pub mod time;

use super::words::Words;

/// A structure: its fields in the order of memory.
#[derive(Debug)]
pub struct Layout {
    /// Name and meaning of each.
    pub fields: &'static [(&'static str, Field)],
}

impl PartialEq for Layout {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Layout {}

/// What a field holds.
#[derive(Debug)]
#[allow(missing_docs, reason = "numbers are named after their width")]
pub enum Field {
    U8,
    U16,
    U32,
    U64,
    I16,
    I32,
    I64,
    Hex8,
    Hex16,
    Hex32,
    Hex64,
    /// An unsigned long.
    Word,
    /// A long.
    Long,
    /// An unsigned long in hexadecimal.
    HexWord,
    /// A pointer.
    Addr,
    /// A pointer that has eight bytes in every ABI.
    Addr64,
    /// A file descriptor.
    Fd,
    /// A file descriptor that is unsigned in the structure.
    FdU,
    /// A network interface's number.
    Interface,
    /// A user or group id: -1 stays -1.
    Id,
    /// Permissions of 32 bits.
    Mode,
    /// A signal's number.
    Signal,
    /// Bits by name.
    Flags8(&'static Words),
    /// Bits by name.
    Flags16(&'static Words),
    /// Bits by name.
    Flags32(&'static Words),
    /// Bits by name.
    Flags64(&'static Words),
    /// Bits of an unsigned long by name.
    FlagsWord(&'static Words),
    /// One of several values, by name.
    Enum8(&'static Words),
    /// One of several values, by name.
    Enum16(&'static Words),
    /// One of several values, by name.
    Enum32(&'static Words),
    /// One of several values, by name.
    Enum64(&'static Words),
    /// One of several values, by name; others are signed numbers.
    Signed(&'static Words),
    /// A structure in the structure.
    Inner(&'static Layout),
    /// A kernel's version: `KERNEL_VERSION(6, 1, 0)`.
    Version,
    /// A NUL-terminated string in a field of so many bytes.
    Text(usize),
    /// So many of a field, in brackets.
    Array(usize, &'static Field),
    /// Shown only if it is not 0.
    NonZero(&'static Field),
    /// Bytes that are not shown.
    Pad(usize),
}

impl Field {
    /// Bytes of it, and of what it is a multiple in memory. i386 aligns 64-bit numbers to 32 bits.
    pub fn extent(&self, word: usize) -> (usize, usize) {
        let whole = |size: usize| (size, size.min(word));
        match self {
            Self::U8 | Self::Hex8 | Self::Flags8(_) | Self::Enum8(_) => whole(1),
            Self::U16 | Self::I16 | Self::Hex16 | Self::Flags16(_) | Self::Enum16(_) => whole(2),
            Self::U32
            | Self::I32
            | Self::Hex32
            | Self::Fd
            | Self::FdU
            | Self::Interface
            | Self::Id
            | Self::Mode
            | Self::Signal => whole(4),
            Self::Version | Self::Flags32(_) | Self::Enum32(_) | Self::Signed(_) => whole(4),
            Self::U64 | Self::I64 | Self::Hex64 | Self::Addr64 | Self::Flags64(_) | Self::Enum64(_) => whole(8),
            Self::Word | Self::Long | Self::HexWord | Self::Addr | Self::FlagsWord(_) => whole(word),
            Self::Inner(layout) => (layout.size(word), layout.align(word)),
            Self::Text(bytes) | Self::Pad(bytes) => (*bytes, 1),
            Self::Array(count, field) => {
                let (size, align) = field.extent(word);
                (count * size, align)
            }
            Self::NonZero(field) => field.extent(word),
        }
    }
}

impl Layout {
    /// Bytes of one, where a long has `word` bytes.
    pub fn size(&self, word: usize) -> usize {
        let end = self.fields.iter().fold(0_usize, |at, (_, field)| {
            let (size, align) = field.extent(word);
            at.next_multiple_of(align) + size
        });
        end.next_multiple_of(self.align(word))
    }

    fn align(&self, word: usize) -> usize {
        self.fields.iter().map(|(_, field)| field.extent(word).1).max().unwrap_or(1)
    }
}

/// `layouts! { /** doc */ pub SEMBUF { sem_num: U16, sem_op: I16 } }`.
macro_rules! layouts {
    ($($(#[$doc:meta])* pub $name:ident { $($field:ident : $kind:expr),* $(,)? })*) => {
        $($(#[$doc])*
        pub static $name: $crate::syscall::layout::Layout = $crate::syscall::layout::Layout {
            fields: &[$(($crate::syscall::case::plain(stringify!($field)), $kind)),*],
        };)*
    };
}

pub(crate) use layouts;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_the_kernels() {
        let sizes = |layout: &Layout| (layout.size(8), layout.size(4));
        assert_eq!(sizes(&ipc::SEMBUF), (6, 6));
        assert_eq!(sizes(&time::TIMEX), (208, 128));
        assert_eq!(sizes(&system::SQ_OFFSETS), (40, 40));
    }
}
