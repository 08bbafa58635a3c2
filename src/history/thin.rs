//! Thinning: of a ring's records those that are kept for longer, with what belongs to them.
//!
//! Promise: what is no call is kept, since it says who threads are, what they got and how they ended. Of a call that is
//! wanted all of its records are: what files told of its descriptors, where it was made, what was written at its start,
//! and the call that it goes on with. What a thread did last before it ended is kept whatever it is. Nothing is kept that
//! would be taken for another call's.

use std::collections::HashMap;

use super::keep::Wanted;
use crate::wire::{self, CallRecord, Kind, RESTART_BLOCK, Record};

/// No more waits for the rest of its call, bytes.
const CARRIED_MOST: usize = 16 << 10;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        history::{Keep, tests::record},
        syscall::{Abi, number},
    };

    fn call(kind: Kind, tid: u32, time: u64, name: &str, ret: i64, took: u64) -> Vec<u8> {
        let nr = number(Abi::native(false), name).unwrap();
        let head = [nr.to_ne_bytes(), [0, 0]].concat();
        record(kind, tid, time, &[head, took.to_ne_bytes().to_vec(), ret.to_ne_bytes().to_vec()].concat())
    }

    fn ended(tid: u32, time: u64, name: &str, ret: i64) -> Vec<u8> {
        call(Kind::RECORD_CALL, tid, time, name, ret, 1)
    }

    fn stack(tid: u32, time: u64) -> Vec<u8> {
        record(Kind::RECORD_STACK, tid, time, &[0; 12])
    }

    /// The times of what is kept, and of what is carried, when these come one after the other.
    fn thinned(parts: &[&[Vec<u8>]]) -> (Vec<u64>, Vec<u64>) {
        let wanted = Wanted::of(&Keep::parse(&["-Z".to_owned(), "-e trace=execve".to_owned()]).unwrap());
        let times = |bytes: &[u8]| wire::records(bytes).map(|record| record.time()).collect::<Vec<_>>();
        let (mut kept, mut carried) = (Vec::new(), Vec::new());
        for part in parts {
            let found = thin(&wanted, &carried, &part.concat());
            kept.extend(times(&found.bytes));
            carried = found.carried;
        }
        (kept, times(&carried))
    }

    #[test]
    fn what_belongs_to_a_call_stays_with_it_across_the_end_of_a_block() {
        let first = [stack(1, 10), stack(2, 11), ended(2, 12, "read", 3), stack(2, 13)];
        let second = [ended(1, 20, "read", -2), ended(2, 21, "read", 3)];
        assert_eq!(thinned(&[&first]), (vec![], vec![10, 13]));
        assert_eq!(thinned(&[&first, &second]), (vec![10, 20], vec![]), "the other one's goes with its call");
    }

    #[test]
    fn a_start_whose_call_ends_on_another_cpu_stays() {
        let began = call(Kind::RECORD_ENTER, 1, 10, "execve", 0, 0);
        let back = ended(1, 50, "read", 3);
        assert_eq!(thinned(&[&[began.clone(), back]]).0, [10]);
        assert_eq!(thinned(&[&[began.clone(), call(Kind::RECORD_CALL, 1, 30, "execve", 0, 20)]]).0, [10, 30]);
        // One that ends here goes, or stays, with its call.
        let select = call(Kind::RECORD_ENTER, 1, 10, "pselect6", 0, 0);
        assert!(thinned(&[&[select.clone(), call(Kind::RECORD_CALL, 1, 30, "pselect6", 1, 20)]]).0.is_empty());
        assert_eq!(thinned(&[&[select, call(Kind::RECORD_CALL, 1, 30, "pselect6", -9, 20)]]).0, [10, 30]);
    }

    #[test]
    fn a_call_and_what_it_goes_on_with_stay_together() {
        let sleep = ended(1, 10, "nanosleep", -RESTART_BLOCK);
        let goes_on = |time, ret| ended(1, time, "restart_syscall", ret);
        let failed = [goes_on(20, -RESTART_BLOCK), goes_on(30, -22)];
        assert_eq!(thinned(&[std::slice::from_ref(&sleep), &failed[..1], &failed[1..]]).0, [10, 20, 30]);
        assert_eq!(thinned(&[&[sleep, goes_on(20, 0)]]), (vec![], vec![]));
    }

    #[test]
    fn what_a_thread_did_last_stays() {
        let exit = record(Kind::RECORD_EXIT, 1, 30, &[0; 44]);
        assert_eq!(thinned(&[&[ended(1, 10, "read", 1), ended(1, 20, "read", 2), exit.clone()]]).0, [20, 30]);
        let ends = call(Kind::RECORD_ENTER, 1, 25, "exit_group", 0, 0);
        assert_eq!(thinned(&[&[ended(1, 20, "read", 2), ends, exit]]).0, [25, 30], "in exit_group, and not in read");
    }

    #[test]
    fn no_more_is_carried_than_a_little() {
        let stacks: Vec<Vec<u8>> = (0..1000).map(|tid| stack(tid, 10)).collect();
        assert_eq!(thinned(&[&stacks]), (vec![], vec![]));
        assert!(!thinned(&[&stacks[..100]]).1.is_empty());
    }
}
