//! What an argument points to, as it was captured: before the call, behind it, or both.

use super::{io, ioctl, raw::Raw, shape, text::Text};
use crate::{
    model::Value,
    syscall::{Len, Shape},
    wire::Part,
};

/// Memory that an argument points to, or the pointer if it is not known.
pub(super) fn memory(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, shape: Shape, len: Len, valid: bool) -> Value {
    let register = raw.register(index);
    let known = match shape {
        Shape::SigFrame | Shape::OldSigFrame => raw.data(index),
        // Its pieces are the elements.
        Shape::Iocbs => Some(&[][..]),
        _ => raw.data(index).filter(|_| register != 0),
    };
    // Of nothing, nothing has to be read.
    let empty =
        len != Len::One && register != 0 && raw.count(len) == 0 && !matches!(shape, Shape::Dirents | Shape::DirentsOld);
    let known = known.or(empty.then_some(&[]));
    match known {
        // What a vector points to is told even if nothing came of it.
        Some(bytes) if valid || shape == Shape::Iovec => shape::print(text, raw, index, shape, len, bytes),
        _ => unknown(text, raw, index, shape, valid),
    }
}

/// What is shown instead of memory that is not known.
pub(super) fn unknown(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, shape: Shape, valid: bool) -> Value {
    let register = raw.register(index);
    text.addr(register);
    if valid
        && matches!(shape, Shape::Dirents | Shape::DirentsOld)
        && let Some(count) = raw.number(index, Part::PART_COUNT)
    {
        io::entries(text, count);
    }
    Value::Unsigned(register)
}

/// Memory that the call read and wrote: as it was, and what it became.
pub(super) fn changed(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, shape: Shape, len: Len) -> Value {
    let register = raw.register(index);
    let (before, after) = (raw.piece(index, Part::PART_START), raw.data(index));
    match (before, after) {
        // select and poll tell the rest in their result.
        (Some(before), _) if shape.is_told_once() => shape::print(text, raw, index, shape, len, before),
        (Some(before), Some(after)) if before != after && !raw.failed() => {
            text_changed(text, raw, index, shape, len, before, after)
        }
        (Some(before), _) => one(text, raw, index, shape, len, before),
        _ => {
            text.addr(register);
            Value::Unsigned(register)
        }
    }
}

/// `[0] => [512]`: a position that the call moves on if it transfers anything.
pub(super) fn moved(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, shape: Shape) -> Value {
    let register = raw.register(index);
    let Some(before) = raw.piece(index, Part::PART_START).filter(|_| register != 0) else {
        text.addr(register);
        return Value::Unsigned(register);
    };
    let value = shape::print(text, raw, index, shape, Len::One, before);
    text.known_until_here();
    if let Some(after) = raw.data(index)
        && raw.ret.is_some_and(|ret| ret > 0)
    {
        text.push(" => ");
        shape::print(text, raw, index, shape, Len::One, after);
    }
    value
}

/// A structure that the call answers in: what was asked at its start, what was answered at its end.
pub(super) fn both(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, shape: Shape) {
    let register = raw.register(index);
    let Some(before) = raw.piece(index, Part::PART_START).filter(|_| register != 0) else {
        return text.addr(register);
    };
    let after = raw.data(index).filter(|_| raw.ret.is_some() && !raw.failed());
    let from = text.len();
    if !ioctl::both(text, raw, shape, before, after) {
        text.truncate(from);
        text.addr(register);
    }
}

/// `[128 => 16]`: numbers stand in brackets together.
fn text_changed(
    text: &mut Text<'_>,
    raw: &Raw<'_>,
    index: u8,
    shape: Shape,
    len: Len,
    before: &[u8],
    after: &[u8],
) -> Value {
    if shape::is_number(shape) {
        let mut value = Value::Unsigned(raw.register(index));
        text.bracketed(|text| {
            shape::number(text, raw, shape, before);
            text.push(" => ");
            value = shape::number(text, raw, shape, after);
        });
        return value;
    }
    shape::print(text, raw, index, shape, len, before);
    text.push(" => ");
    shape::print(text, raw, index, shape, len, after)
}

fn one(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, shape: Shape, len: Len, bytes: &[u8]) -> Value {
    shape::print(text, raw, index, shape, len, bytes)
}
