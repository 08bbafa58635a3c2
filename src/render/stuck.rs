//! Calls that have been in flight for long, for people: one after the other, and behind them who waits for whom.

use std::{collections::BTreeMap, fmt::Write as _};

use super::quantity::span;
use crate::model::{Stuck, plain};

/// A chain of processes that wait for each other ends here.
const CHAIN_MOST: usize = 16;

/// All of them, as they are given.
pub fn stuck(text: &mut String, calls: &[Stuck]) {
    for call in calls {
        let least = if call.at_least { "at least " } else { "" };
        let (target, comm) = (plain(&call.target), plain(&call.comm));
        let _ = writeln!(text, "{least}{} {target} {comm}[{}] {}", time(call.seconds), call.tid, plain(&call.call));
        if let Some(what) = &call.waits_for {
            let _ = writeln!(text, "    waits for {}", plain(what));
        }
        for line in &call.stack {
            let _ = writeln!(text, "    > {}", plain(line));
        }
    }
    let chains = chains(calls);
    if !chains.is_empty() {
        text.push_str("who waits for whom:\n");
    }
    for chain in chains {
        let _ = writeln!(text, "    {}", plain(&chain));
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float that is too large becomes the largest number"
)]
fn time(seconds: f64) -> String {
    span((seconds.max(0.0) * 1e9) as u64)
}

/// `sh[12] -> cat[13] -> sleep[14]`: from those for whom nobody waits to those who wait for nobody known. Who comes back
/// to one before waits for himself.
fn chains(calls: &[Stuck]) -> Vec<String> {
    let mut names: BTreeMap<u32, &str> = BTreeMap::new();
    let mut next: BTreeMap<u32, u32> = BTreeMap::new();
    for call in calls {
        names.entry(call.tid).or_insert(&call.comm);
        // A process is waited for: of its threads the one that waits longest stands for it.
        let thread = |pid: u32, tid: u32| {
            if tid != pid { tid } else { calls.iter().find(|other| other.pid == pid).map_or(tid, |other| other.tid) }
        };
        for whom in &call.whom {
            names.entry(whom.tid).or_insert(&whom.comm);
        }
        if let [whom] = &call.whom[..] {
            next.insert(call.tid, thread(whom.pid, whom.tid));
        }
    }
    let waited_for: Vec<u32> = next.values().copied().collect();
    let heads = next.keys().filter(|tid| !waited_for.contains(tid)).copied();
    let mut chains: Vec<Vec<u32>> = heads.map(|head| chain(head, &next)).collect();
    // What is left goes round in circles, each of which is told once.
    for tid in next.keys() {
        if !chains.iter().any(|chain| chain.contains(tid)) {
            chains.push(chain(*tid, &next));
        }
    }
    let name = |tid: &u32| format!("{}[{tid}]", names.get(tid).copied().unwrap_or_default());
    chains.iter().map(|chain| chain.iter().map(name).collect::<Vec<_>>().join(" -> ")).collect()
}

fn chain(head: u32, next: &BTreeMap<u32, u32>) -> Vec<u32> {
    let mut chain = vec![head];
    while let Some(after) = chain.last().and_then(|last| next.get(last)).copied() {
        let again = chain.contains(&after);
        chain.push(after);
        if again || chain.len() >= CHAIN_MOST {
            break;
        }
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Process;

    fn call(pid: u32, tid: u32, whom: &[u32]) -> Stuck {
        let process = |pid: &u32| Process { tid: *pid, pid: *pid, comm: format!("p{pid}") };
        Stuck { pid, tid, comm: format!("p{pid}"), whom: whom.iter().map(process).collect(), ..Stuck::default() }
    }

    #[test]
    fn who_waits_for_whom() {
        let calls = [call(1, 1, &[2]), call(2, 5, &[3]), call(3, 3, &[]), call(7, 7, &[8, 9])];
        assert_eq!(chains(&calls), ["p1[1] -> p2[5] -> p3[3]"]);
        assert_eq!(chains(&[call(1, 1, &[2]), call(2, 2, &[1])]), ["p1[1] -> p2[2] -> p1[1]"], "a circle");
        assert!(chains(&[]).is_empty());
    }

    #[test]
    fn as_people_read_it() {
        let call = Stuck {
            target: "a.service".into(),
            call: "flock(3, LOCK_EX <in flight>".into(),
            seconds: 1200.0,
            at_least: true,
            waits_for: Some("a lock that p2[2] holds".into()),
            stack: vec!["kernel: locks_lock".into()],
            ..call(1, 1, &[2])
        };
        let mut text = String::new();
        stuck(&mut text, &[call]);
        let expected = "at least 20min a.service p1[1] flock(3, LOCK_EX <in flight>\n    waits for a lock that p2[2] holds\n    \
                        > kernel: locks_lock\nwho waits for whom:\n    p1[1] -> p2[2]\n";
        assert_eq!(text, expected);
    }
}
