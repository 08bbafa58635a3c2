//! siginfo_t: who sent a signal, and why.

use super::{errno, memory::Memory, number, signal, style::Style, text::Text};
use crate::{
    syscall::{self, Abi, Words, words},
    wire::SignalRecord,
};

const SI_NOINFO: i32 = 32767;
const TRAP_PERF: i32 = 6;
const SEGV_BNDERR: i32 = 3;
const SEGV_PKUERR: i32 = 4;
const SYS_SECCOMP: i32 = 1;

/// siginfo_t as the kernel gives it to a program.
pub(super) fn siginfo(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (signo, error, code) = (memory.i32(), memory.i32(), memory.i32());
    if memory.word_size() == 8 {
        memory.skip(4);
    }
    text.braced(|text| {
        if signo == 0 {
            return;
        }
        signal::number(text.field("si_signo"), signo);
        text.field("si_code");
        code_word(text, signo, code);
        if code == SI_NOINFO {
            return;
        }
        if error != 0 {
            text.field("si_errno");
            match errno::name(error) {
                Some(name) => text.either(|text| text.unsigned(error.cast_unsigned()), |text| text.push(name)),
                None => text.unsigned(error.cast_unsigned()),
            }
        }
        details(text, memory, signo, code);
    });
}

/// The text of a delivered signal's siginfo: the kernel's first 48 bytes of it, or none.
pub(super) fn info(style: &Style, signo: i32, info: Option<&[u8]>) -> String {
    let mut text = Text::new(style);
    match info {
        Some(bytes) => siginfo(&mut text, &mut Memory::new(bytes, 0, 8)),
        None => text.braced(|text| {
            signal::number(text.field("si_signo"), signo);
            text.field("si_code").word(&words::signal::SI_CODES, 0);
        }),
    }
    text.finish()
}

/// Whether a seccomp filter sent it, for a call that the thread did not make then.
pub(super) fn is_of_seccomp(signal: &SignalRecord<'_>) -> bool {
    signal.signo() == libc::SIGSYS && signal.code() == Some(SYS_SECCOMP)
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
    if code <= 0 { from_user(text, memory, code) } else { from_kernel(text, memory, signo, code) }
}

fn from_user(text: &mut Text<'_>, memory: &mut Memory<'_>, code: i32) {
    match code {
        libc::SI_USER | libc::SI_TKILL => sender(text, memory),
        libc::SI_TIMER => {
            text.field("si_timerid").hex(memory.u32());
            text.field("si_overrun").signed(memory.i32());
            value(text, memory);
        }
        libc::SI_SIGIO => band(text, memory),
        _ => {
            sender(text, memory);
            value_if_any(text, memory);
        }
    }
}

fn from_kernel(text: &mut Text<'_>, memory: &mut Memory<'_>, signo: i32, code: i32) {
    let word = memory.word_size();
    match signo {
        libc::SIGCHLD => {
            sender(text, memory);
            let status = memory.i32();
            text.field("si_status");
            if code == libc::CLD_EXITED {
                text.signed(status)
            } else {
                signal::number(text, status)
            }
            if word == 8 {
                memory.skip(4);
            }
            for field in ["si_utime", "si_stime"] {
                text.field(field).ticks(memory.word());
            }
        }
        libc::SIGILL | libc::SIGFPE => text.field("si_addr").addr(memory.word()),
        libc::SIGBUS => {
            text.field("si_addr").addr(memory.word());
            if matches!(code, libc::BUS_MCEERR_AR | libc::BUS_MCEERR_AO) {
                text.field("si_addr_lsb").hex(memory.u16());
            }
        }
        libc::SIGSEGV => {
            text.field("si_addr").addr(memory.word());
            memory.skip(word);
            match code {
                SEGV_BNDERR => {
                    text.field("si_lower").addr(memory.word());
                    text.field("si_upper").addr(memory.word());
                }
                SEGV_PKUERR => text.field("si_pkey").unsigned(memory.u32()),
                _ => {}
            }
        }
        libc::SIGTRAP => {
            text.field("si_addr").addr(memory.word());
            if code == TRAP_PERF {
                text.field("si_perf_data").hex(memory.word());
                text.field("si_perf_type").word(&words::perf::TYPES, memory.u32().into());
                text.field("si_perf_flags").flags(&words::perf::TRAP_FLAGS, memory.u32().into());
            }
        }
        libc::SIGIO if (1..=6).contains(&code) => band(text, memory),
        libc::SIGIO => {}
        libc::SIGSYS => {
            text.field("si_call_addr").addr(memory.word());
            let (number, arch) = (memory.u32(), memory.u32());
            call_name(text.field("si_syscall"), number, arch);
            text.field("si_arch").word(&words::signal::AUDIT_ARCH, arch.into());
        }
        _ => {
            let (pid, uid) = (memory.clone().i32(), memory.clone().u64());
            if pid != 0 || uid >> 32 != 0 {
                sender(text, memory)
            } else {
                memory.skip(8)
            }
            value_if_any(text, memory);
        }
    }
}

/// A call's number as strace writes numbers outside its own lines: `__NR_getpid`.
pub(super) fn call_name(text: &mut Text<'_>, number: u32, arch: u32) {
    const AUDIT_X86_64: u32 = 0xc000_003e;
    const AUDIT_I386: u32 = 0x4000_0003;
    const AUDIT_AARCH64: u32 = 0xc000_00b7;
    let abi = match arch {
        AUDIT_X86_64 => Some(Abi::X86_64),
        AUDIT_I386 => Some(Abi::Ia32),
        AUDIT_AARCH64 => Some(Abi::Aarch64),
        _ => None,
    };
    match abi.zip(i32::try_from(number).ok()).and_then(|(abi, number)| syscall::name(abi, number)) {
        Some(name) => {
            text.push("__NR_");
            text.push(name);
        }
        None => text.unsigned(number),
    }
}

fn sender(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.field("si_pid").signed(memory.i32());
    number::id(text.field("si_uid"), memory.u32());
}

fn band(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.field("si_band").signed(memory.long());
    text.field("si_fd").signed(memory.i32());
}

fn value_if_any(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    if memory.clone().word() != 0 {
        value(text, memory);
    }
}

fn value(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let pointer = memory.word();
    text.field("si_int").signed(super::raw::int(pointer));
    text.field("si_ptr").addr(pointer);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(signo: i32, error: i32, code: i32, rest: &[u64]) -> String {
        let mut bytes: Vec<u8> = [signo, error, code, 0].iter().flat_map(|number| number.to_ne_bytes()).collect();
        bytes.extend(rest.iter().flat_map(|word| word.to_ne_bytes()));
        bytes.resize(48, 0);
        info(&Style::default(), signo, Some(&bytes))
    }

    #[test]
    fn faults() {
        assert_eq!(shown(11, 0, 1, &[0x1234]), "{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x1234}");
        assert_eq!(shown(11, 0, 128, &[0]), "{si_signo=SIGSEGV, si_code=SI_KERNEL, si_addr=NULL}");
    }

    #[test]
    fn children() {
        assert_eq!(
            shown(17, 0, 2, &[7 | 5 << 32, 9, 150, 0]),
            "{si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=7, si_uid=5, si_status=SIGKILL, si_utime=150 /* 1.50 s */, \
             si_stime=0}"
        );
    }

    #[test]
    fn values_and_calls() {
        assert_eq!(
            shown(10, 0, -1, &[7, 3]),
            "{si_signo=SIGUSR1, si_code=SI_QUEUE, si_pid=7, si_uid=0, si_int=3, si_ptr=0x3}"
        );
        assert_eq!(
            shown(31, 7, 1, &[0x10, 39 | 0xc000_003e_u64 << 32]),
            "{si_signo=SIGSYS, si_code=SYS_SECCOMP, si_errno=E2BIG, si_call_addr=0x10, si_syscall=__NR_getpid, \
             si_arch=AUDIT_ARCH_X86_64}"
        );
    }
}
