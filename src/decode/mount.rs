//! Mounts and swap areas.

use linux_raw_sys::general;

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
        text.either(|text| text.hex(MAGIC), |text| text.push("MS_MGC_VAL"));
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
        text.field("mnt_ns_fd").fd(spare.cast_signed());
        text.field("mnt_id").hex(mount);
        text.field("param").flags(&words::mount::STATMOUNT, param);
        if size >= 32 {
            text.field("mnt_ns_id").hex(memory.u64());
        }
    });
}

/// listmount's: from which mount on.
pub(super) fn list_request(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (size, namespace, mount, param) = (memory.u32(), memory.i32(), memory.u64(), memory.u64());
    text.braced(|text| {
        text.field("size").unsigned(size);
        text.field("mnt_ns_fd").fd(namespace);
        text.field("mnt_id");
        match words::mount::MOUNT_IDS.word(mount) {
            Some(_) => text.word(&words::mount::MOUNT_IDS, mount),
            None => text.hex(mount),
        }
        text.field("param").hex(param);
        if size >= 32 {
            text.field("mnt_ns_id").hex(memory.u64());
        }
    });
}

/// Bytes in front of statmount's strings.
const STATMOUNT: usize = 512;

/// What statmount answers: the fields that its mask names, strings by their offsets.
pub(super) fn answer(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, bytes: &[u8]) {
    let mut memory = Memory::new(bytes, 0, 8);
    let (size, options, mask) = (memory.u32(), memory.u32(), memory.u64());
    if bytes.len() < STATMOUNT.min(usize::try_from(size).unwrap_or(usize::MAX)) || bytes.len() < 16 {
        return text.addr(raw.register(index));
    }
    let strings = bytes.get(STATMOUNT..).unwrap_or_default();
    let has = |bit: u32| mask & u64::from(bit) != 0;
    let string = |text: &mut Text<'_>, at: u32| {
        let rest = strings.get(at as usize..).unwrap_or_default();
        let end = rest.iter().position(|byte| *byte == 0);
        io::path(text, &rest[..end.unwrap_or(rest.len())]);
        text.push(if end.is_none() { "..." } else { "" });
    };
    let list = |text: &mut Text<'_>, count: u32, at: u32| {
        let rest = strings.get(at as usize..).unwrap_or_default();
        text.bracketed(|text| {
            for (n, item) in rest.split(|byte| *byte == 0).take(count as usize).enumerate() {
                text.push(if n > 0 { ", " } else { "" });
                io::path(text, item);
            }
        });
    };
    text.braced(|text| {
        text.field("size").unsigned(size);
        if has(general::STATMOUNT_MNT_OPTS) {
            string(text.field("mnt_opts"), options);
        }
        text.field("mask").flags(&words::mount::STATMOUNT, mask);
        let (major, minor, magic, flags) = (memory.u32(), memory.u32(), memory.u64(), memory.u32());
        if has(general::STATMOUNT_SB_BASIC) {
            text.field("sb_dev_major").unsigned(major);
            text.field("sb_dev_minor").unsigned(minor);
            text.field("sb_magic").word(&words::mount::MAGIC, magic);
            text.field("sb_flags").flags(&words::mount::MOUNT, flags.into());
        }
        let kind = memory.u32();
        if has(general::STATMOUNT_FS_TYPE) {
            string(text.field("fs_type"), kind);
        }
        let (id, parent, old, old_parent) = (memory.u64(), memory.u64(), memory.u32(), memory.u32());
        let (attributes, propagation, peers, master) = (memory.u64(), memory.u64(), memory.u64(), memory.u64());
        if has(general::STATMOUNT_MNT_BASIC) {
            text.field("mnt_id").hex(id);
            text.field("mnt_parent_id").hex(parent);
            text.field("mnt_id_old").hex(old);
            text.field("mnt_parent_id_old").hex(old_parent);
            text.field("mnt_attr").flags(&words::mount::FSMOUNT_ATTR, attributes);
            text.field("mnt_propagation").flags(&words::mount::PROPAGATION, propagation);
            text.field("mnt_peer_group").hex(peers);
            text.field("mnt_master").hex(master);
        }
        let from = memory.u64();
        if has(general::STATMOUNT_PROPAGATE_FROM) {
            text.field("propagate_from").hex(from);
        }
        let (root, point, namespace) = (memory.u32(), memory.u32(), memory.u64());
        if has(general::STATMOUNT_MNT_ROOT) {
            string(text.field("mnt_root"), root);
        }
        if has(general::STATMOUNT_MNT_POINT) {
            string(text.field("mnt_point"), point);
        }
        if has(general::STATMOUNT_MNT_NS_ID) {
            text.field("mnt_ns_id").hex(namespace);
        }
        let (subtype, source) = (memory.u32(), memory.u32());
        if has(general::STATMOUNT_FS_SUBTYPE) {
            string(text.field("fs_subtype"), subtype);
        }
        if has(general::STATMOUNT_SB_SOURCE) {
            string(text.field("sb_source"), source);
        }
        for (bit, number, name) in [
            (general::STATMOUNT_OPT_ARRAY, "opt_num", "opt_array"),
            (general::STATMOUNT_OPT_SEC_ARRAY, "opt_sec_num", "opt_sec_array"),
        ] {
            let (count, at) = (memory.u32(), memory.u32());
            if has(bit) {
                text.field(number).unsigned(count);
                list(text.field(name), count, at);
            }
        }
        let supported = memory.u64();
        if has(general::STATMOUNT_SUPPORTED_MASK) {
            text.field("supported_mask").flags(&words::mount::STATMOUNT, supported);
        }
        for (bit, number, name) in [
            (general::STATMOUNT_MNT_UIDMAP, "mnt_uidmap_num", "mnt_uidmap"),
            (general::STATMOUNT_MNT_GIDMAP, "mnt_gidmap_num", "mnt_gidmap"),
        ] {
            let (count, at) = (memory.u32(), memory.u32());
            if has(bit) {
                text.field(number).unsigned(count);
                list(text.field(name), count, at);
            }
        }
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
