//! ptrace: offsets into the user area, registers, what a system call stop tells.

use super::{errno, memory::Memory, raw::Raw, siginfo, text::Text};
use crate::{
    syscall::{Abi, words},
    wire::Part,
};

/// Words of x86-64's registers in the user area, in their order there.
const AREA: [&str; 27] = [
    "8*R15",
    "8*R14",
    "8*R13",
    "8*R12",
    "8*RBP",
    "8*RBX",
    "8*R11",
    "8*R10",
    "8*R9",
    "8*R8",
    "8*RAX",
    "8*RCX",
    "8*RDX",
    "8*RSI",
    "8*RDI",
    "8*ORIG_RAX",
    "8*RIP",
    "8*CS",
    "8*EFL",
    "8*RSP",
    "8*SS",
    "8*FS_BASE",
    "8*GS_BASE",
    "8*DS",
    "8*ES",
    "8*FS",
    "8*GS",
];
/// What stands behind them: offset and name.
const BEHIND: [(u64, &str); 14] = [
    (216, "u_fpvalid"),
    (224, "i387"),
    (736, "u_tsize"),
    (744, "u_dsize"),
    (752, "u_ssize"),
    (760, "start_code"),
    (768, "start_stack"),
    (776, "signal"),
    (784, "reserved"),
    (792, "u_ar0"),
    (800, "u_fpstate"),
    (808, "magic"),
    (816, "u_comm"),
    (848, "u_debugreg"),
];
const AREA_END: u64 = 912;
const REGISTERS: [&str; 27] = [
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi", "orig_rax",
    "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs",
];
const REGISTERS_32: [&str; 17] = [
    "ebx", "ecx", "edx", "esi", "edi", "ebp", "eax", "xds", "xes", "xfs", "xgs", "orig_eax", "eip", "xcs", "eflags",
    "esp", "xss",
];

/// An offset in the user area: `8*ORIG_RAX`, `offsetof(struct user, u_debugreg)+8`.
pub(super) fn user_offset(text: &mut Text<'_>, raw: &Raw<'_>, offset: u64) {
    if raw.abi != Abi::X86_64 || offset >= AREA_END {
        return text.addr(offset);
    }
    let base = if offset < 216 {
        text.push(AREA[usize::try_from(offset / 8).unwrap_or(0)]);
        offset & !7
    } else {
        let (base, name) = BEHIND.iter().rev().find(|(base, _)| *base <= offset).copied().unwrap_or(BEHIND[0]);
        text.push("offsetof(struct user, ");
        text.push(name);
        text.push(")");
        base
    };
    if offset > base {
        text.push("+");
        text.unsigned(offset - base);
    }
}

/// struct user_regs_struct.
pub(super) fn registers(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let names: &[&str] = if memory.word_size() == 8 { &REGISTERS } else { &REGISTERS_32 };
    text.braced(|text| {
        for name in names {
            text.field(name).hex(memory.word());
        }
    });
}

/// PTRACE_GETREGSET's and PTRACE_SETREGSET's iovec.
pub(super) fn regset(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) {
    const GENERAL: u64 = 1;
    const SET: u64 = 0x4205;
    let word = raw.abi.word();
    let Some(before) = raw.piece(index, Part::PART_START).filter(|bytes| bytes.len() >= 2 * word) else {
        return text.addr(raw.register(index));
    };
    let mut memory = Memory::new(before, 0, word);
    let (base, asked) = (memory.word(), memory.word());
    let filled = raw.data(index).filter(|bytes| bytes.len() >= 2 * word).map_or(asked, |bytes| {
        let mut memory = Memory::new(bytes, 0, word);
        memory.skip(word);
        memory.word()
    });
    let known = matches!(raw.abi, Abi::X86_64 | Abi::Ia32);
    let readable = raw.register(0) == SET || raw.ret.is_some() && !raw.failed();
    let bytes = raw.last_piece(index, Part::PART_FIRST);
    text.braced(|text| {
        text.field("iov_base");
        match bytes.filter(|bytes| known && readable && raw.register(2) == GENERAL && !bytes.is_empty()) {
            Some(bytes) => some_registers(text, bytes, filled, word),
            None => text.addr(base),
        }
        text.field("iov_len").unsigned(asked);
        if filled != asked {
            text.push(" => ");
            text.unsigned(filled);
        }
    });
}

/// The registers that so many bytes hold; of the last perhaps a part.
fn some_registers(text: &mut Text<'_>, bytes: &[u8], length: u64, word: usize) {
    let names: &[&str] = if word == 8 { &REGISTERS } else { &REGISTERS_32 };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let shown = &bytes[..bytes.len().min(length)];
    text.braced(|text| {
        for (name, register) in names.iter().zip(shown.chunks(word)) {
            let mut whole = [0; 8];
            whole[..register.len()].copy_from_slice(register);
            text.field(name).hex(u64::from_ne_bytes(whole));
        }
        if length > names.len() * word {
            text.push(", ...");
        }
    });
}

/// struct ptrace_syscall_info, as far as it was filled.
pub(super) fn syscall_info(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, bytes: &[u8]) {
    const NONE: usize = 24;
    let filled = raw.ret.and_then(|ret| usize::try_from(ret).ok()).unwrap_or(0);
    let size = usize::try_from(raw.register(2)).unwrap_or(usize::MAX).min(filled).min(84).min(bytes.len());
    if size == 0 {
        return text.addr(raw.register(index));
    }
    let mut memory = Memory::new(&bytes[..size], 0, 8);
    let op = memory.u8();
    memory.skip(3);
    let arch = memory.u32();
    text.braced(|text| {
        text.field("op").word(&words::ptrace::SYSCALL_INFO, op.into());
        if size >= 8 {
            text.field("arch").word(&words::signal::AUDIT_ARCH, arch.into());
        }
        for (name, end) in [("instruction_pointer", 16), ("stack_pointer", NONE)] {
            if size >= end {
                text.field(name).addr(memory.u64());
            }
        }
        if size >= 32 {
            stop(text, &mut memory, op, arch, size);
        }
    });
}

fn stop(text: &mut Text<'_>, memory: &mut Memory<'_>, op: u8, arch: u32, size: usize) {
    const ENTRY: u8 = 1;
    const EXIT: u8 = 2;
    const SECCOMP: u8 = 3;
    match op {
        ENTRY | SECCOMP => {
            text.field(if op == ENTRY { "entry" } else { "seccomp" }).braced(|text| {
                let number = memory.u64();
                siginfo::call_name(text.field("nr"), u32::try_from(number).unwrap_or(u32::MAX), arch);
                let count = ((size - 32) / 8).min(6);
                if count > 0 {
                    text.field("args").bracketed(|text| {
                        for n in 0..count {
                            text.push(if n > 0 { ", " } else { "" });
                            text.hex(memory.u64());
                        }
                    });
                }
                if op == SECCOMP && size >= 84 {
                    text.field("ret_data").unsigned(memory.u32());
                }
            });
        }
        EXIT => text.field("exit").braced(|text| {
            let value = memory.i64();
            let failed = (size >= 33).then(|| memory.u8());
            text.field("rval");
            let errno = value.checked_neg().and_then(|errno| i32::try_from(errno).ok());
            match failed.filter(|failed| *failed != 0).and(errno).and_then(errno::name) {
                Some(name) => {
                    text.push("-");
                    text.push(name);
                }
                None => text.signed(value),
            }
            if let Some(failed) = failed {
                text.field("is_error").unsigned(failed);
            }
        }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn an_exit() {
        let style = Style::default();
        let mut text = Text::new(&style);
        let mut bytes = (-2_i64).to_ne_bytes().to_vec();
        bytes.push(1);
        stop(&mut text, &mut Memory::new(&bytes, 0, 8), 2, 0, 33);
        assert_eq!(text.finish(), "exit={rval=-ENOENT, is_error=1}");
    }
}
