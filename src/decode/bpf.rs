//! bpf(2): each command's attribute, as far as the caller's size reaches.

use super::{filter, layout, memory::Memory, raw::Raw, text::Text};
use crate::{
    syscall::{Layout, layout::bpf as layouts, words::bpf as words},
    wire::Part,
};

const PAGE: u64 = 4096;

/// The attribute of the command in argument 0.
pub(super) fn attr(text: &mut Text<'_>, raw: &Raw<'_>, index: u8) {
    let size = raw.register(2) & 0xffff_ffff;
    let before = raw.piece(index, Part::PART_START);
    let after = raw.data(index);
    let Some(bytes) = before.or(after).filter(|bytes| size > 0 && size <= PAGE && bytes.len() as u64 == size) else {
        return text.addr(raw.register(index));
    };
    let after = after.filter(|_| raw.ret.is_some()).unwrap_or(bytes);
    let command = raw.register(0) & 0xffff_ffff;
    let mut memory = Memory::new(bytes, 0, 8);
    let start = text.len();
    text.push("{");
    let known = match known(command) {
        Some((wrapper, layout)) => {
            if !wrapper.is_empty() {
                text.field(wrapper).push("{");
            }
            layout::fields_so_far(text, &mut memory, layout.fields);
            if !wrapper.is_empty() {
                text.push("}");
            }
            rest(text, &memory);
            true
        }
        None => special(text, raw, index, command, bytes, after),
    };
    text.push("}");
    if !known {
        text.truncate(start);
        return text.addr(raw.register(index));
    }
    if let 24..=27 = command {
        count_changed(text, command, bytes, after);
    }
}

/// Commands whose text follows from their bytes alone: what is around it, and its fields.
fn known(command: u64) -> Option<(&'static str, &'static Layout)> {
    Some(match command {
        1 | 21 => ("", &layouts::LOOKUP),
        2 => ("", &layouts::UPDATE),
        3 => ("", &layouts::DELETE),
        4 => ("", &layouts::NEXT_KEY),
        8 => ("", &layouts::ATTACH),
        9 => ("", &layouts::DETACH),
        10 => ("test", &layouts::TEST_RUN),
        13 => ("", &layouts::PROG_BY_ID),
        14 => ("", &layouts::MAP_BY_ID),
        19 => ("", &layouts::BTF_BY_ID),
        22 => ("", &layouts::FREEZE),
        24 | 25 => ("batch", &layouts::BATCH_LOOKUP),
        26 => ("batch", &layouts::BATCH_UPDATE),
        27 => ("batch", &layouts::BATCH_DELETE),
        30 => ("", &layouts::LINK_BY_ID),
        _ => return None,
    })
}

/// The other commands; false for those that are not known.
fn special(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, command: u64, bytes: &[u8], after: &[u8]) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    match command {
        0 => map_create(text, &mut memory),
        5 => prog_load(text, raw, index, &mut memory),
        6 | 7 => {
            string(text.field("pathname"), raw, index, &mut memory, true);
            layout::fields_so_far(text, &mut memory, layouts::PIN_REST.fields);
        }
        11 | 12 | 23 | 31 => next_id(text, &mut memory, after),
        15 => info(text, &mut memory, after),
        16 => query(text, raw, index, &mut memory, after),
        17 => {
            text.field("raw_tracepoint").push("{");
            string(text.field("name"), raw, index, &mut memory, false);
            layout::fields_so_far(text, &mut memory, layouts::TRACEPOINT_REST.fields);
            text.push("}");
        }
        18 => {
            let address = memory.u64();
            let mut sizes = memory.clone();
            sizes.skip(8);
            let size = sizes.u32();
            text.field("btf");
            match raw.piece(index, Part::PART_FIRST) {
                Some(data) => text.string(data, u64::from(size) > data.len() as u64),
                None => text.addr(address),
            }
            layout::fields_so_far(text, &mut memory, layouts::BTF_REST.fields);
        }
        20 => task_query(text, raw, index, &mut memory, after),
        28 => link_create(text, &mut memory),
        29 => {
            text.field("link_update").push("{");
            layout::fields_so_far(text, &mut memory, layouts::LINK_UPDATE.fields);
            let mut flags = Memory::new(bytes, 0, 8);
            flags.seek(8);
            if flags.u32() & 4 != 0 {
                text.field("old_prog_fd").fd(memory.i32());
            } else {
                memory.skip(4);
            }
            text.push("}");
        }
        _ => return false,
    }
    if !matches!(command, 11 | 12 | 15 | 16 | 20 | 23 | 31) {
        rest(text, &memory);
    }
    true
}

/// `...` if what lies behind the known fields is not all zero.
fn rest(text: &mut Text<'_>, memory: &Memory<'_>) {
    if memory.clone().rest().iter().any(|byte| *byte != 0) {
        text.push(", ...");
    }
}

fn map_create(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    const HAS_NODE: u32 = 4;
    let mut flags = memory.clone();
    flags.seek(16);
    let flags = flags.u32();
    layout::fields_so_far(text, memory, layouts::MAP_CREATE.fields);
    if memory.left() == 0 {
        return;
    }
    let node = memory.u32();
    if flags & HAS_NODE != 0 {
        text.field("numa_node").unsigned(node);
        text.comment(if node == u32::MAX { "NUMA_NO_NODE" } else { "" });
    }
    layout::fields_so_far(text, memory, layouts::MAP_CREATE_REST.fields);
}

fn prog_load(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, memory: &mut Memory<'_>) {
    let (kind, count) = (memory.u32(), memory.u32());
    text.field("prog_type").word(&words::PROG_TYPES, kind.into());
    text.field("insn_cnt").unsigned(count);
    let code = memory.u64();
    text.field("insns");
    match raw.piece(index, Part::PART_FIRST).filter(|_| raw.style.verbose && code != 0) {
        Some(bytes) => filter::extended(text, bytes, usize::try_from(count).unwrap_or(usize::MAX)),
        None => text.addr(code),
    }
    let license = memory.u64();
    text.field("license");
    piece(text, raw, index, Part::PART_SECOND, license, false);
    if memory.left() == 0 {
        return;
    }
    text.field("log_level").unsigned(memory.u32());
    let size = memory.u32();
    text.field("log_size").unsigned(size);
    let log = memory.u64();
    text.field("log_buf");
    match raw.piece(index, Part::PART_THIRD) {
        Some(_) if size == 0 => text.push("\"\""),
        Some(_) => piece(text, raw, index, Part::PART_THIRD, log, false),
        None => text.addr(log),
    }
    layout::fields_so_far(text, memory, layouts::PROG_REST.fields);
}

/// The string that the structure's first word points to.
fn string(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, memory: &mut Memory<'_>, whole: bool) {
    let address = memory.u64();
    piece(text, raw, index, Part::PART_FIRST, address, whole);
}

fn piece(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, part: Part, address: u64, whole: bool) {
    let Some(bytes) = raw.last_piece(index, part) else { return text.addr(address) };
    let end = bytes.iter().position(|byte| *byte == 0);
    let shown = &bytes[..end.unwrap_or(bytes.len())];
    if whole { text.whole_string(shown) } else { text.string(shown, end.is_none()) }
}

/// `5 => 6`, or one number if it stayed.
fn changed(text: &mut Text<'_>, before: u32, after: u32) {
    text.unsigned(before);
    if before != after {
        text.push(" => ");
        text.unsigned(after);
    }
}

fn next_id(text: &mut Text<'_>, memory: &mut Memory<'_>, after: &[u8]) {
    text.field("start_id").unsigned(memory.u32());
    let mut now = Memory::new(after, 0, 8);
    now.skip(4);
    changed(text.field("next_id"), memory.u32(), now.u32());
    if now.left() > 0 {
        text.field("open_flags").flags(&words::FILE_MODE, now.u32().into());
    }
}

fn info(text: &mut Text<'_>, memory: &mut Memory<'_>, after: &[u8]) {
    text.field("info").push("{");
    text.field("bpf_fd").fd(memory.i32());
    let mut now = Memory::new(after, 0, 8);
    now.skip(4);
    changed(text.field("info_len"), memory.u32(), now.u32());
    text.field("info").addr(now.u64());
    text.push("}");
}

fn query(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, memory: &mut Memory<'_>, after: &[u8]) {
    text.field("query").push("{");
    layout::fields(text, memory, layouts::QUERY.fields);
    let ids = memory.u64();
    let mut now = Memory::new(after, 0, 8);
    now.seek(24);
    let (before, count) = (memory.u32(), now.u32());
    text.field("prog_ids");
    match raw.last_piece(index, Part::PART_FIRST).filter(|_| ids != 0) {
        Some(bytes) => text.bracketed(|text| {
            let told = usize::try_from(count).unwrap_or(usize::MAX);
            for (n, id) in bytes.chunks_exact(4).take(told).enumerate() {
                text.push(if n > 0 { ", " } else { "" });
                text.unsigned(Memory::new(id, 0, 8).u32());
            }
        }),
        None if ids != 0 && count == 0 => text.push("[]"),
        None => text.addr(ids),
    }
    changed(text.field("prog_cnt"), before, count);
    text.push("}");
}

fn task_query(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, memory: &mut Memory<'_>, after: &[u8]) {
    text.field("task_fd_query").push("{");
    layout::fields_so_far(text, memory, layouts::TASK_QUERY.fields);
    let mut now = Memory::new(after, 0, 8);
    now.seek(12);
    changed(text.field("buf_len"), memory.u32(), now.u32());
    let buffer = now.u64();
    text.field("buf");
    piece(text, raw, index, Part::PART_FIRST, buffer, false);
    layout::fields_so_far(text, &mut now, layouts::TASK_ANSWER.fields);
    text.push("}");
}

fn link_create(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    const TRACE_ITER: u32 = 28;
    const PERF_EVENT: u32 = 41;
    const KPROBE_MULTI: u32 = 42;
    let mut kind = memory.clone();
    kind.skip(8);
    let kind = kind.u32();
    text.field("link_create").push("{");
    layout::fields_so_far(text, memory, layouts::LINK_CREATE.fields);
    if memory.left() > 0 {
        match kind {
            0 => match memory.u32() {
                0 => {}
                id => text.field("target_btf_id").unsigned(id),
            },
            TRACE_ITER => {
                text.field("iter_info").addr(memory.u64());
                text.field("iter_info_len").unsigned(memory.u32());
            }
            PERF_EVENT => {
                let cookie = memory.u64();
                text.field("perf_event").braced(|text| text.field("bpf_cookie").hex(cookie));
            }
            KPROBE_MULTI => {
                let (flags, count) = (memory.u32(), memory.u32());
                let (symbols, addresses, cookies) = (memory.u64(), memory.u64(), memory.u64());
                text.field("kprobe_multi").braced(|text| {
                    text.field("flags").flags(&words::KPROBE_MULTI, flags.into());
                    text.field("cnt").unsigned(count);
                    text.field("syms").addr(symbols);
                    text.field("addrs").addr(addresses);
                    text.field("cookies").addr(cookies);
                });
            }
            _ => {}
        }
    }
    text.push("}");
}

/// A batch whose count the kernel changed.
fn count_changed(text: &mut Text<'_>, command: u64, before: &[u8], after: &[u8]) {
    let count = |bytes: &[u8]| {
        let mut memory = Memory::new(bytes, 0, 8);
        memory.seek(32);
        memory.u32()
    };
    debug_assert!((24..=27).contains(&command), "batches only");
    if count(before) != count(after) {
        text.push(" => {batch={count=");
        text.unsigned(count(after));
        text.push("}}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn no_further_than_the_size() {
        let style = Style::default();
        let mut text = Text::new(&style);
        let bytes: Vec<u8> = [1_u32, 4, 8, 16].iter().flat_map(|word| word.to_ne_bytes()).collect();
        text.push("{");
        map_create(&mut text, &mut Memory::new(&bytes, 0, 8));
        assert_eq!(text.finish(), "{map_type=BPF_MAP_TYPE_HASH, key_size=4, value_size=8, max_entries=16");
    }
}
