//! The recorder attacked: files whose server does not answer, storms of failing processes, threads that number their
//! calls while they are moved about. Nothing stops it, and nothing is lost.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};

use super::{
    rings::offsets,
    served::{Group, Served, shown},
    support::{Scratch, TRACELOOP, WAYS, compile, wait_until},
};

/// The daemon's answer is there by then.
const PROMPT: Duration = Duration::from_millis(100);

/// How long a request for the status takes.
fn status_takes(served: &Served) -> Duration {
    let began = Instant::now();
    let mut socket = UnixStream::connect(served.socket()).expect("connect");
    socket.set_read_timeout(Some(Duration::from_secs(60))).expect("set patience");
    socket.write_all(b"GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("ask");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    began.elapsed()
}

/// The status is there at once. A machine that is busy may be late itself, but not five times in a row.
#[track_caller]
fn must_be_prompt(served: &Served) {
    let taken: Vec<Duration> = (0..5).map(|_| status_takes(served)).collect();
    assert!(taken.iter().any(|took| *took <= PROMPT), "{taken:?}: {}", served.log());
}

/// A file server that hangs, and who holds its file; with its end all are let go.
struct Hung {
    child: Child,
    place: tempfile::TempDir,
}

impl Hung {
    fn start(scratch: &Scratch, group: &Group, how: &str) -> Self {
        let place = tempfile::tempdir().expect("a directory");
        let program = compile(scratch, "hung", &[]);
        let command = format!("exec {} {} {how}", program.display(), place.path().display());
        let mut child = group.command(&command).stdout(Stdio::piped()).spawn().expect("start it");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("read it");
        assert_eq!(line, "ready\n", "this kernel has no FUSE: {:?}", child.wait());
        Self { child, place }
    }
}

impl Drop for Hung {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = nix::mount::umount2(self.place.path(), nix::mount::MntFlags::MNT_DETACH);
    }
}

/// A cgroup whose process dies by a fault leaves a dump, soon.
#[track_caller]
fn must_dump_a_crash(served: &Served, name: &str) -> String {
    let group = served.cgroup(name);
    let _ = group.command("cat /last/words; kill -SEGV $$").status();
    let of = |path: &&std::path::PathBuf| path.display().to_string().contains(name);
    wait_until("a dump", || served.stored().iter().any(|path| of(&path)));
    shown(served.stored().iter().find(of).expect("it is stored"))
}

#[test]
#[ignore = "needs root and BPF"]
fn memory_that_never_comes_stops_nobody() {
    let served = Served::start("", "tail = \"10ms\"");
    let (scratch, group) = (Scratch::new(), served.cgroup("hung.service"));
    let hung = Hung::start(&scratch, &group, "memory");
    let began = Instant::now();
    let mut neighbour = group.command("cat /nowhere; kill -SEGV $$").spawn().expect("start it");
    neighbour.wait().expect("wait for it");
    while began.elapsed() < Duration::from_secs(2) {
        must_be_prompt(&served);
        sleep(Duration::from_millis(50));
    }
    let crash = must_dump_a_crash(&served, "other.service");
    assert!(crash.contains("/last/words") && crash.contains("killed by SIGSEGV"), "{crash}");
    wait_until("the dump", || served.stored().iter().any(|path| path.display().to_string().contains("hung.service")));
    // The call is there, with the address of what could not be read; and that it could not.
    let text = served.told(&["dump", group.name()]);
    assert!(text.contains("openat(") && text.contains("in flight"), "{text}");
    assert!(text.contains("was not read in time"), "{text}");
    // Who hangs is not looked at again for now: the next dump takes no longer for it.
    let again = Instant::now();
    served.told(&["dump", group.name()]);
    assert!(again.elapsed() < Duration::from_secs(10), "{:?}", again.elapsed());
    must_be_prompt(&served);
    drop(hung);
    wait_until("everybody is let go", || served.asked("/metrics").contains("traceloop_looks_left_behind 0"));
}

#[test]
#[ignore = "needs root and BPF"]
fn a_descriptor_of_a_server_that_hangs_is_known_by_its_path() {
    let mut served = Served::start("", "");
    let (scratch, group) = (Scratch::new(), served.cgroup("held.service"));
    let hung = Hung::start(&scratch, &group, "held");
    let text = served.told(&["dump", group.name(), "--format", "raw"]);
    assert!(!text.is_empty());
    must_be_prompt(&served);
    let began = Instant::now();
    let dump = served.told(&["dump", group.name()]);
    assert!(!dump.contains("not looked at in time"), "nobody has to ask the server:\n{dump}");
    // It starts beside it, too.
    served.kill();
    served.run();
    must_be_prompt(&served);
    println!("{:?}", began.elapsed());
    drop(hung);
}

#[test]
#[ignore = "needs root and BPF"]
fn a_file_of_another_mount_namespace_is_what_it_is_there() {
    let scratch = Scratch::new();
    let mut recording = scratch.record(&["-yy"]);
    // Where the recorder is, /dev/zero is a device; there it is a file.
    let there =
        "unshare -m sh -c 'mount -t tmpfs none /dev && echo a > /dev/zero && exec 3< /dev/zero && exec sleep 100'";
    let mut child = scratch.command(there).spawn().expect("start it");
    wait_until("it sleeps", || recording.dump_now().has("clock_nanosleep"));
    let files = fs::read_dir(format!("/proc/{}/fd", child.id())).expect("its descriptors").count();
    assert!(files > 3);
    let text = recording.dump_now().text;
    child.kill().expect("end it");
    child.wait().expect("wait for it");
    assert!(!text.contains("/dev/zero<char"), "{text}");
}

/// A file system of its own, that whoever writes to waits while it is frozen.
struct Frozen(PathBuf);

impl Frozen {
    fn make(image: &Path, place: &Path) -> Self {
        fs::File::create(image).and_then(|image| image.set_len(64 << 20)).expect("make an image");
        must_run("mkfs.ext4", &["-q".as_ref(), image.as_ref()]);
        must_run("mount", &["-o".as_ref(), "loop".as_ref(), image.as_ref(), place.as_ref()]);
        fs::remove_dir(place.join("lost+found")).expect("leave it empty");
        fs::set_permissions(place, fs::Permissions::from_mode(0o700)).expect("close it");
        Self(place.to_owned())
    }

    fn freeze(&self) {
        must_run("fsfreeze", &["-f".as_ref(), self.0.as_ref()]);
    }

    fn thaw(&self) {
        let _ = Command::new("fsfreeze").arg("-u").arg(&self.0).stderr(Stdio::null()).status();
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.thaw();
        let _ = nix::mount::umount2(&self.0, nix::mount::MntFlags::MNT_DETACH);
    }
}

#[track_caller]
fn must_run(program: &str, arguments: &[&OsStr]) {
    let status = Command::new(program).args(arguments).status().expect("run it");
    assert!(status.success(), "{program}: {status}");
}

/// Somebody who takes connections and says nothing.
fn silent(path: &Path) -> UnixListener {
    UnixListener::bind(path).expect("bind a socket")
}

#[test]
#[ignore = "needs root and BPF"]
fn a_store_a_runtime_and_a_bus_that_hang_stop_nobody() {
    let own = tempfile::tempdir().expect("a directory");
    let runtime = silent(&own.path().join("cri"));
    // What is mounted here, and the socket that stands for systemd's, is seen by this test's daemon alone.
    unshare(CloneFlags::CLONE_NEWNS).expect("a mount namespace: run as root");
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("keep mounts to ourselves");
    fs::create_dir_all("/run/systemd").expect("a directory");
    mount(Some("none"), "/run/systemd", Some("tmpfs"), MsFlags::empty(), none).expect("mount a tmpfs");
    let bus = silent(Path::new("/run/systemd/private"));
    let mut served =
        Served::start("", &format!("tail = \"10ms\"\n[runtimes]\ncri = [\"{}/cri\"]", own.path().display()));
    served.kill();
    let store = Frozen::make(&own.path().join("image"), &served.place.path().join("store"));
    served.run();
    let group = served.cgroup("pods.slice");
    let container = Group { path: group.path.join(format!("cri-containerd-{}.scope", "7f".repeat(32))) };
    fs::create_dir(&container.path).expect("make a cgroup");
    store.freeze();
    let crashes = served.cgroup("crash.service");
    let _ = crashes.command("cat /last/words; kill -SEGV $$").status();
    let _ = container.command("cat /in/a/container; kill -SEGV $$").status();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        must_be_prompt(&served);
        sleep(Duration::from_millis(50));
    }
    // What is asked for needs none of them.
    let dump = served.told(&["dump", crashes.name()]);
    assert!(dump.contains("/last/words"), "{dump}");
    store.thaw();
    let stored: Vec<String> = served.wait_for_stored(2).iter().map(|path| shown(path)).collect();
    for said in ["/last/words", "/in/a/container"] {
        assert!(stored.iter().any(|text| text.contains(said)), "{said}: {stored:?}");
    }
    must_be_prompt(&served);
    served.stop();
    for (who, hangs) in [("the runtime", runtime), ("systemd", bus)] {
        hangs.set_nonblocking(true).expect("do not wait");
        hangs.accept().unwrap_or_else(|error| panic!("{who} was never asked: {error}"));
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn storms_of_failing_processes_delay_nobody() {
    let served = Served::start("", "tail = \"10ms\"");
    let group = served.cgroup("storm.service");
    for n in 0..50 {
        fs::create_dir(group.path.join(n.to_string())).expect("make a cgroup");
    }
    let scratch = Scratch::new();
    let program = compile(&scratch, "failing", &[]);
    let mut storms: Vec<Child> =
        (0..2).map(|_| group.command(&format!("exec {} 8", program.display())).spawn().expect("start it")).collect();
    storms.push(group.command("while :; do /bin/false; done").spawn().expect("start it"));
    sleep(Duration::from_secs(2));
    must_be_prompt(&served);
    let began = Instant::now();
    let crash = must_dump_a_crash(&served, "crash.service");
    println!("a dump {:?} after the crash", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(crash.contains("killed by SIGSEGV"), "{crash}");
    must_be_prompt(&served);
    let metrics = served.asked("/metrics");
    assert!(!metrics.contains("ends of processes that there was no room"), "{metrics}");
    let notices = metrics.lines().find_map(|line| line.strip_prefix("traceloop_notices_total ")).expect("a figure");
    assert!(notices.parse::<f64>().expect("a number") < 2000.0, "{notices}");
    for mut storm in storms {
        let _ = storm.kill();
        let _ = storm.wait();
    }
    for n in 0..50 {
        let _ = fs::remove_dir(group.path.join(n.to_string()));
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn fifteen_scrapers_delay_nobody() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number").port();
    let served = Served::start_with(&format!("metrics = \"127.0.0.1:{port}\""), "", "tail = \"10ms\"");
    let scratch = Scratch::new();
    let program = compile(&scratch, "offsets", &[]);
    let groups: Vec<Group> = (0..4).map(|n| served.cgroup(&format!("{n}busy.service"))).collect();
    let start = |group: &Group| group.command(&format!("exec {} 60", program.display())).spawn().expect("start it");
    let mut busy: Vec<Child> = groups.iter().map(start).collect();
    let done = AtomicBool::new(false);
    scope(|scope| {
        for _ in 0..15 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let mut socket = TcpStream::connect(("127.0.0.1", port)).expect("connect");
                    socket.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("ask");
                    let mut page = String::new();
                    let _ = socket.read_to_string(&mut page);
                }
            });
        }
        let until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until {
            must_be_prompt(&served);
        }
        let began = Instant::now();
        must_dump_a_crash(&served, "crash.service");
        println!("a dump {:?} after the crash", began.elapsed());
        done.store(true, Ordering::Relaxed);
    });
    for child in &mut busy {
        child.kill().expect("end it");
        child.wait().expect("wait for it");
    }
}

/// The numbers that a dump has of each thread, in its order.
fn numbers(text: &str) -> BTreeMap<u32, Vec<u64>> {
    let mut of: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for (tid, number) in offsets(text) {
        of.entry(tid).or_default().push(number);
    }
    of
}

/// Every number from the first on, each once.
#[track_caller]
fn must_be_whole(text: &str, what: &str) -> BTreeMap<u32, Vec<u64>> {
    let found = numbers(text);
    for (tid, numbers) in &found {
        let wrong = numbers.iter().zip(0..).find(|(number, wanted)| **number != *wanted);
        assert!(wrong.is_none(), "{what}: thread {tid} has {wrong:?} of {} calls", numbers.len());
    }
    found
}

/// How many calls each thread makes: a minute's and more by hand.
fn calls() -> u64 {
    std::env::var("TRACELOOP_TEST_CALLS").ok().and_then(|calls| calls.parse().ok()).unwrap_or(20_000)
}

#[test]
#[ignore = "needs root and BPF"]
fn threads_that_move_between_cgroups_lose_no_call() {
    for way in WAYS {
        let scratch = Scratch::new();
        let program = compile(&scratch, "numbered", &[]);
        let places = ["a", "b"].map(|name| scratch.cgroup.join(name));
        for place in &places {
            fs::create_dir(place).expect("make a cgroup");
            fs::write(place.join("cgroup.type"), "threaded").expect("let threads move");
        }
        let recording = scratch.record(&[&["--buffer-size", "16M", "--memory-max", "512M"], way].concat());
        let [a, b] = places.map(|place| place.display().to_string());
        let command = format!("{} 4 {} 7 {a} {b}", program.display(), calls());
        let ran = scratch.command(&command).stdin(Stdio::null()).output().expect("run it");
        assert!(ran.status.success(), "{ran:?}");
        let dump = recording.dump();
        assert!(!dump.told.contains("traceloop: lost "), "{way:?}: {}", dump.told);
        let found = must_be_whole(&dump.text, &format!("{way:?}"));
        for tid in String::from_utf8_lossy(&ran.stdout).lines() {
            let own = found.get(&tid.parse().expect("a number")).map_or(0, Vec::len);
            assert_eq!(own as u64, calls(), "{way:?}: thread {tid}: {}", dump.told);
        }
    }
}

/// Moves, hops, a storm beside, dumps, who follows, who counts, and a daemon that is killed: all at once.
#[test]
#[ignore = "needs root and BPF"]
fn in_the_midst_of_everything_no_call_is_lost() {
    let mut served = Served::start("buffer-size = \"16M\"\nmemory-max = \"512M\"", "tail = \"10ms\"");
    let (scratch, group) = (Scratch::new(), served.cgroup_with_rings("numbered.service"));
    let places = ["a", "b"].map(|name| group.path.join(name));
    for place in &places {
        fs::create_dir(place).expect("make a cgroup");
        fs::write(place.join("cgroup.type"), "threaded").expect("let threads move");
    }
    let storm = served.cgroup("storm.service");
    let failing = compile(&scratch, "failing", &[]);
    let mut failing = storm.command(&format!("exec {} 600", failing.display())).spawn().expect("start it");
    let program = compile(&scratch, "numbered", &[]);
    let [a, b] = places.map(|place| place.display().to_string());
    let calls = 5 * calls();
    let command = format!("exec {} 4 {calls} 7 {a} {b}", program.display());
    let numbered = group.command(&command).stdout(Stdio::piped()).spawn().expect("start it");
    let mut follow = Command::new(TRACELOOP);
    follow.args(["follow", group.name(), "--format", "strace", "--socket"]).arg(served.socket()).stdin(Stdio::null());
    let mut follow = follow.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("follow it");
    let dump = ["dump", group.name(), "--format", "strace"];
    wait_until("it makes calls", || !numbers(&served.told(&dump)).is_empty());
    for n in 0..2 {
        assert!(!must_be_whole(&served.told(&dump), &format!("dump {n}")).is_empty());
        served.told(&["ps", "--json"]);
        must_be_prompt(&served);
    }
    served.kill();
    served.run();
    let followed = BufReader::new(follow.stdout.take().expect("its output")).lines();
    let followed: Vec<String> = followed.map_while(Result::ok).collect();
    let _ = follow.wait();
    let followed = numbers(&followed.join("\n"));
    assert!(!followed.is_empty());
    for (tid, numbers) in followed {
        assert!(numbers.is_sorted_by(|one, next| one < next), "thread {tid} is followed twice or out of order");
    }
    let ran = numbered.wait_with_output().expect("wait for it");
    let found = numbers(&served.told(&dump));
    // With the daemon went what it had packed. What is missing is counted, and nothing is there twice or out of order.
    let mut missing = 0;
    for tid in String::from_utf8_lossy(&ran.stdout).lines() {
        let own = found.get(&tid.parse().expect("a number")).map_or(&[][..], Vec::as_slice);
        assert!(own.is_sorted_by(|one, next| one < next), "thread {tid}");
        missing += calls - own.len() as u64;
    }
    let track: serde_json::Value =
        serde_json::from_str(&served.told(&["ps", "--json", group.name()])).expect("a track");
    assert_eq!(track["lost"], 0, "{track}");
    assert!(track["overwritten"].as_u64().is_some_and(|overwritten| missing <= overwritten), "{missing}: {track}");
    failing.kill().expect("end it");
    failing.wait().expect("wait for it");
    for place in [a, b] {
        let _ = fs::remove_dir(place);
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn dumps_of_threads_that_hop_between_cpus_have_no_hole_before_their_end() {
    let scratch = Scratch::new();
    let program = compile(&scratch, "numbered", &[]);
    let mut recording = scratch.record(&["--buffer-size", "16M", "--memory-max", "512M"]);
    let mut child = scratch
        .command(&format!("{} 4 {} 3", program.display(), 2 * calls()))
        .stdout(Stdio::null())
        .spawn()
        .expect("start it");
    let mut seen = 0;
    for dump in 0..10 {
        let text = recording.dump_now().text;
        seen += must_be_whole(&text, &format!("dump {dump}")).values().map(Vec::len).sum::<usize>();
    }
    assert!(seen > 100, "{seen} calls only");
    child.kill().expect("end it");
    child.wait().expect("wait for it");
    drop(recording);
}

#[test]
#[ignore = "needs root and BPF"]
fn who_is_stopped_has_left_its_call() {
    let scratch = Scratch::new();
    let mut recording = scratch.record(&[]);
    let mut child = scratch.command("sh -c 'read x < /dev/null; kill -STOP $$; true'").spawn().expect("start it");
    let stat = format!("/proc/{}/stat", child.id());
    wait_until("it stops", || fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") T ")));
    let text = recording.dump_now().text;
    let _ = Command::new("kill").args(["-CONT", &child.id().to_string()]).status();
    child.wait().expect("wait for it");
    assert!(text.contains("kill("), "{text}");
    assert!(!text.contains("<unfinished ...>"), "{text}");
}
