//! Programs, limits, usage, scheduling, futexes.

use super::{memory::Memory, raw::Raw, signal, text::Text};
use crate::{model::Value, syscall::words, wire::Part};

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

/// execve's envp: `0x7ffc /* 23 vars */`; the strings, if they were recorded and all is to be shown.
pub(super) fn string_count(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) -> Value {
    let register = raw.register(index);
    let recorded = raw.pieces(index).filter(|piece| piece.part == Part::PART_ITEM).count();
    if recorded > 0 && raw.style.verbose {
        return strings(text, raw, index);
    }
    text.addr(register);
    let goes_on = raw.pieces(index).any(|piece| piece.part == Part::PART_MORE);
    let counted = u32::try_from(recorded).ok().filter(|count| *count > 0 && !goes_on);
    if let Some(count) = raw.number(index, Part::PART_COUNT).or(counted) {
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

fn limit(text: &mut Text<'_>, value: u64, infinity: (u64, &str)) {
    if value == infinity.0 {
        text.either(|text| text.unsigned(value), |text| text.push(infinity.1));
    } else if value > 1024 && value.is_multiple_of(1024) {
        text.either(
            |text| text.unsigned(value),
            |text| {
                text.unsigned(value / 1024);
                text.push("*1024");
            },
        );
    } else {
        text.unsigned(value);
    }
}

fn limits(text: &mut Text<'_>, soft: u64, hard: u64, infinity: (u64, &str)) {
    text.braced(|text| {
        limit(text.field("rlim_cur"), soft, infinity);
        limit(text.field("rlim_max"), hard, infinity);
    });
}

const INFINITY: (u64, &str) = (u64::MAX, "RLIM64_INFINITY");

/// struct rlimit.
pub(super) fn rlimit(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let infinity = if memory.word_size() == 8 { INFINITY } else { (0xffff_ffff, "RLIM_INFINITY") };
    let (soft, hard) = (memory.word(), memory.word());
    limits(text, soft, hard, infinity);
}

/// struct rlimit64.
pub(super) fn rlimit64(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (soft, hard) = (memory.u64(), memory.u64());
    limits(text, soft, hard, INFINITY);
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
            "ru_maxrss",
            "ru_ixrss",
            "ru_idrss",
            "ru_isrss",
            "ru_minflt",
            "ru_majflt",
            "ru_nswap",
            "ru_inblock",
            "ru_oublock",
            "ru_msgsnd",
            "ru_msgrcv",
            "ru_nsignals",
            "ru_nvcsw",
            "ru_nivcsw",
        ] {
            text.field(name).unsigned(memory.word());
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

/// i386's older struct utsname: names of so many bytes without the domain.
pub(super) fn old_utsname(text: &mut Text<'_>, memory: &mut Memory<'_>, width: usize) {
    text.braced(|text| {
        for name in ["sysname", "nodename", "release", "version", "machine"] {
            let raw = memory.raw(width);
            let end = raw.iter().position(|byte| *byte == 0);
            text.field(name).string(&raw[..end.unwrap_or(raw.len())], end.is_none());
        }
    });
}

/// wait's status: `[{WIFEXITED(s) && WEXITSTATUS(s) == 0}]`, with a ptrace event behind it.
pub(super) fn wait_status(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let status = memory.i32();
    text.bracketed(|text| {
        let Some(rest) = plain_status(text, status) else { return text.hex(status.cast_unsigned()) };
        let event = rest.cast_unsigned() >> 16;
        if event != 0 {
            text.push("|");
            text.word(&words::process::PTRACE_EVENTS, event.into());
            text.push("<<16");
        }
        if rest & 0xffff != 0 {
            text.push("|");
            text.hex((rest & 0xffff).cast_unsigned());
        }
    });
}

/// What the lower half of a status says; returns the bits that it does not tell.
fn plain_status(text: &mut Text<'_>, status: i32) -> Option<i32> {
    let told = if libc::WIFSTOPPED(status) {
        let signo = libc::WSTOPSIG(status);
        text.push("{WIFSTOPPED(s) && WSTOPSIG(s) == ");
        text.push(&signal::name(signo & 0x7f));
        text.push(if signo & 0x80 != 0 { " | 0x80" } else { "" });
        0xffff
    } else if libc::WIFSIGNALED(status) {
        text.push("{WIFSIGNALED(s) && WTERMSIG(s) == ");
        text.push(&signal::name(libc::WTERMSIG(status)));
        text.push(if libc::WCOREDUMP(status) { " && WCOREDUMP(s)" } else { "" });
        0xff
    } else if libc::WIFEXITED(status) {
        text.push("{WIFEXITED(s) && WEXITSTATUS(s) == ");
        text.signed(libc::WEXITSTATUS(status));
        0xff00
    } else if libc::WIFCONTINUED(status) {
        text.push("{WIFCONTINUED(s)");
        0xffff
    } else {
        return None;
    };
    text.push("}");
    Some(status & !told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    fn shown(print: fn(&mut Text<'_>, &mut Memory<'_>), bytes: &[u8]) -> String {
        let style = Style::default();
        let mut text = Text::new(&style);
        print(&mut text, &mut Memory::new(bytes, 0, 8));
        text.finish()
    }

    #[test]
    fn statuses() {
        let status = |status: i32| shown(wait_status, &status.to_ne_bytes());
        assert_eq!(status(0x300), "[{WIFEXITED(s) && WEXITSTATUS(s) == 3}]");
        assert_eq!(status(0x8b), "[{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}]");
        assert_eq!(status(0x4057f), "[{WIFSTOPPED(s) && WSTOPSIG(s) == SIGTRAP}|PTRACE_EVENT_EXEC<<16]");
        assert_eq!(status(0xffff), "[{WIFCONTINUED(s)}]");
    }

    #[test]
    fn limits() {
        let bytes: Vec<u8> = [8192 * 1024_u64, u64::MAX].iter().flat_map(|limit| limit.to_ne_bytes()).collect();
        assert_eq!(shown(rlimit64, &bytes), "{rlim_cur=8192*1024, rlim_max=RLIM64_INFINITY}");
    }
}
