//! Watching the whole tree: new cgroups are recorded from their first call on, histories outlive their
//! cgroups, and the memory budget holds.

use std::{fs, path::Path, process::Command, thread, time::Duration};

use traceloop::{
    cgroup::{Cgroup, Rules},
    decode::{History, Style},
    model::{Cause, What},
    recorder::{Budget, Notice, Recorder, Settings, TrackId, TrackInfo, Watching},
    syscall::{Filter, plan::Wanted},
};

use crate::support::{Scratch, cgroup_root};

const K: usize = 1024;

fn settings(total: usize) -> Settings {
    let wanted = Wanted {
        filter: Filter::parse("all").expect("a filter"),
        string_limit: 32,
        payload: true,
        verbose: false,
        descriptors: false,
        ..Wanted::default()
    };
    Settings { wanted, budget: Budget { ring: 64 * K, total }, without: vec![] }
}

/// Watches what is below one cgroup, which only holds others by its name.
struct Watched {
    scratch: Scratch,
    slice: std::path::PathBuf,
    recorder: Recorder,
    notices: Vec<Notice>,
}

impl Watched {
    fn new(total: usize, ready: usize, keep: Duration) -> Self {
        let scratch = Scratch::new();
        let name = scratch.cgroup.file_name().expect("a name").to_string_lossy().into_owned();
        let rules = Rules::new(&[format!("/{name}.slice/**")], &[]).expect("rules");
        let slice = cgroup_root().join(format!("{name}.slice"));
        fs::create_dir(&slice).expect("make a cgroup: run as root");
        let recorder = Recorder::watch(&settings(total), Watching { rules, keep, ready }).expect("watch the tree");
        Self { scratch, slice, recorder, notices: Vec::new() }
    }

    fn make(&self, name: &str) -> std::path::PathBuf {
        let path = self.slice.join(name);
        fs::create_dir(&path).expect("make a cgroup");
        path
    }

    fn tidy(&mut self) {
        let told = self.recorder.tidy().expect("look after the tracks");
        self.notices.extend(told);
    }

    fn track(&self, name: &str) -> TrackInfo {
        self.find(name).unwrap_or_else(|| panic!("no track of {name}"))
    }

    fn find(&self, name: &str) -> Option<TrackInfo> {
        let ending = format!("/{name}");
        let tracks = self.recorder.tracks(true).expect("the tracks");
        tracks.into_iter().find(|track| track.identity.cgroup.ends_with(&ending))
    }

    fn calls(&self, id: TrackId) -> Vec<String> {
        let recording = self.recorder.dump_track(id, Cause::Request).expect("a dump");
        let history = History::of(&recording, &Style::default()).expect("a history");
        let call = |what: &What| match what {
            What::Call(call) => Some(format!("{}({}", call.name, call.text)),
            _ => None,
        };
        history.events().filter_map(|event| call(&event.what)).collect()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        for entry in fs::read_dir(&self.slice).into_iter().flatten().flatten() {
            let _ = fs::remove_dir(entry.path());
        }
        let _ = fs::remove_dir(&self.slice);
    }
}

/// Runs a command that is born in the cgroup as far as a shell can: it joins and execs.
fn run_in(cgroup: &Path, command: &str) {
    let join = format!("echo $$ > {}/cgroup.procs; exec {command}", cgroup.display());
    Command::new("sh").args(["-c", &join]).output().expect("run a command");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_new_cgroup_is_recorded_from_its_first_call_and_outlives_its_end() {
    let mut watched = Watched::new(16 << 20, 8, Duration::from_secs(600));
    let cgroup = watched.make("a.service");
    run_in(&cgroup, "cat /etc/hostname");
    fs::remove_dir(&cgroup).expect("remove the cgroup");
    watched.tidy();
    let track = watched.track("a.service");
    assert!(track.ended.is_some() && !track.lobby, "{track:?}");
    assert!(watched.notices.contains(&Notice::Born(track.id)) && watched.notices.contains(&Notice::Gone(track.id)));
    let calls = watched.calls(track.id);
    assert!(
        calls.iter().any(|call| call.starts_with("execve(\"/usr/bin/cat\"") || call.starts_with("execve(\"/bin/cat\"")),
        "{calls:#?}"
    );
    assert!(calls.last().is_some_and(|call| call.starts_with("exit_group(0")), "{calls:#?}");
}

#[test]
#[ignore = "needs root and BPF"]
fn cgroups_below_a_leaf_are_the_leafs_and_slices_are_passed_through() {
    let mut watched = Watched::new(16 << 20, 8, Duration::from_secs(600));
    let leaf = watched.make("b.service");
    fs::create_dir(leaf.join("worker")).expect("a cgroup below");
    let slice = watched.make("c.slice");
    fs::create_dir(slice.join("d.scope")).expect("a scope");
    run_in(&leaf.join("worker"), "cat /nonexistent-in-worker");
    run_in(&slice.join("d.scope"), "cat /nonexistent-in-scope");
    watched.tidy();
    assert!(watched.find("worker").is_none() && watched.find("c.slice").is_none());
    let has = |name: &str, text: &str| {
        let calls = watched.calls(watched.track(name).id);
        assert!(calls.iter().any(|call| call.contains(text)), "{name}: {calls:#?}");
    };
    has("b.service", "/nonexistent-in-worker");
    has("d.scope", "/nonexistent-in-scope");
    for path in [leaf.join("worker"), slice.join("d.scope")] {
        fs::remove_dir(path).expect("remove it");
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn what_the_rules_do_not_want_is_not_recorded() {
    let mut watched = Watched::new(16 << 20, 8, Duration::from_secs(600));
    let other = cgroup_root().join(format!("traceloop-other-{}.service", std::process::id()));
    fs::create_dir(&other).expect("make a cgroup");
    watched.tidy();
    run_in(&other, "cat /etc/hostname");
    let name = other.file_name().expect("a name").to_string_lossy().into_owned();
    fs::remove_dir(&other).expect("remove it");
    watched.tidy();
    assert!(watched.find(&name).is_none());
}

#[test]
#[ignore = "needs root and BPF"]
fn when_no_slot_is_ready_the_lobby_takes_the_calls_and_keeps_them_apart() {
    let mut watched = Watched::new(16 << 20, 2, Duration::from_secs(600));
    let cgroups: Vec<_> = (0..6).map(|n| watched.make(&format!("lobby-{n}.service"))).collect();
    for (n, cgroup) in cgroups.iter().enumerate() {
        run_in(cgroup, &format!("cat /nonexistent-{n}"));
    }
    watched.tidy();
    let tracks: Vec<_> = (0..6).map(|n| watched.track(&format!("lobby-{n}.service"))).collect();
    for (n, track) in tracks.iter().enumerate() {
        let calls = watched.calls(track.id);
        for other in 0..6 {
            let found = calls.iter().any(|call| call.contains(&format!("/nonexistent-{other}")));
            assert_eq!(found, other == n, "the calls of {other} in the track of {n}: {calls:#?}");
        }
    }
    // By now they have rings of their own.
    watched.tidy();
    assert!((0..6).filter(|n| watched.track(&format!("lobby-{n}.service")).lobby).count() < 4);
}

#[test]
#[ignore = "needs root and BPF"]
fn the_budget_holds_and_the_longest_dead_go_first() {
    // Room for the lobby and a few more.
    let total = (5 + 10) * 64 * K * traceloop::ring::online_cpus().expect("CPUs").len();
    let mut watched = Watched::new(total, 2, Duration::from_secs(600));
    let most = watched.recorder.memory_most();
    assert!(most <= total, "{most} of {total}");
    for n in 0..40 {
        let cgroup = watched.make(&format!("old-{n}.service"));
        run_in(&cgroup, "true");
        fs::remove_dir(&cgroup).expect("remove the cgroup");
        thread::sleep(Duration::from_millis(100));
        watched.tidy();
        assert!(watched.recorder.memory() <= total);
    }
    let (given_up, count) = watched.recorder.given_up();
    let left = (0..40).filter(|n| watched.find(&format!("old-{n}.service")).is_some()).count();
    assert_eq!(left + given_up.len(), 40, "each is there or told of");
    assert_eq!(given_up.len() as u64, count);
    let last = watched.find("old-39.service").expect("the newest is there");
    let calls = watched.calls(last.id);
    assert!(calls.last().is_some_and(|call| call.starts_with("exit_group(0")), "{last:?} {calls:#?}");
}

#[test]
#[ignore = "needs root and BPF"]
fn old_histories_end_by_age() {
    let mut watched = Watched::new(16 << 20, 4, Duration::from_millis(300));
    let cgroup = watched.make("short.service");
    run_in(&cgroup, "true");
    fs::remove_dir(&cgroup).expect("remove the cgroup");
    watched.tidy();
    assert!(watched.find("short.service").is_some());
    thread::sleep(Duration::from_millis(400));
    watched.tidy();
    assert!(watched.find("short.service").is_none());
    assert!(watched.recorder.given_up().0.iter().any(|given_up| given_up.identity.cgroup.ends_with("short.service")));
}

#[test]
#[ignore = "needs root and BPF"]
fn deaths_are_told_with_their_status() {
    let mut watched = Watched::new(16 << 20, 4, Duration::from_secs(600));
    let cgroup = watched.make("dies.service");
    run_in(&cgroup, "sh -c 'exit 3'");
    run_in(&cgroup, "sh -c 'kill -SEGV $$'");
    run_in(&cgroup, "true");
    watched.tidy();
    let track = watched.track("dies.service").id;
    let died: Vec<i32> = watched
        .notices
        .iter()
        .filter_map(|notice| match notice {
            Notice::Died { track: of, status, last: true, .. } if *of == track => Some(*status & !0x80),
            _ => None,
        })
        .collect();
    assert_eq!(died, [3 << 8, 11]);
}

#[test]
#[ignore = "needs root and BPF"]
fn five_hundred_cgroups_four_at_a_time() {
    let mut watched = Watched::new(96 << 20, 32, Duration::from_secs(600));
    let slice = watched.slice.clone();
    let done = thread::scope(|scope| {
        let makers: Vec<_> = (0..4)
            .map(|maker| {
                let slice = &slice;
                scope.spawn(move || {
                    for n in (maker..500).step_by(4) {
                        let cgroup = slice.join(format!("many-{n}.service"));
                        fs::create_dir(&cgroup).expect("make a cgroup");
                        run_in(&cgroup, "true");
                        fs::remove_dir(&cgroup).expect("remove the cgroup");
                    }
                })
            })
            .collect();
        // The daemon reads as notices come.
        while makers.iter().any(|maker| !maker.is_finished()) {
            let told = watched.recorder.read_notices().expect("notices");
            watched.notices.extend(told);
            thread::sleep(Duration::from_millis(2));
        }
        makers.into_iter().all(|maker| maker.join().is_ok())
    });
    assert!(done);
    watched.tidy();
    let (given_up, _) = watched.recorder.given_up();
    let mut there = 0;
    for n in 0..500 {
        let name = format!("many-{n}.service");
        if let Some(track) = watched.find(&name) {
            there += 1;
            let calls = watched.calls(track.id);
            assert!(calls.iter().any(|call| call.starts_with("execve(")), "{name} {track:?}: {calls:#?}");
        } else {
            assert!(
                given_up.iter().any(|given_up| given_up.identity.cgroup.ends_with(&name)),
                "{name} is neither there nor told of"
            );
        }
    }
    println!("{there} of 500 are there, {} were given up", 500 - there);
    assert!(there > 250, "{there}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_cgroup_can_be_added_and_closed() {
    let mut watched = Watched::new(16 << 20, 4, Duration::from_secs(600));
    let path = watched.scratch.cgroup.clone();
    let id = watched.recorder.add(Cgroup::open(&path).expect("open it")).expect("add it");
    run_in(&path, "cat /nonexistent-added");
    assert!(watched.calls(id).iter().any(|call| call.contains("/nonexistent-added")));
    assert!(watched.recorder.add(Cgroup::open(&path).expect("open it")).is_err());
    watched.recorder.close(id).expect("close it");
    assert!(watched.recorder.dump_track(id, Cause::Request).is_err());
}
