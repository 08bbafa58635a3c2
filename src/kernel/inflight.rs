//! Calls that have not ended, as the task iterator tells them: registers, and whose they are. What they point to is
//! for others to read: that may take for ever.

use crate::{
    model::{Process, plain},
    wire::inflight,
};

/// A call that has not ended.
#[derive(Clone, Debug)]
pub struct InFlight {
    /// Where its end will be written.
    pub slot: u32,
    /// The cgroup that its thread is in.
    pub cgroup: u64,
    /// Its thread.
    pub thread: Process,
    /// What the iterator wrote of it.
    pub line: Vec<u8>,
}

/// The wanted calls in flight, out of what the iterator wrote.
pub(super) fn calls(lines: &[u8], wanted: impl Fn(u32, u64) -> bool) -> Vec<InFlight> {
    let calls = lines.chunks_exact(size_of::<inflight>()).map(|bytes| (bytes, line(bytes)));
    calls
        .filter(|(_, call)| wanted(call.slot, call.cgroup))
        .map(|(bytes, call)| InFlight {
            slot: call.slot,
            cgroup: call.cgroup,
            thread: thread(&call),
            line: bytes.to_vec(),
        })
        .collect()
}

fn thread(call: &inflight) -> Process {
    let name = call.comm.split(|byte| *byte == 0).next().unwrap_or_default();
    Process { tid: call.tid, pid: call.tgid, comm: plain(&String::from_utf8_lossy(name)).into_owned() }
}

/// One line of the iterator.
pub fn line(bytes: &[u8]) -> inflight {
    let u64_at = |at: usize| bytes.get(at..at + 8).and_then(|raw| raw.try_into().ok()).map_or(0, u64::from_ne_bytes);
    let u32_at = |at: usize| bytes.get(at..at + 4).and_then(|raw| raw.try_into().ok()).map_or(0, u32::from_ne_bytes);
    use std::mem::offset_of;
    let mut call = inflight {
        tid: u32_at(offset_of!(inflight, tid)),
        tgid: u32_at(offset_of!(inflight, tgid)),
        entered: u64_at(offset_of!(inflight, entered)),
        sp: u64_at(offset_of!(inflight, sp)),
        ip: u64_at(offset_of!(inflight, ip)),
        bp: u64_at(offset_of!(inflight, bp)),
        cgroup: u64_at(offset_of!(inflight, cgroup)),
        asleep: u64_at(offset_of!(inflight, asleep)),
        slot: u32_at(offset_of!(inflight, slot)),
        ..Default::default()
    };
    for (n, arg) in call.args.iter_mut().enumerate() {
        *arg = u64_at(offset_of!(inflight, args) + 8 * n);
    }
    call.nr = u32_at(offset_of!(inflight, nr)).cast_signed();
    call.flags.0 = bytes.get(offset_of!(inflight, flags)).copied().unwrap_or(0);
    let comm = offset_of!(inflight, comm);
    for (to, from) in call.comm.iter_mut().zip(bytes.get(comm..).unwrap_or_default()) {
        *to = *from;
    }
    call
}
