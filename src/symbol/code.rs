//! What x86-64's code says of return addresses.

/// Bytes before a place that are looked at.
pub const BEFORE: usize = 7;
/// Bytes behind it.
pub(super) const BEHIND: usize = 9;

/// Whether the bytes before a place end with a call: e8, or ff /2 with its ways of addressing.
pub fn is_behind_call(before: &[u8; BEFORE]) -> bool {
    let by_address = |at: usize| before[at] == 0xff && before[at + 1] & 0x38 == 0x10;
    before[2] == 0xe8 || [5, 4, 3, 1, 0].into_iter().any(by_address)
}

/// Whether something returns to the place between them: a call stands before it, or it is the place to which a
/// signal's handler returns (mov $15, %rax; syscall).
pub(super) fn returns_there((before, behind): &([u8; BEFORE], [u8; BEHIND])) -> bool {
    is_behind_call(before) || *behind == [0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_others() {
        // call rel32; call *rip-relative; call *%rax; call *%r12; call *8(%rax).
        assert!(is_behind_call(&[0x90, 0x90, 0xe8, 1, 2, 3, 4]));
        assert!(is_behind_call(&[0x90, 0xff, 0x15, 1, 2, 3, 4]));
        assert!(is_behind_call(&[0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xd0]));
        assert!(is_behind_call(&[0x90, 0x90, 0x90, 0x90, 0x41, 0xff, 0xd4]));
        assert!(is_behind_call(&[0x90, 0x90, 0x90, 0x90, 0xff, 0x50, 8]));
        // syscall; jmp *%rax; push.
        assert!(!is_behind_call(&[0xb8, 1, 0, 0, 0, 0x0f, 0x05]));
        assert!(!is_behind_call(&[0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xe0]));
        assert!(!is_behind_call(&[0x55, 0x48, 0x89, 0xe5, 0x90, 0x90, 0x55]));
        let handler = [0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05];
        assert!(returns_there(&([0x90; 7], handler)) && !returns_there(&([0x90; 7], [0; 9])));
    }
}
