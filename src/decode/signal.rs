//! Signals: names, sets, actions, siginfo.

use std::borrow::Cow;

use super::{errno, memory::Memory, style::Style, text::Text};
use crate::{
    model::signal_name,
    syscall::{Words, words},
};

const RTMAX: i32 = 64;

/// `SIGSEGV`, `SIGRT_1`; a number where there is no such signal.
pub(super) fn name(signo: i32) -> Cow<'static, str> {
    match words::signal::SIGNALS.word(u64::try_from(signo).unwrap_or(0)) {
        Some(word) => word.into(),
        None => signal_name(signo).into(),
    }
}

/// A set: `[INT TERM]`, and `~[...]` where most are in it.
pub(super) fn set(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    mask(text, memory.u64());
}

/// The mask that rt_sigreturn restores.
pub(super) fn frame(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let bits = memory.u64();
    text.braced(|text| mask(text.field("mask"), bits));
}

fn mask(text: &mut Text<'_>, bits: u64) {
    let inverted = bits.count_ones() >= 43;
    let shown = if inverted { !bits } else { bits };
    if inverted {
        text.push("~");
    }
    text.bracketed(|text| {
        let mut first = true;
        for signo in (1..=RTMAX).filter(|signo| shown >> (signo - 1) & 1 == 1) {
            if !std::mem::take(&mut first) {
                text.push(" ");
            }
            let name = name(signo);
            text.push(name.strip_prefix("SIG").unwrap_or(&name));
        }
    });
}

/// The kernel's struct sigaction.
pub(super) fn action(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    const SA_RESTORER: u64 = 0x0400_0000;
    let handler = memory.word();
    let (flags, restorer) = (memory.word(), memory.word());
    let bits = memory.u64();
    text.braced(|text| {
        text.field("sa_handler");
        match handler {
            0 => text.push("SIG_DFL"),
            1 => text.push("SIG_IGN"),
            handler => text.hex(handler),
        }
        mask(text.field("sa_mask"), bits);
        text.field("sa_flags").flags(&words::signal::SIGACTION, flags);
        if flags & SA_RESTORER != 0 {
            text.field("sa_restorer").addr(restorer);
        }
    });
}

/// stack_t.
pub(super) fn stack(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let pointer = memory.word();
    let flags = memory.u32();
    if memory.word_size() == 8 {
        memory.skip(4);
    }
    let size = memory.word();
    text.braced(|text| {
        text.field("ss_sp").addr(pointer);
        text.field("ss_flags").flags(&words::signal::SIGSTACK, flags.into());
        text.field("ss_size").unsigned(size);
    });
}

/// siginfo_t as the kernel gives it to a program.
pub(super) fn siginfo(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (signo, error, code) = (memory.i32(), memory.i32(), memory.i32());
    if memory.word_size() == 8 {
        memory.skip(4);
    }
    text.braced(|text| {
        text.field("si_signo").push(&name(signo));
        if error != 0 {
            text.field("si_errno");
            match errno::name(error) {
                Some(name) => text.push(name),
                None => text.signed(error),
            }
        }
        text.field("si_code");
        code_word(text, signo, code);
        details(text, memory, signo, code);
    });
}

/// The text of a delivered signal's siginfo: the kernel's first 48 bytes of it, or none.
pub(super) fn info(style: &Style, signo: i32, info: Option<&[u8]>) -> String {
    let mut text = Text::new(style);
    match info {
        Some(bytes) => siginfo(&mut text, &mut Memory::new(bytes, 0, 8)),
        None => text.braced(|text| {
            text.field("si_signo").push(&name(signo));
            text.field("si_code").push("SI_USER");
        }),
    }
    text.finish()
}

fn codes(signo: i32) -> Option<&'static Words> {
    Some(match signo {
        libc::SIGILL => &words::signal::ILL_CODES,
        libc::SIGFPE => &words::signal::FPE_CODES,
        libc::SIGSEGV => &words::signal::SEGV_CODES,
        libc::SIGBUS => &words::signal::BUS_CODES,
        libc::SIGTRAP => &words::signal::TRAP_CODES,
        libc::SIGCHLD => &words::signal::CLD_CODES,
        libc::SIGIO => &words::signal::POLL_CODES,
        libc::SIGSYS => &words::signal::SYS_CODES,
        _ => return None,
    })
}

fn code_word(text: &mut Text<'_>, signo: i32, code: i32) {
    let bits = u64::from(code.cast_unsigned());
    if words::signal::SI_CODES.word(bits).is_some() {
        return text.word(&words::signal::SI_CODES, bits);
    }
    match codes(signo) {
        Some(words) if words.word(bits).is_some() => text.word(words, bits),
        _ => text.hex(bits),
    }
}

fn details(text: &mut Text<'_>, memory: &mut Memory<'_>, signo: i32, code: i32) {
    match (signo, code) {
        (_, libc::SI_USER | libc::SI_TKILL) => sender(text, memory),
        (_, libc::SI_TIMER) => {
            text.field("si_timerid").hex(memory.u32());
            text.field("si_overrun").signed(memory.i32());
            value(text, memory);
        }
        (libc::SIGCHLD, 1..) => {
            sender(text, memory);
            let status = memory.i32();
            text.field("si_status");
            if code == libc::CLD_EXITED { text.signed(status) } else { text.push(&name(status)) }
            if memory.word_size() == 8 {
                memory.skip(4);
            }
            text.field("si_utime").signed(memory.long());
            text.field("si_stime").signed(memory.long());
        }
        (libc::SIGILL | libc::SIGFPE | libc::SIGSEGV | libc::SIGBUS, libc::SI_KERNEL | 1..) => {
            text.field("si_addr").addr(memory.word());
        }
        (libc::SIGTRAP, libc::SI_KERNEL | 1..) => {
            text.field("si_addr").addr(memory.word());
        }
        (libc::SIGIO, 1..) => {
            text.field("si_band").signed(memory.long());
            text.field("si_fd").signed(memory.i32());
        }
        (libc::SIGSYS, 1..) => {
            text.field("si_call_addr").addr(memory.word());
            text.field("si_syscall").signed(memory.i32());
            text.field("si_arch").hex(memory.u32());
        }
        (_, libc::SI_KERNEL) => {}
        _ => {
            sender(text, memory);
            value(text, memory);
        }
    }
}

fn sender(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.field("si_pid").signed(memory.i32());
    text.field("si_uid").signed(memory.i32());
}

fn value(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let pointer = memory.word();
    text.field("si_value").braced(|text| {
        text.field("int").signed(super::argument::int(pointer));
        text.field("ptr").addr(pointer);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(words: &[u64]) -> String {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let style = Style::default();
        let mut text = Text::new(&style);
        set(&mut text, &mut Memory::new(&bytes, 0, 8));
        text.finish()
    }

    #[test]
    fn sets() {
        assert_eq!(shown(&[0]), "[]");
        assert_eq!(shown(&[1 << 1 | 1 << 16]), "[INT CHLD]");
        assert_eq!(shown(&[!0]), "~[]");
        assert_eq!(shown(&[!(1 << 31 | 1 << 32)]), "~[RTMIN RT_1]");
    }

    #[test]
    fn a_fault() {
        let mut bytes = [0_u8; 48];
        bytes[0] = 11;
        bytes[8] = 1;
        bytes[16..18].copy_from_slice(&[0x34, 0x12]);
        let shown = info(&Style::default(), 11, Some(&bytes));
        assert_eq!(shown, "{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x1234}");
    }
}
