//! Submission rings: io_uring_setup's parameters.

use super::{layout, memory::Memory, raw::Raw, text::Text};
use crate::{
    syscall::{layout::system, words::system as words},
    wire::Part,
};

/// struct io_uring_params: what the caller asked for, then what the kernel answered.
pub(super) fn params(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) {
    let Some(before) = raw.piece(index, Part::PART_START).filter(|bytes| bytes.len() == 120) else {
        return text.addr(raw.register(index));
    };
    text.braced(|text| {
        asked(text, &mut Memory::new(before, 0, 8));
        text.known_until_here();
        if let Some(after) = raw.data(index).filter(|_| raw.ret.is_some() && !raw.failed()) {
            answered(text, &mut Memory::new(after, 0, 8));
        }
    });
}

fn asked(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    const ATTACH: u32 = 1 << 5;
    memory.skip(8);
    let flags = memory.u32();
    text.field("flags").flags(&words::URING_SETUP, flags.into());
    text.field("sq_thread_cpu").hex(memory.u32());
    text.field("sq_thread_idle").unsigned(memory.u32());
    memory.skip(4);
    let fd = memory.u32();
    if flags & ATTACH != 0 {
        text.field("wq_fd").fd(fd.cast_signed());
    }
    let reserved = [memory.u32(), memory.u32(), memory.u32()];
    if reserved != [0; 3] {
        text.field("resv").bracketed(|text| {
            for (n, value) in reserved.into_iter().enumerate() {
                text.push(if n > 0 { ", " } else { "" });
                text.hex(value);
            }
        });
    }
}

fn answered(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.field("sq_entries").unsigned(memory.u32());
    text.field("cq_entries").unsigned(memory.u32());
    memory.seek(20);
    text.field("features").flags(&words::URING_FEATURES, memory.u32().into());
    memory.seek(40);
    layout::structure(text.field("sq_off"), memory, &system::SQ_OFFSETS);
    layout::structure(text.field("cq_off"), memory, &system::CQ_OFFSETS);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn what_is_asked() {
        let style = Style::default();
        let mut text = Text::new(&style);
        let mut bytes = vec![0; 120];
        bytes[8] = 1;
        asked(&mut text, &mut Memory::new(&bytes, 0, 8));
        assert_eq!(text.finish(), "flags=IORING_SETUP_IOPOLL, sq_thread_cpu=0, sq_thread_idle=0");
    }
}
