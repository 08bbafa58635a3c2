//! quotactl: commands and structures.

use super::{memory::Memory, text::Text};
use crate::syscall::words;

/// `QCMD(Q_GETQUOTA, USRQUOTA)`.
pub(super) fn command(text: &mut Text<'_>, value: u32) {
    text.either(
        |text| text.unsigned(value),
        |text| {
            text.push("QCMD(");
            text.word(&words::mount::QUOTA, (value >> 8).into());
            text.push(", ");
            text.word(&words::mount::QUOTA_TYPES, (value & 0xff).into());
            text.push(")");
        },
    );
}

fn block(text: &mut Text<'_>, memory: &mut Memory<'_>, next: bool) {
    let fields = ["bhardlimit", "bsoftlimit", "curspace", "ihardlimit", "isoftlimit", "curinodes", "btime", "itime"];
    let values: [u64; 8] = std::array::from_fn(|_| memory.u64());
    let valid = memory.u32();
    let id = if next { memory.u32() } else { 0 };
    let whole = text.style().verbose;
    text.braced(|text| {
        for (name, value) in fields.iter().zip(values).take(if whole { 8 } else { 6 }) {
            text.field(&format!("dqb_{name}")).unsigned(value);
        }
        if whole {
            text.field("dqb_valid").flags(&words::mount::QUOTA_VALID, valid.into());
        }
        if next {
            text.field("dqb_id").unsigned(id);
        }
        if !whole {
            text.push(", ...");
        }
    });
}

/// struct if_dqblk.
pub(super) fn quota(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    block(text, memory, false);
}

/// struct if_nextdqblk.
pub(super) fn next_quota(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    block(text, memory, true);
}

/// struct if_dqinfo.
pub(super) fn info(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (blocks, inodes, flags, valid) = (memory.u64(), memory.u64(), memory.u32(), memory.u32());
    text.braced(|text| {
        text.field("dqi_bgrace").unsigned(blocks);
        text.field("dqi_igrace").unsigned(inodes);
        text.field("dqi_flags").flags(&words::mount::QUOTA_INFO, flags.into());
        text.field("dqi_valid").flags(&words::mount::QUOTA_INFO_VALID, valid.into());
    });
}

/// The format of quota files.
pub(super) fn format(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let format = memory.u32();
    text.bracketed(|text| text.word(&words::mount::QUOTA_FORMATS, format.into()));
}

/// XFS' accounting flags.
pub(super) fn xfs_flags(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let flags = memory.u32();
    text.bracketed(|text| text.flags(&words::mount::XFS_QUOTA, flags.into()));
}

/// XFS' kinds of quotas.
pub(super) fn xfs_kinds(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let kinds = memory.u32();
    text.bracketed(|text| text.flags(&words::mount::XFS_QUOTA_KINDS, kinds.into()));
}

/// struct fs_disk_quota.
pub(super) fn xfs_quota(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (version, flags, mask, id) = (memory.u8().cast_signed(), memory.u8(), memory.u16(), memory.u32());
    let limits: [u64; 6] = std::array::from_fn(|_| memory.u64());
    let timers = [memory.i32(), memory.i32()];
    let warns = [memory.u16(), memory.u16()];
    memory.skip(4);
    let realtime: [u64; 3] = std::array::from_fn(|_| memory.u64());
    let (realtime_timer, realtime_warns) = (memory.i32(), memory.u16());
    let whole = text.style().verbose;
    text.braced(|text| {
        text.field("d_version").signed(version);
        text.field("d_flags").flags(&words::mount::XFS_QUOTA_KINDS, flags.into());
        text.field("d_fieldmask").hex(mask);
        text.field("d_id").unsigned(id);
        let names =
            ["d_blk_hardlimit", "d_blk_softlimit", "d_ino_hardlimit", "d_ino_softlimit", "d_bcount", "d_icount"];
        for (name, value) in names.iter().zip(limits) {
            text.field(name).unsigned(value);
        }
        if !whole {
            return text.push(", ...");
        }
        text.field("d_itimer").signed(timers[0]);
        text.field("d_btimer").signed(timers[1]);
        text.field("d_iwarns").unsigned(warns[0]);
        text.field("d_bwarns").unsigned(warns[1]);
        for (name, value) in ["d_rtb_hardlimit", "d_rtb_softlimit", "d_rtbcount"].iter().zip(realtime) {
            text.field(name).unsigned(value);
        }
        text.field("d_rtbtimer").signed(realtime_timer);
        text.field("d_rtbwarns").unsigned(realtime_warns);
    });
}

/// struct fs_quota_stat.
pub(super) fn xfs_status(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    status(text, memory, false);
}

/// struct fs_quota_statv.
pub(super) fn xfs_statusv(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    status(text, memory, true);
}

fn status(text: &mut Text<'_>, memory: &mut Memory<'_>, newer: bool) {
    let version = memory.u8().cast_signed();
    memory.skip(1);
    let flags = memory.u16();
    let count = memory.u32();
    text.braced(|text| {
        text.field("qs_version").signed(version);
        if !text.style().verbose {
            return text.push(", ...");
        }
        text.field("qs_flags").flags(&words::mount::XFS_QUOTA, flags.into());
        if newer {
            text.field("qs_incoredqs").unsigned(count);
        }
        for name in ["qs_uquota", "qs_gquota", "qs_pquota"].into_iter().take(if newer { 3 } else { 2 }) {
            let (ino, blocks, extents) = (memory.u64(), memory.u64(), memory.u32());
            memory.skip(if newer || memory.word_size() == 8 { 4 } else { 0 });
            text.field(name).braced(|text| {
                text.field("qfs_ino").unsigned(ino);
                text.field("qfs_nblks").unsigned(blocks);
                text.field("qfs_nextents").unsigned(extents);
            });
        }
        if !newer {
            text.field("qs_incoredqs").unsigned(memory.u32());
        }
        for name in ["qs_btimelimit", "qs_itimelimit", "qs_rtbtimelimit"] {
            text.field(name).signed(memory.i32());
        }
        for name in ["qs_bwarnlimit", "qs_iwarnlimit"] {
            text.field(name).unsigned(memory.u16());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn a_command_has_two_parts() {
        let style = Style::default();
        let mut text = Text::new(&style);
        command(&mut text, 0x8000_0700);
        command(&mut text, 0xffff_ffff);
        assert_eq!(text.finish(), "QCMD(Q_GETQUOTA, USRQUOTA)QCMD(0xffffff /* Q_??? */, 0xff /* ???QUOTA */)");
    }
}
