//! Terminals: their settings and sizes.

use super::{memory::Memory, text::Text};
use crate::syscall::{Words, words::term};

/// Settings that have several values, as fields of the output flags.
const DELAYS: [(&Words, u64); 6] = [
    (&term::NL_DELAYS, 0o400),
    (&term::CR_DELAYS, 0o3000),
    (&term::TAB_DELAYS, 0o14000),
    (&term::BS_DELAYS, 0o20000),
    (&term::VT_DELAYS, 0o40000),
    (&term::FF_DELAYS, 0o100_000),
];
const BAUD: u64 = 0o10017;
const INPUT_SHIFT: u32 = 16;
const CHARACTER_SIZE: u64 = 0o60;

/// Flags, of which none are shown as nothing at all.
fn bits(text: &mut Text<'_>, words: &Words, flags: u64) {
    if flags != 0 {
        text.flags(words, flags);
    }
}

fn output_flags(text: &mut Text<'_>, mut flags: u64) {
    for (words, mask) in DELAYS {
        text.word(words, flags & mask);
        text.push("|");
        flags &= !mask;
    }
    bits(text, &term::OUTPUT, flags);
}

fn control_flags(text: &mut Text<'_>, flags: u64) {
    let input = flags >> INPUT_SHIFT & BAUD;
    text.word(&term::BAUD, flags & BAUD);
    text.push("|");
    if input != 0 {
        text.word(&term::BAUD, input);
        text.push("<<");
        text.either(|text| text.hex(INPUT_SHIFT), |text| text.push("IBSHIFT"));
        text.push("|");
    }
    text.word(&term::CHARACTER_SIZES, flags & CHARACTER_SIZE);
    text.push("|");
    bits(text, &term::CONTROL, flags & !(BAUD | BAUD << INPUT_SHIFT | CHARACTER_SIZE));
}

/// A structure of four flags, the line discipline, `characters` control characters and, perhaps, speeds.
fn settings(text: &mut Text<'_>, flags: [u64; 4], memory: &mut Memory<'_>, characters: usize, speeds: bool) {
    let whole = text.style().verbose;
    let line = memory.u8();
    text.braced(|text| {
        bits(text.field("c_iflag"), &term::INPUT, flags[0]);
        output_flags(text.field("c_oflag"), flags[1]);
        control_flags(text.field("c_cflag"), flags[2]);
        bits(text.field("c_lflag"), &term::LOCAL, flags[3]);
        if !whole {
            return text.push(", ...");
        }
        text.field("c_line").word(&term::DISCIPLINES, line.into());
        text.field("c_cc").bracketed(|text| {
            for n in 0..characters {
                text.separate();
                text.bracketed(|text| match term::CHARACTERS.word(n as u64) {
                    Some(word) => text.push(word),
                    None => text.unsigned(n as u64),
                });
                text.push("=");
                text.hex(memory.u8());
            }
        });
        if speeds {
            text.field("c_ispeed").unsigned(memory.u32());
            text.field("c_ospeed").unsigned(memory.u32());
        }
    });
}

/// The kernel's struct termios.
pub(super) fn termios(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let flags = std::array::from_fn(|_| memory.u32().into());
    settings(text, flags, memory, 19, false);
}

/// struct termios2.
pub(super) fn termios2(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let flags = std::array::from_fn(|_| memory.u32().into());
    settings(text, flags, memory, 19, true);
}

/// struct termio.
pub(super) fn termio(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let flags = std::array::from_fn(|_| memory.u16().into());
    settings(text, flags, memory, 8, false);
}

/// struct winsize.
pub(super) fn winsize(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.braced(|text| {
        for name in ["ws_row", "ws_col", "ws_xpixel", "ws_ypixel"] {
            text.field(name).unsigned(memory.u16());
        }
    });
}

/// What keyboard a console has.
pub(super) fn keyboard_type(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let kind = memory.u8();
    text.bracketed(|text| text.word(&term::KEYBOARDS, kind.into()));
}

/// What a console makes of its keys.
pub(super) fn keyboard_mode(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let mode = memory.u32();
    text.bracketed(|text| text.word(&term::KEYBOARD_MODES, mode.into()));
}

/// Whether a console shows text.
pub(super) fn console_mode(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let mode = memory.u32();
    text.bracketed(|text| text.word(&term::CONSOLE_MODES, mode.into()));
}

/// A modem's lines.
pub(super) fn modem_flags(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let flags = memory.u32();
    text.bracketed(|text| text.flags(&term::MODEM, flags.into()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn settings_are_told_by_name() {
        let style = Style::default();
        let mut text = Text::new(&style);
        let mut bytes: Vec<u8> = [0x500_u32, 5, 0xbf, 0x8a3b].iter().flat_map(|flags| flags.to_ne_bytes()).collect();
        bytes.resize(36, 0);
        termios(&mut text, &mut Memory::new(&bytes, 0, 8));
        assert_eq!(
            text.finish(),
            "{c_iflag=ICRNL|IXON, c_oflag=NL0|CR0|TAB0|BS0|VT0|FF0|OPOST|ONLCR, c_cflag=B38400|CS8|CREAD, \
             c_lflag=ISIG|ICANON|ECHO|ECHOE|ECHOK|IEXTEN|ECHOCTL|ECHOKE, ...}"
        );
    }
}
