//! Paths, descriptors, vectors of buffers, directory entries.

use super::{array, memory::Memory, raw::Raw, text::Text};
use crate::{
    model::Value,
    syscall::{Shape, words},
    wire::Part,
};

/// A path, never cut.
pub(super) fn path(text: &mut Text<'_>, bytes: &[u8]) {
    text.whole_string(bytes);
}

/// A NUL-terminated string; a path is never cut.
pub(super) fn string(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, is_path: bool) -> Value {
    let register = raw.register(index);
    let Some(bytes) = raw.data(index) else {
        text.addr(register);
        return Value::Unsigned(register);
    };
    let (shown, more) = without_nul(bytes);
    if is_path {
        text.touch(shown);
        // A path as long as a path can be: whether it goes on is told by the byte behind it.
        match raw.pieces(index).find(|piece| piece.part == Part::PART_MORE).map(|piece| piece.bytes) {
            Some(Err(_)) => text.addr(register),
            Some(Ok(byte)) if byte != [0] => {
                path(text, shown);
                text.push("...");
            }
            _ => path(text, shown),
        }
    } else {
        text.string(shown, more)
    }
    Value::Bytes(shown.into())
}

/// What stands before the NUL; whether the string goes on behind what was captured. The kernel side
/// ends a string that it cuts with a NUL of its own, one byte behind the limit.
fn without_nul(bytes: &[u8]) -> (&[u8], bool) {
    match bytes.iter().position(|byte| *byte == 0) {
        Some(end) => (&bytes[..end], false),
        None => (bytes, true),
    }
}

/// A directory's descriptor, or the working directory.
pub(super) fn dir_fd(text: &mut Text<'_>, fd: i32) {
    if fd == libc::AT_FDCWD { text.cwd(&words::file::DIR_FD) } else { text.fd(fd) }
}

/// pipe's two descriptors.
pub(super) fn fd_pair(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.array(2, |text, _| text.new_fd(memory.i32()));
}

/// How many entries getdents returned.
pub(super) fn entries(text: &mut Text<'_>, count: u32) {
    text.push(" /* ");
    text.unsigned(count);
    text.push(" entries */");
}

/// getdents' entries, whole.
pub(super) fn directory(text: &mut Text<'_>, memory: &mut Memory<'_>, shape: Shape, length: u64) {
    let old = shape == Shape::DirentsOld;
    let mut at = 0;
    text.bracketed(|text| {
        while (at as u64) < length {
            text.separate();
            memory.seek(at);
            let (ino, offset) = if old { (memory.word(), memory.word()) } else { (memory.u64(), memory.u64()) };
            let size = usize::from(memory.u16());
            let head = memory.offset() - at + usize::from(!old);
            let kind = if old { None } else { Some(memory.u8()) };
            let name = memory.raw(size.saturating_sub(head));
            if memory.is_short() || size <= head {
                return text.push("...");
            }
            let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
            text.braced(|text| {
                text.field("d_ino").unsigned(ino);
                text.field("d_off").unsigned(offset);
                text.field("d_reclen").unsigned(size as u64);
                if let Some(kind) = kind {
                    text.field("d_type").word(&words::file::DIRENT_TYPES, kind.into());
                }
                path(text.field("d_name"), &name[..end]);
                if kind.is_none() {
                    let kind = name.last().copied().unwrap_or(0);
                    text.field("d_type").word(&words::file::DIRENT_TYPES, kind.into());
                }
            });
            at += size;
        }
    });
}

/// readdir's one entry.
pub(super) fn old_entry(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (ino, offset, size) = (memory.word(), memory.word(), memory.u16());
    let name = memory.rest();
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    text.braced(|text| {
        text.field("d_ino").unsigned(ino);
        text.field("d_off").unsigned(offset);
        text.field("d_reclen").unsigned(size);
        path(text.field("d_name"), &name[..end]);
    });
}

/// An iovec whose buffer is not looked at.
pub(super) fn span(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.braced(|text| {
        text.field("iov_base").addr(memory.word());
        text.field("iov_len").unsigned(memory.word());
    });
}

/// An iovec array with the heads of its buffers.
pub(super) fn iovec(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, count: u64) {
    let Some(array) = raw.data(index) else {
        return text.addr(raw.register(index));
    };
    let items = raw.pieces(index).filter(|piece| piece.part == Part::PART_ITEM).map(|piece| piece.bytes.ok());
    let transferred = raw.ret.and_then(|ret| u64::try_from(ret).ok());
    vectors(text, raw, raw.register(index), array, count, items, transferred.filter(|_| is_read(raw)));
}

/// Whether the call fills its buffers.
fn is_read(raw: &Raw<'_>) -> bool {
    raw.row.is_some_and(|row| row.name.starts_with("preadv") || row.name == "readv" || row.name.starts_with("recv"))
}

/// The elements of an iovec array: `[{iov_base="a", iov_len=1}]`. `transferred`: the buffers hold no
/// more than so many bytes together.
pub(super) fn vectors<'a>(
    text: &mut Text<'_>,
    raw: &Raw<'_>,
    address: u64,
    array: &[u8],
    count: u64,
    mut items: impl Iterator<Item = Option<&'a [u8]>>,
    transferred: Option<u64>,
) {
    let word = raw.abi.word();
    let mut left = transferred.unwrap_or(u64::MAX);
    array::elements(text, raw, address, count, array, 2 * word, |text, element| {
        let mut memory = Memory::new(element, 0, word);
        let (base, length) = (memory.word(), memory.word());
        let here = length.min(left);
        if left != u64::MAX {
            left -= here;
        }
        text.braced(|text| {
            text.field("iov_base");
            match items.next().flatten().filter(|_| base != 0) {
                Some(bytes) => text.string(bytes, here > bytes.len() as u64),
                None => text.addr(base),
            }
            text.field("iov_len").unsigned(length);
        });
    });
}
