//! fcntl's structures.

use super::{memory::Memory, text::Text};
use crate::syscall::words;

/// struct flock.
pub(super) fn flock(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (kind, whence) = (memory.u16(), memory.u16());
    if memory.word_size() == 8 {
        memory.skip(4);
    }
    let (start, length, pid) = (memory.long(), memory.long(), memory.i32());
    text.braced(|text| {
        text.field("l_type").word(&words::file::LOCK_TYPES, kind.into());
        text.field("l_whence").word(&words::file::WHENCE, whence.into());
        text.field("l_start").signed(start);
        text.field("l_len").signed(length);
        if pid != 0 {
            text.field("l_pid").signed(pid);
        }
    });
}
