//! Capability sets.

use super::{memory::Memory, raw::Raw, text::Text};
use crate::{syscall::words, wire::Part};

const VERSION_2: u32 = 0x2007_1026;
const VERSION_3: u32 = 0x2008_0522;

/// struct user_cap_data_struct: one for each 32 capabilities, as many as the header's version says.
pub(super) fn data(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, bytes: &[u8]) {
    let address = raw.register(index);
    let Some(version) = raw.number(0, Part::PART_START) else { return text.addr(address) };
    let wide = matches!(version, VERSION_2 | VERSION_3);
    if bytes.len() < if wide { 24 } else { 12 } {
        return text.addr(address);
    }
    let mut memory = Memory::new(bytes, 0, 8);
    let low = [memory.u32(), memory.u32(), memory.u32()];
    let high = if wide { [memory.u32(), memory.u32(), memory.u32()] } else { [0; 3] };
    text.braced(|text| {
        for (n, name) in ["effective", "permitted", "inheritable"].into_iter().enumerate() {
            text.field(name);
            bits(text, low[n], high[n]);
        }
    });
}

/// `1<<CAP_CHOWN|1<<CAP_KILL`; each word's unknown rest stands behind its own.
fn bits(text: &mut Text<'_>, low: u32, high: u32) {
    if low != 0 || high == 0 {
        half(text, low, 0);
    }
    if high != 0 {
        if low != 0 {
            text.push("|");
        }
        half(text, high, 32);
    }
}

fn half(text: &mut Text<'_>, bits: u32, base: u32) {
    if bits == 0 {
        return text.push("0");
    }
    text.either(|text| text.hex(bits), |text| half_words(text, bits, base));
}

fn half_words(text: &mut Text<'_>, bits: u32, base: u32) {
    let mut rest = bits;
    let mut first = true;
    for bit in (0..32).filter(|bit| bits >> bit & 1 == 1) {
        let Some(word) = words::prctl::CAPS.word(u64::from(base + bit)) else { continue };
        if !std::mem::take(&mut first) {
            text.push("|");
        }
        text.push("1<<");
        text.push(word);
        rest &= !(1 << bit);
    }
    if rest != 0 {
        text.push(if first { "" } else { "|" });
        text.hex(rest);
        if first {
            text.comment("CAP_???");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn both_halves() {
        let shown = |low, high| {
            let style = Style::default();
            let mut text = Text::new(&style);
            bits(&mut text, low, high);
            text.finish()
        };
        assert_eq!(shown(0, 0), "0");
        assert_eq!(shown(0x21, 0), "1<<CAP_CHOWN|1<<CAP_KILL");
        assert_eq!(shown(1, 0x8000_0080), "1<<CAP_CHOWN|1<<CAP_BPF|0x80000000");
    }
}
