//! The sequences that systemd 252 and 257 were seen to send.

use super::*;

const FIRST: u8 = 1;
const SECOND: u8 = 2;

fn kind(result: &str, code: i32, status: i32) -> Told {
    Told { result: Some(result.into()), code: Some(code), status: Some(status), pid: Some(76), ..Told::default() }
}

fn all(active: &str, invocation: u8) -> Told {
    Told { active: Some(active.into()), invocation: Some(format!("{invocation:02x}").repeat(16)), ..Told::default() }
}

struct Manager {
    failures: Failures,
    now: Instant,
}

impl Manager {
    fn new() -> Self {
        Self { failures: Failures::default(), now: Instant::now() }
    }

    /// One pair of signals.
    fn pair(&mut self, kind: Told, all: Told) -> Option<UnitFailed> {
        let first = self.failures.told("a.service", kind, false, self.now);
        assert_eq!(first, [], "half a pair tells nothing");
        let mut found = self.failures.told("a.service", all, false, self.now);
        assert!(found.len() < 2);
        found.pop()
    }

    fn started(&mut self, invocation: u8) {
        assert_eq!(self.pair(kind("success", 0, 0), all("inactive", invocation)), None);
        assert_eq!(self.pair(kind("success", 0, 0), all("active", invocation)), None);
    }
}

#[test]
fn a_signal() {
    let mut manager = Manager::new();
    manager.started(FIRST);
    let failed = manager.pair(kind("signal", 2, 11), all("failed", FIRST)).unwrap();
    assert_eq!((failed.result.as_str(), failed.status, failed.pid), ("signal", Some(11), Some(76)));
    assert_eq!(failed.invocation, "01".repeat(16));
    assert!(!failed.earlier);
}

#[test]
fn a_core_dump_and_an_exit() {
    let mut manager = Manager::new();
    manager.started(FIRST);
    assert_eq!(manager.pair(kind("core-dump", 3, 11), all("failed", FIRST)).unwrap().status, Some(0x8b));
    manager.started(SECOND);
    assert_eq!(manager.pair(kind("exit-code", 1, 3), all("failed", SECOND)).unwrap().status, Some(0x300));
}

#[test]
fn a_watchdog_waits_for_the_end_of_the_process() {
    let mut manager = Manager::new();
    manager.started(FIRST);
    assert_eq!(manager.pair(kind("watchdog", 0, 0), all("deactivating", FIRST)), None);
    let failed = manager.pair(kind("watchdog", 2, 6), all("failed", FIRST)).unwrap();
    assert_eq!((failed.result.as_str(), failed.status), ("watchdog", Some(6)));
    assert_eq!(manager.failures.deadline(), None);
}

#[test]
fn for_how_long_it_had_been_active() {
    let told = |began, main_began, activated, deactivated| {
        let mut manager = Manager::new();
        manager.started(FIRST);
        let times = Told {
            began: Some(began),
            activated: Some(activated),
            deactivated: Some(deactivated),
            ..all("failed", FIRST)
        };
        let kind = Told { main_began: Some(main_began), ..kind("timeout", 2, 15) };
        manager.pair(kind, times).unwrap().active
    };
    assert_eq!(told(10, 11, 20, 2_000_020), Some(2_000_000));
    assert_eq!(told(10, 11, 0, 0), Some(0));
    // It was, in its former life.
    assert_eq!(told(100, 101, 20, 60), Some(0));
    // Of one that restarts without having failed in between.
    assert_eq!(told(10, 101, 20, 60), None);
    // Still active, or nothing is known.
    assert_eq!(told(10, 11, 20, 0), None);
    assert_eq!(told(0, 0, 0, 0), None);
}

#[test]
fn but_not_for_ever() {
    let mut manager = Manager::new();
    manager.started(FIRST);
    assert_eq!(manager.pair(kind("timeout", 0, 0), all("deactivating", FIRST)), None);
    assert_eq!(manager.pair(kind("timeout", 0, 0), all("deactivating", FIRST)), None);
    let until = manager.failures.deadline().unwrap();
    assert_eq!(until, manager.now + PATIENCE);
    assert!(manager.failures.overdue(manager.now).is_empty());
    assert_eq!(manager.failures.overdue(until)[0].status, None);
    assert_eq!(manager.pair(kind("timeout", 2, 9), all("failed", FIRST)), None, "told once");
}

#[test]
fn a_child_that_lingers_is_not_waited_for() {
    let mut manager = Manager::new();
    manager.started(FIRST);
    assert!(manager.pair(kind("exit-code", 1, 3), all("deactivating", FIRST)).is_some());
    assert_eq!(manager.pair(kind("exit-code", 1, 3), all("failed", FIRST)), None);
}

#[test]
fn restarts_and_the_start_limit_tell_each_invocation_once() {
    let mut manager = Manager::new();
    let mut told = 0;
    for invocation in 1..=3 {
        manager.started(invocation);
        told += usize::from(manager.pair(kind("exit-code", 1, 1), all("failed", invocation)).is_some());
        told += usize::from(manager.pair(kind("exit-code", 1, 1), all("activating", invocation)).is_some());
    }
    told += usize::from(manager.pair(kind("exit-code", 1, 1), all("failed", 3)).is_some());
    told += usize::from(manager.pair(kind("start-limit-hit", 1, 1), all("failed", 3)).is_some());
    assert_eq!(told, 3);
}

#[test]
fn a_pair_that_is_the_first_of_its_invocation_does_not_accuse_the_one_before() {
    let mut manager = Manager::new();
    manager.started(FIRST);
    assert_eq!(manager.pair(kind("success", 1, 0), all("inactive", FIRST)), None);
    let failed = manager.pair(kind("exit-code", 1, 203), all("failed", SECOND)).unwrap();
    assert_eq!(failed.invocation, "02".repeat(16));
}

#[test]
fn what_failed_before_is_told_as_such_and_not_again() {
    let mut manager = Manager::new();
    let told = Told { active: Some("failed".into()), invocation: Some("01".repeat(16)), ..kind("signal", 2, 11) };
    assert!(manager.failures.told("a.service", told, true, manager.now)[0].earlier);
    assert_eq!(manager.pair(kind("signal", 2, 11), all("failed", FIRST)), None, "a daemon-reload");
}

#[test]
fn a_unit_that_starts_again_before_its_end_was_told() {
    let mut manager = Manager::new();
    manager.started(FIRST);
    assert_eq!(manager.pair(kind("timeout", 0, 0), all("deactivating", FIRST)), None);
    let failed = manager.pair(kind("success", 0, 0), all("active", SECOND)).unwrap();
    assert_eq!((failed.result.as_str(), failed.invocation), ("timeout", "01".repeat(16)));
}

#[test]
fn a_unit_that_is_forgotten_while_it_dies() {
    let mut manager = Manager::new();
    manager.started(FIRST);
    assert_eq!(manager.pair(kind("timeout", 0, 0), all("deactivating", FIRST)), None);
    assert_eq!(manager.failures.removed("a.service").unwrap().result, "timeout");
    assert_eq!(manager.failures.removed("a.service"), None);
}

#[test]
fn a_reload_forgets_and_tells_everything_again() {
    let mut manager = Manager::new();
    manager.started(FIRST);
    assert!(manager.pair(kind("signal", 2, 11), all("failed", FIRST)).is_some());
    assert_eq!(manager.failures.removed("a.service"), None);
    assert_eq!(manager.pair(kind("signal", 2, 11), all("failed", FIRST)), None);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut manager = Manager::new();
    for number in 0..2 * REMEMBERED {
        let all = Told { invocation: Some(format!("{number:032x}")), ..all("failed", 0) };
        assert!(manager.pair(kind("exit-code", 1, 1), all).is_some());
    }
    assert_eq!(manager.failures.reported.len(), REMEMBERED);
}

#[test]
fn names_of_objects() {
    let unit = |path: &str| unit_of(&format!("/org/freedesktop/systemd1/unit/{path}"));
    assert_eq!(unit("onfail_40segv_2eservice").unwrap(), "onfail@segv.service");
    assert_eq!(unit("broken_2"), None);
    assert_eq!(unit("broken_zz"), None);
    assert_eq!(unit_of("/org/freedesktop/systemd1/job/7"), None);
}
