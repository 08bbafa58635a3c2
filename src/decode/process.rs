//! Programs, limits, usage, scheduling, futexes.

use super::{call::Raw, memory::Memory, signal, text::Text};
use crate::{
    model::Value,
    syscall::words,
    wire::Part,
};

/// execve's argv: `["cat", "/etc/hostname"]`; where a string cannot be read, its address.
pub(super) fn strings(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) -> Value {
    let register = raw.register(index);
    let unread = raw.pieces(index).next().is_some_and(|piece| piece.part == Part::PART_MORE && piece.bytes.is_err());
    if register == 0 || unread {
        text.addr(register);
        return Value::Unsigned(register);
    }
    let mut shown = 0;
    let mut joined = Vec::new();
    text.bracketed(|text| {
        for piece in raw.pieces(index) {
            if shown > 0 && (piece.part != Part::PART_ITEM || piece.bytes.is_ok()) {
                text.push(", ");
            }
            match (piece.part, piece.bytes) {
                (Part::PART_ITEM, Ok(bytes)) => {
                    let end = bytes.iter().position(|byte| *byte == 0);
                    let bytes = &bytes[..end.unwrap_or(bytes.len())];
                    text.string(bytes, end.is_none());
                    joined.extend_from_slice(bytes);
                    joined.push(0);
                    shown += 1;
                }
                // Where it is follows.
                (Part::PART_ITEM, Err(_)) => {}
                (Part::PART_WHERE, Ok(bytes)) => {
                    text.hex(Memory::new(bytes, 0, raw.abi.word()).u64());
                    shown += 1;
                }
                (_, Ok(_)) => text.push("..."),
                (_, Err(_)) => {
                    text.push("...");
                    let end = register.wrapping_add(shown * raw.abi.word() as u64);
                    text.push(&format!(" /* {end:#x} */"));
                }
            }
        }
    });
    Value::Bytes(joined.into())
}

/// execve's envp: `0x7ffc /* 23 vars */`.
pub(super) fn string_count(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) -> Value {
    let register = raw.register(index);
    text.addr(register);
    if let Some(count) = raw.number(index, Part::PART_COUNT) {
        text.push(" /* ");
        text.unsigned(count);
        text.push(if count == 1 { " var" } else { " vars" });
        if raw.pieces(index).any(|piece| piece.part == Part::PART_MORE) {
            text.push(", unterminated");
        }
        text.push(" */");
    }
    Value::Unsigned(register)
}

/// futex's operation: `FUTEX_WAIT_PRIVATE`, `FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME`.
pub(super) fn futex_op(text: &mut Text<'_>, op: u32) {
    const PRIVATE: u32 = 128;
    const REALTIME: u32 = 256;
    let command = op & !(PRIVATE | REALTIME);
    match words::process::FUTEX.word(command.into()) {
        Some(word) => {
            text.push(word);
            if op & PRIVATE != 0 {
                text.push("_PRIVATE");
            }
        }
        None => {
            text.word(&words::process::FUTEX, (op & !REALTIME).into());
        }
    }
    if op & REALTIME != 0 {
        text.push("|FUTEX_CLOCK_REALTIME");
    }
}

fn limit(text: &mut Text<'_>, value: u64, infinity: u64) {
    if value == infinity {
        text.push("RLIM_INFINITY");
    } else if value > 1024 && value.is_multiple_of(1024) {
        text.unsigned(value / 1024);
        text.push("*1024");
    } else {
        text.unsigned(value);
    }
}

fn limits(text: &mut Text<'_>, soft: u64, hard: u64, infinity: u64) {
    text.braced(|text| {
        limit(text.field("rlim_cur"), soft, infinity);
        limit(text.field("rlim_max"), hard, infinity);
    });
}

/// struct rlimit.
pub(super) fn rlimit(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let infinity = if memory.word_size() == 8 { u64::MAX } else { u32::MAX.into() };
    let (soft, hard) = (memory.word(), memory.word());
    limits(text, soft, hard, infinity);
}

/// struct rlimit64.
pub(super) fn rlimit64(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (soft, hard) = (memory.u64(), memory.u64());
    limits(text, soft, hard, u64::MAX);
}

/// struct rusage.
pub(super) fn rusage(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.braced(|text| {
        super::time::timeval(text.field("ru_utime"), memory);
        super::time::timeval(text.field("ru_stime"), memory);
        if !text.style().verbose {
            return text.push(", ...");
        }
        for name in [
            "ru_maxrss", "ru_ixrss", "ru_idrss", "ru_isrss", "ru_minflt", "ru_majflt", "ru_nswap", "ru_inblock",
            "ru_oublock", "ru_msgsnd", "ru_msgrcv", "ru_nsignals", "ru_nvcsw", "ru_nivcsw",
        ] {
            text.field(name).signed(memory.long());
        }
    });
}

/// struct new_utsname.
pub(super) fn utsname(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let fields = ["sysname", "nodename", "release", "version", "machine", "domainname"];
    let shown = if text.style().verbose { 6 } else { 2 };
    text.braced(|text| {
        for name in fields.iter().take(shown) {
            let raw = memory.raw(65);
            let end = raw.iter().position(|byte| *byte == 0).unwrap_or(raw.len());
            text.field(name).string(&raw[..end], false);
        }
        if shown < 6 {
            text.push(", ...");
        }
    });
}

/// struct sysinfo.
pub(super) fn sysinfo(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let uptime = memory.long();
    let loads = [memory.word(), memory.word(), memory.word()];
    text.braced(|text| {
        text.field("uptime").signed(uptime);
        text.field("loads").bracketed(|text| {
            for load in loads {
                text.separate();
                text.unsigned(load);
            }
        });
        for name in ["totalram", "freeram", "sharedram", "bufferram", "totalswap", "freeswap"] {
            text.field(name).unsigned(memory.word());
        }
        text.field("procs").unsigned(memory.u16());
        memory.skip(if memory.word_size() == 8 { 6 } else { 2 });
        text.field("totalhigh").unsigned(memory.word());
        text.field("freehigh").unsigned(memory.word());
        text.field("mem_unit").unsigned(memory.u32());
    });
}

/// struct robust_list_head.
pub(super) fn robust_list(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.braced(|text| {
        text.field("list").addr(memory.word());
        text.field("futex_offset").signed(memory.long());
        text.field("list_op_pending").addr(memory.word());
    });
}

/// struct rseq.
pub(super) fn rseq(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.braced(|text| {
        text.field("cpu_id_start").unsigned(memory.u32());
        text.field("cpu_id").unsigned(memory.u32());
        text.field("rseq_cs").addr(memory.u64());
        text.field("flags").hex(memory.u32());
    });
}

/// wait's status: `[{WIFEXITED(s) && WEXITSTATUS(s) == 0}]`.
pub(super) fn wait_status(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let status = memory.i32();
    text.bracketed(|text| {
        text.braced(|text| {
            if libc::WIFSTOPPED(status) {
                text.push("WIFSTOPPED(s) && WSTOPSIG(s) == ");
                text.push(&signal::name(libc::WSTOPSIG(status) & 0x7f));
            } else if libc::WIFSIGNALED(status) {
                text.push("WIFSIGNALED(s) && WTERMSIG(s) == ");
                text.push(&signal::name(libc::WTERMSIG(status)));
                if libc::WCOREDUMP(status) {
                    text.push(" && WCOREDUMP(s)");
                }
            } else if libc::WIFEXITED(status) {
                text.push("WIFEXITED(s) && WEXITSTATUS(s) == ");
                text.signed(libc::WEXITSTATUS(status));
            } else {
                text.push("WIFCONTINUED(s)");
            }
        });
    });
}

/// struct sched_param.
pub(super) fn sched_param(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.bracketed(|text| text.signed(memory.i32()));
}

/// A CPU set: `[0 1]`.
pub(super) fn cpu_set(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    super::poll::fd_set(text, memory);
}
