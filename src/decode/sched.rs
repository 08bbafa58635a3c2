//! Scheduling, processor sets, futexes.

use super::{memory::Memory, raw::Raw, text::Text};
use crate::{
    model::StraceForm,
    syscall::{Len, words},
    wire::Part,
};

/// struct sched_param: a number alone in strace 6.1.
pub(super) fn param(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, bytes: &[u8]) {
    if bytes.len() < 4 {
        return text.addr(raw.register(index));
    }
    let priority = Memory::new(bytes, 0, raw.abi.word()).i32();
    match raw.style.strace {
        StraceForm::V6_1 => text.bracketed(|text| text.signed(priority)),
        StraceForm::Newest => text.braced(|text| text.field("sched_priority").signed(priority)),
    }
}

/// futex's operation: `FUTEX_WAIT_PRIVATE`, `FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME`.
pub(super) fn futex_op(text: &mut Text<'_>, op: u32) {
    const PRIVATE: u32 = 128;
    const REALTIME: u32 = 256;
    /// Of these the realtime clock can be asked for.
    const TIMED: [u32; 3] = [0, 9, 11];
    let command = op & !(PRIVATE | REALTIME);
    let word = words::sched::FUTEX.word(command.into()).filter(|_| op & REALTIME == 0 || TIMED.contains(&command));
    let Some(word) = word else { return text.word(&words::sched::FUTEX, op.into()) };
    let words = |text: &mut Text<'_>| {
        text.push(word);
        if op & PRIVATE != 0 {
            text.push(if word == "FUTEX_FD" { "|FUTEX_PRIVATE_FLAG" } else { "_PRIVATE" });
        }
        if op & REALTIME != 0 {
            text.push("|FUTEX_CLOCK_REALTIME");
        }
    };
    text.either(|text| text.hex(op), words);
}

/// A processor set: `[0 1]`, with `...` where the program's is larger than the kernel's.
pub(super) fn cpu_set(text: &mut Text<'_>, raw: &Raw<'_>, len: Len, bytes: &[u8]) {
    const MOST: usize = 128;
    let shown = &bytes[..bytes.len().min(MOST)];
    super::poll::bits(text, shown, usize::MAX, |text, cpu| text.signed(cpu));
    if raw.count(len) > MOST as u64 {
        text.truncate(text.len() - 1);
        text.push(if shown.iter().any(|byte| *byte != 0) { " ...]" } else { "...]" });
    }
}

/// Size of the first published structure.
const FIRST_SIZE: u32 = 48;

/// struct sched_attr; `set`: as sched_setattr takes it, where some flags leave fields out.
pub(super) fn attr(text: &mut Text<'_>, memory: &mut Memory<'_>, set: bool) {
    const KEEP_POLICY: u64 = 8;
    const KEEP_PARAMS: u64 = 16;
    const SECOND_SIZE: u32 = 56;
    let size = memory.u32();
    let told = match size {
        0 if set => FIRST_SIZE,
        size => size,
    };
    let (policy, flags) = (memory.u32(), memory.u64());
    let (nice, priority) = (memory.i32(), memory.u32());
    let times = [memory.u64(), memory.u64(), memory.u64()];
    text.braced(|text| {
        text.field("size").unsigned(size);
        if told < FIRST_SIZE {
            return;
        }
        if !set || policy.cast_signed() < 0 || flags & (KEEP_POLICY | KEEP_PARAMS) == 0 {
            text.field("sched_policy").word(&words::sched::SCHED, policy.into());
        }
        text.field("sched_flags").flags(&words::sched::SCHED_FLAGS, flags);
        if !set || flags & KEEP_PARAMS == 0 {
            text.field("sched_nice").signed(nice);
            text.field("sched_priority").unsigned(priority);
            for (name, time) in ["sched_runtime", "sched_deadline", "sched_period"].into_iter().zip(times) {
                text.field(name).unsigned(time);
            }
        }
        if told >= SECOND_SIZE {
            text.field("sched_util_min").unsigned(memory.u32());
            text.field("sched_util_max").unsigned(memory.u32());
        }
        if told > SECOND_SIZE {
            text.push(", ...");
        }
    });
}

/// A sched_attr of an argument.
pub(super) fn sized_attr(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, bytes: &[u8]) {
    let set = raw.row.is_some_and(|row| row.name == "sched_setattr");
    let now = bytes.first_chunk::<4>().map(|size| u32::from_ne_bytes(*size));
    let mut asked = bytes.to_vec();
    let size = raw.number(index, Part::PART_START).filter(|_| asked.len() >= 4).or(now);
    if let Some(size) = size {
        asked[..4].copy_from_slice(&size.to_ne_bytes());
    }
    let mut memory = Memory::new(&asked, 0, raw.abi.word());
    let before = text.len();
    attr(text, &mut memory, set);
    text.known_until_here();
    if let Some(now) = now.filter(|now| set && Some(*now) != size) {
        text.push(" => ");
        text.braced(|text| text.field("size").unsigned(now));
    }
    let told = if set && size == Some(0) { FIRST_SIZE } else { size.unwrap_or(0) };
    if bytes.len() < 4 || memory.is_short() && bytes.len() < 48 && told >= FIRST_SIZE {
        text.truncate(before);
        text.addr(raw.register(index));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text::written;

    #[test]
    fn operations() {
        assert_eq!(written(|text| futex_op(text, 128)), "FUTEX_WAIT_PRIVATE");
        assert_eq!(written(|text| futex_op(text, 9 | 128 | 256)), "FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME");
        assert_eq!(written(|text| futex_op(text, 1 | 256)), "0x101 /* FUTEX_??? */");
    }

    #[test]
    fn attributes() {
        let mut bytes = vec![0; 48];
        bytes[0] = 48;
        let text = written(|text| attr(text, &mut Memory::new(&bytes, 0, 8), false));
        assert_eq!(
            text,
            "{size=48, sched_policy=SCHED_OTHER, sched_flags=0, sched_nice=0, sched_priority=0, sched_runtime=0, \
             sched_deadline=0, sched_period=0}"
        );
    }
}
