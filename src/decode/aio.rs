//! Control blocks of asynchronous I/O.

use super::{memory::Memory, raw::Raw, special, text::Text};
use crate::{
    syscall::words::{file, system as words, time},
    wire::Part,
};

const PREAD: u16 = 0;
const PWRITE: u16 = 1;
const POLL: u16 = 5;
const PREADV: u16 = 7;
const PWRITEV: u16 = 8;

/// io_submit's array of pointers to control blocks.
pub(super) fn blocks(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, count: u64) {
    #[allow(clippy::cast_possible_wrap, reason = "a negative number is refused")]
    let count = if raw.abi.word() == 4 { i64::from(super::raw::int(count)) } else { count as i64 };
    if count < 0 || raw.register(index) == 0 {
        return text.addr(raw.register(index));
    }
    let mut shown = 0;
    let mut pieces = raw.pieces(index).peekable();
    if count > 0 && pieces.peek().is_none() {
        return text.addr(raw.register(index));
    }
    text.bracketed(|text| {
        while let Some(piece) = pieces.next() {
            if shown > 0 {
                text.push(", ");
            }
            let data = pieces.next_if(|next| next.part == Part::PART_FIRST).and_then(|next| next.bytes.ok());
            match piece.bytes {
                Ok(bytes) => {
                    let mut memory = Memory::new(bytes, 0, 8);
                    text.braced(|text| block(text, &mut memory, data));
                }
                Err(_) => text.push("???"),
            }
            shown += 1;
        }
        if shown < count {
            text.push(if shown > 0 { ", ..." } else { "..." });
        }
    });
}

/// io_cancel's control block: what names it.
pub(super) fn head_alone(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.braced(|text| {
        head(text, memory);
    });
}

/// The fields that every command has; returns the command.
fn head(text: &mut Text<'_>, memory: &mut Memory<'_>) -> u16 {
    const HAS_PRIORITY: u32 = 2;
    text.field("aio_data").hex(memory.u64());
    let (key, rw_flags) = (memory.u32(), memory.u32());
    let (opcode, priority, fd) = (memory.u16(), memory.i16(), memory.u32());
    let mut rest = memory.clone();
    rest.seek(56);
    let flags = rest.u32();
    if key != 0 {
        text.field("aio_key").unsigned(key);
    }
    if rw_flags != 0 {
        text.field("aio_rw_flags").flags(&file::RWF, rw_flags.into());
    }
    text.field("aio_lio_opcode");
    match words::AIO.word(opcode.into()) {
        Some(word) => text.push(word),
        None => {
            text.unsigned(opcode);
            text.comment(words::AIO.unknown);
        }
    }
    if flags & HAS_PRIORITY != 0 {
        special::io_priority(text.field("aio_reqprio"), u32::from(priority.cast_unsigned()));
    } else if priority != 0 {
        text.field("aio_reqprio").signed(priority);
    }
    text.field("aio_fildes").fd(fd.cast_signed());
    opcode
}

fn block(text: &mut Text<'_>, memory: &mut Memory<'_>, data: Option<&[u8]>) {
    let opcode = head(text, memory);
    let (buffer, length, offset) = (memory.u64(), memory.u64(), memory.i64());
    match opcode {
        PREAD | PWRITE => {
            text.field("aio_buf");
            match data {
                Some(data) if opcode == PWRITE => text.string(data, length > data.len() as u64),
                _ => text.hex(buffer),
            }
            text.field("aio_nbytes").unsigned(length);
            text.field("aio_offset").signed(offset);
        }
        PREADV | PWRITEV => {
            text.field("aio_buf").hex(buffer);
            text.field("aio_nbytes").unsigned(length);
            text.field("aio_offset").signed(offset);
        }
        POLL => text.field("aio_buf").flags(&time::POLL, buffer),
        _ => return,
    }
    tail(text, memory);
}

fn tail(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    const HAS_EVENT_FD: u32 = 1;
    memory.seek(56);
    let (flags, fd) = (memory.u32(), memory.u32());
    if flags != 0 {
        text.field("aio_flags").flags(&words::AIO_FLAGS, flags.into());
    }
    if flags & HAS_EVENT_FD != 0 {
        text.field("aio_resfd").signed(fd.cast_signed());
    } else if fd != 0 {
        text.field("aio_resfd").hex(fd);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn a_write() {
        let style = Style::default();
        let mut text = Text::new(&style);
        let mut bytes = vec![0; 64];
        bytes[16] = 1;
        bytes[20] = 3;
        bytes[32] = 2;
        text.braced(|text| block(text, &mut Memory::new(&bytes, 0, 8), Some(b"hi")));
        assert_eq!(
            text.finish(),
            r#"{aio_data=0, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="hi", aio_nbytes=2, aio_offset=0}"#
        );
    }
}
