//! Programs of the Berkeley packet filter: seccomp's classic ones, and instructions of extended ones.

use super::{memory::Memory, raw::Raw, text::Text};
use crate::{
    syscall::{Words, words::security as words},
    wire::Part,
};

const CLASS: u16 = 7;
const RET: u16 = 6;

/// struct sock_fprog with seccomp's actions: the program itself only if everything is asked for.
pub(super) fn program(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, bytes: &[u8]) {
    let word = raw.abi.word();
    if bytes.len() < 2 * word {
        return text.addr(raw.register(index));
    }
    let mut memory = Memory::new(bytes, 0, word);
    let length = memory.u16();
    memory.align(word);
    let address = memory.word();
    text.braced(|text| {
        text.field("len").unsigned(length);
        text.field("filter");
        match raw.piece(index, Part::PART_FIRST).filter(|_| raw.style.verbose) {
            Some(code) if address != 0 => instructions(text, code, length.into()),
            _ => text.addr(address),
        }
    });
}

/// Classic instructions in brackets.
pub(super) fn instructions(text: &mut Text<'_>, code: &[u8], count: usize) {
    text.bracketed(|text| {
        for (n, bytes) in code.chunks_exact(8).enumerate() {
            if n > 0 {
                text.push(", ");
            }
            instruction(text, &mut Memory::new(bytes, 0, 8));
        }
        if code.len() / 8 < count {
            text.push(", ...");
        }
    });
}

fn instruction(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (opcode, yes, no, operand) = (memory.u16(), memory.u8(), memory.u8(), memory.u32());
    let jump = yes != 0 || no != 0;
    text.push(if jump { "BPF_JUMP(" } else { "BPF_STMT(" });
    code(text, opcode, false);
    text.push(", ");
    if jump {
        text.hex(operand);
        text.push(", ");
        text.hex(yes);
        text.push(", ");
        text.hex(no);
    } else if opcode & CLASS == RET {
        action(text, operand);
    } else {
        text.hex(operand);
    }
    text.push(")");
}

/// What seccomp's filter returns: an action and its data.
fn action(text: &mut Text<'_>, operand: u32) {
    const ACTION: u32 = 0xffff_0000;
    text.word(&words::SECCOMP_ACTIONS, (operand & ACTION).into());
    if operand & !ACTION != 0 {
        text.push("|");
        text.hex(operand & !ACTION);
    }
}

/// An instruction's code: `BPF_LD|BPF_W|BPF_ABS`.
pub(super) fn code(text: &mut Text<'_>, code: u16, extended: bool) {
    let class = code & CLASS;
    let mut rest = code & !CLASS;
    let mut part = |text: &mut Text<'_>, words: &Words, mask: u16| {
        text.push("|");
        text.word(words, (code & mask).into());
        rest &= !mask;
    };
    text.word(if extended { &words::EBPF_CLASS } else { &words::BPF_CLASS }, class.into());
    match (class, extended) {
        (2 | 3, false) => {}
        (0..=3, _) => {
            part(text, if extended { &words::EBPF_SIZE } else { &words::BPF_SIZE }, 0x18);
            part(text, if extended { &words::EBPF_MODE } else { &words::BPF_MODE }, 0xe0);
            return;
        }
        (7, false) => part(text, &words::BPF_MISCOP, 0xf8),
        (4, _) | (7, true) => {
            part(text, &words::BPF_SRC, 0x08);
            part(text, if extended { &words::EBPF_ALU } else { &words::BPF_ALU }, 0xf0);
            return;
        }
        (5, _) => {
            part(text, &words::BPF_SRC, 0x08);
            part(text, if extended { &words::EBPF_JMP } else { &words::BPF_JMP }, 0xf0);
            return;
        }
        (6, false) => part(text, &words::BPF_RVAL, 0x18),
        _ => {}
    }
    if rest != 0 {
        text.push("|");
        text.hex(rest);
        text.comment("BPF_???");
    }
}

/// Extended instructions in brackets.
pub(super) fn extended(text: &mut Text<'_>, bytes: &[u8], count: usize) {
    text.bracketed(|text| {
        for (n, bytes) in bytes.chunks_exact(8).enumerate() {
            if n > 0 {
                text.push(", ");
            }
            let mut memory = Memory::new(bytes, 0, 8);
            let (opcode, registers, offset, operand) = (memory.u8(), memory.u8(), memory.i16(), memory.u32());
            text.braced(|text| {
                code(text.field("code"), opcode.into(), true);
                text.field("dst_reg").word(&words::EBPF_REGS, (registers & 15).into());
                text.field("src_reg").word(&words::EBPF_REGS, (registers >> 4).into());
                text.field("off").signed(offset);
                text.field("imm").hex(operand);
            });
        }
        if bytes.len() / 8 < count {
            text.push(", ...");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn instructions_of_both_machines() {
        let style = Style::default();
        let mut text = Text::new(&style);
        instruction(&mut text, &mut Memory::new(&[0x20, 0, 0, 0, 4, 0, 0, 0], 0, 8));
        text.push(" ");
        instruction(&mut text, &mut Memory::new(&[0x06, 0, 0, 0, 1, 0, 5, 0], 0, 8));
        text.push(" ");
        code(&mut text, 0xb7, true);
        assert_eq!(
            text.finish(),
            "BPF_STMT(BPF_LD|BPF_W|BPF_ABS, 0x4) BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ERRNO|0x1) BPF_ALU64|BPF_K|BPF_MOV"
        );
    }
}
