//! What of a dump is one user's: what he could have seen himself with ptrace(2), had he been there.
//!
//! The kernel side marks each call whose thread was his alone (bpf/user.h). Those are his, with what is known of the
//! descriptors and places in the program that they name, and how threads that made such calls began and ended. Nothing
//! else is: what a service manager did before it became him, a setuid program, or somebody else in the same unit is left
//! out, and so is what cannot be told apart from that.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{Block, Cause, Dump, Files, Portion, Process, Recording, User},
    wire::{self, Form, Kind, Record, record_flag},
};

/// A thread number's calls.
#[derive(Clone, Copy, Debug, Default)]
struct Thread {
    /// Whether some are his.
    own: bool,
    /// When one was made that is not; it may be another thread's of the same number.
    other: Option<u64>,
    /// When the last one was made that is.
    last: u64,
}

/// The threads of a dump, by number.
#[derive(Debug, Default)]
struct Threads(BTreeMap<u32, Thread>);

/// The part of a recording that is the user's whose calls are marked in it; `None`: none is.
pub fn of_user(recording: &Recording) -> Option<Recording> {
    let user = recording.dump.user?;
    let threads = Threads::of(&recording.blocks);
    if !threads.0.values().any(|thread| thread.own) {
        return None;
    }
    let mut modules = BTreeSet::new();
    let kept = |block: &Block| {
        // What cannot be unpacked cannot be looked at.
        let bytes = block.plain().map_or_else(|_| Vec::new(), |bytes| threads.kept(&bytes, &mut modules));
        let block = Block { thinned: block.thinned, ..Block::of(block.cpu, block.whose, bytes) };
        // All of them unpacked may be more than there is memory.
        block.clone().pack().unwrap_or(block)
    };
    let blocks: Vec<Block> = recording.blocks.iter().map(kept).filter(|block| block.records > 0).collect();
    let dump = threads.header(&recording.dump, user, &blocks, &recording.blocks, &modules);
    Some(Recording { dump, blocks })
}

impl Threads {
    fn of(blocks: &[Block]) -> Self {
        let mut threads = Self::default();
        for block in blocks {
            let Ok(bytes) = block.plain() else { continue };
            for record in wire::records(&bytes).filter(|record| record.form() == Some(Form::Call)) {
                let thread = threads.0.entry(record.tid()).or_default();
                if is_marked(&record) {
                    thread.own = true;
                    thread.last = thread.last.max(record.time());
                } else {
                    thread.other = thread.other.max(Some(record.time()));
                }
            }
        }
        threads
    }

    /// Whether calls of that number are his.
    fn is_own(&self, tid: u32) -> bool {
        self.0.get(&tid).is_some_and(|thread| thread.own)
    }

    /// Whether none is another's that was made at that time or later.
    fn is_own_at(&self, tid: u32, time: u64) -> bool {
        self.0.get(&tid).is_some_and(|thread| thread.own && thread.other.is_none_or(|other| other < time))
    }

    /// The records that are his.
    fn kept(&self, bytes: &[u8], modules: &mut BTreeSet<u16>) -> Vec<u8> {
        let mut kept = Vec::with_capacity(bytes.len());
        // What stands before a call of its thread's and belongs to it.
        let mut before: BTreeMap<u32, Vec<Record<'_>>> = BTreeMap::new();
        for record in wire::records(bytes) {
            let tid = record.tid();
            let is_his = match record.form() {
                Some(Form::Call) => {
                    let before = before.remove(&tid).unwrap_or_default();
                    let is_his = is_marked(&record);
                    for record in before.iter().filter(|_| is_his) {
                        modules.extend(record.stack().iter().flat_map(|stack| stack.modules()));
                        kept.extend_from_slice(record.bytes());
                    }
                    is_his
                }
                Some(Form::File | Form::Stack) => {
                    before.entry(tid).or_default().push(record);
                    false
                }
                // Who sends a signal is no secret of whom it ends.
                Some(Form::Signal) if record.kind() == Kind::RECORD_KILL => {
                    record.signal().is_some_and(|signal| self.is_own(signal.target()))
                }
                Some(Form::Signal) => self.is_own_at(tid, record.time()),
                // Names and ends of processes: everybody may list them.
                Some(Form::Task) => self.is_own(tid),
                Some(Form::Uring) => self.is_own_at(tid, 0),
                Some(Form::Cgroup) => true,
                None => false,
            };
            if is_his {
                kept.extend_from_slice(record.bytes());
            }
        }
        kept
    }

    /// What the dump says of that part.
    fn header(&self, dump: &Dump, user: User, kept: &[Block], all: &[Block], modules: &BTreeSet<u16>) -> Dump {
        let mut dump = Dump { own: None, ..dump.clone() };
        let count = |blocks: &[Block]| blocks.iter().map(|block| u64::from(block.records)).sum::<u64>();
        dump.window.records = dump.window.records.min(count(kept));
        dump.portion = Some(Portion { uid: user.uid, others: count(all).saturating_sub(count(kept)) });
        if let Cause::Call { call, .. } = &mut dump.cause {
            *call = None;
        }
        (dump.counts, dump.last_words, dump.summary) = (None, None, None);
        // Whoever else is in a process: what it holds open is not his.
        let (own, others): (Vec<_>, Vec<_>) = dump.processes.drain(..).partition(|thread| self.is_his(thread.tid));
        dump.processes = own;
        let has = |threads: &[Process], pid| threads.iter().any(|thread| thread.pid == pid);
        let left: Vec<Process> = others.into_iter().filter(|thread| self.0.contains_key(&thread.tid)).collect();
        dump.files.retain(|Files { pid, .. }| has(&dump.processes, *pid) && !has(&left, *pid));
        // What they were before is not known.
        dump.files_before.clear();
        dump.waits.retain(|wait| self.is_his(wait.tid));
        dump.oom_kills.retain(|kill| self.is_own(kill.pid));
        dump.modules.retain(|module| modules.contains(&module.number));
        dump
    }

    /// Whether the last call of that number is his.
    fn is_his(&self, tid: u32) -> bool {
        self.0.get(&tid).is_some_and(|thread| self.is_own_at(tid, thread.last))
    }
}

fn is_marked(record: &Record<'_>) -> bool {
    record.has(record_flag::FLAG_USER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::LastCall,
        wire::{Place, inflight},
    };

    const USER: User = User { uid: 1000, gid: 100 };

    /// A call of a thread at a time, marked or not.
    fn call(tid: u32, time: u64, marked: bool) -> Vec<u8> {
        let flags = if marked { record_flag::FLAG_USER } else { record_flag(0) };
        wire::in_flight_record(&inflight { tid, entered: time, flags, ..Default::default() }, 0, &[])
    }

    fn stack(tid: u32, time: u64, module: u16) -> Vec<u8> {
        wire::stack_record(tid, time, &[Place::Module(module, 8)], None, &[])
    }

    fn recording(records: &[Vec<u8>]) -> Recording {
        let thread = |tid| Process { tid, pid: tid, comm: "a".into() };
        let call = Some(Box::new(LastCall { text: "secret".into(), ..LastCall::default() }));
        let dump = Dump {
            user: Some(USER),
            processes: [7, 8, 9].map(thread).into(),
            files: [7, 8, 9].map(|pid| Files { pid, ..Files::default() }).into(),
            files_before: vec![Files { pid: 7, ..Files::default() }],
            cause: Cause::Call { tid: 8, rule: "openat=EACCES".into(), call },
            ..Dump::default()
        };
        Recording { dump, blocks: vec![Block::of(Some(0), 0, records.concat())] }
    }

    fn his(recording: &Recording) -> Vec<(u32, u64)> {
        let part = of_user(recording).unwrap();
        let bytes: Vec<u8> = part.blocks.iter().flat_map(|block| block.plain().unwrap().into_owned()).collect();
        wire::records(&bytes).map(|record| (record.tid(), record.time())).collect()
    }

    #[test]
    fn his_are_the_calls_that_are_marked_and_what_belongs_to_them() {
        let records = [
            call(7, 10, false),
            stack(7, 20, 1),
            call(7, 21, true),
            stack(8, 30, 2),
            call(8, 31, false),
            call(9, 40, true),
            call(9, 50, false),
            // Nobody knows which call it belongs to.
            stack(7, 60, 3),
        ];
        let recording = recording(&records);
        assert_eq!(his(&recording), [(7, 20), (7, 21), (9, 40)]);
        let part = of_user(&recording).unwrap().dump;
        assert_eq!(part.processes.iter().map(|thread| thread.tid).collect::<Vec<_>>(), [7], "9 has become another");
        assert_eq!(part.files.iter().map(|files| files.pid).collect::<Vec<_>>(), [7]);
        assert!(part.files_before.is_empty() && part.own.is_none());
        assert_eq!(part.portion, Some(Portion { uid: 1000, others: 5 }));
        assert!(!format!("{:?}", part.cause).contains("secret"), "{:?}", part.cause);
    }

    #[test]
    fn without_a_call_of_his_nothing_is_his() {
        assert!(of_user(&recording(&[call(7, 10, false), stack(7, 20, 1)])).is_none());
        let mut nobodys = recording(&[call(7, 10, true)]);
        nobodys.dump.user = None;
        assert!(of_user(&nobodys).is_none());
    }
}
