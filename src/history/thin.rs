//! Thinning: of a ring's records those that are kept for longer, with what belongs to them.
//!
//! Promise: what is no call is kept, since it says who threads are, what they got and how they ended. Of a call that is
//! wanted all of its records are: what files told of its descriptors, where it was made, what was written at its start,
//! and the call that it goes on with. What a thread did last before it ended is kept whatever it is. Nothing is kept that
//! would be taken for another call's.

use std::collections::HashMap;

use super::keep::Wanted;
use crate::wire::{self, CallRecord, Kind, Record};

/// No more waits for the rest of its call, bytes.
const CARRIED_MOST: usize = 16 << 10;
/// ERESTART_RESTARTBLOCK: the thread's next call goes on with this one.
const RESTART_BLOCK: i64 = 516;

/// What is left of records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Thinned {
    /// Those that are kept.
    pub(super) bytes: Vec<u8>,
    /// What belongs to a call whose end comes later.
    pub(super) carried: Vec<u8>,
}

/// What is known of a thread.
#[derive(Debug, Default)]
struct Thread {
    /// Its records, by their places, that belong to its next call.
    belong: Vec<usize>,
    /// Those of the calls that its next one goes on with.
    chain: Vec<usize>,
    /// Whether these are kept whatever that is.
    wanted: bool,
    /// Its last call's records.
    last: Vec<usize>,
}

/// Thins records that follow these; what was carried stands before them.
pub(super) fn thin(wanted: &Wanted, carried: &[u8], bytes: &[u8]) -> Thinned {
    let records: Vec<Record<'_>> = wire::records(carried).chain(wire::records(bytes)).collect();
    let mut keeps = vec![false; records.len()];
    let mut threads: HashMap<u32, Thread> = HashMap::new();
    for (n, record) in records.iter().enumerate() {
        match record.kind() {
            Kind::RECORD_CALL => {
                let Some(call) = record.call() else { continue };
                let thread = threads.entry(record.tid()).or_default();
                // The start of a call that ended on another CPU: nobody knows here whether that is kept.
                let (mut own, others): (Vec<usize>, _) = std::mem::take(&mut thread.belong)
                    .into_iter()
                    .partition(|n| records[*n].kind() != Kind::RECORD_ENTER || is_start(&records[*n], record, &call));
                others.into_iter().for_each(|n| keeps[n] = true);
                own.extend(std::mem::take(&mut thread.chain));
                own.push(n);
                let is_wanted = wanted.call(&call) || std::mem::take(&mut thread.wanted);
                if goes_on(&call) {
                    // Whether it is kept is known when the thread's next call is.
                    (thread.chain, thread.wanted) = (own, is_wanted);
                    continue;
                }
                if is_wanted {
                    own.iter().for_each(|n| keeps[*n] = true);
                }
                thread.last = own;
            }
            Kind::RECORD_ENTER | Kind::RECORD_FILE | Kind::RECORD_STACK => {
                threads.entry(record.tid()).or_default().belong.push(n);
            }
            Kind::RECORD_EXIT => {
                keeps[n] = true;
                let thread = threads.remove(&record.tid()).unwrap_or_default();
                let Thread { last, chain, belong, .. } = thread;
                // Who was in a call then, as in exit_group, has not ended in the one before.
                let in_call = belong.iter().any(|n| records[*n].kind() == Kind::RECORD_ENTER);
                let last = last.into_iter().filter(|_| !in_call);
                last.chain(chain).chain(belong).for_each(|n| keeps[n] = true);
            }
            Kind::RECORD_URING => keeps[n] = record.uring().is_some_and(|request| wanted.request(&request)),
            _ => keeps[n] = true,
        }
    }
    let mut carries = vec![false; records.len()];
    for Thread { belong, chain, .. } in threads.into_values() {
        chain.into_iter().for_each(|n| carries[n] = true);
        for n in belong {
            // A start is found by its time, on whichever CPU its call ends.
            let which = if records[n].kind() == Kind::RECORD_ENTER { &mut keeps } else { &mut carries };
            which[n] = true;
        }
    }
    let of = |which: &[bool]| -> Vec<u8> {
        let records = records.iter().zip(which).filter(|(_, is)| **is);
        records.flat_map(|(record, _)| record.bytes().iter().copied()).collect()
    };
    let mut thinned = Thinned { bytes: of(&keeps), carried: of(&carries) };
    if thinned.carried.len() > CARRIED_MOST {
        thinned.carried = Vec::new();
    }
    thinned
}

/// Whether a RECORD_ENTER was written at a call's start, or at that of the one that it goes on with.
fn is_start(begun: &Record<'_>, ended: &Record<'_>, call: &CallRecord<'_>) -> bool {
    call.duration().is_none_or(|took| ended.time().saturating_sub(took) == begun.time())
}

/// Whether the kernel goes on with it by restart_syscall.
fn goes_on(call: &CallRecord<'_>) -> bool {
    call.ret() == -RESTART_BLOCK
}
