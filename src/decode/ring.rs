//! What is registered with a submission ring: files, buffers, restrictions; and what a ring is asked for.

use super::{array, file, memory::Memory, raw::Raw, text::Text};
use crate::{
    syscall::{
        Registered,
        words::{Words, system as words},
    },
    wire::Part,
};

/// A structure of io_uring_register's.
pub(super) fn registered(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, kind: Registered, bytes: &[u8]) {
    const SIZE: usize = 32;
    let count = raw.register(3) & 0xffff_ffff;
    let whole = match kind {
        Registered::Probe => bytes.len() >= PROBE_HEAD,
        Registered::FilesUpdate => bytes.len() >= 16,
        _ => bytes.len() >= SIZE,
    };
    if !whole {
        return text.addr(raw.register(index));
    }
    let mut memory = Memory::new(bytes, 0, 8).told(count);
    text.braced(|text| match kind {
        Registered::Probe => probe(text, raw, index, &mut memory, count),
        Registered::FilesUpdate => {
            offset(text, &mut memory);
            let from = memory.u64();
            files(text.field("fds"), raw, index, from, count, true);
        }
        Registered::Files => resources(text, raw, index, &mut memory, |text, from, count| {
            files(text, raw, index, from, count, false);
        }),
        Registered::Buffers => resources(text, raw, index, &mut memory, |text, from, count| {
            buffers(text, raw, index, from, count);
        }),
        Registered::FilesUpdate2 => update(text, raw, index, &mut memory, |text, from, count| {
            files(text, raw, index, from, count, true);
        }),
        Registered::BuffersUpdate => update(text, raw, index, &mut memory, |text, from, count| {
            buffers(text, raw, index, from, count);
        }),
    });
}

/// One value of several, others as a number with a comment.
fn counted(text: &mut Text<'_>, words: &Words, value: u8) {
    match text.known(words, value.into()) {
        Some(_) => text.word(words, value.into()),
        None => {
            text.unsigned(value);
            text.comment(words.unknown);
        }
    }
}

const PROBE_HEAD: usize = 16;

/// struct io_uring_probe.
fn probe(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, memory: &mut Memory<'_>, count: u64) {
    counted(text.field("last_op"), &words::URING_OPS, memory.u8());
    text.field("ops_len").unsigned(memory.u8());
    reserved(text, "resv", memory.u16().into());
    let more = [memory.u32(), memory.u32(), memory.u32()];
    reserved_array(text, "resv2", &more);
    text.field("ops");
    let address = raw.register(index).wrapping_add(PROBE_HEAD as u64);
    array::elements(text, raw, address, count, memory.rest(), 8, |text, bytes| {
        let mut memory = Memory::new(bytes, 0, 8);
        text.braced(|text| {
            counted(text.field("op"), &words::URING_OPS, memory.u8());
            reserved(text, "resv", memory.u8().into());
            text.field("flags").flags(&words::URING_OP_FLAGS, memory.u16().into());
            reserved(text, "resv2", memory.u32().into());
        });
    });
}

fn reserved(text: &mut Text<'_>, name: &str, value: u64) {
    if value != 0 {
        text.field(name).hex(value);
    }
}

fn reserved_array(text: &mut Text<'_>, name: &str, values: &[u32]) {
    if values.iter().any(|value| *value != 0) {
        text.field(name).bracketed(|text| {
            for value in values {
                text.separate();
                text.hex(*value);
            }
        });
    }
}

fn offset(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.field("offset").unsigned(memory.u32());
    reserved(text, "resv", memory.u32().into());
}

/// struct io_uring_rsrc_register.
fn resources(
    text: &mut Text<'_>,
    raw: &Raw<'_>,
    index: u8,
    memory: &mut Memory<'_>,
    data: impl FnOnce(&mut Text<'_>, u64, u64),
) {
    let count = memory.u32();
    text.field("nr").unsigned(count);
    text.field("flags").flags(&words::URING_RSRC, memory.u32().into());
    reserved(text, "resv2", memory.u64());
    data(text.field("data"), memory.u64(), count.into());
    tags(text, raw, index, memory.u64(), count);
    file::beyond(text, memory);
}

/// struct io_uring_rsrc_update2.
fn update(
    text: &mut Text<'_>,
    raw: &Raw<'_>,
    index: u8,
    memory: &mut Memory<'_>,
    data: impl FnOnce(&mut Text<'_>, u64, u64),
) {
    offset(text, memory);
    let (from, tags_from, count) = (memory.u64(), memory.u64(), memory.u32());
    data(text.field("data"), from, count.into());
    tags(text, raw, index, tags_from, count);
    text.field("nr").unsigned(count);
    reserved(text, "resv2", memory.u32().into());
    file::beyond(text, memory);
}

/// An array that the structure points to, `size` bytes each; it was captured as `part`.
fn listed(
    text: &mut Text<'_>,
    raw: &Raw<'_>,
    index: u8,
    (part, size): (Part, usize),
    (from, count): (u64, u64),
    print: impl FnMut(&mut Text<'_>, &[u8]),
) {
    if from == 0 {
        return text.addr(from);
    }
    array::elements(text, raw, from, count, raw.piece(index, part).unwrap_or_default(), size, print);
}

fn tags(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, from: u64, count: u32) {
    listed(text.field("tags"), raw, index, (Part::PART_SECOND, 8), (from, count.into()), |text, bytes| {
        text.hex(Memory::new(bytes, 0, 8).u64());
    });
}

/// `update`: -2 leaves a file as it is.
fn files(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, from: u64, count: u64, update: bool) {
    const SKIP: i32 = -2;
    listed(text, raw, index, (Part::PART_FIRST, 4), (from, count), |text, bytes| {
        match Memory::new(bytes, 0, 8).i32() {
            SKIP if update => text.either(|text| text.signed(SKIP), |text| text.push("IORING_REGISTER_FILES_SKIP")),
            fd => text.fd(fd),
        }
    });
}

fn buffers(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, from: u64, count: u64) {
    let word = raw.abi.word();
    listed(text, raw, index, (Part::PART_FIRST, 2 * word), (from, count), |text, bytes| {
        let mut memory = Memory::new(bytes, 0, word);
        text.braced(|text| {
            text.field("iov_base").addr(memory.word());
            text.field("iov_len").unsigned(memory.word());
        });
    });
}

/// struct io_uring_restriction.
pub(super) fn restriction(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    let (kind, value, rest) = (memory.u16(), memory.u8(), memory.u8());
    let more = [memory.u32(), memory.u32(), memory.u32()];
    text.braced(|text| {
        text.field("opcode").word(&words::URING_RESTRICTIONS, kind.into());
        match kind {
            0 => text.field("register_op").word(&words::URING_REGISTER, value.into()),
            1 => text.field("sqe_op").word(&words::URING_OPS, value.into()),
            2 | 3 => text.field("sqe_flags").flags(&words::URING_SQE_FLAGS, value.into()),
            _ => reserved(text, "register_op", value.into()),
        }
        reserved(text, "resv", rest.into());
        reserved_array(text, "resv2", &more);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        decode::style::Style,
        wire::{self, Record, inflight},
    };

    fn shown(kind: Registered, count: u64, bytes: &[u8], behind: &[(Part, &[u8])]) -> String {
        let call = inflight { nr: 427, args: [3, 0, 0x1000, count, 0, 0], ..inflight::default() };
        let pieces: Vec<_> = behind.iter().map(|(part, bytes)| (2, *part, Ok(bytes.to_vec()))).collect();
        let record = wire::in_flight_record(&call, 4, &pieces);
        let record = Record::parse(&record).unwrap().call().unwrap();
        let pieces: Vec<_> = record.pieces().collect();
        let style = Style::default();
        let raw = Raw::new(&style, record, record.args(), Some(0), &pieces);
        let mut text = Text::new(&style);
        registered(&mut text, &raw, 2, kind, bytes);
        text.finish()
    }

    #[test]
    fn what_a_kernel_can_do() {
        let bytes = [1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0];
        assert_eq!(
            shown(Registered::Probe, 1, &bytes, &[]),
            "{last_op=IORING_OP_READV, ops_len=2, ops=[{op=IORING_OP_NOP, flags=IO_URING_OP_SUPPORTED}]}"
        );
        assert_eq!(shown(Registered::Probe, 1, &bytes[..8], &[]), "0x1000");
    }

    #[test]
    fn files_with_tags() {
        let bytes: Vec<u8> = [2_u64, 0, 0x2000, 0x3000].iter().flat_map(|word| word.to_ne_bytes()).collect();
        let files: Vec<u8> = [7_i32, -1].iter().flat_map(|fd| fd.to_ne_bytes()).collect();
        let tags: Vec<u8> = [0_u64, 16].iter().flat_map(|tag| tag.to_ne_bytes()).collect();
        let behind = [(Part::PART_FIRST, &files[..]), (Part::PART_SECOND, &tags[..])];
        assert_eq!(shown(Registered::Files, 32, &bytes, &behind), "{nr=2, flags=0, data=[7, -1], tags=[0, 0x10]}");
        assert_eq!(shown(Registered::Files, 31, &bytes[..31], &behind), "0x1000");
        assert_eq!(shown(Registered::Files, 40, &bytes, &behind), "{nr=2, flags=0, data=[7, -1], tags=[0, 0x10], ???}");
    }
}
