//! What is known of threads: their process and name, from the records and from who was alive.

use std::collections::HashMap;

use crate::model::{Comm, Process};

#[derive(Clone, Copy, Debug, Default)]
struct Thread {
    pid: u32,
    comm: Comm,
}

/// Thread id -> process and name, as of the records read so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Threads {
    known: HashMap<u32, Thread>,
}

impl Threads {
    /// Begins with what the dump says of living threads.
    pub(super) fn new(processes: &[Process]) -> Self {
        let known = processes.iter().map(|process| {
            let mut comm = [0; 16];
            let name = process.comm.as_bytes();
            let length = name.len().min(15);
            comm[..length].copy_from_slice(&name[..length]);
            (process.tid, Thread { pid: process.pid, comm: Comm(comm) })
        });
        Self { known: known.collect() }
    }

    /// Notes a thread's process and name.
    pub(super) fn see(&mut self, tid: u32, pid: u32, comm: Comm) {
        self.known.insert(tid, Thread { pid, comm });
    }

    /// A thread's process and name; 0 and nothing if unknown.
    pub(super) fn of(&self, tid: u32) -> (u32, Comm) {
        self.known.get(&tid).map_or_else(Default::default, |thread| (thread.pid, thread.comm))
    }
}
