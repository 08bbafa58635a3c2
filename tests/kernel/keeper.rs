//! A keeper that is lost, or that does not answer, costs nothing: the recording goes on, and another one holds it.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use traceloop::keeper::Keeper;

use super::{
    rings::offsets,
    served::{Group, Served},
    support::{Scratch, TRACELOOP, wait_until},
};

fn socket_of(served: &Served) -> PathBuf {
    served.place.path().join("keeper.sock")
}

/// The process that listens there.
fn keeper(served: &Served) -> Option<u32> {
    Keeper::connect(&socket_of(served)).ok().flatten().and_then(|keeper| keeper.pid())
}

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(pid).expect("a pid")), signal).expect("signal it");
}

/// Numbered calls, some thousand a second.
fn counts(scratch: &Scratch, group: &Group) -> Child {
    group.numbers(scratch, "120 100")
}

/// How many of the numbered calls a dump holds, which must be all from the first on.
#[track_caller]
fn whole(served: &Served, group: &Group) -> usize {
    let found = offsets(&served.told(&["dump", group.name(), "--format", "strace"]));
    let gaps = found.windows(2).filter(|pair| pair[1].1 != pair[0].1 + 1).count();
    assert_eq!((gaps, found.first().map(|first| first.1)), (0, Some(0)), "in {} writes: {}", found.len(), served.log());
    found.len()
}

const ROOM: &str = "buffer-size = \"4M\"\nmemory-max = \"256M\"\nready = 4";

#[test]
#[ignore = "needs root and BPF"]
fn a_killed_keeper_is_replaced_and_no_call_is_missing() {
    let mut served = Served::start(ROOM, "");
    let group = served.cgroup_with_rings("kept.service");
    let scratch = Scratch::new();
    let mut child = counts(&scratch, &group);
    // From now on the daemon is not the one that has attached the programs.
    served.kill();
    served.run();
    let mut before = 0;
    for _ in 0..2 {
        let lost = keeper(&served).expect("a keeper");
        signal(lost, Signal::SIGKILL);
        wait_until("another keeper", || keeper(&served).is_some_and(|pid| pid != lost));
        wait_until("it holds the recording", || served.log().contains("a keeper is there again"));
        sleep(Duration::from_millis(300));
        let after = whole(&served, &group);
        assert!(after > before + 100, "{before} and then {after}");
        // What is made now goes to the new one.
        let made = served.cgroup("made.service");
        made.command("exec cat /nonexistent-made").status().expect("run it");
        wait_until("it is recorded", || served.told(&["ps"]).contains(made.name()));
        served.kill();
        served.run();
        before = whole(&served, &group);
        assert!(before >= after, "{after} and then {before}");
        assert!(served.told(&["dump", made.name(), "--format", "strace"]).contains("/nonexistent-made"));
    }
    child.kill().expect("end it");
    child.wait().expect("wait for it");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_stopped_keeper_delays_nothing_and_learns_of_it_later() {
    let mut served = Served::start("", "");
    let stopped = keeper(&served).expect("a keeper");
    signal(stopped, Signal::SIGSTOP);
    let mut slowest = Duration::ZERO;
    let mut groups = Vec::new();
    for n in 0..60 {
        let group = served.cgroup(&format!("many{n}.service"));
        group.command("exec cat /nonexistent-many").status().expect("run it");
        let began = Instant::now();
        served.asked("/v1");
        slowest = slowest.max(began.elapsed());
        if n % 2 == 0 {
            group.remove();
        }
        groups.push(group);
    }
    assert!(slowest < Duration::from_secs(2), "an answer took {slowest:?}");
    signal(stopped, Signal::SIGCONT);
    // It is one process for one daemon at a time: when it answers the next one, it has heard the former one out.
    sleep(Duration::from_millis(500));
    served.kill();
    served.run();
    assert_eq!(keeper(&served), Some(stopped), "{}", served.log());
    for group in [&groups[0], &groups[1], &groups[59]] {
        assert!(served.told(&["dump", group.name(), "--format", "strace"]).contains("/nonexistent-many"));
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn a_daemon_begins_although_the_keeper_does_not_answer() {
    let mut served = Served::start("", "");
    let stopped = keeper(&served).expect("a keeper");
    served.kill();
    signal(stopped, Signal::SIGSTOP);
    served.run();
    let group = served.cgroup_with_rings("alone.service");
    group.command("exec cat /nonexistent-alone").status().expect("run it");
    assert!(served.told(&["dump", group.name(), "--format", "strace"]).contains("/nonexistent-alone"));
    signal(stopped, Signal::SIGKILL);
    wait_until("another keeper", || keeper(&served).is_some_and(|pid| pid != stopped));
}

#[test]
#[ignore = "needs root and BPF"]
fn a_keeper_on_the_daemons_socket_is_refused() {
    let served = Served::start("", "");
    let refused = served.verb(&["keep"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("is the socket of something that is no keeper"), "{told}");
    served.asked("/v1");
    assert!(keeper(&served).is_some());
}

#[test]
#[ignore = "needs root and BPF"]
fn a_start_that_fails_leaves_no_keeper_behind() {
    let place = tempfile::tempdir().expect("a directory");
    let shown = place.path().display();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let metrics = taken.local_addr().expect("its address");
    let config =
        format!("socket = \"{shown}/sock\"\nmetrics = \"{metrics}\"\n[store]\ndirectory = \"{shown}/store\"\n");
    fs::write(place.path().join("config"), config).expect("write the configuration");
    let mut serve = Command::new(TRACELOOP);
    serve.args(["serve", "--config"]).arg(place.path().join("config")).stdin(Stdio::null());
    let ended = serve.output().expect("start the daemon");
    assert!(!ended.status.success(), "{ended:?}");
    let left = Keeper::connect(&place.path().join("keeper.sock")).expect("look for a keeper");
    assert!(left.is_none(), "{}", String::from_utf8_lossy(&ended.stderr));
}
