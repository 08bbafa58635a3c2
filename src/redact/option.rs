//! Which calls carry keys: as secret as what is sent under them.

use crate::{
    syscall::KEY_OPTIONS,
    wire::{CallRecord, Part, Piece},
};

/// Whether a call that sets or gets an option carries a key. What cannot be known is none of those that are not.
pub(super) fn is_key(call: &CallRecord<'_>, pieces: &[Piece<'_>]) -> bool {
    let behind =
        pieces.iter().find(|piece| piece.part == Part::PART_WORDS).map(|piece| piece.bytes.unwrap_or_default());
    let of_word = |at: usize| Some(i32::from_ne_bytes(*behind?.get(4 * at..)?.first_chunk()?));
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "the kernel takes 32 bits")]
    let of_register = |at: usize| Some(call.args()[at] as i32);
    let argument = |at: usize| if behind.is_some() { of_word(at) } else { of_register(at) };
    match (argument(1), argument(2)) {
        (Some(level), Some(option)) => KEY_OPTIONS.contains(&(level, option)),
        _ => true,
    }
}
