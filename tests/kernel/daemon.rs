//! The daemon: everything recorded by name, dumps of what died, and nobody pays for others.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    process::{Command, Stdio},
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use super::{
    rings::offsets,
    served::{Served, shown},
    support::{Scratch, TRACELOOP, compile, wait_until},
};

#[test]
#[ignore = "needs root and BPF"]
fn a_new_cgroup_is_recorded_by_name_from_its_first_execve() {
    let served = Served::start("", "status = false");
    let group = served.cgroup("first.service");
    group.command("exec cat /nonexistent").status().expect("run it");
    let dump = served.told(&["dump", group.name(), "--format", "strace"]);
    for text in ["execve(\"/", "\"/nonexistent\", O_RDONLY) = -1 ENOENT", "+++ exited with 1 +++"] {
        assert!(dump.contains(text), "{text:?} is not in:\n{dump}");
    }
    let listed = served.told(&["ps", group.name()]);
    assert!(listed.contains(group.name()) && listed.contains("recording"), "{listed}");
    group.remove();
    sleep(Duration::from_millis(100));
    assert!(served.told(&["ps", group.name()]).contains("ended"));
    assert!(served.told(&["dump", group.name(), "--format", "strace"]).contains("+++ exited with 1 +++"));
    served.told(&["close", group.name()]);
    let gone = served.verb(&["dump", group.name()]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(served.told(&["ps", "--given-up"]).contains(group.name()));
}

#[test]
#[ignore = "needs root and BPF"]
fn units_of_a_manager_in_a_container_are_recorded_by_themselves() {
    let served = Served::start("", "");
    let slice = served.cgroup("machine.slice");
    let container = slice.below("lxc.payload.w1");
    // What is there when it shows whose all this is.
    let early = container.below("early.service");
    early.command("exec cat /nonexistent-early").status().expect("run it");
    assert!(served.told(&["ps", slice.name()]).contains(" w1 "));
    let _manager = container.below("init.scope");
    let has = |name: &str| served.told(&["ps", slice.name()]).contains(&format!(" w1/{name} "));
    wait_until("the manager has a track of its own", || has("init.scope"));
    assert!(has("early.service"));
    let units = container.below("system.slice");
    let late = units.below("late.service");
    late.command("cat /nonexistent-late; kill -SEGV $$").status().expect("run it");
    served.wait_for_stored(1);
    let dump = served.told(&["dump", "w1/late.service", "--format", "strace"]);
    for text in ["execve(\"/", "\"/nonexistent-late\", O_RDONLY) = -1 ENOENT", "killed by SIGSEGV"] {
        assert!(dump.contains(text), "{text:?} is not in:\n{dump}");
    }
    let all = served.told(&["dump", "w1", "--format", "strace"]);
    assert!(
        all.contains("nonexistent-early") && all.contains("nonexistent-late"),
        "the container's name means all of it"
    );
    assert!(!dump.contains("nonexistent-early"), "{dump}");
    // Where nobody could name them, they would pass for the machine's units.
    let other = slice.below("build.service");
    other.below("init.scope");
    let unit = other.below("nested.service");
    unit.command("true").status().expect("run it");
    sleep(Duration::from_millis(200));
    assert!(!served.told(&["ps", slice.name()]).contains("nested.service"));
}

#[test]
#[ignore = "needs root and BPF"]
fn dumps_under_full_load_have_no_gap() {
    // Of the rings: what the packed history has missed is stated at its place (`history`).
    let served = Served::start("[history]\nhistory-cpu = \"0%\"", "");
    let group = served.cgroup("load.service");
    let scratch = Scratch::new();
    let mut child = group.numbers(&scratch, "60");
    sleep(Duration::from_secs(1));
    for dump in 0..20 {
        let text = served.told(&["dump", group.name(), "--format", "strace"]);
        let found = offsets(&text);
        assert!(found.len() > 500, "dump {dump} has {} calls only", found.len());
        let gaps = found.windows(2).filter(|pair| pair[1].1 != pair[0].1 + 1).count();
        assert_eq!(gaps, 0, "dump {dump}: {gaps} gaps in {} calls", found.len());
    }
    child.kill().expect("end it");
    child.wait().expect("wait for it");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_crash_leaves_one_dump_that_ends_with_the_fatal_call() {
    let served = Served::start("", "");
    let group = served.cgroup("crash.service");
    let scratch = Scratch::new();
    let program = compile(&scratch, "fault", &[]);
    let began = Instant::now();
    let _ = group.command(&format!("exec {}", program.display())).status();
    group.remove();
    let stored = served.wait_for_stored(1);
    println!("stored {:?} after the start", began.elapsed());
    let text = shown(&stored[0]);
    let end: Vec<&str> = text.lines().rev().take(3).collect();
    assert!(end[0].contains("+++ killed by SIGSEGV"), "{text}");
    assert!(end[1].contains("--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR"), "{text}");
    let name = stored[0].display().to_string();
    assert!(name.contains("crash.service") && name.contains("killed"), "{name}");
    // Nothing else tells of it.
    sleep(Duration::from_secs(1));
    assert_eq!(served.stored().len(), 1, "{:?}", served.stored());
}

#[test]
#[ignore = "needs root and BPF"]
fn statuses_requests_and_the_end_leave_dumps() {
    let mut served = Served::start("", "on-stop = [\"*end.service\"]\ntail = \"10ms\"");
    let (bad, good, end) = (served.cgroup("bad.service"), served.cgroup("good.service"), served.cgroup("end.service"));
    let _ = bad.command("exec sh -c 'exit 3'").status();
    let _ = good.command("exec true").status();
    let stored = served.wait_for_stored(1);
    assert!(stored[0].display().to_string().contains("bad.service"), "{stored:?}");
    let id = served.told(&["dump", "--save", good.name()]);
    assert!(served.stored().iter().any(|path| path.display().to_string().contains(id.trim())), "{id}");
    let mut child = end.command("exec sleep 100").spawn().expect("start it");
    sleep(Duration::from_millis(300));
    served.stop();
    let stored = served.stored();
    assert_eq!(stored.len(), 3, "{stored:?}");
    assert!(shown(&stored[2]).contains("clock_nanosleep"), "{}", shown(&stored[2]));
    child.kill().expect("end it");
    child.wait().expect("wait for it");
}

#[test]
#[ignore = "needs root and BPF"]
fn deaths_in_a_row_are_limited_and_counted() {
    let served = Served::start("", "burst = 2\ntail = \"0ms\"");
    let group = served.cgroup("again.service");
    for _ in 0..4 {
        let _ = group.command("kill -SEGV $$").status();
        sleep(Duration::from_millis(200));
    }
    assert_eq!(served.wait_for_stored(2).len(), 2);
    let metrics = served.asked("/metrics");
    assert!(metrics.contains("traceloop_triggers_suppressed_total{reason=\"burst\"} "), "{metrics}");
    assert!(metrics.contains("traceloop_dumps_total{reason=\"killed\"} 2"), "{metrics}");
    assert!(served.log().contains("it dies more often"), "{}", served.log());
    // The last of them has a dump, a while after the loop has ended.
    wait_until("a dump of the last death", || served.stored().len() == 3);
}

#[test]
#[ignore = "needs root and BPF"]
fn a_call_that_a_rule_names_leaves_a_dump() {
    let rules = "calls = [\"openat=ENOENT:/nonexistent/*\", \"clock_nanosleep>200ms\"]\nstatus = false";
    let served = Served::start("", rules);
    let (open, slow) = (served.cgroup("open.service"), served.cgroup("slow.service"));
    let _ = open.command("exec cat /elsewhere/a").status();
    let _ = slow.command("exec sleep 0.1").status();
    sleep(Duration::from_secs(2));
    assert!(served.stored().is_empty(), "{:?}", served.stored());
    let _ = open.command("exec cat /nonexistent/a").status();
    let _ = slow.command("exec sleep 0.3").status();
    let stored = served.wait_for_stored(2);
    let has = |name: &str, text: &str| {
        let path = stored.iter().find(|path| path.display().to_string().contains(name));
        let path = path.unwrap_or_else(|| panic!("no dump of {name} in {stored:?}"));
        assert!(path.display().to_string().contains("-call-") && shown(path).contains(text), "{}", shown(path));
    };
    has("open.service", "/nonexistent/a");
    assert!(served.asked("/metrics").contains("traceloop_call_rules_missed_total 0"), "{}", served.asked("/metrics"));
    has("slow.service", "clock_nanosleep(");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_thousand_cgroups_four_at_a_time_are_found_by_name() {
    const EACH: usize = 250;
    /// So many of each worker's may be new to the daemon: fewer than have rings ready. A storm is another test's.
    const AHEAD: usize = 10;
    let served = Served::start("buffer-size = \"64K\"\nmemory-max = \"256M\"\nready = 64", "");
    scope(|scope| {
        for worker in 0..4 {
            let served = &served;
            scope.spawn(move || {
                for n in 0..EACH {
                    let group = served.cgroup(&format!("{worker}-{n}.service"));
                    group.command("exec true").status().expect("run it");
                    if n % AHEAD == AHEAD - 1 {
                        wait_until("the daemon to know it", || served.verb(&["ps", group.name()]).status.success());
                    }
                    group.remove();
                }
            });
        }
    });
    // What the kernel could not tell of is found by name in the next second.
    settled(&served);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (found, gone, cut) = runtime.block_on(async {
        let client = served.client();
        let mut found = std::collections::HashSet::new();
        let mut cut = std::collections::HashSet::new();
        for track in client.tracks(None).await.expect("tracks") {
            let dump = client.dump(&format!("#{}", track.id)).await.expect("a dump");
            let (recording, damage) = traceloop::store::read(&dump[..]).expect("read it");
            assert!(damage.is_none(), "{damage:?}");
            let style = traceloop::decode::Style::default();
            let history = traceloop::decode::History::of(&recording, &style).expect("decode it");
            let is_execve = |event: traceloop::model::Event| match event.what {
                traceloop::model::What::Call(call) => call.name == "execve" && call.text.contains("true"),
                _ => false,
            };
            let name = track.identity.cgroup.trim_start_matches('/').to_owned();
            if history.events().any(is_execve) {
                found.insert(name);
            } else if recording.dump.window.complete_from > Some(recording.dump.began) {
                // It shared the lobby, where others have overwritten its beginning: its window says so.
                cut.insert(name);
            }
        }
        let gone: std::collections::HashSet<_> =
            client.given_up().await.expect("given up").into_iter().map(|gone| gone.identity.cgroup).collect();
        (found, gone, cut)
    });
    let mut missing = Vec::new();
    for worker in 0..4 {
        for n in 0..EACH {
            let name = served.named(&format!("{worker}-{n}.service"));
            if !found.contains(&name) && !cut.contains(&name) && !gone.contains(&format!("/{name}")) {
                missing.push(name);
            }
        }
    }
    println!("{} found by name, {} given up and told, {} cut and told", found.len(), gone.len(), cut.len());
    assert!(found.len() > 900, "{} found, {} given up, {} cut", found.len(), gone.len(), cut.len());
    assert!(missing.is_empty(), "{} are missing: {missing:?}\n{}", missing.len(), served.log());
}

#[test]
#[ignore = "needs root and BPF"]
fn a_storm_does_not_shorten_the_window_of_another() {
    // So little that the storm cannot be kept whole.
    let served = Served::start("memory-max = \"16M\"", "status = false");
    let (quiet, storm) = (served.cgroup_with_rings("quiet.service"), served.cgroup_with_rings("storm.service"));
    let scratch = Scratch::new();
    let program = compile(&scratch, "offsets", &[]);
    quiet.command("exec cat /nonexistent/before").status().expect("run it");
    // It ends at the turn of a second: 61 are never less than a minute.
    let began = Instant::now();
    let mut child = storm.command(&format!("exec {} 61", program.display())).spawn().expect("start it");
    child.wait().expect("wait for it");
    let lasted = began.elapsed().as_secs_f64();
    quiet.command("exec cat /nonexistent/after").status().expect("run it");
    let window = |name: &str| -> f64 {
        let listed: serde_json::Value = serde_json::from_str(&served.told(&["ps", "--json", name])).expect("an object");
        listed["window"].as_f64().expect("a number")
    };
    let (quiet_window, storm_window) = (window(quiet.name()), window(storm.name()));
    println!("after {lasted} s of storm: the quiet one's window {quiet_window} s, the storm's {storm_window} s");
    assert!(lasted > 60.0 && quiet_window >= lasted && storm_window < lasted - 5.0);
    let output = served.verb(&["dump", quiet.name(), "--format", "strace"]);
    let (text, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("/nonexistent/before") && text.contains("/nonexistent/after"), "{text}");
    assert!(told.contains("complete since the recording began"), "{told}");
}

#[test]
#[ignore = "needs root and BPF"]
fn what_is_counted_is_what_was_done_until_now() {
    // Nothing on the other CPU has it send what the command has left there.
    let mut last = nix::sched::CpuSet::new();
    last.set(traceloop::ring::online_cpus().expect("the CPUs").len() - 1).expect("a CPU");
    nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &last).expect("stay on it");
    let served = Served::start("", "status = false");
    let track = |told: &str| -> serde_json::Value { serde_json::from_str(told).expect("an object") };
    for n in 0..10 {
        let group = served.cgroup_with_rings(&format!("-counts{n}.service"));
        group.command("exec taskset -c 0 cat /nonexistent").status().expect("run it");
        let mut listed = track(&served.told(&["ps", "--json", group.name()]));
        if n % 2 == 1 {
            group.command("exec taskset -c 0 cat /nonexistent").status().expect("run it");
            listed = track(&served.asked(&format!("/v1/tracks/{}", listed["id"])));
        }
        let dump = served.verb(&["dump", group.name(), "--format", "raw"]).stdout;
        let (recording, damage) = traceloop::store::read(&dump[..]).expect("read it");
        let window = recording.dump.window;
        assert!(damage.is_none(), "{damage:?}");
        assert_eq!(listed["records"], window.records + window.overwritten, "{listed}");
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn what_happens_is_followed() {
    let served = Served::start("", "status = false");
    let group = served.cgroup("follow.service");
    let mut follower = Command::new(TRACELOOP)
        .args(["follow", group.name(), "--format", "strace", "--socket"])
        .arg(served.socket())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("follow");
    let mut ready = String::new();
    // Held open: a program whose stderr is closed ends.
    let mut told = BufReader::new(follower.stderr.take().expect("stderr"));
    told.read_line(&mut ready).expect("the ready line");
    assert!(ready.starts_with("following "), "{ready}");
    group.command("exec cat /nonexistent").status().expect("run it");
    let mut lines = BufReader::new(follower.stdout.take().expect("stdout")).lines();
    let exited = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("+++ exited with 1 +++")));
    assert!(exited.is_some());
    let pid = nix::unistd::Pid::from_raw(i32::try_from(follower.id()).expect("a pid"));
    nix::sys::signal::kill(pid, Signal::SIGINT).expect("end it");
    assert!(follower.wait().expect("wait for it").success());
}

/// A target that nothing is called yet is followed from its first call, and counted at the end.
#[test]
#[ignore = "needs root and BPF"]
fn what_comes_is_waited_for() {
    let served = Served::start("", "status = false");
    let name = served.named("coming.service");
    let without = served.verb(&["follow", &name]);
    let said = String::from_utf8_lossy(&without.stderr).into_owned();
    assert!(!without.status.success() && said.contains("--wait"), "{said}");
    let mut follower = Command::new(TRACELOOP)
        .arg("--socket")
        .arg(served.socket())
        .args(["follow", "--wait", "-C", "--format", "strace", &name])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("follow");
    let mut said = BufReader::new(follower.stderr.take().expect("stderr")).lines();
    let mut next = || said.next().expect("a line").expect("a line");
    assert_eq!(next(), format!("waiting for {name}"));
    let group = served.cgroup("coming.service");
    assert_eq!(group.name(), name);
    group.command("exec cat /nonexistent").status().expect("run it");
    assert_eq!(next(), format!("following {name}"));
    let mut lines = BufReader::new(follower.stdout.take().expect("stdout")).lines().map(|line| line.expect("a line"));
    let until_exit: Vec<_> = lines.by_ref().take_while(|line| !line.contains("+++ exited with 1 +++")).collect();
    assert!(until_exit.iter().any(|line| line.contains("execve(")), "from the beginning: {until_exit:?}");
    let pid = nix::unistd::Pid::from_raw(i32::try_from(follower.id()).expect("a pid"));
    nix::sys::signal::kill(pid, Signal::SIGINT).expect("end it");
    let table: Vec<_> = lines.collect();
    assert!(table.iter().any(|line| line.ends_with(" execve")) && table.iter().any(|line| line.contains("total")));
    assert!(follower.wait().expect("wait for it").success());
}

#[test]
#[ignore = "needs root and BPF"]
fn bad_clients_cost_others_nothing() {
    // The packed history that grows meanwhile is not theirs.
    let served = Served::start("[history]\nhistory-cpu = \"0%\"", "");
    let group = served.cgroup("load.service");
    let scratch = Scratch::new();
    let program = compile(&scratch, "offsets", &[]);
    let mut child = group.command(&format!("exec {} 60", program.display())).spawn().expect("start it");
    sleep(Duration::from_secs(1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let id = runtime.block_on(served.client().tracks(Some(group.name()))).expect("tracks")[0].id;
    // The usual time is the median; the longest tells how busy the machine is.
    let usual = || {
        runtime.block_on(async {
            let mut times = Vec::new();
            for _ in 0..100 {
                let began = Instant::now();
                served.client().tracks(Some(group.name())).await.expect("tracks");
                times.push(began.elapsed());
            }
            times.sort();
            (times[50], times[99])
        })
    };
    let (alone, before) = (usual(), resident(served.pid()));
    let mut bad = Vec::new();
    for n in 0..100 {
        let mut stream = UnixStream::connect(served.socket()).expect("connect");
        let bytes = match n % 5 {
            0 => String::new(),
            1 => "GET /v1/tra".to_owned(),
            2 => "\0\u{1}garbage\r\n\r\n".to_owned(),
            3 => format!("GET /v1/tracks/{id}/dump HTTP/1.1\r\nhost: a\r\n\r\n"),
            _ => format!("GET /v1/tracks/{id}/follow HTTP/1.1\r\nhost: a\r\n\r\n"),
        };
        stream.write_all(bytes.as_bytes()).expect("write");
        // Some vanish at once, the others take nothing.
        if n % 7 != 0 {
            bad.push(stream);
        }
    }
    sleep(Duration::from_secs(2));
    let (beside, grown) = (usual(), resident(served.pid()).saturating_sub(before));
    println!("median, longest: alone {alone:?}, beside 100 bad clients {beside:?}; {} KiB more", grown / 1024);
    assert!(beside.0 < alone.0.max(Duration::from_millis(10)) * 10, "{alone:?} alone, {beside:?} beside");
    assert!(beside.1 < Duration::from_secs(10), "{beside:?}: somebody was waited for");
    assert!(grown < 64 << 20, "{grown} bytes more");
    for stream in &mut bad {
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time");
        let mut sink = [0; 65536];
        // A follower that reads again is served on; the others are dropped.
        while stream.read(&mut sink).is_ok_and(|got| got > 0 && got < 60_000) {}
    }
    child.kill().expect("end it");
    child.wait().expect("wait for it");
}

#[test]
#[ignore = "needs root and BPF"]
fn two_hundred_idle_cgroups_cost_what_two_do() {
    /// A daemon that polls has no second with fewer calls, and one that looks at each cgroup none with so few more.
    const AWAKE: u64 = 200;
    const EACH: u64 = 99;
    // With the budget that a daemon has by default: it looks at every unit each second.
    let served = Served::start("buffer-size = \"64K\"\nmax-overhead = \"100%\"", "");
    let group = |n| served.cgroup(&format!("{n}.service"));
    let mut groups: Vec<_> = (0..2).map(group).collect();
    let two = idle(&served, AWAKE);
    groups.extend((2..200).map(group));
    let many = idle(&served, two.calls + EACH);
    for (count, Idle { calls, nanoseconds }) in [(2, two), (groups.len(), many)] {
        println!("{count} cgroups: {calls} calls, {nanoseconds} ns");
    }
}

/// What a daemon does in a second in which nothing happens. Its CPU time depends on what else runs; its calls do not.
struct Idle {
    calls: u64,
    nanoseconds: u64,
}

/// A second with fewer calls than that. What is new is looked after for some seconds, and the kernel notifies of every
/// cgroup and every bad end of the machine, other tests' too: one second without shows what idleness costs.
fn idle(served: &Served, fewer_than: u64) -> Idle {
    let pid = served.pid().to_string();
    let second = |_| {
        let time = cpu_time(served.pid());
        let counted =
            Command::new(TRACELOOP).args(["run", "--pid", &pid, "--for", "1s", "-c"]).output().expect("count");
        let nanoseconds = cpu_time(served.pid()) - time;
        let text = String::from_utf8_lossy(&counted.stdout);
        let total = text.lines().find(|line| line.ends_with(" total")).unwrap_or_else(|| panic!("{counted:?}"));
        let calls = total.split_whitespace().nth(3).and_then(|calls| calls.parse().ok()).expect("a number of calls");
        Idle { calls, nanoseconds }
    };
    let mut seen = Vec::new();
    for idle in (0..60).map(second) {
        if idle.calls < fewer_than {
            return idle;
        }
        seen.push(idle.calls);
    }
    panic!("no second with fewer than {fewer_than} calls: {seen:?}");
}

/// Waits until nothing of this test's cgroups changes any more: the daemon has taken in what was told.
fn settled(served: &Served) {
    let recorded = || served.told(&["ps", "--json"]).lines().filter(|line| line.contains("\"ended\":")).count();
    let until = Instant::now() + Duration::from_secs(60);
    let mut last = usize::MAX;
    loop {
        sleep(Duration::from_secs(2));
        let now = recorded();
        if now == last || Instant::now() > until {
            return;
        }
        last = now;
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn a_second_daemon_is_told_of_the_first() {
    let served = Served::start("", "");
    let config = served.place.path().join("config");
    let output = Command::new(TRACELOOP).args(["serve", "--config"]).arg(config).output().expect("run it");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains(&format!("another traceloop daemon (pid {})", served.pid())), "{told}");
}

#[test]
#[ignore = "needs root and BPF"]
fn the_configuration_is_read_again() {
    let served = Served::start("", "status = false");
    let path = served.place.path().join("config");
    let text = std::fs::read_to_string(&path).expect("read it");
    let reload = |text: &str, word: &str| {
        std::fs::write(&path, text).expect("write it");
        served.signal(Signal::SIGHUP);
        let until = Instant::now() + Duration::from_secs(5);
        while !served.log().contains(word) {
            assert!(Instant::now() < until, "{}", served.log());
            sleep(Duration::from_millis(20));
        }
    };
    reload(&text.replace("status = false", "statuss = false"), "the configuration stays as it was");
    reload(&text.replace("status = false", "status = true\ntail = \"0ms\""), "was read again");
    let group = served.cgroup("a.service");
    let _ = group.command("exec false").status();
    served.wait_for_stored(1);
}

#[test]
#[ignore = "needs root and BPF"]
fn prometheus_understands_the_metrics() {
    let served = Served::start("", "");
    let group = served.cgroup("a \\\"b.service");
    group.command("exec true").status().expect("run it");
    let text = served.asked("/metrics");
    for name in ["traceloop_track_calls_total{", "traceloop_memory_bytes ", "process_cpu_seconds_total "] {
        assert!(text.contains(&format!("\n{name}")), "{name} is not in {text}");
    }
    let mut promtool =
        Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).spawn().expect("run promtool");
    promtool.stdin.take().expect("its stdin").write_all(text.as_bytes()).expect("write");
    assert!(promtool.wait().expect("wait for it").success(), "{text}");
}

/// A real Prometheus scrapes it over TCP.
#[test]
#[ignore = "needs root and BPF"]
fn prometheus_scrapes_it() {
    let free = || std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let (ours, theirs) = (free(), free());
    let served = Served::start_with(&format!("metrics = \"{ours}\""), "", "");
    let group = served.cgroup("scraped.service");
    group.command("exec true").status().expect("run it");
    let place = served.place.path();
    let config = format!(
        "global: {{ scrape_interval: 1s }}\nscrape_configs:\n- job_name: t\n  static_configs:\n  - targets: ['{ours}']\n"
    );
    std::fs::write(place.join("prometheus.yml"), config).expect("write it");
    let mut prometheus = Command::new("prometheus")
        .arg(format!("--config.file={}", place.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", place.join("tsdb").display()))
        .arg(format!("--web.listen-address={theirs}"))
        .stderr(Stdio::null())
        .spawn()
        .expect("run prometheus");
    let query = format!("http://{theirs}/api/v1/query?query=traceloop_track_calls_total");
    let until = Instant::now() + Duration::from_secs(60);
    let told = loop {
        let output = Command::new("curl").args(["-s", &query]).output().expect("run curl");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        if told.contains(group.name()) || Instant::now() > until {
            break told;
        }
        sleep(Duration::from_millis(500));
    };
    prometheus.kill().expect("end it");
    prometheus.wait().expect("wait for it");
    assert!(told.contains(group.name()), "{told}");
}

/// Bytes that a process has in memory.
pub(crate) fn resident(pid: u32) -> usize {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).expect("statm");
    text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a number") * 4096
}

/// Nanoseconds that a process has run.
fn cpu_time(pid: u32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("its threads");
    let time = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(path.join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    };
    threads.flatten().filter_map(|thread| time(thread.path())).sum()
}
