//! Socket options whose values are keys: they are contents, like what is sent.

/// Level and option of each.
pub const KEY_OPTIONS: &[(i32, i32)] = &[
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
