//! Cgroups below, cgroups made later, tasks that join, cgroups that are not recorded.

use std::{fs, process::Command};

use super::support::{Scratch, WAYS};

fn run_in(cgroup: &std::path::Path, command: &str) {
    let procs = cgroup.join("cgroup.procs");
    let status = Command::new("sh").arg("-c").arg(format!("echo $$ > {}; exec {command}", procs.display())).status();
    assert!(status.expect("run it").success());
}

#[test]
#[ignore = "needs root and BPF"]
fn what_lies_below_belongs_to_it() {
    for way in WAYS {
        let scratch = Scratch::new();
        let below = scratch.cgroup.join("a");
        fs::create_dir(&below).expect("make a cgroup");
        fs::create_dir(below.join("b")).expect("make a cgroup");
        let recording = scratch.record(way);
        run_in(&below.join("b"), "/bin/true there-before");
        fs::create_dir(below.join("c")).expect("make a cgroup");
        run_in(&below.join("c"), "/bin/true made-later");
        let dump = recording.dump();
        dump.must_have(r#"["/bin/true", "there-before"]"#).must_have(r#"["/bin/true", "made-later"]"#);
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn the_first_call_in_five_hundred_new_cgroups_is_recorded() {
    let scratch = Scratch::new();
    let recording = scratch.record(&["--buffer-size", "32M", "--memory-max", "256M"]);
    for n in 0..500 {
        let cgroup = scratch.cgroup.join(format!("n{n}"));
        fs::create_dir(&cgroup).expect("make a cgroup");
        run_in(&cgroup, &format!("/bin/true number-{n}-"));
        let _ = fs::remove_dir(&cgroup);
    }
    let dump = recording.dump();
    let found = (0..500).filter(|n| dump.has(&format!("\"number-{n}-\""))).count();
    assert_eq!(found, 500);
    dump.must_be_complete();
    assert!(dump.count(" write(1, \"") >= 500, "the call with which each joined");
}

#[test]
#[ignore = "needs root and BPF"]
fn other_cgroups_are_not_recorded() {
    for way in WAYS {
        let (scratch, other) = (Scratch::new(), Scratch::new());
        let recording = scratch.record(way);
        run_in(&other.cgroup, "/bin/true elsewhere");
        run_in(&scratch.cgroup, "/bin/true here");
        let dump = recording.dump();
        dump.must_have("\"here\"");
        assert!(!dump.has("elsewhere"), "{}", dump.text);
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn a_task_that_leaves_is_no_longer_recorded() {
    for way in WAYS {
        let (scratch, other) = (Scratch::new(), Scratch::new());
        let recording = scratch.record(way);
        let leave = format!("sh -c 'true; echo $$ > {}/cgroup.procs; exec /bin/true has-left'", other.cgroup.display());
        run_in(&scratch.cgroup, &leave);
        let dump = recording.dump();
        assert!(!dump.has(r#"["/bin/true", "has-left"]"#), "{}", dump.text);
        dump.must_have("cgroup.procs");
    }
}
