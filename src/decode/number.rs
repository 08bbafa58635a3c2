//! Numbers in memory.

use super::{call::Raw, memory::Memory, text::Text};
use crate::{model::Value, syscall::Shape};

/// Whether a shape is a bare number, shown in brackets.
pub(super) fn is_number(shape: Shape) -> bool {
    matches!(
        shape,
        Shape::Int32
            | Shape::Uint32
            | Shape::Hex32Cell
            | Shape::Uint64
            | Shape::Hex64
            | Shape::LongCell
            | Shape::Word
            | Shape::SizeCell
            | Shape::Off64
            | Shape::AddrCell
            | Shape::FdCell
            | Shape::IdCell
            | Shape::PidCell
            | Shape::TimeCell
    )
}

/// A user's or group's id: no id is -1.
pub(super) fn id(text: &mut Text<'_>, id: u32) {
    if id == u32::MAX { text.push("-1") } else { text.unsigned(id) }
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
        Shape::LongCell | Shape::TimeCell => {
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
