//! Arguments of one register that are put together from several words.

use super::{errno, raw::int, style::Constants, text::Text};
use crate::syscall::words;

const MODE: u32 = 0o777;

/// A clock: `CLOCK_REALTIME`; those of processes, threads and descriptors have no names.
pub(super) fn clock(text: &mut Text<'_>, clock: i32) {
    text.word(&words::time::CLOCKS, u64::from(clock.cast_unsigned()));
}

/// IPC_CREAT and its like with the mode: `IPC_CREAT|0600`.
pub(super) fn mode_flags(text: &mut Text<'_>, words: &crate::syscall::Words, value: u32) {
    let flags = value & !MODE;
    if flags != 0 {
        text.flags(words, flags.into());
        text.push("|");
    }
    text.mode(value & MODE);
}

/// shmget's flags: the same, with the size of a huge page.
pub(super) fn shm_flags(text: &mut Text<'_>, value: u32) {
    const SHIFT: u32 = 26;
    let huge = value & 0x3f << SHIFT;
    let flags = value & !(MODE | huge);
    if flags != 0 {
        text.flags(&words::ipc::SHMGET_FLAGS, flags.into());
        text.push("|");
    }
    if huge != 0 {
        text.unsigned(huge >> SHIFT);
        text.push("<<SHM_HUGE_SHIFT|");
    }
    text.mode(value & MODE);
}

/// A control call's command: `IPC_64|IPC_STAT`.
pub(super) fn ipc_cmd(text: &mut Text<'_>, words: &crate::syscall::Words, value: u32) {
    const IPC_64: u32 = 0x100;
    if value & IPC_64 != 0 {
        text.either(|text| text.hex(IPC_64), |text| text.push("IPC_64"));
        text.push("|");
    }
    text.word(words, (value & !IPC_64).into());
}

/// `IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 4)`.
pub(super) fn io_priority(text: &mut Text<'_>, value: u32) {
    if text.constants() != Constants::Abbrev {
        text.signed(int(value.into()));
    }
    match text.constants() {
        Constants::Abbrev => io_priority_words(text, value),
        Constants::Raw => {}
        Constants::Verbose => {
            text.push(" /* ");
            io_priority_words(text, value);
            text.push(" */");
        }
    }
}

/// The same, of a result.
pub(super) fn io_priority_words(text: &mut Text<'_>, value: u32) {
    text.push("IOPRIO_PRIO_VALUE(");
    text.word(&words::sched::IOPRIO_CLASS, (value >> 13).into());
    text.push(", ");
    text.unsigned(value & 0x1fff);
    text.push(")");
}

/// personality's argument: `PER_LINUX|ADDR_NO_RANDOMIZE`; all ones ask only.
pub(super) fn personality(text: &mut Text<'_>, value: u32) {
    if value == u32::MAX {
        return text.hex(value);
    }
    personality_words(text, value);
}

/// The same, of a result.
pub(super) fn personality_words(text: &mut Text<'_>, value: u32) {
    text.word(&words::process::PERSONALITIES, (value & 0xff).into());
    if value & !0xff != 0 {
        text.push("|");
        text.flags(&words::process::PERSONALITY_FLAGS, (value & !0xff).into());
    }
}

/// FUTEX_WAKE_OP's third value: `FUTEX_OP_SET<<28|0<<12|FUTEX_OP_CMP_GT<<24|0x1`.
pub(super) fn wake_op(text: &mut Text<'_>, value: u32) {
    if value >> 28 & 8 != 0 {
        text.push("FUTEX_OP_OPARG_SHIFT<<28|");
    }
    let word = |text: &mut Text<'_>, words: &crate::syscall::Words, value: u32, shift: &str, unknown: &str| {
        text.word(words, value.into());
        text.push(shift);
        if words.word(value.into()).is_none() {
            text.comment(unknown);
        }
        text.push("|");
    };
    word(text, &words::sched::FUTEX_WAKE_OPS, value >> 28 & 7, "<<28", "FUTEX_OP_???");
    text.hex(value >> 12 & 0xfff);
    text.push("<<12|");
    word(text, &words::sched::FUTEX_WAKE_CMPS, value >> 24 & 0xf, "<<24", "FUTEX_OP_CMP_???");
    text.hex(value & 0xfff);
}

/// kexec_load's flags: the architecture above, bits below.
pub(super) fn kexec_flags(text: &mut Text<'_>, value: u64) {
    const ARCH: u64 = 0xffff_0000;
    text.word(&words::system::KEXEC_ARCH, value & ARCH);
    if value & !ARCH != 0 {
        text.push("|");
        text.flags(&words::system::KEXEC_LOAD, value & !ARCH);
    }
}

/// An errno by name.
pub(super) fn errno(text: &mut Text<'_>, value: u32) {
    match errno::name(int(value.into())) {
        Some(name) => text.push(name),
        None => text.unsigned(value),
    }
}

/// A vector length: `PR_SVE_VL_INHERIT|0x40`.
pub(super) fn vector_length(text: &mut Text<'_>, value: u64) {
    const LENGTH: u64 = 0xffff;
    if value & !LENGTH != 0 {
        text.flags(&words::prctl::SVE, value & !LENGTH);
        text.push("|");
    }
    text.hex(value & LENGTH);
}

/// PR_SET_TAGGED_ADDR_CTRL's argument: `PR_TAGGED_ADDR_ENABLE|PR_MTE_TCF_NONE`.
pub(super) fn tagged_addr(text: &mut Text<'_>, value: u64) {
    const CHECKS: u64 = 6;
    const TAGS: u64 = 0x7fff8;
    const TAG_SHIFT: u32 = 3;
    text.push(if value & 1 != 0 { "PR_TAGGED_ADDR_ENABLE|" } else { "!PR_TAGGED_ADDR_ENABLE|" });
    text.word(&words::prctl::MTE_TCF, value & CHECKS);
    if value & TAGS != 0 {
        text.push("|");
        text.hex((value & TAGS) >> TAG_SHIFT);
        text.push("<<PR_MTE_TAG_SHIFT");
    }
    let rest = value & !(1 | CHECKS | TAGS);
    if rest != 0 {
        text.push("|");
        text.hex(rest);
    }
}

/// A signal handler.
pub(super) fn handler(text: &mut Text<'_>, handler: u64) {
    let word = match handler {
        0 => "SIG_DFL",
        1 => "SIG_IGN",
        u64::MAX | 0xffff_ffff => "SIG_ERR",
        handler => return text.hex(handler),
    };
    text.either(|text| text.hex(handler), |text| text.push(word));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text::written;

    #[test]
    fn clocks() {
        assert_eq!(written(|text| clock(text, 1)), "CLOCK_MONOTONIC");
        assert_eq!(written(|text| clock(text, !12 << 3 | 2)), "0xffffff9a /* CLOCK_??? */");
    }

    #[test]
    fn flags_with_a_mode() {
        assert_eq!(written(|text| mode_flags(text, &words::ipc::GET_FLAGS, 0o1600)), "IPC_CREAT|0600");
        assert_eq!(written(|text| shm_flags(text, 0o600)), "0600");
        assert_eq!(written(|text| ipc_cmd(text, &words::ipc::SHMCTL, 0x102)), "IPC_64|IPC_STAT");
    }

    #[test]
    fn wake_operations() {
        assert_eq!(written(|text| wake_op(text, 0x0400_0001)), "FUTEX_OP_SET<<28|0<<12|FUTEX_OP_CMP_GT<<24|0x1");
    }
}
