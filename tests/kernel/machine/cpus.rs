//! CPUs that go and come.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{
    super::support::{Scratch, compile, wait_until},
    lost, ours, rings, run_on, set_cpu_1,
};

const CALLS: usize = 500;

/// Only some calls on one CPU are asked for, so each is there, or counted as lost.
#[test]
#[ignore = "needs a machine of its own"]
fn a_cpu_that_goes_leaves_its_history_and_is_recorded_when_it_comes_back() {
    ours();
    set_cpu_1(false);
    let scratch = Scratch::new();
    let program = compile(&scratch, "closes", &[]);
    let closes = |cpu: u32, fd: u32| run_on(cpu, &scratch, &format!("{} {fd} {CALLS}", program.display()));
    let mut recording = scratch.record(&["--syscalls", "close", "--buffer-size", "512K"]);
    let has_rings = |count: usize| {
        wait_until("a ring for the CPU", || rings(recording.pid()) >= count);
        assert_eq!(rings(recording.pid()), count);
    };
    has_rings(1);
    closes(0, 1000);

    // It was never there: until it has a ring, what it writes is counted as lost.
    set_cpu_1(true);
    closes(1, 1001);
    has_rings(2);
    closes(1, 1002);
    set_cpu_1(false);
    let (early, late) = {
        let dump = recording.dump_now();
        let at = |fd: u32| dump.count(&format!("close({fd})"));
        assert_eq!((at(1000), at(1002)), (CALLS, CALLS), "what it had not sent when it went is there, too");
        assert!(at(1001) + lost(&dump) >= CALLS, "{} calls and {}", at(1001), dump.told);
        (at(1001), lost(&dump))
    };

    // It comes back, and finds its ring closed.
    set_cpu_1(true);
    closes(1, 1003);
    wait_until("a new ring for the CPU", || rings(recording.pid()) >= 3);
    closes(1, 1004);
    set_cpu_1(false);
    let dump = recording.dump();
    let at = |fd: u32| dump.count(&format!("close({fd})"));
    println!("  cpus: {early} and {} of {CALLS} before there was a ring, {late} and {} lost", at(1003), lost(&dump));
    assert_eq!((at(1000), at(1001), at(1004)), (CALLS, early, CALLS));
    let there = at(1001) + at(1002) + at(1003);
    assert!(there + lost(&dump) >= 3 * CALLS, "{there} calls and {}", dump.told);
    assert!(at(1002) > CALLS / 2, "{} calls: the history of the closed ring", at(1002));
}

/// It is there too shortly to get rings.
#[test]
#[ignore = "needs a machine of its own"]
fn what_a_cpu_wrote_that_came_and_went_is_told() {
    const FEW: usize = 3;
    ours();
    set_cpu_1(false);
    let scratch = Scratch::new();
    let program = compile(&scratch, "closes", &[]);
    let mut recording = scratch.record(&["--syscalls", "close"]);
    let tell = |signal| kill(Pid::from_raw(i32::try_from(recording.pid()).expect("a pid")), signal).expect("tell it");
    tell(Signal::SIGSTOP);
    set_cpu_1(true);
    run_on(1, &scratch, &format!("{} 1000 {FEW}", program.display()));
    set_cpu_1(false);
    tell(Signal::SIGCONT);
    let dump = recording.dump_now();
    assert_eq!(rings(recording.pid()), 1);
    // The program's end sent them, and there was no ring to take them.
    assert!(dump.count("close(1000)") + lost(&dump) >= FEW, "{}", dump.told);
}
