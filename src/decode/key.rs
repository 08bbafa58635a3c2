//! keyctl's structures that point elsewhere, and what keys can do here.

use super::{memory::Memory, raw::Raw, text::Text};
use crate::{syscall::words::ipc as words, wire::Part};

/// struct keyctl_kdf_params.
pub(super) fn kdf(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, bytes: &[u8]) {
    let word = raw.abi.word();
    if bytes.len() < 2 * word + 36 {
        return text.addr(raw.register(index));
    }
    let mut memory = Memory::new(bytes, 0, word);
    let (name, other, length) = (memory.word(), memory.word(), memory.u32());
    text.braced(|text| {
        text.field("hashname");
        match raw.piece(index, Part::PART_FIRST) {
            Some(bytes) => {
                let end = bytes.iter().position(|byte| *byte == 0);
                text.string(&bytes[..end.unwrap_or(bytes.len())], end.is_none());
            }
            None => text.addr(name),
        }
        text.field("otherinfo");
        match raw.piece(index, Part::PART_SECOND).filter(|_| length > 0) {
            Some(bytes) => text.string(bytes, u64::from(length) > bytes.len() as u64),
            None => text.addr(other),
        }
        text.field("otherinfolen").unsigned(length);
        let spare: Vec<u32> = (0..8).map(|_| memory.u32()).collect();
        if spare.iter().any(|word| *word != 0) {
            text.field("__spare").bracketed(|text| {
                for (n, word) in spare.iter().enumerate() {
                    text.push(if n > 0 { ", " } else { "" });
                    text.hex(*word);
                }
            });
        }
    });
}

/// A description: of so many bytes, of which the last is a NUL.
pub(super) fn string(text: &mut Text<'_>, length: u64, bytes: &[u8]) {
    let whole = length <= bytes.len() as u64;
    let shown = &bytes[..bytes.len().min(usize::try_from(length).unwrap_or(usize::MAX))];
    match shown.strip_suffix(&[0]).filter(|_| whole) {
        Some(shown) => text.string(shown, false),
        None => text.string(shown, !whole),
    }
}

/// A buffer of an operation with a public key: the parameters say how long each is.
pub(super) fn buffer(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, bytes: &[u8]) {
    let Some(params) = raw.data(1).filter(|params| params.len() >= 12) else { return text.addr(raw.register(index)) };
    let mut memory = Memory::new(params, 0, 8);
    memory.seek(if index == 3 { 4 } else { 8 });
    let length = memory.u32();
    let shown = &bytes[..bytes.len().min(usize::try_from(length).unwrap_or(usize::MAX))];
    text.string(shown, u64::from(length) > shown.len() as u64);
}

/// KEYCTL_CAPABILITIES' bytes, of which the first two have words.
pub(super) fn capabilities(text: &mut Text<'_>, bytes: &[u8]) {
    text.bracketed(|text| {
        for (n, byte) in bytes.iter().enumerate() {
            text.push(if n > 0 { ", " } else { "" });
            match n {
                0 => text.flags(&words::KEY_CAPS0, (*byte).into()),
                1 => text.flags(&words::KEY_CAPS1, (*byte).into()),
                _ => text.hex(*byte),
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn what_keys_can_do() {
        let style = Style::default();
        let mut text = Text::new(&style);
        capabilities(&mut text, &[1, 0, 5]);
        assert_eq!(text.finish(), "[KEYCTL_CAPS0_CAPABILITIES, 0, 0x5]");
    }
}
