//! Very many threads, processes and cgroups.

use std::{fs, process::Command, time::Instant};

use super::{
    super::{
        daemon::resident,
        served::Served,
        support::{Scratch, cgroup_root, compile, wait_until},
    },
    hostile,
};

#[test]
#[ignore = "needs root and BPF"]
fn ten_thousand_threads_are_all_there() {
    let scratch = Scratch::new();
    let program = compile(&scratch, "hostile", &[]);
    let recording = scratch.record(&["--buffer-size", "32M", "--memory-max", "256M"]);
    let status = scratch.command(&format!("{} threads", program.display())).status().expect("run it");
    assert!(status.success(), "{status}");
    let dump = recording.dump();
    dump.must_be_complete();
    assert_eq!(dump.count(" getppid("), 10_000);
    assert_eq!(dump.count("+++ exited with 0 +++"), 10_001);
}

#[test]
#[ignore = "needs root and BPF"]
fn a_fork_bomb_is_counted() {
    let dump = hostile(&[], "bomb");
    assert_eq!(dump.count("+++ exited with "), 1023);
}

/// A storm of cgroups below the recorded one: what comes after it is recorded from its first call on.
#[test]
#[ignore = "needs root and BPF"]
fn after_ten_thousand_cgroups_the_next_one_is_recorded() {
    let scratch = Scratch::new();
    let recording = scratch.record(&[]);
    for n in 0..10_000 {
        let cgroup = scratch.cgroup.join(format!("storm-{n}"));
        fs::create_dir(&cgroup).expect("make a cgroup");
        fs::remove_dir(&cgroup).expect("remove it");
    }
    let last = scratch.cgroup.join("last");
    fs::create_dir(&last).expect("make a cgroup");
    let script = format!("echo $$ > {}; exec /bin/true after-the-storm", last.join("cgroup.procs").display());
    assert!(Command::new("sh").args(["-c", &script]).status().expect("run it").success());
    let dump = recording.dump();
    dump.must_be_complete();
    dump.must_have(r#"["/bin/true", "after-the-storm"]"#);
}

/// The daemon in a storm: each of the cgroups has a history or is told of as given up, and another
/// cgroup's history is whole.
#[test]
#[ignore = "needs root and BPF"]
fn ten_thousand_new_cgroups_are_recorded_or_told_of() {
    const CGROUPS: u64 = 10_000;
    const MEMORY: usize = 64 << 20;
    let served = Served::start("buffer-size = \"64K\"\nmemory-max = \"64M\"\nready = 64", "status = false");
    let quiet = served.cgroup_with_rings("quiet.service");
    quiet.command("exec cat /nonexistent/before").status().expect("run it");
    let scratch = Scratch::new();
    let program = compile(&scratch, "storm", &[]);
    let number = |page: &str, name: &str| -> u64 {
        let values = page.lines().filter(|line| line.starts_with(name));
        values.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    };
    let tracks = |page: &str| number(page, "traceloop_tracks{") + number(page, "traceloop_tracks_given_up_total ");
    let others = tracks(&served.asked("/metrics"));
    let began = Instant::now();
    let prefix = cgroup_root().join(served.named("storm-"));
    let status = Command::new(program).arg(prefix).arg(CGROUPS.to_string()).status().expect("run it");
    assert!(status.success(), "{status}");
    println!("  storm: {CGROUPS} cgroups in {:.1?}", began.elapsed());
    quiet.command("exec cat /nonexistent/after").status().expect("run it");
    let (mut there, mut given_up, mut untold) = (0, 0, 0);
    wait_until("every cgroup accounted for", || {
        let page = served.asked("/metrics");
        given_up = number(&page, "traceloop_tracks_given_up_total ");
        there = tracks(&page) - others - given_up;
        untold = number(&page, "traceloop_lost_total{");
        there + given_up + untold >= CGROUPS
    });
    println!("  storm: {there} there, {given_up} given up, {untold} that there was no room to tell of");
    let page = served.asked("/metrics");
    let all: serde_json::Value = serde_json::from_str(&served.asked("/v1/tracks")).expect("JSON");
    let lost = |track: &serde_json::Value| track["lost"].as_u64().expect("a number");
    assert_eq!(all.as_array().expect("tracks").iter().map(lost).sum::<u64>(), 0, "{all}");
    if untold == 0 {
        assert_eq!(there + given_up, CGROUPS);
    }
    assert!(number(&page, "traceloop_memory_bytes ") <= MEMORY as u64);
    assert!(resident(served.pid()) < MEMORY + (100 << 20), "{} bytes", resident(served.pid()));
    let history = served.told(&["dump", quiet.name(), "--format", "strace"]);
    assert!(history.contains("/nonexistent/before") && history.contains("/nonexistent/after"), "{history}");
}
