//! Numbers in memory.

use super::{date, memory::Memory, raw::Raw, signal, style::Constants, text::Text};
use crate::{
    model::Value,
    syscall::{Shape, Words, number_shapes, words},
};

/// One of several signed values; others as numbers.
pub(super) fn signed_word(text: &mut Text<'_>, words: &Words, value: i32) {
    match text.known(words, u64::from(value.cast_unsigned())) {
        Some(word) => text.either(|text| text.signed(value), |text| text.push(word)),
        None => {
            text.signed(value);
            text.explanation(words.unknown);
        }
    }
}

/// A 16-bit id, of which the highest is -1.
pub(super) fn id16(text: &mut Text<'_>, value: u32) {
    if value == 0xffff { text.push("-1") } else { text.unsigned(value) }
}

/// Whether a shape is a bare number, shown in brackets.
pub(super) fn is_number(shape: Shape) -> bool {
    matches!(shape, number_shapes!())
}

/// A user's or group's id: no id is -1.
pub(super) fn id(text: &mut Text<'_>, id: u32) {
    if id == u32::MAX { text.push("-1") } else { text.unsigned(id) }
}

/// Processor state: the number with its words behind it.
fn x_features(text: &mut Text<'_>, value: u64) {
    text.hex(value);
    if value != 0 && text.constants() != Constants::Raw {
        text.push(" /* ");
        text.in_words(|text| text.flags(&words::process::XFEATURES, value));
        text.push(" */");
    }
}

/// Writes one number without brackets.
pub(super) fn number(text: &mut Text<'_>, raw: &Raw<'_>, shape: Shape, bytes: &[u8]) -> Value {
    let mut memory = Memory::new(bytes, 0, raw.abi.word());
    match shape {
        Shape::IdCell => {
            let value = memory.u32();
            id(text, value);
            Value::Unsigned(value.into())
        }
        Shape::Int32 | Shape::FdCell | Shape::PidCell => {
            let value = memory.i32();
            text.signed(value);
            Value::Signed(value.into())
        }
        Shape::IdCell16 => {
            let value = memory.u16();
            id16(text, value.into());
            Value::Unsigned(value.into())
        }
        Shape::SignalCell => {
            let value = memory.i32();
            signal::number(text, value);
            Value::Signed(value.into())
        }
        Shape::TscCell | Shape::SeccompAction => {
            let value = memory.u32();
            let words = if shape == Shape::TscCell { &words::prctl::TSC } else { &words::security::SECCOMP_ACTIONS };
            text.word(words, value.into());
            Value::Unsigned(value.into())
        }
        Shape::XFeatures => {
            let value = memory.u64();
            x_features(text, value);
            Value::Unsigned(value)
        }
        Shape::LsmId => {
            let value = memory.u64();
            text.word(&words::security::LSM, value);
            Value::Unsigned(value)
        }
        Shape::Uint32 => {
            let value = memory.u32();
            text.unsigned(value);
            Value::Unsigned(value.into())
        }
        Shape::Hex32Cell => {
            let value = memory.u32();
            text.hex(value);
            Value::Unsigned(value.into())
        }
        Shape::Off64 => {
            let value = memory.i64();
            text.signed(value);
            Value::Signed(value)
        }
        Shape::Hex64 => {
            let value = memory.u64();
            text.hex(value);
            Value::Unsigned(value)
        }
        Shape::TimeCell => {
            let value = memory.long();
            text.signed(value);
            date::comment(text, value, 0, 9);
            Value::Signed(value)
        }
        Shape::LongCell => {
            let value = memory.long();
            text.signed(value);
            Value::Signed(value)
        }
        Shape::Word | Shape::SizeCell => {
            let value = memory.word();
            text.unsigned(value);
            Value::Unsigned(value)
        }
        Shape::AddrCell => {
            let value = memory.word();
            text.addr(value);
            Value::Unsigned(value)
        }
        _ => {
            let value = memory.u64();
            text.unsigned(value);
            Value::Unsigned(value)
        }
    }
}
