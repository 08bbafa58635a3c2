//! fcntl's structures.

use super::{memory::Memory, text::Text};
use crate::syscall::words;

/// struct flock.
pub(super) fn flock(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let wide = memory.word_size() == 8;
    lock(text, memory, wide, false);
}

/// struct flock as the kernel fills it.
pub(super) fn flock_told(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let wide = memory.word_size() == 8;
    lock(text, memory, wide, true);
}

/// struct flock64.
pub(super) fn flock64(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    lock(text, memory, true, false);
}

/// struct flock64 as the kernel fills it.
pub(super) fn flock64_told(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    lock(text, memory, true, true);
}

fn lock(text: &mut Text<'_>, memory: &mut Memory<'_>, wide: bool, told: bool) {
    let (kind, whence) = (memory.u16(), memory.u16());
    if memory.word_size() == 8 {
        memory.skip(4);
    }
    let mut number = || {
        if wide { memory.i64() } else { memory.i32().into() }
    };
    let (start, length) = (number(), number());
    let pid = memory.i32();
    text.braced(|text| {
        text.field("l_type").word(&words::file::LOCK_TYPES, kind.into());
        text.field("l_whence").word(&words::file::WHENCE, whence.into());
        text.field("l_start").signed(start);
        text.field("l_len").signed(length);
        if told {
            text.field("l_pid").signed(pid);
        }
    });
}

/// struct f_owner_ex.
pub(super) fn owner(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (kind, pid) = (memory.u32(), memory.i32());
    text.braced(|text| {
        text.field("type").word(&words::file::OWNERS, kind.into());
        text.field("pid").signed(pid);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn only_a_told_lock_has_an_owner() {
        let style = Style::default();
        let mut bytes = [0; 32];
        bytes[0] = 1;
        bytes[8] = 5;
        bytes[24] = 7;
        let mut text = Text::new(&style);
        flock(&mut text, &mut Memory::new(&bytes, 0, 8));
        flock_told(&mut text, &mut Memory::new(&bytes, 0, 8));
        assert_eq!(
            text.finish(),
            "{l_type=F_WRLCK, l_whence=SEEK_SET, l_start=5, l_len=0}\
             {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=5, l_len=0, l_pid=7}"
        );
    }
}
