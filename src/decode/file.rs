//! Files: what stat tells, what open asks for.

use super::{memory::Memory, text::Text};
use crate::syscall::words;

/// open's access mode and flags.
pub(super) fn open_flags(text: &mut Text<'_>, flags: u32) {
    let (access, rest) = (flags & 3, flags & !3);
    text.word(&words::file::ACCESS_MODES, access.into());
    text.more_flags(&words::file::OPEN, rest.into());
}

/// mmap's kind and flags.
pub(super) fn map_flags(text: &mut Text<'_>, flags: u64) {
    text.word(&words::memory::MAP_TYPES, flags & 0xf);
    text.more_flags(&words::memory::MAP, flags & !0xf);
}

/// `S_IFREG|0644`.
pub(super) fn mode(text: &mut Text<'_>, mode: u32) {
    let kind = mode & libc::S_IFMT;
    let special = [(libc::S_ISUID, "S_ISUID"), (libc::S_ISGID, "S_ISGID"), (libc::S_ISVTX, "S_ISVTX")];
    if kind != 0 {
        text.word(&words::file::FILE_TYPES, kind.into());
        text.push("|");
    }
    for (bit, word) in special {
        if mode & bit != 0 {
            text.push(word);
            text.push("|");
        }
    }
    text.mode(mode & !libc::S_IFMT & !0o7000);
}

/// `makedev(0x8, 0x1)`.
pub(super) fn device(text: &mut Text<'_>, device: u64) {
    text.push("makedev(");
    text.hex(u64::from(libc::major(device)));
    text.push(", ");
    text.hex(u64::from(libc::minor(device)));
    text.push(")");
}

/// struct stat of the 64-bit ABIs, and i386's.
pub(super) fn stat(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    if memory.word_size() == 4 {
        return stat_i386(text, memory);
    }
    memory.seek(24);
    let st_mode = memory.u32();
    memory.seek(40);
    let (rdev, size) = (memory.u64(), memory.i64());
    text.braced(|text| {
        text.field("st_mode");
        mode(text, st_mode);
        if matches!(st_mode & libc::S_IFMT, libc::S_IFCHR | libc::S_IFBLK) {
            text.field("st_rdev");
            device(text, rdev);
        } else {
            text.field("st_size").signed(size);
        }
        text.push(", ...");
    });
}

fn stat_i386(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    memory.seek(8);
    let st_mode = u32::from(memory.u16());
    memory.seek(16);
    let (rdev, size) = (memory.u32(), memory.u32());
    text.braced(|text| {
        text.field("st_mode");
        mode(text, st_mode);
        if matches!(st_mode & libc::S_IFMT, libc::S_IFCHR | libc::S_IFBLK) {
            text.field("st_rdev");
            device(text, rdev.into());
        } else {
            text.field("st_size").unsigned(size);
        }
        text.push(", ...");
    });
}

/// struct statx.
pub(super) fn statx(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (mask, _blksize, attributes) = (memory.u32(), memory.u32(), memory.u64());
    memory.seek(28);
    let st_mode = u32::from(memory.u16());
    memory.seek(40);
    let size = memory.u64();
    text.braced(|text| {
        text.field("stx_mask").flags(&words::file::STATX_MASK, mask.into());
        text.field("stx_attributes").hex(attributes);
        text.field("stx_mode");
        mode(text, st_mode);
        text.field("stx_size").unsigned(size);
        text.push(", ...");
    });
}

/// struct statfs.
pub(super) fn statfs(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let kind = memory.word();
    let bsize = memory.word();
    let numbers: [u64; 5] = std::array::from_fn(|_| memory.word());
    let fsid = [memory.u32(), memory.u32()];
    let (namelen, frsize, flags) = (memory.word(), memory.word(), memory.word());
    text.braced(|text| {
        text.field("f_type").hex(kind);
        text.field("f_bsize").unsigned(bsize);
        for (name, value) in ["f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree"].iter().zip(numbers) {
            text.field(name).unsigned(value);
        }
        text.field("f_fsid").braced(|text| {
            text.push("val=");
            text.bracketed(|text| {
                text.hex(fsid[0]);
                text.push(", ");
                text.hex(fsid[1]);
            });
        });
        text.field("f_namelen").unsigned(namelen);
        text.field("f_frsize").unsigned(frsize);
        text.field("f_flags").hex(flags);
    });
}

/// openat2's struct open_how.
pub(super) fn open_how(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (flags, st_mode, resolve) = (memory.u64(), memory.u64(), memory.u64());
    text.braced(|text| {
        text.field("flags");
        open_flags(text, super::argument::uint(flags));
        if st_mode != 0 {
            text.field("mode").mode(super::argument::uint(st_mode));
        }
        text.field("resolve").hex(resolve);
    });
}
