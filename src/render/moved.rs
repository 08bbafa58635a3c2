//! What a call moved, as strace's `-e read=` writes it: sixteen bytes a line, in hexadecimal and as text.

use std::fmt::Write;

use crate::model::Moved;

/// Appends the lines; what was not recorded is counted.
pub(super) fn lines(text: &mut String, moved: &Moved) {
    for (n, row) in moved.bytes.chunks(16).enumerate() {
        let _ = write!(text, " | {:05x} ", n * 16);
        for at in 0..16 {
            if at % 8 == 0 {
                text.push(' ');
            }
            match row.get(at) {
                Some(byte) => drop(write!(text, "{byte:02x} ")),
                None => text.push_str("   "),
            }
        }
        text.push(' ');
        let printed =
            |at| row.get(at).map_or(' ', |byte| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' });
        text.extend((0..16).map(printed));
        text.push_str(" |\n");
    }
    if moved.of > moved.bytes.len() as u64 {
        let _ = writeln!(text, " | {} of {} bytes were recorded: see --string-limit |", moved.bytes.len(), moved.of);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bytes_a_line() {
        let mut text = String::new();
        lines(&mut text, &Moved { bytes: b"hello world, this is\n".as_slice().into(), of: 36 });
        assert_eq!(
            text,
            " | 00000  68 65 6c 6c 6f 20 77 6f  72 6c 64 2c 20 74 68 69  hello world, thi |\n \
             | 00010  73 20 69 73 0a                                    s is.            |\n \
             | 21 of 36 bytes were recorded: see --string-limit |\n"
        );
    }
}
