//! Structures of keyctl.

use super::{Field::*, layouts};
use crate::syscall::words::ipc as words;

layouts! {
    /// struct keyctl_dh_params.
    pub DH_PARAMS { private: Signed(&words::KEY_SPEC), prime: Signed(&words::KEY_SPEC), base: Signed(&words::KEY_SPEC) }
    /// struct keyctl_pkey_query.
    pub PKEY_QUERY {
        supported_ops: Flags32(&words::KEY_OPS), key_size: U32, max_data_size: U16, max_sig_size: U16, max_enc_size: U16,
        max_dec_size: U16, __spare: NonZero(&Array(10, &Hex32)),
    }
    /// struct keyctl_pkey_params of an operation that writes.
    pub PKEY_PARAMS {
        key_id: Signed(&words::KEY_SPEC), in_len: U32, out_len: U32, __spare: NonZero(&Array(7, &Hex32)),
    }
    /// struct keyctl_pkey_params of an operation that reads twice.
    pub PKEY_VERIFY {
        key_id: Signed(&words::KEY_SPEC), in_len: U32, in2_len: U32, __spare: NonZero(&Array(7, &Hex32)),
    }
}
