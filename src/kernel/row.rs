//! The bytes of a structure that the kernel side reads: its fields at their offsets, and zeros between them.

/// `fields`: where each stands, and what.
pub(super) fn row<T>(fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; size_of::<T>()];
    for (at, value) in fields {
        bytes[*at..at + value.len()].copy_from_slice(value);
    }
    bytes
}
