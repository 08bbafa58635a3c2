//! Performance events: struct perf_event_attr.

use super::{memory::Memory, raw::Raw, text::Text};
use crate::{
    syscall::words::{perf as words, time},
    wire::Part,
};

const HARDWARE: u32 = 0;
const SOFTWARE: u32 = 1;
const TRACEPOINT: u32 = 2;
const HW_CACHE: u32 = 3;
const BREAKPOINT: u32 = 5;
/// Size of the first published structure, and of the newest that is told whole.
const FIRST_SIZE: u32 = 64;
const LAST_SIZE: u32 = 128;
const BRANCH_STACK: u64 = 1 << 11;
const STACK_USER: u64 = 1 << 13;

/// The structure's bits, from the lowest; `precise_ip` has two.
const BITS: [&str; 37] = [
    "disabled",
    "inherit",
    "pinned",
    "exclusive",
    "exclude_user",
    "exclude_kernel",
    "exclude_hv",
    "exclude_idle",
    "mmap",
    "comm",
    "freq",
    "inherit_stat",
    "enable_on_exec",
    "task",
    "watermark",
    "precise_ip",
    "mmap_data",
    "sample_id_all",
    "exclude_host",
    "exclude_guest",
    "exclude_callchain_kernel",
    "exclude_callchain_user",
    "mmap2",
    "comm_exec",
    "use_clockid",
    "context_switch",
    "write_backward",
    "namespaces",
    "ksymbol",
    "bpf_event",
    "aux_output",
    "cgroup",
    "text_poke",
    "build_id",
    "inherit_thread",
    "remove_on_exec",
    "sigtrap",
];
const SKIDS: [&str; 4] = ["arbitrary skid", "constant skid", "requested to have 0 skid", "must have 0 skid"];

/// struct perf_event_attr, whose size the kernel corrects where it refuses it.
pub(super) fn attr(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, bytes: &[u8]) {
    let mut memory = Memory::new(bytes, 0, raw.abi.word());
    let before = text.len();
    whole(text, &mut memory, raw.number(index, Part::PART_START));
    if memory.is_short() {
        text.truncate(before);
        text.addr(raw.register(index));
    }
}

fn whole(text: &mut Text<'_>, memory: &mut Memory<'_>, asked: Option<u32>) {
    let verbose = text.style().verbose;
    let (kind, now) = (memory.u32(), memory.u32());
    let size = asked.unwrap_or(now);
    let told = match size {
        0 => FIRST_SIZE,
        size => size.min(LAST_SIZE),
    };
    if told < FIRST_SIZE {
        return memory.set_short();
    }
    let (config, period) = (memory.u64(), memory.u64());
    let (sample_type, read_format, bits) = (memory.u64(), memory.u64(), memory.u64());
    text.braced(|text| {
        text.field("type").word(&words::TYPES, kind.into());
        text.field("size").word(&words::SIZES, size.into());
        if now != size {
            text.push(" => ");
            text.word(&words::SIZES, now.into());
        }
        self::config(text, kind, config);
        text.field(if bits >> 10 & 1 == 1 { "sample_freq" } else { "sample_period" }).unsigned(period);
        text.field("sample_type").flags(&words::SAMPLES, sample_type);
        text.field("read_format").flags(&words::READS, read_format);
        self::bits(text, bits, verbose);
        if verbose {
            let types = (kind, sample_type, bits);
            tail(text, memory, types, told);
        }
        let printed = if verbose { told } else { 48 };
        if size.max(told) > printed {
            text.push(", ...");
        }
    });
}

fn config(text: &mut Text<'_>, kind: u32, config: u64) {
    text.field("config");
    let upper = |text: &mut Text<'_>| {
        if config >> 32 != 0 {
            text.hex(config >> 32);
            text.push("<<32|");
        }
    };
    match kind {
        HARDWARE => {
            upper(text);
            text.word(&words::HARDWARE, config & 0xffff_ffff);
        }
        SOFTWARE => text.word(&words::SOFTWARE, config),
        TRACEPOINT => text.unsigned(config),
        HW_CACHE => {
            upper(text);
            if config >> 24 & 0xff != 0 {
                text.hex(config >> 24 & 0xff);
                text.push("<<24|");
            }
            text.word(&words::CACHE_RESULTS, config >> 16 & 0xff);
            text.push("<<16|");
            text.word(&words::CACHE_OPS, config >> 8 & 0xff);
            text.push("<<8|");
            text.word(&words::CACHE, config & 0xff);
        }
        _ => text.hex(config),
    }
}

fn bits(text: &mut Text<'_>, bits: u64, verbose: bool) {
    let mut at = 0;
    for name in BITS {
        if name == "precise_ip" {
            let value = bits >> at & 3;
            text.field(name).unsigned(value);
            text.comment(SKIDS[usize::try_from(value).unwrap_or(0)]);
            at += 2;
            continue;
        }
        let value = bits >> at & 1;
        if verbose || value == 1 {
            text.field(name).unsigned(value);
        }
        at += 1;
    }
    if bits >> at != 0 {
        text.field("__reserved_1").hex(bits >> at);
        text.comment("Bits 63..38");
    }
}

/// The fields behind the bits, as far as the structure's size reaches.
fn tail(text: &mut Text<'_>, memory: &mut Memory<'_>, (kind, sample_type, bits): (u32, u64, u64), size: u32) {
    let watermark = bits >> 14 & 1 == 1;
    text.field(if watermark { "wakeup_watermark" } else { "wakeup_events" }).unsigned(memory.u32());
    let breakpoint = memory.u32();
    let address = memory.u64();
    // The first published structure has no second word.
    let length = if size > FIRST_SIZE { Some(memory.u64()) } else { None };
    if kind == BREAKPOINT {
        text.field("bp_type");
        match words::BREAKPOINTS.word(breakpoint.into()) {
            Some(word) => text.push(word),
            None => {
                text.hex(breakpoint);
                text.comment(if breakpoint <= 7 { "HW_BREAKPOINT_INVALID" } else { "HW_BREAKPOINT_???" });
            }
        }
        text.field("bp_addr").hex(address);
        if let Some(length) = length {
            text.field("bp_len").unsigned(length);
        }
    } else {
        text.field("config1").hex(address);
        if let Some(length) = length {
            text.field("config2").hex(length);
        }
    }
    let at_least = |offset| size > offset;
    if at_least(72) {
        let branches = memory.u64();
        if sample_type & BRANCH_STACK != 0 {
            text.field("branch_sample_type").flags(&words::BRANCHES, branches);
        }
    }
    if at_least(80) {
        text.field("sample_regs_user").hex(memory.u64());
    }
    if at_least(88) {
        let stack = memory.u32();
        if sample_type & STACK_USER != 0 {
            text.field("sample_stack_user").hex(stack);
        }
        let clock = memory.u32();
        if bits >> 25 & 1 == 1 {
            text.field("clockid").word(&time::CLOCKS, clock.into());
        }
    }
    if at_least(96) {
        text.field("sample_regs_intr").hex(memory.u64());
    }
    if at_least(104) {
        text.field("aux_watermark").unsigned(memory.u32());
        text.field("sample_max_stack").unsigned(memory.u16());
        let reserved = memory.u16();
        if reserved != 0 {
            text.comment(&format!("bytes 110..111: {reserved:#x}"));
        }
    }
    if at_least(112) {
        text.field("aux_sample_size").unsigned(memory.u32());
        let reserved = memory.u32();
        if reserved != 0 {
            text.comment(&format!("bytes 116..119: {reserved:#x}"));
        }
    }
    if at_least(120) {
        text.field("sig_data").hex(memory.u64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn a_software_event() {
        let style = Style::default();
        let mut text = Text::new(&style);
        let mut bytes: Vec<u8> = [1_u32, 128].iter().flat_map(|word| word.to_ne_bytes()).collect();
        bytes.extend([10_u64, 1, 1 << 10, 0, 1].iter().flat_map(|word| word.to_ne_bytes()));
        whole(&mut text, &mut Memory::new(&bytes, 0, 8), None);
        assert_eq!(
            text.finish(),
            "{type=PERF_TYPE_SOFTWARE, size=PERF_ATTR_SIZE_VER7, config=PERF_COUNT_SW_BPF_OUTPUT, sample_period=1, \
             sample_type=PERF_SAMPLE_RAW, read_format=0, disabled=1, precise_ip=0 /* arbitrary skid */, ...}"
        );
    }
}
