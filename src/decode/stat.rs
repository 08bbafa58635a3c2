//! What the stat family tells, in every layout it has had.

use super::{date, file, memory::Memory, text::Text};
use crate::syscall::words;

/// The fields that all layouts share.
#[derive(Default)]
struct Status {
    dev: u64,
    ino: u64,
    mode: u32,
    links: u64,
    uid: u32,
    gid: u32,
    rdev: u64,
    size: u64,
    block: u64,
    blocks: u64,
    times: [(i64, u64); 3],
    /// The layout has no nanoseconds.
    coarse: bool,
}

impl Status {
    fn print(&self, text: &mut Text<'_>) {
        let whole = text.style().verbose;
        text.braced(|text| {
            if whole {
                file::device(text.field("st_dev"), self.dev);
                text.field("st_ino").unsigned(self.ino);
            }
            file::mode(text.field("st_mode"), self.mode);
            if whole {
                text.field("st_nlink").unsigned(self.links);
                text.field("st_uid").unsigned(self.uid);
                text.field("st_gid").unsigned(self.gid);
                text.field("st_blksize").unsigned(self.block);
                text.field("st_blocks").unsigned(self.blocks);
            }
            if matches!(self.mode & libc::S_IFMT, libc::S_IFCHR | libc::S_IFBLK) {
                file::device(text.field("st_rdev"), self.rdev);
            } else {
                text.field("st_size").unsigned(self.size);
            }
            if !whole {
                return text.push(", ...");
            }
            let names = [("st_atime", "st_atime_nsec"), ("st_mtime", "st_mtime_nsec"), ("st_ctime", "st_ctime_nsec")];
            for ((seconds, part), (name, part_name)) in self.times.into_iter().zip(names) {
                text.field(name).signed(seconds);
                date::comment(text, seconds, part, 9);
                if !self.coarse {
                    text.field(part_name).unsigned(part);
                }
            }
        });
    }
}

/// struct stat of x86-64, and i386's.
pub(super) fn stat(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let whole = text.style().verbose;
    if memory.word_size() == 4 {
        return i386(memory).print(text);
    }
    let mut status = Status::default();
    if whole {
        memory.seek(0);
        (status.dev, status.ino, status.links) = (memory.u64(), memory.u64(), memory.u64());
    }
    memory.seek(24);
    status.mode = memory.u32();
    (status.uid, status.gid) = (memory.u32(), memory.u32());
    memory.seek(40);
    (status.rdev, status.size) = (memory.u64(), memory.u64());
    if whole {
        (status.block, status.blocks) = (memory.u64(), memory.u64());
        status.times = std::array::from_fn(|_| (memory.i64(), memory.u64()));
    }
    status.print(text);
}

/// struct stat of the other 64-bit ABIs.
pub(super) fn generic(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let whole = text.style().verbose;
    let mut status = Status::default();
    if whole {
        memory.seek(0);
        (status.dev, status.ino) = (memory.u64(), memory.u64());
    }
    memory.seek(16);
    (status.mode, status.links, status.uid, status.gid) =
        (memory.u32(), memory.u32().into(), memory.u32(), memory.u32());
    status.rdev = memory.u64();
    memory.skip(8);
    status.size = memory.u64();
    if whole {
        status.block = memory.u32().into();
        memory.skip(4);
        status.blocks = memory.u64();
        status.times = std::array::from_fn(|_| (memory.i64(), memory.u64()));
    }
    status.print(text);
}

fn i386(memory: &mut Memory<'_>) -> Status {
    let mut status = Status { dev: memory.u32().into(), ino: memory.u32().into(), ..Status::default() };
    (status.mode, status.links) = (memory.u16().into(), memory.u16().into());
    (status.uid, status.gid) = (memory.u16().into(), memory.u16().into());
    (status.rdev, status.size) = (memory.u32().into(), memory.u32().into());
    (status.block, status.blocks) = (memory.u32().into(), memory.u32().into());
    status.times = std::array::from_fn(|_| (memory.i32().into(), memory.u32().into()));
    status
}

/// i386's struct stat64.
pub(super) fn stat64(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let whole = text.style().verbose;
    let mut status = Status::default();
    if whole {
        status.dev = memory.u64();
    }
    memory.seek(16);
    (status.mode, status.links, status.uid, status.gid) =
        (memory.u32(), memory.u32().into(), memory.u32(), memory.u32());
    status.rdev = memory.u64();
    memory.skip(4);
    status.size = memory.u64();
    if whole {
        (status.block, status.blocks) = (memory.u32().into(), memory.u64());
        status.times = std::array::from_fn(|_| (memory.i32().into(), memory.u32().into()));
        status.ino = memory.u64();
    }
    status.print(text);
}

/// The first struct stat of all.
pub(super) fn old_stat(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let mut status = Status { dev: memory.u16().into(), ino: memory.u16().into(), coarse: true, ..Status::default() };
    (status.mode, status.links) = (memory.u16().into(), memory.u16().into());
    (status.uid, status.gid, status.rdev) = (memory.u16().into(), memory.u16().into(), memory.u16().into());
    memory.skip(2);
    status.size = memory.u32().into();
    status.times = std::array::from_fn(|_| (memory.i32().into(), 0));
    status.print(text);
}

const TYPE_OR_MODE: u32 = 3;

/// struct statx: what its mask says that it holds.
pub(super) fn statx(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let whole = text.style().verbose;
    let (mask, block, attributes) = (memory.u32(), memory.u32(), memory.u64());
    let (links, uid, gid, mode) = (memory.u32(), memory.u32(), memory.u32(), memory.u16());
    memory.skip(2);
    let (ino, size) = (memory.u64(), memory.u64());
    text.braced(|text| {
        let has = |bit: u32| mask & bit != 0;
        text.field("stx_mask").flags(&words::file::STATX_MASK, mask.into());
        if whole {
            text.field("stx_blksize").unsigned(block);
        }
        text.field("stx_attributes").flags(&words::file::STATX_ATTR, attributes);
        if whole && has(libc::STATX_NLINK) {
            text.field("stx_nlink").unsigned(links);
        }
        if whole && has(libc::STATX_UID) {
            text.field("stx_uid").signed(uid.cast_signed());
        }
        if whole && has(libc::STATX_GID) {
            text.field("stx_gid").signed(gid.cast_signed());
        }
        if has(TYPE_OR_MODE) {
            file::mode(text.field("stx_mode"), mode.into());
        }
        if whole && has(libc::STATX_INO) {
            text.field("stx_ino").unsigned(ino);
        }
        if has(libc::STATX_SIZE) {
            text.field("stx_size").unsigned(size);
        }
        if whole { statx_rest(text, memory, mask) } else { text.push(", ...") }
    });
}

fn statx_rest(text: &mut Text<'_>, memory: &mut Memory<'_>, mask: u32) {
    let has = |bit: u32| mask & bit != 0;
    let (blocks, attributes) = (memory.u64(), memory.u64());
    if has(libc::STATX_BLOCKS) {
        text.field("stx_blocks").unsigned(blocks);
    }
    text.field("stx_attributes_mask").flags(&words::file::STATX_ATTR, attributes);
    let times = [
        (libc::STATX_ATIME, "stx_atime"),
        (libc::STATX_BTIME, "stx_btime"),
        (libc::STATX_CTIME, "stx_ctime"),
        (libc::STATX_MTIME, "stx_mtime"),
    ];
    for (bit, name) in times {
        let (seconds, part) = (memory.i64(), memory.u32());
        memory.skip(4);
        if has(bit) {
            text.field(name).braced(|text| {
                text.field("tv_sec").signed(seconds);
                text.field("tv_nsec").unsigned(part);
            });
            date::comment(text, seconds, part.into(), 9);
        }
    }
    for name in ["stx_rdev_major", "stx_rdev_minor", "stx_dev_major", "stx_dev_minor"] {
        text.field(name).unsigned(memory.u32());
    }
    let (mount, memory_align, offset_align) = (memory.u64(), memory.u32(), memory.u32());
    if has(libc::STATX_MNT_ID) {
        text.field("stx_mnt_id").hex(mount);
    }
    if has(libc::STATX_DIOALIGN) {
        text.field("stx_dio_mem_align").unsigned(memory_align);
        text.field("stx_dio_offset_align").unsigned(offset_align);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn a_device_tells_its_number_and_a_file_its_size() {
        let style = Style::default();
        let mut bytes = [0; 144];
        bytes[24..28].copy_from_slice(&0o020_620_u32.to_ne_bytes());
        bytes[40..48].copy_from_slice(&0x8803_u64.to_ne_bytes());
        let mut text = Text::new(&style);
        stat(&mut text, &mut Memory::new(&bytes, 0, 8));
        assert_eq!(text.finish(), "{st_mode=S_IFCHR|0620, st_rdev=makedev(0x88, 0x3), ...}");
        bytes[24..28].copy_from_slice(&0o100_644_u32.to_ne_bytes());
        bytes[48] = 5;
        let mut text = Text::new(&style);
        stat(&mut text, &mut Memory::new(&bytes[24..56], 24, 8));
        assert_eq!(text.finish(), "{st_mode=S_IFREG|0644, st_size=5, ...}");
    }

    #[test]
    fn statx_shows_what_the_mask_has() {
        let style = Style::default();
        let mut text = Text::new(&style);
        let mut bytes = [0; 256];
        bytes[1] = 2;
        bytes[40] = 9;
        statx(&mut text, &mut Memory::new(&bytes, 0, 8));
        assert_eq!(text.finish(), "{stx_mask=STATX_SIZE, stx_attributes=0, stx_size=9, ...}");
    }
}
