//! Structures that are told field by field, as their layout says.

use super::{memory::Memory, net::interface, number, signal, text::Text};
use crate::syscall::{Field, Layout};

/// Writes a structure in braces.
pub(super) fn structure(text: &mut Text<'_>, memory: &mut Memory<'_>, layout: &Layout) {
    let start = memory.offset();
    text.braced(|text| fields(text, memory, layout.fields));
    memory.seek(start + layout.size(memory.word_size()));
}

/// Writes the fields that begin within what was captured, without braces.
pub(super) fn fields_so_far(text: &mut Text<'_>, memory: &mut Memory<'_>, list: &[(&'static str, Field)]) {
    for entry in list {
        let mut next = memory.clone();
        next.align(entry.1.extent(memory.word_size()).1);
        if next.left() == 0 {
            return;
        }
        fields(text, memory, std::slice::from_ref(entry));
    }
}

/// Writes fields without braces.
pub(super) fn fields(text: &mut Text<'_>, memory: &mut Memory<'_>, fields: &[(&'static str, Field)]) {
    for (name, kind) in fields {
        memory.align(kind.extent(memory.word_size()).1);
        match kind {
            Field::Pad(bytes) => memory.skip(*bytes),
            Field::NonZero(inner) => {
                let (size, _) = inner.extent(memory.word_size());
                if memory.clone().raw(size).iter().any(|byte| *byte != 0) {
                    field(text.field(name), memory, inner);
                } else {
                    memory.skip(size);
                }
            }
            _ => field(text.field(name), memory, kind),
        }
    }
}

/// Writes one field's value.
pub(super) fn field(text: &mut Text<'_>, memory: &mut Memory<'_>, kind: &Field) {
    match kind {
        Field::U8 => text.unsigned(memory.u8()),
        Field::U16 => text.unsigned(memory.u16()),
        Field::U32 | Field::FdU => text.unsigned(memory.u32()),
        Field::Interface => interface::index(text, memory.u32()),
        Field::U64 => text.unsigned(memory.u64()),
        Field::I16 => text.signed(memory.i16()),
        Field::Fd => text.fd(memory.i32()),
        Field::I32 | Field::Id => text.signed(memory.i32()),
        Field::I64 => text.signed(memory.i64()),
        Field::Hex8 => text.hex(memory.u8()),
        Field::Hex16 => text.hex(memory.u16()),
        Field::Hex32 => text.hex(memory.u32()),
        Field::Hex64 => text.hex(memory.u64()),
        Field::Word => text.unsigned(memory.word()),
        Field::Long => text.signed(memory.long()),
        Field::HexWord => text.hex(memory.word()),
        Field::Addr => text.addr(memory.word()),
        Field::Addr64 => text.addr(memory.u64()),
        Field::Mode => text.mode(memory.u32()),
        Field::Signal => signal::number(text, memory.i32()),
        Field::Flags8(words) => text.flags(words, memory.u8().into()),
        Field::Flags16(words) => text.flags(words, memory.u16().into()),
        Field::Flags32(words) => text.flags(words, memory.u32().into()),
        Field::Flags64(words) => text.flags(words, memory.u64()),
        Field::FlagsWord(words) => text.flags(words, memory.word()),
        Field::Enum8(words) => text.word(words, memory.u8().into()),
        Field::Enum16(words) => text.word(words, memory.u16().into()),
        Field::Enum32(words) => text.word(words, memory.u32().into()),
        Field::Enum64(words) => text.word(words, memory.u64()),
        Field::Signed(words) => number::signed_word(text, words, memory.i32()),
        Field::Inner(layout) => structure(text, memory, layout),
        Field::Version => {
            let version = memory.u32();
            text.push(&format!("KERNEL_VERSION({}, {}, {})", version >> 16, version >> 8 & 0xff, version & 0xff));
        }
        Field::Text(size) => {
            let bytes = memory.raw(*size);
            let end = bytes.iter().position(|byte| *byte == 0);
            // Without its NUL, the last byte is not shown.
            text.string(&bytes[..end.unwrap_or(bytes.len().saturating_sub(1))], end.is_none());
        }
        Field::Array(count, inner) => text.bracketed(|text| {
            for n in 0..*count {
                if n > 0 {
                    text.push(", ");
                }
                field(text, memory, inner);
            }
        }),
        Field::NonZero(inner) => field(text, memory, inner),
        Field::Pad(bytes) => memory.skip(*bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{decode::style::Style, syscall::layout};

    fn shown(layout: &Layout, bytes: &[u8], word: usize) -> String {
        let style = Style::default();
        let mut text = Text::new(&style);
        structure(&mut text, &mut Memory::new(bytes, 0, word), layout);
        text.finish()
    }

    #[test]
    fn fields_stand_where_the_abi_puts_them() {
        let bytes: Vec<u8> = [1_u64, 2, 3, 4].iter().flat_map(|word| word.to_ne_bytes()).collect();
        let shown = shown(&layout::ipc::MQ_OPEN_ATTR, &bytes, 8);
        assert_eq!(shown, "{mq_flags=0x1, mq_maxmsg=2, mq_msgsize=3, mq_curmsgs=4}");
    }

    #[test]
    fn what_is_zero_may_stay_away() {
        let bytes = [0_u8; 24];
        assert_eq!(shown(&layout::process::FUTEX_WAITV, &bytes, 8), "{val=0, uaddr=NULL, flags=0}");
    }
}
