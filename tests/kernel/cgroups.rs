//! Cgroups below, cgroups made later, tasks that join, cgroups that are not recorded.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use traceloop::{
    cgroup::Cgroup,
    kernel::{Assignment, Kernel, Options},
    ring::{self, Batch},
    syscall::plan::Wanted,
};

use super::support::{Scratch, WAYS, wait_until};

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

/// The kernel side keeps what it looked up, also that a cgroup is not recorded: however many slots change
/// before the cgroup's next call, that is not believed any more.
#[test]
#[ignore = "needs root and BPF"]
fn a_cgroup_that_was_looked_up_before_it_is_recorded_is_recorded() {
    for changes in [1, 256, 65_535, 65_536] {
        let (scratch, other) = (Scratch::new(), Scratch::new());
        let kernel = Kernel::load(&Options {
            wanted: Wanted::default(),
            slots: 1,
            watching: None,
            counting: false,
            following: None,
            half: 0,
            without: vec![],
        })
        .expect("load");
        let cpus = ring::online_cpus().expect("list the CPUs");
        let mut batch = Batch::default();
        let rings: Vec<_> = cpus.iter().map(|cpu| batch.open(*cpu, 1 << 16).expect("open a ring")).collect();
        batch.start().expect("start them");
        rings.iter().for_each(|ring| kernel.insert_ring(1, ring).expect("insert a ring"));
        let procs = scratch.cgroup.join("cgroup.procs");
        let script = format!("echo $$ > {}; while read line; do echo $line; done", procs.display());
        let mut shell = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start a shell");
        let mut orders = shell.stdin.take().expect("its stdin");
        let mut answers = BufReader::new(shell.stdout.take().expect("its stdout"));
        let mut call = || {
            writeln!(orders, "x").expect("have it make calls");
            answers.read_line(&mut String::new()).expect("wait for them");
        };
        let other = Cgroup::open(&other.cgroup).expect("open the other cgroup");
        // From the first change on, what is looked up is kept.
        kernel.release(&other).expect("change a slot");
        call();
        kernel
            .assign(&Cgroup::open(&scratch.cgroup).expect("open the cgroup"), Assignment { slot: 1, parted: false })
            .expect("record it");
        (1..changes).for_each(|_| kernel.release(&other).expect("change a slot"));
        call();
        kernel.flush().expect("have everything sent");
        let records: u64 = cpus.iter().map(|cpu| kernel.tally(1, *cpu).expect("read a tally").records).sum();
        drop(orders);
        shell.wait().expect("wait for the shell");
        assert!(records > 0, "nothing is recorded after {changes} changes");
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn a_cgroup_that_is_made_again_at_its_place_is_recorded_and_that_is_said() {
    let scratch = Scratch::new();
    let recording = scratch.record(&[]);
    run_in(&scratch.cgroup, "/bin/true first-life");
    wait_until("it is empty", || fs::remove_dir(&scratch.cgroup).is_ok());
    fs::create_dir(&scratch.cgroup).expect("make it again");
    wait_until("it is said", || recording.told().contains("was removed and made again"));
    run_in(&scratch.cgroup, "/bin/true second-life");
    let dump = recording.dump();
    dump.must_have(r#"["/bin/true", "first-life"]"#).must_have(r#"["/bin/true", "second-life"]"#);
}
