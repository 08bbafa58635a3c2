//! Whose signals and ends are of interest where calls were chosen by what they were.

use std::collections::HashSet;

use crate::model::{Event, What};

/// The threads and processes of which a call was shown and that have not ended since.
#[derive(Debug, Default)]
pub struct Concerned {
    threads: HashSet<u32>,
    processes: HashSet<u32>,
}

impl Concerned {
    /// Whether an event is shown: each call, and what happens later to who made one. In the order of events.
    pub fn keeps(&mut self, event: &Event) -> bool {
        match &event.what {
            What::Call(_) | What::Uring(_) => {
                self.threads.insert(event.tid);
                self.processes.insert(event.pid);
                true
            }
            // Of no thread.
            What::Gap(_) => true,
            What::Exit(_) => {
                let of_process = event.tid == event.pid && self.processes.remove(&event.pid);
                self.threads.remove(&event.tid) || of_process
            }
            _ => self.threads.contains(&event.tid),
        }
    }
}
