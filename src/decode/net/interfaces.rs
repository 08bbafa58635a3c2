//! ioctl's struct ifconf: the interfaces that have addresses.

use super::{address, request};
use crate::{
    decode::{array, memory::Memory, raw::Raw, text::Text},
    wire::Part,
};

/// The list as it was asked for, and as it was told; false if too little of it is known.
pub(in crate::decode) fn list(text: &mut Text<'_>, raw: &Raw<'_>, before: &[u8], after: Option<&[u8]>) -> bool {
    let word = raw.abi.word();
    let (size, asked) = head(before, word);
    if before.len() < 2 * word {
        return false;
    }
    let told = after.filter(|bytes| bytes.len() >= 2 * word).map(|bytes| head(bytes, word).0);
    let element = request::NAME + if word == 8 { 24 } else { 16 };
    text.braced(|text| {
        text.field("ifc_len");
        if asked != 0 {
            length(text, size, element);
        }
        text.known_until_here();
        let now = told.unwrap_or(size);
        if asked != 0 && now != size {
            text.push(" => ");
        }
        if asked == 0 || now != size {
            length(text, now, element);
        }
        text.field("ifc_buf");
        let count = usize::try_from(now).unwrap_or(0) / element;
        let bytes = raw.last_piece(2, Part::PART_FIRST).unwrap_or_default();
        if asked == 0 || told.is_none() {
            return text.addr(asked);
        }
        array::elements(text, raw, asked, count as u64, bytes, element, |text, bytes| {
            let (name, address) = bytes.split_at(request::NAME);
            text.braced(|text| {
                text.field("ifr_name").cstring(name);
                address::sockaddr(text.field("ifr_addr"), &address[..16], word);
            });
        });
    });
    true
}

/// The length in bytes, and the buffer.
fn head(bytes: &[u8], word: usize) -> (i32, u64) {
    let mut memory = Memory::new(bytes, 0, word);
    let length = memory.i32();
    memory.align(word);
    (length, memory.word())
}

/// `80 /* 2 * sizeof(struct ifreq) */`.
fn length(text: &mut Text<'_>, length: i32, element: usize) {
    text.signed(length);
    if let Ok(length) = usize::try_from(length)
        && length > 0
        && length.is_multiple_of(element)
    {
        text.explanation(&format!("{} * sizeof(struct ifreq)", length / element));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text::written;

    #[test]
    fn lengths_in_whole_structures() {
        assert_eq!(written(|text| length(text, 80, 40)), "80 /* 2 * sizeof(struct ifreq) */");
        assert_eq!(written(|text| length(text, 82, 40)), "82");
        assert_eq!(written(|text| length(text, 0, 40)), "0");
        assert_eq!(written(|text| length(text, -40, 40)), "-40");
    }

    #[test]
    fn a_head_in_either_abi() {
        let wide = [&80_i32.to_ne_bytes()[..], &[0; 4], &0x1000_u64.to_ne_bytes()].concat();
        assert_eq!(head(&wide, 8), (80, 0x1000));
        assert_eq!(head(&[80, 0, 0, 0, 0, 16, 0, 0], 4), (80, 0x1000));
    }
}
