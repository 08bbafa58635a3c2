//! Segments of x86: struct user_desc.

use super::{memory::Memory, number, raw::Raw, text::Text};
use crate::wire::Part;

/// struct user_desc whole.
pub(super) fn descriptor(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let entry = memory.u32();
    text.braced(|text| {
        number::id(text.field("entry_number"), entry);
        rest(text, memory);
    });
}

/// get_thread_area's: the entry that is asked for, and what is in it.
pub(super) fn asked(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) {
    let Some(entry) = raw.number(index, Part::PART_START) else { return text.addr(raw.register(index)) };
    text.braced(|text| {
        number::id(text.field("entry_number"), entry);
        text.known_until_here();
        match raw.data(index).filter(|bytes| bytes.len() == 16 && raw.ret.is_some() && !raw.failed()) {
            Some(bytes) => {
                let mut memory = Memory::new(bytes, 0, raw.abi.word());
                let now = memory.u32();
                if now != entry {
                    text.push(" => ");
                    number::id(text, now);
                }
                rest(text, &mut memory);
            }
            None => text.push(", ..."),
        }
    });
}

fn rest(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (base, limit, bits) = (memory.u32(), memory.u32(), memory.u32());
    for (name, value) in [("base_addr", base), ("limit", limit)] {
        text.field(name).padded_hex(value, 8);
    }
    let mut field = |name, from: u32, width: u32| text.field(name).unsigned(bits >> from & ((1 << width) - 1));
    field("seg_32bit", 0, 1);
    field("contents", 1, 2);
    field("read_exec_only", 3, 1);
    field("limit_in_pages", 4, 1);
    field("seg_not_present", 5, 1);
    field("useable", 6, 1);
    if memory.word_size() == 8 {
        field("lm", 7, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn a_segment() {
        let style = Style::default();
        let mut text = Text::new(&style);
        let bytes: Vec<u8> =
            [u32::MAX, 0xf7d0_0100, 0xfffff, 0x51].iter().flat_map(|word| word.to_ne_bytes()).collect();
        descriptor(&mut text, &mut Memory::new(&bytes, 0, 4));
        assert_eq!(
            text.finish(),
            "{entry_number=-1, base_addr=0xf7d00100, limit=0x0fffff, seg_32bit=1, contents=0, read_exec_only=0, \
             limit_in_pages=1, seg_not_present=0, useable=1}"
        );
    }
}
