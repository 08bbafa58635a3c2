//! Mounts and swap areas.

use super::{file, io, memory::Memory, raw::Raw, text::Text};
use crate::{model::Value, syscall::words};

const MAGIC: u64 = 0xc0ed_0000;
const MAGIC_MASK: u64 = 0xffff_0000;
const REMOUNT: u64 = libc::MS_REMOUNT;
/// With these the kernel looks at neither type nor options.
const MOVES: u64 =
    libc::MS_BIND | libc::MS_MOVE | libc::MS_SHARED | libc::MS_PRIVATE | libc::MS_SLAVE | libc::MS_UNBINDABLE;

/// mount's flags without the magic number that old programs add.
fn plain(flags: u64) -> (u64, bool) {
    if flags & MAGIC_MASK == MAGIC { (flags & !MAGIC_MASK, true) } else { (flags, false) }
}

/// mount's flags.
pub(super) fn flags(text: &mut Text<'_>, register: u64) {
    let (flags, magic) = plain(register);
    if magic {
        text.push("MS_MGC_VAL");
        text.more_flags(&words::mount::MOUNT, flags);
    } else {
        text.flags(&words::mount::MOUNT, flags);
    }
}

fn string_or_address(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, ignored: bool) -> Value {
    if !ignored {
        return io::string(text, raw, index, false);
    }
    text.addr(raw.register(index));
    Value::Unsigned(raw.register(index))
}

/// mount's file system type.
pub(super) fn kind(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) -> Value {
    let (flags, _) = plain(raw.register(3));
    string_or_address(text, raw, index, flags & (REMOUNT | MOVES) != 0)
}

/// mount's options.
pub(super) fn data(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) -> Value {
    let (flags, _) = plain(raw.register(3));
    string_or_address(text, raw, index, flags & REMOUNT == 0 && flags & MOVES != 0)
}

/// swapon's flags, and the priority in their low bits.
pub(super) fn swap_flags(text: &mut Text<'_>, value: u32) {
    let (priority, flags) = (value & 0x7fff, value & !0x7fff);
    if flags != 0 {
        text.flags(&words::mount::SWAP, flags.into());
        text.push("|");
    }
    text.unsigned(priority);
}

/// mount_setattr's struct mount_attr.
pub(super) fn attributes(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    const IDMAP: u64 = 0x0010_0000;
    let (set, clear, propagation, user) = (memory.u64(), memory.u64(), memory.u64(), memory.u64());
    text.braced(|text| {
        text.field("attr_set").flags(&words::mount::MOUNT_ATTR, set);
        text.field("attr_clr").flags(&words::mount::MOUNT_ATTR, clear);
        text.field("propagation").word(&words::mount::PROPAGATION, propagation);
        match i32::try_from(user) {
            Ok(fd) if (set | clear) & IDMAP != 0 => text.field("userns_fd").fd(fd),
            _ => text.field("userns_fd").unsigned(user),
        }
        file::beyond(text, memory);
    });
}

/// What statmount and listmount are asked: struct mnt_id_req.
pub(super) fn request(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (size, spare, mount, param) = (memory.u32(), memory.u32(), memory.u64(), memory.u64());
    text.braced(|text| {
        text.field("size").unsigned(size);
        if spare != 0 {
            text.field("spare").hex(spare);
        }
        text.field("mnt_id").hex(mount);
        text.field("param").hex(param);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text::written;

    #[test]
    fn the_old_magic_number_is_no_flag() {
        assert_eq!(written(|text| flags(text, 0)), "0");
        assert_eq!(written(|text| flags(text, MAGIC)), "MS_MGC_VAL");
        assert_eq!(written(|text| flags(text, MAGIC | 0x1001)), "MS_MGC_VAL|MS_RDONLY|MS_BIND");
        assert_eq!(written(|text| flags(text, 0x4_4000)), "MS_REC|MS_PRIVATE");
    }

    #[test]
    fn swap_has_a_priority_in_its_flags() {
        assert_eq!(written(|text| swap_flags(text, 0)), "0");
        assert_eq!(written(|text| swap_flags(text, 0x1_8005)), "SWAP_FLAG_PREFER|SWAP_FLAG_DISCARD|5");
    }
}
