//! System V's messages, semaphores and shared memory.

use super::{memory::Memory, number, raw::Raw, text::Text};
use crate::syscall::Abi;

const IPC_SET: u64 = 1;

/// Whether the command takes the structure: only what it may set is shown then.
fn is_set(raw: &Raw<'_>) -> bool {
    let command = raw.row.and_then(|row| row.cases).map_or(0, |cases| raw.register(cases.arg));
    command & 0xff == IPC_SET
}

/// struct ipc64_perm, which ends on a word's boundary behind two unused words.
fn perm(text: &mut Text<'_>, memory: &mut Memory<'_>, set: bool) {
    let key = memory.u32();
    let (uid, gid, cuid, cgid) = (memory.u32(), memory.u32(), memory.u32(), memory.u32());
    let mode = memory.u32();
    // i386's mode has 16 bits, and padding behind it.
    let mode = if memory.word_size() == 4 { mode & 0xffff } else { mode };
    memory.skip(4);
    memory.align(memory.word_size());
    memory.skip(2 * memory.word_size());
    text.braced(|text| {
        number::id(text.field("uid"), uid);
        number::id(text.field("gid"), gid);
        text.field("mode").mode(mode);
        if !set {
            text.field("key").unsigned(key);
            number::id(text.field("cuid"), cuid);
            number::id(text.field("cgid"), cgid);
        }
    });
}

/// A time of 64 bits: in 32-bit ABIs its upper half stands behind the lower.
fn time(memory: &mut Memory<'_>) -> u64 {
    memory.u64()
}

/// struct shmid64_ds.
pub(super) fn shm(text: &mut Text<'_>, raw: &Raw<'_>, memory: &mut Memory<'_>) {
    let set = is_set(raw);
    text.braced(|text| {
        perm(text.field("shm_perm"), memory, set);
        if set {
            return;
        }
        let size = memory.word();
        let times = [time(memory), time(memory), time(memory)];
        text.field("shm_segsz").unsigned(size);
        text.field("shm_cpid").signed(memory.i32());
        text.field("shm_lpid").signed(memory.i32());
        text.field("shm_nattch").unsigned(memory.word());
        for (name, time) in ["shm_atime", "shm_dtime", "shm_ctime"].into_iter().zip(times) {
            text.field(name).unsigned(low(raw, time));
        }
    });
}

/// struct msqid64_ds.
pub(super) fn msg(text: &mut Text<'_>, raw: &Raw<'_>, memory: &mut Memory<'_>) {
    let set = is_set(raw);
    text.braced(|text| {
        perm(text.field("msg_perm"), memory, set);
        let times = [time(memory), time(memory), time(memory)];
        let (_bytes, messages, most) = (memory.word(), memory.word(), memory.word());
        if !set {
            for (name, time) in ["msg_stime", "msg_rtime", "msg_ctime"].into_iter().zip(times) {
                text.field(name).unsigned(low(raw, time));
            }
            text.field("msg_qnum").unsigned(messages);
        }
        text.field("msg_qbytes").unsigned(most);
        if !set {
            text.field("msg_lspid").signed(memory.i32());
            text.field("msg_lrpid").signed(memory.i32());
        }
    });
}

/// struct semid64_ds, of which x86-64's has a gap behind each time.
pub(super) fn sem(text: &mut Text<'_>, raw: &Raw<'_>, memory: &mut Memory<'_>) {
    let set = is_set(raw);
    let gap = if raw.abi == Abi::X86_64 { 8 } else { 0 };
    text.braced(|text| {
        perm(text.field("sem_perm"), memory, set);
        if set {
            return;
        }
        for name in ["sem_otime", "sem_ctime"] {
            text.field(name).unsigned(low(raw, time(memory)));
            memory.skip(gap);
        }
        text.field("sem_nsems").unsigned(memory.word());
    });
}

/// strace shows the lower word of a time in 32-bit ABIs.
fn low(raw: &Raw<'_>, time: u64) -> u64 {
    if raw.abi.word() == 4 { time & 0xffff_ffff } else { time }
}

/// struct msgbuf: its type and so much of its text as the call says.
pub(super) fn message(text: &mut Text<'_>, raw: &Raw<'_>, index: u8, length: u64, bytes: &[u8]) {
    let word = raw.abi.word();
    let wanted = usize::try_from(length).unwrap_or(usize::MAX).min(raw.style.string_limit);
    if bytes.len() < word.saturating_add(wanted) {
        return text.addr(raw.register(index));
    }
    let mut memory = Memory::new(bytes, 0, word);
    text.braced(|text| {
        text.field("mtype").signed(memory.long());
        let rest = memory.rest();
        let shown = rest.len().min(usize::try_from(length).unwrap_or(usize::MAX));
        text.field("mtext").string(&rest[..shown], length > shown as u64);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    #[test]
    fn permissions() {
        let style = Style::default();
        let mut text = Text::new(&style);
        let bytes: Vec<u8> = [7_u32, 1, 2, 3, 4, 0o600, 0, 0].iter().flat_map(|word| word.to_ne_bytes()).collect();
        perm(&mut text, &mut Memory::new(&bytes, 0, 8), false);
        assert_eq!(text.finish(), "{uid=1, gid=2, mode=0600, key=7, cuid=3, cgid=4}");
    }
}
