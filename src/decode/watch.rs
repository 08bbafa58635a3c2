//! Supervisors: userfaultfd and seccomp's notifications.

use super::{memory::Memory, text::Text};
use crate::syscall::{Abi, name, words};

const API: [(u64, &str); 3] = [(0, "_UFFDIO_REGISTER"), (1, "_UFFDIO_UNREGISTER"), (63, "_UFFDIO_API")];
const RANGE: [(u64, &str); 5] = [
    (2, "_UFFDIO_WAKE"),
    (3, "_UFFDIO_COPY"),
    (4, "_UFFDIO_ZEROPAGE"),
    (6, "_UFFDIO_WRITEPROTECT"),
    (7, "_UFFDIO_CONTINUE"),
];

/// Bits by the number of the command that each stands for: `1<<_UFFDIO_COPY`.
fn commands(text: &mut Text<'_>, known: &[(u64, &str)], value: u64, unknown: &str) {
    let mut left = value;
    let mut first = true;
    for (bit, name) in known.iter().filter(|(bit, _)| value >> bit & 1 == 1) {
        text.push(if std::mem::take(&mut first) { "1<<" } else { "|1<<" });
        text.push(name);
        left &= !(1 << bit);
    }
    if left != 0 || first {
        text.push(if first { "" } else { "|" });
        text.hex(left);
        if first && left != 0 {
            text.push(&format!(" /* {unknown} */"));
        }
    }
}

/// userfaultfd's handshake.
pub(super) fn api(text: &mut Text<'_>, before: &[u8], after: Option<&[u8]>, word: usize) -> bool {
    let mut memory = Memory::new(before, 0, word);
    let (version, features) = (memory.u64(), memory.u64());
    text.braced(|text| {
        text.field("api").hex(version);
        text.field("features").flags(&words::ioctl::UFFD_FEATURES, features);
        if let Some(after) = after {
            let mut memory = Memory::new(after, 0, word);
            memory.seek(8);
            let (told, ioctls) = (memory.u64(), memory.u64());
            if told != features {
                text.push(" => features=");
                text.flags(&words::ioctl::UFFD_FEATURES, told);
            }
            commands(text.field("ioctls"), &API, ioctls, "_UFFDIO_???");
        }
    });
    !memory.is_short()
}

fn range_of(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (start, length) = (memory.u64(), memory.u64());
    text.braced(|text| {
        text.field("start").hex(start);
        text.field("len").hex(length);
    });
}

/// struct uffdio_range.
pub(super) fn range(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    range_of(text, memory);
}

/// struct uffdio_copy.
pub(super) fn copy(text: &mut Text<'_>, before: &[u8], after: Option<&[u8]>, word: usize) -> bool {
    let mut memory = Memory::new(before, 0, word);
    text.braced(|text| {
        for name in ["dst", "src", "len"] {
            text.field(name).hex(memory.u64());
        }
        text.field("mode").flags(&words::ioctl::UFFD_COPY, memory.u64());
        if let Some(after) = after {
            let mut memory = Memory::new(after, 0, word);
            memory.seek(32);
            text.field("copy").hex(memory.u64());
        }
    });
    !memory.is_short()
}

/// struct uffdio_register.
pub(super) fn register(text: &mut Text<'_>, before: &[u8], after: Option<&[u8]>, word: usize) -> bool {
    let mut memory = Memory::new(before, 0, word);
    text.braced(|text| {
        range_of(text.field("range"), &mut memory);
        text.field("mode").flags(&words::ioctl::UFFD_REGISTER, memory.u64());
        if let Some(after) = after {
            let mut memory = Memory::new(after, 0, word);
            memory.seek(24);
            commands(text.field("ioctls"), &RANGE, memory.u64(), "UFFDIO_???");
        }
    });
    !memory.is_short()
}

/// struct uffdio_zeropage.
pub(super) fn zeropage(text: &mut Text<'_>, before: &[u8], after: Option<&[u8]>, word: usize) -> bool {
    let mut memory = Memory::new(before, 0, word);
    text.braced(|text| {
        range_of(text.field("range"), &mut memory);
        text.field("mode").flags(&words::ioctl::UFFD_ZEROPAGE, memory.u64());
        if let Some(after) = after {
            let mut memory = Memory::new(after, 0, word);
            memory.seek(24);
            text.field("zeropage").hex(memory.u64());
        }
    });
    !memory.is_short()
}

/// A notification: shown when it has been received, and before only if it was not empty.
pub(super) fn notification(text: &mut Text<'_>, before: &[u8], after: Option<&[u8]>, word: usize) -> bool {
    let filled = before.iter().any(|byte| *byte != 0);
    if filled {
        call(text, &mut Memory::new(before, 0, word));
        text.push(" => ");
    }
    match after {
        Some(after) if after.len() >= 80 => call(text, &mut Memory::new(after, 0, word)),
        _ => return false,
    }
    true
}

fn call(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    const X86_64: u32 = 0xc000_003e;
    const I386: u32 = 0x4000_0003;
    const AARCH64: u32 = 0xc000_00b7;
    let (id, pid, flags, nr, arch) = (memory.u64(), memory.i32(), memory.u32(), memory.i32(), memory.u32());
    let (abi, arch_name) = match arch {
        X86_64 => (Some(Abi::X86_64), "AUDIT_ARCH_X86_64"),
        I386 => (Some(Abi::Ia32), "AUDIT_ARCH_I386"),
        AARCH64 => (Some(Abi::Aarch64), "AUDIT_ARCH_AARCH64"),
        _ => (None, ""),
    };
    text.braced(|text| {
        text.field("id").hex(id);
        text.field("pid").signed(pid);
        text.field("flags").hex(flags);
        text.field("data").braced(|text| {
            let known = abi.and_then(|abi| name(abi, nr));
            match known {
                Some(name) => text.field("nr").push(&format!("__NR_{name}")),
                None => text.field("nr").hex(nr.cast_unsigned()),
            }
            if arch_name.is_empty() {
                text.field("arch").hex(arch);
                text.push(" /* AUDIT_ARCH_??? */");
            } else {
                text.field("arch").push(arch_name);
            }
            text.field("instruction_pointer").addr(memory.u64());
            text.field("args").bracketed(|text| {
                for _ in 0..6 {
                    text.separate();
                    text.hex(memory.u64());
                }
            });
        });
    });
}

/// struct seccomp_notif_resp.
pub(super) fn response(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (id, value, error, flags) = (memory.u64(), memory.i64(), memory.i32(), memory.u32());
    text.braced(|text| {
        text.field("id").hex(id);
        text.field("val").signed(value);
        match error.checked_neg().filter(|errno| *errno > 0).and_then(super::errno::name) {
            Some(name) => text.field("error").push(&format!("-{name}")),
            None => text.field("error").signed(error),
        }
        text.field("flags").flags(&words::ioctl::SECCOMP_RESPONSE, flags.into());
    });
}

/// struct seccomp_notif_addfd.
pub(super) fn addfd(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (id, flags, source, target, new_flags) = (memory.u64(), memory.u32(), memory.i32(), memory.u32(), memory.u32());
    text.braced(|text| {
        text.field("id").hex(id);
        text.field("flags").flags(&words::ioctl::SECCOMP_ADDFD, flags.into());
        text.field("srcfd").signed(source);
        text.field("newfd").signed(target.cast_signed());
        text.field("newfd_flags").flags(&words::file::OPEN, new_flags.into());
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn commands_are_told_as_bits() {
        let style = Style::default();
        let mut text = Text::new(&style);
        commands(&mut text, &RANGE, 0x1c, "UFFDIO_???");
        text.push(" ");
        commands(&mut text, &RANGE, 0, "UFFDIO_???");
        text.push(" ");
        commands(&mut text, &RANGE, 1, "UFFDIO_???");
        let expected = "1<<_UFFDIO_WAKE|1<<_UFFDIO_COPY|1<<_UFFDIO_ZEROPAGE 0 0x1 /* UFFDIO_??? */";
        assert_eq!(text.finish(), expected);
    }
}
