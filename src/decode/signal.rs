//! Signals: names, sets, actions.

use std::borrow::Cow;

use super::{memory::Memory, raw::Raw, special, text::Text};
use crate::{model::signal_name, syscall::words, wire::Part};

const RTMAX: i32 = 64;

/// `SIGSEGV`, `SIGRT_1`; a number where there is no such signal.
pub(super) fn name(signo: i32) -> Cow<'static, str> {
    match words::signal::SIGNALS.word(u64::try_from(signo).unwrap_or(0)) {
        Some(word) => word.into(),
        None => signal_name(signo).into(),
    }
}

/// A signal as an argument or field.
pub(super) fn number(text: &mut Text<'_>, signo: i32) {
    let name = name(signo);
    if name.starts_with("SIG") {
        text.either(|text| text.signed(signo), |text| text.push(&name));
    } else {
        text.push(&name);
    }
}

/// A set: `[INT TERM]`, and `~[...]` where most are in it.
pub(super) fn set(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    mask(text, memory.u64(), 64);
}

/// A set that the call's last argument says the size of: shorter ones than eight bytes are told too.
pub(super) fn sized_set(text: &mut Text<'_>, bytes: &[u8]) {
    let mut whole = [0; 8];
    let length = bytes.len().min(8);
    whole[..length].copy_from_slice(&bytes[..length]);
    mask(text, u64::from_ne_bytes(whole), if length > 4 { 64 } else { 32 });
}

/// i386's set of 32 signals.
pub(super) fn old_set(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    mask(text, memory.u32().into(), 32);
}

/// The mask that rt_sigreturn restores.
pub(super) fn frame(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let bits = memory.u64();
    text.braced(|text| mask(text.field("mask"), bits, 64));
}

/// The mask that i386's sigreturn restores: its two halves lie apart.
pub(super) fn old_frame(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) {
    let (low, high) = (raw.number(index, Part::PART_DATA), raw.number(index, Part::PART_FIRST));
    match low.zip(high) {
        Some((low, high)) => text.braced(|text| mask(text.field("mask"), u64::from(low) | u64::from(high) << 32, 64)),
        None => text.push("???"),
    }
}

/// A set of so many signals.
pub(super) fn mask(text: &mut Text<'_>, bits: u64, signals: i32) {
    let all = if signals == 64 { u64::MAX } else { u32::MAX.into() };
    let inverted = bits.count_ones() >= signals.unsigned_abs() * 2 / 3;
    let shown = if inverted { !bits & all } else { bits };
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
            text.either(|text| text.signed(signo), |text| text.push(name.strip_prefix("SIG").unwrap_or(&name)));
        }
    });
}

/// The kernel's struct sigaction.
pub(super) fn action(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (handler, flags, restorer) = (memory.word(), memory.word(), memory.word());
    let bits = memory.u64();
    whole_action(text, handler, bits, 64, flags, restorer);
}

/// i386's struct old_sigaction.
pub(super) fn old_action(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (handler, bits) = (memory.word(), memory.u32());
    let (flags, restorer) = (memory.word(), memory.word());
    whole_action(text, handler, bits.into(), 32, flags, restorer);
}

fn whole_action(text: &mut Text<'_>, handler: u64, bits: u64, signals: i32, flags: u64, restorer: u64) {
    const SA_RESTORER: u64 = 0x0400_0000;
    text.braced(|text| {
        special::handler(text.field("sa_handler"), handler);
        mask(text.field("sa_mask"), bits, signals);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

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
}
