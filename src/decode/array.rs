//! Arrays in memory.

use super::{raw::Raw, text::Text};

/// An array in brackets: as many elements as a string would have bytes, `...` for the others. What
/// could not be read ends it with the address.
pub(super) fn elements(
    text: &mut Text<'_>,
    raw: &Raw<'_>,
    address: u64,
    count: u64,
    bytes: &[u8],
    size: usize,
    mut print: impl FnMut(&mut Text<'_>, &[u8]),
) {
    let end = count.checked_mul(size as u64).and_then(|length| address.checked_add(length));
    if count > 0 && (bytes.len() < size || end.is_none()) {
        return text.addr(address);
    }
    let limit = if raw.style.verbose { u64::MAX } else { raw.style.string_limit as u64 };
    text.bracketed(|text| {
        let mut known = bytes.chunks_exact(size);
        for n in 0..count {
            if n > 0 {
                text.push(", ");
            }
            let element = known.next();
            match element {
                Some(element) if n < limit => print(text, element),
                Some(_) => return text.push("..."),
                None => {
                    text.push("...");
                    if n < limit.min(32) {
                        text.push(&format!(" /* {:#x} */", address.wrapping_add(n * size as u64)));
                    }
                    return;
                }
            }
        }
    });
}
