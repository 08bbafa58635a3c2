//! The policy of triggers under a clock of our own.

use super::{
    share::{Limit, Limits},
    trigger::{Evidence, Last, Policy, Triggers, Verdict},
};
use crate::model::Cause;
use std::time::{Duration, Instant};

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);

fn policy() -> Policy {
    Policy {
        killed: vec![libc::SIGSEGV, libc::SIGABRT, libc::SIGKILL],
        status: true,
        unit: true,
        tail: 200 * MS,
        limits: Limits { burst: 3, interval: 600 * S, daily_each: 5, daily: 8 },
    }
}

fn evidence(track: u64, cause: Cause, pid: u32) -> Evidence {
    Evidence { track, name: "a.service".into(), cause, pid: Some(pid), is_unit: true }
}

fn killed(track: u64, pid: u32, signal: i32) -> Evidence {
    evidence(track, Cause::Killed { pid, comm: "a".into(), signal, core: false }, pid)
}

fn failed(track: u64, pid: u32, result: &str, status: i32) -> Evidence {
    evidence(track, Cause::Unit { result: result.into(), status: Some(status), active: None }, pid)
}

/// The policy with a clock.
struct Clock {
    triggers: Triggers,
    policy: Policy,
    now: Instant,
}

impl Clock {
    fn new() -> Self {
        Self { triggers: Triggers::default(), policy: policy(), now: Instant::now() }
    }

    fn see(&mut self, evidence: Evidence) -> Verdict {
        self.triggers.see(&self.policy, evidence, self.now)
    }

    /// What is dumped while this time passes.
    fn pass(&mut self, time: Duration) -> Vec<Cause> {
        self.now += time;
        std::iter::from_fn(|| self.triggers.due(self.now)).map(|planned| planned.cause).collect()
    }
}

#[test]
fn a_dump_is_made_when_its_tail_has_passed() {
    let mut clock = Clock::new();
    assert_eq!(clock.see(killed(1, 7, libc::SIGSEGV)), Verdict::Planned);
    assert_eq!(clock.triggers.next(), Some(clock.now + 200 * MS));
    assert!(clock.pass(199 * MS).is_empty());
    assert_eq!(clock.pass(MS).len(), 1);
    assert_eq!(clock.triggers.next(), None);
}

#[test]
fn one_death_that_the_kernel_and_systemd_tell_of_gives_one_dump() {
    let mut clock = Clock::new();
    clock.see(killed(1, 7, libc::SIGSEGV));
    clock.pass(2 * MS);
    assert_eq!(clock.see(failed(1, 7, "signal", libc::SIGSEGV)), Verdict::Told);
    let dumps = clock.pass(S);
    assert!(matches!(dumps[..], [Cause::Killed { .. }]), "{dumps:?}");
    // The start limit tells of it again; in a container systemd has other numbers.
    assert_eq!(clock.see(failed(1, 2, "signal", libc::SIGSEGV)), Verdict::Told);
    assert_eq!(clock.see(failed(1, 7, "core-dump", libc::SIGSEGV)), Verdict::Told);
    assert!(clock.pass(S).is_empty());
}

#[test]
fn systemds_word_counts_where_it_says_more() {
    let mut clock = Clock::new();
    clock.see(killed(1, 7, libc::SIGABRT));
    clock.see(failed(1, 7, "watchdog", libc::SIGABRT));
    let dumps = clock.pass(S);
    assert!(matches!(&dumps[..], [Cause::Unit { result, .. }] if result == "watchdog"), "{dumps:?}");
    // What it kills of the rest is no news.
    assert_eq!(clock.see(killed(1, 8, libc::SIGKILL)), Verdict::Told);
    clock.pass(300 * S);
    assert_eq!(clock.see(killed(1, 8, libc::SIGKILL)), Verdict::Planned);
}

#[test]
fn a_worker_that_crashed_does_not_hide_that_its_unit_failed_later() {
    let mut clock = Clock::new();
    clock.see(killed(1, 8, libc::SIGSEGV));
    assert_eq!(clock.pass(S).len(), 1);
    assert_eq!(clock.see(failed(1, 7, "exit-code", 256)), Verdict::Planned);
    assert_eq!(clock.pass(S).len(), 1);
    assert_eq!(clock.see(killed(1, 9, libc::SIGSEGV)), Verdict::Planned);
}

#[test]
fn statuses_of_units_are_for_systemd_to_judge() {
    let mut clock = Clock::new();
    let status = |status| Cause::Status { pid: 7, comm: "a".into(), status };
    assert_eq!(clock.see(evidence(1, status(3), 7)), Verdict::Unwanted);
    let container = Evidence { is_unit: false, ..evidence(2, status(3), 7) };
    assert_eq!(clock.see(container.clone()), Verdict::Planned);
    clock.pass(S);
    assert_eq!(clock.see(container), Verdict::Told);
    assert_eq!(clock.see(Evidence { is_unit: false, ..evidence(2, status(0), 7) }), Verdict::Unwanted);
    clock.policy.unit = false;
    assert_eq!(clock.see(evidence(3, status(3), 8)), Verdict::Planned);
}

#[test]
fn a_status_that_was_told_before_systemd_was_heard_is_not_told_again() {
    let mut clock = Clock::new();
    let status = Cause::Status { pid: 7, comm: "a".into(), status: 3 };
    assert_eq!(clock.see(Evidence { is_unit: false, ..evidence(1, status, 7) }), Verdict::Planned);
    clock.pass(S);
    assert_eq!(clock.see(failed(1, 2, "exit-code", 3 << 8)), Verdict::Told);
    assert_eq!(clock.see(failed(1, 2, "exit-code", 4 << 8)), Verdict::Planned);
}

#[test]
fn signals_that_are_not_listed_make_none() {
    let mut clock = Clock::new();
    assert_eq!(clock.see(killed(1, 7, libc::SIGTERM)), Verdict::Unwanted);
    assert!(clock.pass(S).is_empty());
}

/// Deaths of that many tracks of one name, a second from one to the next.
fn die(clock: &mut Clock, tracks: &mut u64, name: &str, times: u64) -> (Vec<Verdict>, Vec<Option<Last>>) {
    let (mut verdicts, mut dumps) = (Vec::new(), Vec::new());
    for _ in 0..times {
        *tracks += 1;
        verdicts.push(clock.see(Evidence { name: name.into(), ..killed(*tracks, 7, libc::SIGSEGV) }));
        clock.now += S;
        dumps.extend(std::iter::from_fn(|| clock.triggers.due(clock.now)).map(|planned| planned.last));
    }
    (verdicts, dumps)
}

fn missed(clock: &Clock) -> Vec<(&str, u64, Limit)> {
    clock.triggers.missed().map(|(name, missed)| (name, missed.times, missed.limit)).collect()
}

#[test]
fn each_identity_has_its_share_and_the_day_is_for_all() {
    let (mut clock, mut tracks) = (Clock::new(), 0);
    let mut verdicts = |clock: &mut Clock, name, times| die(clock, &mut tracks, name, times).0;
    use Verdict::{Limited, Planned};
    assert_eq!(verdicts(&mut clock, "a", 4), [Planned, Planned, Planned, Limited(Limit::Burst, true)]);
    clock.pass(600 * S);
    let each = Limited(Limit::Each, false);
    assert_eq!(verdicts(&mut clock, "a", 4), [Planned, Planned, each, each]);
    // Others have theirs.
    assert_eq!(verdicts(&mut clock, "b", 3), [Planned; 3]);
    assert_eq!(verdicts(&mut clock, "c", 1), [Limited(Limit::Day, true)]);
    clock.pass(25 * 3600 * S);
    assert_eq!(verdicts(&mut clock, "c", 1), [Planned]);
}

#[test]
fn of_a_crash_loop_the_first_and_the_last_are_kept() {
    let (mut clock, mut tracks) = (Clock::new(), 0);
    let (verdicts, dumps) = die(&mut clock, &mut tracks, "a", 40);
    assert_eq!(verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Limited(_, true))).count(), 1);
    assert_eq!(dumps, [None, None, None]);
    assert_eq!(missed(&clock), [("a", 37, Limit::Burst)]);
    // systemd's word about it is no other death.
    assert_eq!(clock.see(Evidence { name: "a".into(), ..failed(40, 7, "signal", 11) }), Verdict::Told);
    assert!(clock.pass(8 * S).is_empty());
    clock.now += 2 * S;
    let last = clock.triggers.due(clock.now).unwrap();
    assert_eq!((last.track, last.last), (40, Some(Last { name: "a".into(), calls: false, again: false })));
    assert_eq!(missed(&clock), [("a", 36, Limit::Burst)]);
    // It goes on, slowly: once in an interval the dump of its last death takes the place of the one before.
    let mut lasts = Vec::new();
    for _ in 0..120 {
        lasts.extend(die(&mut clock, &mut tracks, "a", 1).1.into_iter().flatten());
        clock.now += 14 * S;
        lasts.extend(std::iter::from_fn(|| clock.triggers.due(clock.now)).filter_map(|planned| planned.last));
    }
    assert!(lasts.len() <= 3 && lasts.iter().all(|last| last.again), "{lasts:?}");
    // Another loop, hours later, keeps its own.
    clock.pass(5 * 3600 * S);
    die(&mut clock, &mut tracks, "a", 1);
    clock.now += 10 * S;
    assert!(clock.triggers.due(clock.now).unwrap().last.is_some_and(|last| !last.again));
    // After a day without a death nobody asks any more.
    clock.pass(25 * 3600 * S);
    die(&mut clock, &mut tracks, "b", 1);
    assert!(missed(&clock).is_empty());
}

#[test]
fn what_kills_a_process_does_not_hide_what_another_died_of() {
    let mut clock = Clock::new();
    clock.see(killed(1, 7, libc::SIGKILL));
    assert_eq!(clock.see(killed(1, 8, libc::SIGSEGV)), Verdict::Told);
    assert!(matches!(clock.pass(S)[..], [Cause::Killed { signal: libc::SIGSEGV, .. }]));
}

#[test]
fn a_call_is_no_death() {
    let mut clock = Clock::new();
    let call =
        Evidence { pid: None, ..evidence(1, Cause::Call { tid: 7, rule: "openat=EACCES".into(), call: None }, 7) };
    assert_eq!(clock.see(call.clone()), Verdict::Planned);
    assert_eq!(clock.see(call.clone()), Verdict::Told);
    assert_eq!(clock.pass(S).len(), 1);
    assert_eq!(clock.see(call), Verdict::Planned);
    // A death in the tail of a call counts more.
    assert_eq!(clock.see(killed(1, 7, libc::SIGSEGV)), Verdict::Told);
    assert!(matches!(clock.pass(S)[..], [Cause::Killed { .. }]));
}

#[test]
fn what_is_remembered_stays_small() {
    let mut clock = Clock::new();
    clock.policy.limits.daily = usize::MAX;
    for n in 0..10_000 {
        clock.see(Evidence { name: format!("run-{n}"), ..killed(n, 7, libc::SIGSEGV) });
        clock.pass(60 * S);
    }
    let text = format!("{:?}", clock.triggers).len();
    assert!(text < 200_000, "{text}");
}

#[test]
fn calls_that_rules_name_use_up_no_deaths_dumps() {
    let mut clock = Clock::new();
    let called = || Cause::Call { tid: 7, rule: "openat=EACCES".into(), call: None };
    for n in 0..10 {
        clock.see(evidence(1, called(), 7));
        assert_eq!(clock.pass(S).len(), usize::from(n < 3), "{n}");
    }
    // The last of the calls waits for its dump; the death does not wait with it.
    assert_eq!(clock.see(killed(1, 7, libc::SIGKILL)), Verdict::Planned);
    assert!(matches!(clock.pass(S)[..], [Cause::Killed { .. }]));
    // Nor the other way round: a crash loop leaves the rule its dumps.
    let mut clock = Clock::new();
    for pid in 0..10 {
        clock.see(killed(1, pid, libc::SIGSEGV));
        clock.pass(S);
    }
    assert_eq!(clock.see(evidence(2, called(), 7)), Verdict::Planned);
    assert!(matches!(clock.pass(S)[..], [Cause::Call { .. }]));
}
