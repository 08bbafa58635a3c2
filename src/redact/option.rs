//! Socket options whose values are keys: as secret as what is sent under them.

use crate::wire::{CallRecord, Part, Piece};

/// Level and option of each.
const KEYS: &[(i32, i32)] = &[
    (libc::SOL_TCP, libc::TCP_MD5SIG),
    // TCP_MD5SIG_EXT.
    (libc::SOL_TCP, 32),
    // TCP_FASTOPEN_KEY.
    (libc::SOL_TCP, 33),
    // TCP_AO_ADD_KEY and what else has such keys.
    (libc::SOL_TCP, 38),
    (libc::SOL_TCP, 39),
    (libc::SOL_TCP, 40),
    (libc::SOL_TCP, 41),
    (libc::SOL_TLS, 1),
    (libc::SOL_TLS, 2),
    (libc::SOL_ALG, libc::ALG_SET_KEY),
    // RXRPC_SECURITY_KEY, RXRPC_SECURITY_KEYRING.
    (libc::SOL_RXRPC, 1),
    (libc::SOL_RXRPC, 2),
    // SCTP_AUTH_KEY.
    (132, 23),
];

/// Whether a call that sets or gets an option carries a key. What cannot be known is none of those that are not.
pub(super) fn is_key(call: &CallRecord<'_>, pieces: &[Piece<'_>]) -> bool {
    let behind =
        pieces.iter().find(|piece| piece.part == Part::PART_WORDS).map(|piece| piece.bytes.unwrap_or_default());
    let of_word = |at: usize| Some(i32::from_ne_bytes(*behind?.get(4 * at..)?.first_chunk()?));
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "the kernel takes 32 bits")]
    let of_register = |at: usize| Some(call.args()[at] as i32);
    let argument = |at: usize| if behind.is_some() { of_word(at) } else { of_register(at) };
    match (argument(1), argument(2)) {
        (Some(level), Some(option)) => KEYS.contains(&(level, option)),
        _ => true,
    }
}
