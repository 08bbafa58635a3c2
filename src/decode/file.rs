//! Files: what stat tells, what open asks for.

use super::{memory::Memory, text::Text};
use crate::syscall::words;

/// open's access mode and flags.
pub(super) fn open_flags(text: &mut Text<'_>, flags: u32) {
    open_flags64(text, flags.into());
}

fn open_flags64(text: &mut Text<'_>, flags: u64) {
    text.either(
        |text| text.hex(flags),
        |text| {
            text.word(&words::file::ACCESS_MODES, flags & 3);
            text.more_flags(&words::file::OPEN, flags & !3);
        },
    );
}

/// `S_IFREG|0644`.
pub(super) fn mode(text: &mut Text<'_>, mode: u32) {
    let kind = mode & libc::S_IFMT;
    if kind != 0 && words::file::FILE_TYPES.word(kind.into()).is_none() {
        return text.mode(mode);
    }
    text.either(|text| text.mode(mode), |text| mode_words(text, kind, mode));
}

fn mode_words(text: &mut Text<'_>, kind: u32, mode: u32) {
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
    text.either(
        |text| text.hex(device),
        |text| {
            text.push("makedev(");
            text.hex(u64::from(libc::major(device)));
            text.push(", ");
            text.hex(u64::from(libc::minor(device)));
            text.push(")");
        },
    );
}

/// struct statfs.
pub(super) fn statfs(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let head = [memory.word(), memory.word()];
    let counts = std::array::from_fn(|_| memory.word());
    let fsid = [memory.u32(), memory.u32()];
    volume(text, head, counts, fsid, [memory.word(), memory.word(), memory.word()]);
}

/// i386's struct statfs64.
pub(super) fn statfs64(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let head = [memory.u32().into(), memory.u32().into()];
    let counts = std::array::from_fn(|_| memory.u64());
    let fsid = [memory.u32(), memory.u32()];
    volume(text, head, counts, fsid, [memory.u32().into(), memory.u32().into(), memory.u32().into()]);
}

fn volume(text: &mut Text<'_>, head: [u64; 2], counts: [u64; 5], fsid: [u32; 2], tail: [u64; 3]) {
    let [kind, block] = head;
    let [name_length, fragment, flags] = tail;
    text.braced(|text| {
        text.field("f_type").word(&words::mount::MAGIC, kind);
        text.field("f_bsize").unsigned(block);
        for (name, value) in ["f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree"].iter().zip(counts) {
            text.field(name).unsigned(value);
        }
        text.field("f_fsid").braced(|text| {
            text.push("val=");
            text.array(2, |text, n| text.hex(fsid[n]));
        });
        text.field("f_namelen").unsigned(name_length);
        text.field("f_frsize").unsigned(fragment);
        // The kernel tells flags only where this bit is set.
        if flags & 0x20 != 0 {
            text.field("f_flags").flags(&words::mount::STATFS, flags);
        }
    });
}

/// openat2's struct open_how.
pub(super) fn open_how(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    const CREATES: u64 = (libc::O_CREAT | (libc::O_TMPFILE & !libc::O_DIRECTORY)) as u64;
    let (flags, st_mode, resolve) = (memory.u64(), memory.u64(), memory.u64());
    text.braced(|text| {
        open_flags64(text.field("flags"), flags);
        if flags & CREATES != 0 || st_mode != 0 {
            text.field("mode").mode(st_mode);
        }
        text.field("resolve").flags(&words::file::RESOLVE, resolve);
        beyond(text, memory);
    });
}

/// What stands behind the known fields of a structure that can grow, if it is not zero.
pub(super) fn beyond(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    const PAGE: usize = 4096;
    let at = memory.offset();
    let told = memory.told_left().min(PAGE.saturating_sub(at));
    let rest = memory.rest();
    if rest.len() < told {
        text.separate();
        text.push("???");
    } else if rest.iter().any(|byte| *byte != 0) {
        text.separate();
        text.push(&format!("/* bytes {at}..{} */ ", at + rest.len() - 1));
        text.hex_string(rest, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text::written;

    #[test]
    fn modes_and_devices() {
        assert_eq!(written(|text| mode(text, 0o104_755)), "S_IFREG|S_ISUID|0755");
        assert_eq!(written(|text| mode(text, 0o644)), "0644");
        assert_eq!(written(|text| mode(text, 0o170_644)), "0170644");
        assert_eq!(written(|text| device(text, 0x801)), "makedev(0x8, 0x1)");
    }

    #[test]
    fn open_how_shows_the_mode_when_it_matters() {
        let bytes: Vec<u8> = [0x41_u64, 0o600, 8].iter().flat_map(|value| value.to_ne_bytes()).collect();
        let text = written(|text| open_how(text, &mut Memory::new(&bytes, 0, 8)));
        assert_eq!(text, "{flags=O_WRONLY|O_CREAT, mode=0600, resolve=RESOLVE_BENEATH}");
    }
}
