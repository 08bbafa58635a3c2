//! Watching the whole tree: new cgroups are recorded from their first call on, histories outlive their
//! cgroups, and the memory budget holds.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use traceloop::{
    cgroup::{Cgroup, Rules},
    decode::{History, Style},
    model::{Cause, Recording, What},
    profile::{Level, Profile},
    recorder::{Budget, Notice, Recorder, Settings, TrackId, TrackInfo, Watching, Windows},
    syscall::{Filter, plan::Wanted},
};

use crate::support::{Scratch, cgroup_root};

const K: usize = 1024;

fn settings(total: usize, ring: usize) -> Settings {
    let wanted = Wanted {
        filter: Filter::parse("all").expect("a filter"),
        string_limit: 32,
        payload: true,
        verbose: false,
        descriptors: false,
        ..Wanted::default()
    };
    Settings { wanted, budget: Budget { ring, total }, history: Default::default(), without: vec![] }
}

/// Watches what is below one cgroup, which only holds others by its name.
struct Watched {
    scratch: Scratch,
    slice: std::path::PathBuf,
    watching: Watching,
    settings: Settings,
    recorder: Option<Recorder>,
    notices: Vec<Notice>,
}

impl Watched {
    fn new(total: usize, ready: usize, keep: Duration) -> Self {
        Self::make_with(settings(total, 64 * K), ready, keep, None)
    }

    /// The rings alone outlive their recorder: what was packed of them goes with it.
    fn kept(total: usize, ring: usize, keeper: &Path) -> Self {
        let mut settings = settings(total, ring);
        settings.history.cpu = 0;
        Self::make_with(settings, 4, Duration::from_secs(600), Some(keeper.to_owned()))
    }

    fn make_with(settings: Settings, ready: usize, keep: Duration, keeper: Option<std::path::PathBuf>) -> Self {
        traceloop::host::helped_by(std::path::Path::new(crate::support::TRACELOOP));
        let scratch = Scratch::new();
        let name = scratch.cgroup.file_name().expect("a name").to_string_lossy().into_owned();
        let rules = Rules::new(&[format!("/{name}.slice/**")], &[]).expect("rules");
        let slice = cgroup_root().join(format!("{name}.slice"));
        fs::create_dir(&slice).expect("make a cgroup: run as root");
        let keeper = keeper.map(|socket| traceloop::keeper::Place { socket, start: false });
        let watching = Watching { rules, keep, ready, profiles: Default::default(), keeper };
        let recorder = Recorder::watch(&settings, watching.clone()).expect("watch the tree").0;
        Self { scratch, slice, watching, settings, recorder: Some(recorder), notices: Vec::new() }
    }

    fn recorder(&mut self) -> &mut Recorder {
        self.recorder.as_mut().expect("it records")
    }

    fn seen(&self) -> &Recorder {
        self.recorder.as_ref().expect("it records")
    }

    /// Another recorder goes on.
    fn resume(&mut self) {
        let (recorder, old) = Recorder::watch(&self.settings, self.watching.clone()).expect("go on");
        assert!(old.is_empty() && recorder.is_held() == Some(true));
        self.recorder = Some(recorder);
    }

    /// The recording is over.
    fn end(&mut self) {
        self.recorder.take().expect("it records").end();
    }

    fn make(&self, name: &str) -> std::path::PathBuf {
        let path = self.slice.join(name);
        fs::create_dir(&path).expect("make a cgroup");
        path
    }

    /// One with rings of its own, and its name: cgroups that others make on this machine take slots, too.
    fn make_with_rings(&mut self) -> (std::path::PathBuf, String) {
        let tries = (0..100).find_map(|n| {
            let name = format!("own{n}.service");
            let path = self.make(&name);
            self.tidy();
            (!self.track(&name).lobby).then_some((path, name))
        });
        tries.expect("a slot is ready")
    }

    /// Takes in what has ended, and looks at it when its time has come.
    fn look_at_ends(&mut self) {
        self.tidy();
        while let Some(at) = self.seen().next_look() {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            let told = self.recorder().look_at_ends(Instant::now()).expect("look at ends");
            self.notices.extend(told);
        }
    }

    fn tidy(&mut self) {
        let told = self.recorder().tidy().expect("look after the tracks");
        self.notices.extend(told);
    }

    fn track(&self, name: &str) -> TrackInfo {
        self.find(name).unwrap_or_else(|| panic!("no track of {name}"))
    }

    fn find(&self, name: &str) -> Option<TrackInfo> {
        let ending = format!("/{name}");
        let tracks = self.seen().tracks(Windows::Now).expect("the tracks");
        tracks.into_iter().find(|track| track.identity.cgroup.ends_with(&ending))
    }

    fn calls(&self, id: TrackId) -> Vec<String> {
        calls_of(&self.seen().dump_track(id, Cause::Request).expect("a dump").whole())
    }
}

fn calls_of(recording: &Recording) -> Vec<String> {
    let history = History::of(recording, &Style::default()).expect("a history");
    let call = |what: &What| match what {
        What::Call(call) => Some(format!("{}({}", call.name, call.text)),
        _ => None,
    };
    history.events().filter_map(|event| call(&event.what)).collect()
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
    // Where the test runner looks for libraries is no business of theirs.
    let mut shell = Command::new("sh");
    shell.args(["-c", &join]).env_remove("LD_LIBRARY_PATH").output().expect("run a command");
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
fn a_call_that_outlasts_its_rings_is_in_nobody_else_s_history() {
    let mut watched = Watched::new(16 << 20, 4, Duration::from_secs(600));
    let other = cgroup_root().join(format!("traceloop-outlasts-{}.service", std::process::id()));
    fs::create_dir(&other).expect("make a cgroup");
    // It waits for its input, in rings that it had before anybody looked at the rules.
    let join = format!("echo $$ > {}/cgroup.procs; exec cat", other.display());
    let mut reader = Command::new("sh")
        .args(["-c", &join])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("start a reader");
    let waits = || {
        let wchan = fs::read_to_string(format!("/proc/{}/syscall", reader.id())).unwrap_or_default();
        let comm = fs::read_to_string(format!("/proc/{}/comm", reader.id())).unwrap_or_default();
        comm == "cat\n" && wchan.starts_with("0 ")
    };
    while !waits() {
        thread::sleep(Duration::from_millis(5));
    }
    // It is left out, and its slot made ready for others.
    watched.tidy();
    watched.tidy();
    let names: Vec<_> = (0..8).map(|n| format!("next-{n}.service")).collect();
    for name in &names {
        let cgroup = watched.make(name);
        run_in(&cgroup, "cat /nonexistent-next");
        watched.tidy();
    }
    reader.stdin.take().expect("its input").write_all(b"outlasted").expect("let it go on");
    assert!(reader.wait().expect("wait for it").success());
    fs::remove_dir(&other).expect("remove the cgroup");
    watched.tidy();
    for name in &names {
        let calls = watched.calls(watched.track(name).id);
        assert!(calls.iter().any(|call| call.contains("/nonexistent-next")), "{calls:#?}");
        assert!(!calls.iter().any(|call| call.contains("outlasted")), "{name}: {calls:#?}");
    }
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
    let most = watched.seen().memory_most();
    assert!(most <= total, "{most} of {total}");
    for n in 0..40 {
        let cgroup = watched.make(&format!("old-{n}.service"));
        run_in(&cgroup, "true");
        fs::remove_dir(&cgroup).expect("remove the cgroup");
        thread::sleep(Duration::from_millis(100));
        watched.tidy();
        assert!(watched.seen().memory() <= total);
    }
    let (given_up, count) = watched.seen().given_up();
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
    assert!(watched.seen().given_up().0.iter().any(|given_up| given_up.identity.cgroup.ends_with("short.service")));
}

#[test]
#[ignore = "needs root and BPF"]
fn deaths_are_told_with_their_status() {
    let mut watched = Watched::new(16 << 20, 4, Duration::from_secs(600));
    let cgroup = watched.make("dies.service");
    // A status counts where nobody is left behind it.
    for command in ["sh -c 'exit 3'", "sh -c 'kill -SEGV $$'", "sh -c 'sh -c \"exit 4\"; true'", "true"] {
        run_in(&cgroup, command);
        watched.look_at_ends();
    }
    let track = watched.track("dies.service").id;
    let died: Vec<i32> = watched
        .notices
        .iter()
        .filter_map(|notice| match notice {
            Notice::Died { track: of, status, .. } if *of == track => Some(*status & !0x80),
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
            let told = watched.recorder().read_notices().expect("notices");
            watched.notices.extend(told);
            thread::sleep(Duration::from_millis(2));
        }
        makers.into_iter().all(|maker| maker.join().is_ok())
    });
    assert!(done);
    watched.tidy();
    let (given_up, _) = watched.seen().given_up();
    let mut there = 0;
    let tracks = watched.seen().tracks(Windows::Now).expect("the tracks");
    for n in 0..500 {
        let name = format!("many-{n}.service");
        let track = tracks.iter().find(|track| track.identity.cgroup.ends_with(&format!("/{name}")));
        // What shared the lobby may have been overwritten by others there, and says so.
        let overwritten = |track: &TrackInfo| track.lobby && track.complete_from > track.ended;
        if let Some(track) = track.filter(|track| !overwritten(track)) {
            there += 1;
            let calls = watched.calls(track.id);
            assert!(calls.iter().any(|call| call.starts_with("execve(")), "{name} {track:?}: {calls:#?}");
        } else if track.is_none() {
            assert!(
                given_up.iter().any(|given_up| given_up.identity.cgroup.ends_with(&name)),
                "{name} is neither there nor told of"
            );
        }
    }
    println!("{there} of 500 are there, {} were given up", 500 - there);
    assert!(there > 450, "{there}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_cgroup_that_could_not_be_told_of_is_found_by_name() {
    let mut watched = Watched::new(16 << 20, 8, Duration::from_secs(600));
    let leaf = watched.make("busy.service");
    watched.tidy();
    let lost = |watched: &Watched| watched.seen().kernel().counters().notices_lost;
    // Nobody reads the notices until there is no more room.
    while lost(&watched) == 0 {
        for n in 0..100 {
            let below = leaf.join(format!("{n}"));
            fs::create_dir(&below).expect("make a cgroup");
            fs::remove_dir(&below).expect("remove it");
        }
    }
    let unseen: Vec<_> = (0..3).map(|n| watched.make(&format!("unseen-{n}.service"))).collect();
    for cgroup in &unseen {
        run_in(cgroup, "cat /nonexistent-unseen");
    }
    unseen[..2].iter().for_each(|cgroup| fs::remove_dir(cgroup).expect("remove the cgroup"));
    watched.tidy();
    for n in 0..3 {
        let track = watched.track(&format!("unseen-{n}.service"));
        assert_eq!((track.ended.is_some(), track.lobby), (n < 2, false), "{track:?}");
        let calls = watched.calls(track.id);
        let has = |text: &str| calls.iter().any(|call| call.contains(text));
        assert!(
            has("[\"cat\", \"/nonexistent-unseen\"]") && has("openat(AT_FDCWD, \"/nonexistent-unseen\""),
            "{calls:#?}"
        );
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn a_cgroup_can_be_added_and_closed() {
    let mut watched = Watched::new(16 << 20, 4, Duration::from_secs(600));
    let path = watched.scratch.cgroup.clone();
    let id = watched.recorder().add(Cgroup::open(&path).expect("open it")).expect("add it");
    run_in(&path, "cat /nonexistent-added");
    assert!(watched.calls(id).iter().any(|call| call.contains("/nonexistent-added")));
    assert!(watched.recorder().add(Cgroup::open(&path).expect("open it")).is_err());
    watched.recorder().close(id).expect("close it");
    assert!(watched.seen().dump_track(id, Cause::Request).is_err());
}

/// A thread that is a keeper until it is told to end.
fn keeper(socket: &Path) -> thread::JoinHandle<()> {
    let (ready, wait) = std::sync::mpsc::channel();
    let settings =
        traceloop::keeper::Settings { socket: socket.to_owned(), idle: Duration::from_secs(60), stay: false };
    let keeper = thread::spawn(move || {
        traceloop::keeper::serve(&settings, || ready.send(()).expect("say so"), |_| Ok(None::<()>)).expect("keep");
    });
    wait.recv().expect("the keeper is ready");
    keeper
}

/// The offsets that pwrite64 was called with, in the order of the dump.
fn offsets(calls: &[String]) -> Vec<u64> {
    let call = |call: &String| call.strip_prefix("pwrite64(")?.rsplit(", ").next()?.parse().ok();
    calls.iter().filter_map(call).collect()
}

/// Starts the program that counts with pwrite() in a cgroup.
fn writer(scratch: &Scratch, cgroup: &Path, args: &str) -> std::process::Child {
    let program = crate::support::compile(scratch, "offsets", &[]);
    let join = format!("echo $$ > {}/cgroup.procs; exec taskset -c 0 {} {args}", cgroup.display(), program.display());
    Command::new("sh").args(["-c", &join]).spawn().expect("start the writer")
}

#[test]
#[ignore = "needs root and BPF"]
fn a_later_recorder_goes_on_without_a_gap() {
    let scratch = Scratch::new();
    let socket = scratch.files.path().join("keeper.sock");
    let keeper = keeper(&socket);
    let mut watched = Watched::kept(64 << 20, 4 << 20, &socket);
    let cgroup = watched.make("writes.service");
    let mut writer = writer(&scratch, &cgroup, "60 200");
    thread::sleep(Duration::from_millis(500));
    watched.tidy();
    let before = watched.track("writes.service");
    let first = offsets(&watched.calls(before.id));
    // What the process that recorded held is gone: as if it had been killed.
    drop(watched.recorder.take());
    let meanwhile = watched.make("meanwhile.service");
    run_in(&meanwhile, "true");
    fs::remove_dir(&meanwhile).expect("remove the cgroup");
    let lives = watched.make("lives.service");
    run_in(&lives, "true");
    thread::sleep(Duration::from_millis(300));
    watched.resume();
    let after = watched.track("writes.service");
    assert_eq!((before.id, before.began), (after.id, after.began));
    thread::sleep(Duration::from_millis(300));
    let all = offsets(&watched.calls(after.id));
    let gap = all.windows(2).find(|pair| pair[1] != pair[0] + 1);
    assert_eq!(gap, None, "of {} writes", all.len());
    assert!(all.first() == Some(&0) && all.len() > first.len() + 100, "{} and then {}", first.len(), all.len());
    for name in ["meanwhile.service", "lives.service"] {
        let calls = watched.calls(watched.track(name).id);
        assert!(calls.iter().any(|call| call.starts_with("execve(")), "{name}: {calls:#?}");
    }
    assert!(watched.track("meanwhile.service").ended.is_some());
    writer.kill().expect("end the writer");
    writer.wait().expect("wait for it");
    watched.end();
    keeper.join().expect("the keeper ends with the recording");
}

#[test]
#[ignore = "needs root and BPF"]
fn at_full_speed_no_call_is_lost_across_a_change_of_recorders() {
    let scratch = Scratch::new();
    let socket = scratch.files.path().join("keeper.sock");
    let keeper = keeper(&socket);
    let mut watched = Watched::kept(16 << 20, 256 * K, &socket);
    let (cgroup, name) = watched.make_with_rings();
    let mut writer = writer(&scratch, &cgroup, "6");
    for _ in 0..3 {
        thread::sleep(Duration::from_millis(300));
        drop(watched.recorder.take());
        watched.resume();
    }
    assert!(writer.wait().expect("wait for it").success());
    watched.tidy();
    let track = watched.track(&name);
    let calls = watched.calls(track.id);
    let all = offsets(&calls);
    let gap = all.windows(2).find(|pair| pair[1] != pair[0] + 1);
    assert_eq!((gap, track.lost), (None, 0));
    // Every call was written, those since overwritten included: the writer's and what is around them.
    let writes = all.last().expect("a write") + 1;
    let around = watched.track(&name).calls - writes;
    assert!(writes > 10_000 && around < 5_000, "{writes} writes among {} calls", track.calls);
    watched.end();
    keeper.join().expect("the keeper ends with the recording");
}

#[test]
#[ignore = "needs root and BPF"]
fn what_a_recorder_with_other_settings_finds_is_given_back() {
    let scratch = Scratch::new();
    let socket = scratch.files.path().join("keeper.sock");
    let keeper = keeper(&socket);
    let mut watched = Watched::kept(16 << 20, 64 * K, &socket);
    let cgroup = watched.make("old.service");
    run_in(&cgroup, "cat /nonexistent-old");
    watched.tidy();
    drop(watched.recorder.take());
    let mut other = settings(16 << 20, 64 * K);
    other.wanted.string_limit = 64;
    let (recorder, old) = Recorder::watch(&other, watched.watching.clone()).expect("begin anew");
    let is_old = |recording: &&Recording| recording.dump.identities[0].cgroup.ends_with("/old.service");
    let names: Vec<_> = old.iter().flat_map(|old| &old.dump.cgroups).collect();
    let recording = old.iter().find(is_old).unwrap_or_else(|| panic!("not among {names:?}"));
    assert_eq!(recording.dump.cause, Cause::Replaced);
    let shown = calls_of(recording);
    assert!(shown.iter().any(|call| call.contains("/nonexistent-old")), "{shown:#?}");
    watched.recorder = Some(recorder);
    run_in(&cgroup, "cat /nonexistent-new");
    assert!(watched.calls(watched.track("old.service").id).iter().any(|call| call.contains("/nonexistent-new")));
    watched.end();
    keeper.join().expect("the keeper ends with the recording");
}

#[test]
#[ignore = "needs root and BPF"]
fn what_is_left_of_calls_that_cost_too_much_is_worth_the_most() {
    let mut watched = Watched::new(16 << 20, 8, Duration::from_secs(600));
    let all_slots = |watched: &Watched, level| {
        let kernel = watched.seen().kernel();
        (3..40).for_each(|slot| kernel.set_profile(slot, &Profile::default(), level).expect("set it"));
    };
    let (cgroup, name) = watched.make_with_rings();
    let file = watched.scratch.files.path().join("written");
    let script = format!("sh -c 'cat /nonexistent; sleep 0.2; echo > {}; cat /etc/hostname'", file.display());
    all_slots(&watched, Level::Kept);
    run_in(&cgroup, &script);
    watched.tidy();
    let calls = watched.calls(watched.track(&name).id);
    let has = |text: &str| calls.iter().any(|call| call.contains(text));
    for kept in
        ["execve(\"/", "openat(AT_FDCWD, \"/nonexistent\"", "nanosleep(", "written\", O_WRONLY|O_CREAT", "exit_group("]
    {
        assert!(has(kept), "{kept}: {calls:#?}");
    }
    for left_out in ["read(", "mmap(", "/etc/hostname\", O_RDONLY", "close("] {
        assert!(!has(left_out), "{left_out}: {calls:#?}");
    }
    let track = watched.track(&name);
    assert!(track.skipped > 50, "{track:?}");
    all_slots(&watched, Level::Counts);
    run_in(&cgroup, "cat /nonexistent-later");
    watched.tidy();
    let later = watched.track(&name);
    assert!(later.skipped > track.skipped + 20, "{later:?}");
    let recording = watched.seen().dump_track(later.id, Cause::Request).expect("a dump").whole();
    assert!(!calls_of(&recording).iter().any(|call| call.contains("later")));
    let history = History::of(&recording, &Style::default()).expect("a history");
    let ends = history.events().filter(|event| matches!(event.what, What::Exit(_))).count();
    assert!(ends >= 5, "ends are told in any case: {ends}");
}
