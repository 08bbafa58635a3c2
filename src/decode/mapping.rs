//! Mappings: their flags, memory policies, what is resident.

use super::{
    errno,
    memory::Memory,
    raw::{Raw, int},
    text::Text,
};
use crate::syscall::words;

const HUGE_SHIFT: u32 = 26;
const HUGE_MASK: u64 = 0x3f << HUGE_SHIFT;

/// mmap's kind and flags, with the size of huge pages: `MAP_PRIVATE|MAP_HUGETLB|21<<MAP_HUGE_SHIFT`.
pub(super) fn flags(text: &mut Text<'_>, flags: u64) {
    text.either(|text| text.hex(flags), |text| map_words(text, flags));
}

fn map_words(text: &mut Text<'_>, flags: u64) {
    text.word(&words::memory::MAP_TYPES, flags & 0xf);
    text.more_flags(&words::memory::MAP, flags & !0xf & !HUGE_MASK);
    if flags & HUGE_MASK != 0 {
        text.push("|");
        text.unsigned((flags & HUGE_MASK) >> HUGE_SHIFT);
        text.push("<<MAP_HUGE_SHIFT");
    }
}

/// memfd_create's flags, with the size of huge pages.
pub(super) fn memfd_flags(text: &mut Text<'_>, value: u32) {
    if value == 0 {
        return text.hex(value);
    }
    text.either(|text| text.hex(value), |text| memfd_words(text, value));
}

fn memfd_words(text: &mut Text<'_>, value: u32) {
    let (flags, huge) = (u64::from(value) & !HUGE_MASK, u64::from(value) & HUGE_MASK);
    if flags != 0 || huge == 0 {
        text.flags(&words::memory::MEMFD, flags);
    }
    if huge != 0 {
        text.push(if flags != 0 { "|" } else { "" });
        text.unsigned(huge >> HUGE_SHIFT);
        text.push("<<MFD_HUGE_SHIFT");
    }
}

/// A memory policy with its flags.
pub(super) fn policy(text: &mut Text<'_>, value: u64) {
    let flags = value & 0xe000;
    let mode = value & !0xe000;
    if flags == 0 {
        text.word(&words::memory::POLICY, mode);
    } else if let Some(word) = words::memory::POLICY.word(mode) {
        text.either(
            |text| text.hex(value),
            |text| {
                text.push(word);
                text.more_flags(&words::memory::POLICY_FLAGS, flags);
            },
        );
    } else {
        text.flags(&words::memory::POLICY_FLAGS, value);
    }
}

/// A set of memory nodes: words of so many bits, less one, as `most` says.
pub(super) fn nodes(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, most: u64) {
    let word = raw.abi.word();
    let bits = 8 * word as u64;
    let count = most.wrapping_add(bits - 2) / bits;
    let address = raw.register(index);
    if address == 0 || count < most / bits || (most != 0 && count == 0) {
        return text.addr(address);
    }
    let bytes = raw.data(index).unwrap_or_default();
    if count > 0 && bytes.len() < word {
        return text.addr(address);
    }
    text.bracketed(|text| {
        for (n, element) in (0..count).zip(bytes.chunks_exact(word)) {
            text.separate();
            if n == text.style().string_limit as u64 && !text.style().verbose {
                return text.push("...");
            }
            let value = Memory::new(element, 0, word).word();
            // All digits, but no prefix in front of nothing.
            text.push(&if value == 0 { "0".repeat(2 * word) } else { format!("{value:#0width$x}", width = 2 * word) });
        }
    });
}

/// get_mempolicy's answer.
pub(super) fn policy_cell(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let value = memory.u32();
    text.bracketed(|text| text.word(&words::memory::POLICY, value.into()));
}

/// Whether a page is in memory.
pub(super) fn residency(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.unsigned(memory.u8() & 1);
}

/// Where a page is, or why it could not be moved.
pub(super) fn page_status(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let status = memory.i32();
    match status.checked_neg().filter(|errno| *errno > 0).and_then(errno::name) {
        Some(name) => {
            text.push("-");
            text.push(name);
        }
        None => text.signed(status),
    }
}

/// i386's mmap: six arguments in memory.
pub(super) fn arguments(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let args: [u64; 6] = std::array::from_fn(|_| memory.word());
    text.addr(args[0]);
    text.push(", ");
    text.unsigned(args[1]);
    text.push(", ");
    text.flags(&words::memory::PROT, args[2]);
    text.push(", ");
    flags(text, args[3]);
    text.push(", ");
    text.signed(int(args[4]));
    text.push(", ");
    text.hex(args[5]);
}

/// cachestat's range.
pub(super) fn cache_range(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.braced(|text| {
        text.field("off").unsigned(memory.u64());
        text.field("len").unsigned(memory.u64());
    });
}

/// cachestat's answer.
pub(super) fn cache_status(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.braced(|text| {
        for name in ["nr_cache", "nr_dirty", "nr_writeback", "nr_evicted", "nr_recently_evicted"] {
            text.field(name).unsigned(memory.u64());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text::written;

    #[test]
    fn huge_pages_have_a_size() {
        let map = u64::from((libc::MAP_PRIVATE | libc::MAP_HUGETLB).cast_unsigned());
        assert_eq!(written(|text| flags(text, map | 21 << 26)), "MAP_PRIVATE|MAP_HUGETLB|21<<MAP_HUGE_SHIFT");
        assert_eq!(written(|text| memfd_flags(text, 0)), "0");
        assert_eq!(written(|text| memfd_flags(text, 4 | 30 << 26)), "MFD_HUGETLB|30<<MFD_HUGE_SHIFT");
    }

    #[test]
    fn policies_and_pages() {
        assert_eq!(written(|text| policy(text, 0)), "MPOL_DEFAULT");
        assert_eq!(written(|text| policy(text, 0x8002)), "MPOL_BIND|MPOL_F_STATIC_NODES");
        assert_eq!(written(|text| policy(text, 9)), "0x9 /* MPOL_??? */");
        let status = |value: i32| written(|text| page_status(text, &mut Memory::new(&value.to_ne_bytes(), 0, 8)));
        assert_eq!((status(1), status(-2)), ("1".to_owned(), "-ENOENT".to_owned()));
    }
}
