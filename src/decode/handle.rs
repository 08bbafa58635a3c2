//! File handles: names of files that outlive paths.

use super::{memory::Memory, raw::Raw, text::Text};
use crate::wire::Part;

const EOVERFLOW: i64 = -(libc::EOVERFLOW as i64);
/// Bytes of a handle at most.
const MOST: usize = 128;

fn contents(text: &mut Text<'_>, memory: &mut Memory<'_>, length: u32) {
    let length = length as usize;
    let bytes = memory.rest();
    text.field("f_handle");
    if bytes.len() < length.min(MOST) {
        return text.push("???");
    }
    text.whole_hex_string(&bytes[..length.min(MOST)]);
    if length > MOST {
        text.push("...");
    }
}

/// struct file_handle as open_by_handle_at takes it.
pub(super) fn handle(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (length, kind) = (memory.u32(), memory.i32());
    text.braced(|text| {
        text.field("handle_bytes").unsigned(length);
        text.field("handle_type").signed(kind);
        contents(text, memory, length);
    });
}

/// struct file_handle as name_to_handle_at fills it: `{handle_bytes=128 => 12, handle_type=1, ...}`.
pub(super) fn filled(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) {
    // Of a header that is not all there nothing is told.
    let header = raw.piece(index, Part::PART_START).filter(|bytes| raw.register(index) != 0 && bytes.len() >= 8);
    let Some(asked) = header.and_then(|_| raw.number(index, Part::PART_START)) else {
        return text.addr(raw.register(index));
    };
    text.braced(|text| {
        text.field("handle_bytes").unsigned(asked);
        let told = raw.ret.is_some() && (!raw.failed() || raw.ret == Some(EOVERFLOW));
        let Some(bytes) = raw.data(index).filter(|bytes| told && bytes.len() >= 8) else {
            return;
        };
        let mut memory = Memory::new(bytes, 0, raw.abi.word());
        let (length, kind) = (memory.u32(), memory.i32());
        if length != asked {
            text.push(" => ");
            text.unsigned(length);
        }
        if !raw.failed() {
            text.field("handle_type").signed(kind);
            contents(text, &mut memory, length);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn a_handle_is_told_byte_by_byte() {
        let style = Style::default();
        let mut text = Text::new(&style);
        let mut bytes = vec![2, 0, 0, 0, 1, 0, 0, 0, 0xab, 0xcd, 0, 0];
        handle(&mut text, &mut Memory::new(&bytes, 0, 8));
        assert_eq!(text.finish(), r#"{handle_bytes=2, handle_type=1, f_handle="\xab\xcd"}"#);
        bytes[0] = 9;
        let mut text = Text::new(&style);
        handle(&mut text, &mut Memory::new(&bytes, 0, 8));
        assert_eq!(text.finish(), "{handle_bytes=9, handle_type=1, f_handle=???}");
    }
}
