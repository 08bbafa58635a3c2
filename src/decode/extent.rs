//! Files' extents and flags, as the file systems' ioctls tell them.

use super::{memory::Memory, text::Text};
use crate::syscall::words::ioctl as words;

/// chattr's flags.
pub(super) fn flags(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let flags = memory.u32();
    text.bracketed(|text| text.flags(&words::FILE_FLAGS, flags.into()));
}

fn extended(text: &mut Text<'_>, memory: &mut Memory<'_>, told: bool) {
    let (flags, size, extents, project, cow) = (memory.u32(), memory.u32(), memory.u32(), memory.u32(), memory.u32());
    text.braced(|text| {
        text.field("fsx_xflags").flags(&words::EXTENDED_FLAGS, flags.into());
        text.field("fsx_extsize").unsigned(size);
        if told {
            text.field("fsx_nextents").unsigned(extents);
        }
        text.field("fsx_projid").hex(project);
        text.field("fsx_cowextsize").unsigned(cow);
    });
}

/// struct fsxattr as it is told.
pub(super) fn attributes(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    extended(text, memory, true);
}

/// struct fsxattr as it is set.
pub(super) fn new_attributes(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    extended(text, memory, false);
}

/// struct fstrim_range.
pub(super) fn trim(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.braced(|text| {
        text.field("start").hex(memory.u64());
        text.field("len").unsigned(memory.u64());
        text.field("minlen").unsigned(memory.u64());
    });
}

/// struct file_clone_range.
pub(super) fn clone_range(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let source = memory.i64();
    text.braced(|text| {
        text.field("src_fd").fd(super::raw::int(source.cast_unsigned()));
        text.field("src_offset").unsigned(memory.u64());
        text.field("src_length").unsigned(memory.u64());
        text.field("dest_offset").unsigned(memory.u64());
    });
}

/// A file system's label.
pub(super) fn label(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.cstring(memory.raw(256));
}

/// FIEMAP: `{fm_start=0, ...} => {fm_flags=0, fm_mapped_extents=1, ...}`.
pub(super) fn map(text: &mut Text<'_>, before: &[u8], after: Option<&[u8]>, word: usize) -> bool {
    let mut memory = Memory::new(before, 0, word);
    let (start, length, flags) = (memory.u64(), memory.u64(), memory.u32());
    memory.skip(4);
    let count = memory.u32();
    text.braced(|text| {
        text.field("fm_start").unsigned(start);
        text.field("fm_length").unsigned(length);
        text.field("fm_flags").flags(&words::FIEMAP, flags.into());
        text.field("fm_extent_count").unsigned(count);
    });
    text.known_until_here();
    if let Some(after) = after {
        let mut memory = Memory::new(after, 0, word);
        memory.seek(16);
        let (flags, mapped) = (memory.u32(), memory.u32());
        memory.seek(32);
        text.push(" => ");
        text.braced(|text| {
            text.field("fm_flags").flags(&words::FIEMAP, flags.into());
            text.field("fm_mapped_extents").unsigned(mapped);
            if text.style().verbose { extents(text, &mut memory, mapped) } else { text.push(", ...") }
        });
    }
    !memory.is_short()
}

fn extents(text: &mut Text<'_>, memory: &mut Memory<'_>, count: u32) {
    text.field("fm_extents").bracketed(|text| {
        for _ in 0..count {
            text.separate();
            if memory.left() < 56 {
                return text.push("...");
            }
            text.braced(|text| {
                text.field("fe_logical").unsigned(memory.u64());
                text.field("fe_physical").unsigned(memory.u64());
                text.field("fe_length").unsigned(memory.u64());
                memory.skip(16);
                text.field("fe_flags").flags(&words::EXTENT, memory.u32().into());
                memory.skip(12);
            });
        }
    });
}

/// Deduplication: what was asked, and how much of it was the same.
pub(super) fn dedupe(text: &mut Text<'_>, before: &[u8], after: Option<&[u8]>, word: usize) -> bool {
    let mut memory = Memory::new(before, 0, word);
    let (offset, length, count) = (memory.u64(), memory.u64(), memory.u16());
    text.braced(|text| {
        text.field("src_offset").unsigned(offset);
        text.field("src_length").unsigned(length);
        text.field("dest_count").unsigned(count);
        targets(text, before, count, word, |text, memory| {
            text.field("dest_fd").fd(super::raw::int(memory.u64()));
            text.field("dest_offset").unsigned(memory.u64());
        });
    });
    text.known_until_here();
    if let Some(after) = after {
        text.push(" => ");
        text.braced(|text| {
            targets(text, after, count, word, |text, memory| {
                memory.skip(16);
                text.field("bytes_deduped").unsigned(memory.u64());
                text.field("status").signed(memory.i32());
            });
        });
    }
    !memory.is_short()
}

fn targets(text: &mut Text<'_>, bytes: &[u8], count: u16, word: usize, print: fn(&mut Text<'_>, &mut Memory<'_>)) {
    let shown = if text.style().verbose { usize::from(count) } else { text.style().string_limit.min(2) };
    text.field("info").bracketed(|text| {
        let elements = bytes.get(24..).unwrap_or_default().chunks_exact(32).take(shown.min(count.into()));
        let mut printed = 0;
        for element in elements {
            text.separate();
            text.braced(|text| print(text, &mut Memory::new(element, 0, word)));
            printed += 1;
        }
        if printed < usize::from(count) {
            text.separate();
            text.push("...");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn a_map_of_extents_is_asked_and_answered() {
        let style = Style::default();
        let mut text = Text::new(&style);
        let mut before = [0; 32];
        before[8..16].copy_from_slice(&4096_u64.to_ne_bytes());
        before[24] = 8;
        let mut after = before;
        after[20] = 2;
        assert!(map(&mut text, &before, Some(&after), 8));
        assert_eq!(
            text.finish(),
            "{fm_start=0, fm_length=4096, fm_flags=0, fm_extent_count=8} => {fm_flags=0, fm_mapped_extents=2, ...}"
        );
    }
}
