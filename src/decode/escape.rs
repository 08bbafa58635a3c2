//! Bytes as C writes them in a string.

use std::fmt::Write;

/// Every byte in hexadecimal.
pub(super) fn hex_bytes(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(out, "\\x{byte:02x}");
    }
}

/// A tabs-and-newlines-safe C string: `\t \n \v \f \r \" \\`, octal for other bytes that do not print,
/// as short as the next byte allows: three digits only in front of an octal digit.
pub fn escape(out: &mut String, bytes: &[u8]) {
    for (n, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            0x0b => out.push_str("\\v"),
            0x0c => out.push_str("\\f"),
            b' '..=b'~' => out.push(char::from(*byte)),
            byte => {
                let digit_follows = bytes.get(n + 1).is_some_and(|next| (b'0'..=b'7').contains(next));
                let _ = if digit_follows { write!(out, "\\{byte:03o}") } else { write!(out, "\\{byte:o}") };
            }
        }
    }
}
