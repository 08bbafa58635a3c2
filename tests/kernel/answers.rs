//! What is told of deaths and of calls that hang is true: who killed, which rule fired, who waits for whom, and for how
//! long.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use serde_json::Value;

use super::{
    served::Served,
    support::{Scratch, TRACELOOP, compile, wait_until},
};

/// Children that end with the test.
struct Running(Vec<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What `info` says of the newest dump of something.
fn info(served: &Served, what: &str) -> String {
    let output = Command::new(TRACELOOP)
        .args(["info", "-1", what, "--directory"])
        .arg(served.place.path().join("store"))
        .output()
        .expect("info");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The summary of a command that `run` records, and what it exits with.
fn summary_of_run(command: &[&str]) -> (String, Option<i32>) {
    let output = Command::new(TRACELOOP).arg("run").arg("--").args(command).output().expect("run it");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let summary = text.lines().find_map(|line| line.strip_prefix("# summary: ")).unwrap_or_else(|| panic!("{text}"));
    (summary.to_owned(), output.status.code())
}

/// Whether that process is blocked in a call of this number.
fn is_in(pid: u32, number: i64) -> bool {
    let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    call.starts_with(&format!("{number} "))
}

#[test]
#[ignore = "needs root and BPF"]
fn calls_that_hang_are_told_with_whom_they_wait_for() {
    let served = Served::start("", "");
    let group = served.cgroup("hangs.service");
    let place = served.place.path().join("lock");
    let lock = place.display();
    // A holder, two that wait for it, and a reader of a pipe that the holder could write to.
    let script = format!(
        "exec 9>{lock}; flock 9; sh -c 'exec 9>{lock}; exec flock 9' 9>&- & sh -c 'exec 9>&-; sleep 1000 | cat' & wait"
    );
    let running = Running(vec![group.command(&script).spawn().expect("start it")]);
    let children = |comm: &str| -> Vec<u32> {
        let pids = fs::read_to_string(group.path.join("cgroup.procs")).unwrap_or_default();
        let is_it = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == comm);
        pids.lines().filter_map(|pid| pid.parse().ok()).filter(is_it).collect()
    };
    let in_call = |comm: &str, number| children(comm).iter().any(|pid| is_in(*pid, number));
    wait_until("all of them to wait", || in_call("flock", libc::SYS_flock) && in_call("cat", libc::SYS_read));
    sleep(Duration::from_millis(1500));
    let (shell, sleeper) = (running.0[0].id(), children("sleep")[0]);
    let text = served.told(&["stuck", "--longer", "1s", group.name()]);
    let behind = |call: &str| {
        let at = text.find(call).unwrap_or_else(|| panic!("{call} is not in {text}"));
        text[at..].lines().nth(1).unwrap_or_default().trim().to_owned()
    };
    assert_eq!(behind("flock(9</"), format!("waits for a lock that sh[{shell}] holds"), "{text}");
    // Where it hangs, though stacks are not recorded.
    let stack = &text[text.find("flock(9</").expect("it is there")..];
    let stack: Vec<&str> = stack.lines().skip(2).take_while(|line| line.starts_with("    > ")).collect();
    assert!(stack.iter().any(|line| line.starts_with("    > kernel: ") && line.contains("flock")), "{text}");
    assert!(stack.iter().any(|line| line.contains("(flock+0x")), "{text}");
    assert_eq!(behind("read(0<pipe:["), format!("waits for whoever can write to the pipe: sleep[{sleeper}]"), "{text}");
    assert!(behind("wait4(").starts_with("waits for one of its children: "), "{text}");
    assert!(text.contains("who waits for whom:\n") && text.contains(&format!(" -> sh[{shell}]")), "{text}");
    // The longest first, and the same through the API.
    let calls: Vec<Value> = serde_json::from_str(&served.asked("/v1/stuck?longer=1")).expect("JSON");
    let calls: Vec<&Value> = calls.iter().filter(|call| call["target"] == group.name()).collect();
    let ages: Vec<f64> = calls.iter().map(|call| call["seconds"].as_f64().expect("a number")).collect();
    assert!(ages.len() >= 4 && ages.is_sorted_by(|one, other| one >= other), "{ages:?}");
    // Nothing has hung for an hour.
    let none = served.verb(&["stuck", "--longer", "1h"]);
    assert!(none.status.code() == Some(1) && none.stdout.is_empty(), "{none:?}");
    // A live dump says the same in its head.
    let dump = served.told(&["dump", group.name()]);
    let head: Vec<&str> = dump.lines().take_while(|line| line.starts_with('#')).collect();
    assert!(head.iter().any(|line| line.starts_with("# summary: ") && line.contains(" for ")), "{dump}");
    assert!(head.iter().any(|line| line.contains("in flight: ")), "{dump}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_call_from_before_the_recording_is_as_old_as_its_sleep() {
    let scratch = Scratch::new();
    let mut child = scratch.command("cat").stdin(Stdio::piped()).spawn().expect("start it");
    let pid = child.id();
    wait_until("it waits", || is_in(pid, libc::SYS_read));
    sleep(Duration::from_secs(3));
    let output = Command::new(TRACELOOP)
        .args(["run", "--for", "100ms", "--format", "json", "--pid", &pid.to_string()])
        .output()
        .expect("record it");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    drop(child.stdin.take());
    child.wait().expect("it ends");
    let dump: Value = serde_json::from_str(text.lines().next().unwrap_or_default()).expect("JSON");
    let summary = dump["summary"]["text"].as_str().unwrap_or_default();
    // On kernels that do not keep the scheduler's times it is not known.
    let age: f64 = summary
        .split(" for ")
        .find_map(|part| part.split_once(" s at least").and_then(|(age, _)| age.parse().ok()))
        .unwrap_or_else(|| panic!("{summary:?} in {text}"));
    assert!((2.5..60.0).contains(&age), "{summary}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_death_has_its_dump_however_often_a_rule_fired() {
    let rules = "calls = [\"openat=ENOENT:/nonexistent/*\", \"execve=ENOENT:/nonexistent/program\"]\n\
                 burst = 2\ntail = \"20ms\"";
    let served = Served::start("", rules);
    let (group, exec) = (served.cgroup("often.service"), served.cgroup("exec.service"));
    // A rule for a path fires for the call whose path is in its start.
    let _ = exec.command("/nonexistent/other; /nonexistent/program; true").status();
    served.wait_for_stored(1);
    let told = info(&served, exec.name());
    assert!(told.contains("called execve(\"/nonexistent/program\", "), "{told}");
    assert!(told.contains(", which the rule execve=ENOENT:/nonexistent/program asks for"), "{told}");
    assert!(told.contains("matched: ") && !told.contains("matched: execve(\"/nonexistent/other"), "{told}");
    for n in 0..6 {
        let _ = group.command(&format!("cat /nonexistent/{n}; true")).status();
        sleep(Duration::from_millis(200));
    }
    served.wait_for_stored(3);
    let list = Command::new(TRACELOOP)
        .args(["list", "--json", "-1", group.name(), "--directory"])
        .arg(served.place.path().join("store"))
        .output()
        .expect("list");
    let dump: Value = serde_json::from_slice(&list.stdout).expect("JSON");
    assert_eq!((dump["comm"].as_str(), dump["reason"].as_str()), (Some("cat"), Some("call")), "{dump}");
    assert!(dump["pid"].as_u64().is_some_and(|pid| pid > 1), "{dump}");
    let mut killed = group.command("exec sleep 1000").spawn().expect("start it");
    wait_until("it sleeps", || is_in(killed.id(), libc::SYS_clock_nanosleep));
    killed.kill().expect("kill it");
    killed.wait().expect("wait for it");
    let of_death = || {
        let is_it = |path: &String| path.contains(group.name()) && path.contains("-killed-");
        served.stored().iter().map(|path| path.display().to_string()).find(is_it)
    };
    wait_until("the dump of its death", || of_death().is_some());
    let shown = Command::new(TRACELOOP).arg("show").args(of_death()).output().expect("show it");
    let told = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(told.contains("was killed by SIGKILL, sent by "), "{told}");
}

#[test]
#[ignore = "needs root and BPF"]
fn lives_of_a_unit_are_told_with_what_they_have_in_common() {
    let served = Served::start("", "tail = \"20ms\"\nburst = 2");
    let group = served.cgroup("loop.service");
    let mut well = group.command("cat; true").stdin(Stdio::piped()).spawn().expect("start it");
    wait_until("it runs", || {
        fs::read_to_string(group.path.join("cgroup.procs")).is_ok_and(|pids| pids.lines().count() > 1)
    });
    served.told(&["dump", "--save", group.name()]);
    drop(well.stdin.take());
    well.wait().expect("it ends");
    let name = group.name().to_owned();
    group.remove();
    for n in 2..4 {
        let path = group.path.clone();
        fs::create_dir(&path).expect("make it again");
        let _ = group.command("cat /nonexistent/config; kill -SEGV $$").status();
        served.wait_for_stored(n);
        wait_until("it is empty", || fs::remove_dir(&path).is_ok());
    }
    // Beyond the limit.
    fs::create_dir(&group.path).expect("make it again");
    let _ = group.command("kill -ABRT $$").status();
    wait_until("it is known", || served.asked("/v1").contains("SIGABRT"));
    let store = served.place.path().join("store");
    let told = |more: &[&str]| {
        let output = Command::new(TRACELOOP)
            .args(["info", "--history", &name, "--socket"])
            .arg(served.place.path().join("sock"))
            .args(more)
            .arg("--directory")
            .arg(&store)
            .output()
            .expect("info");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let text = told(&[]);
    let head = format!("{name}: 3 lives with dumps, 2 of them ended badly; 1 life without one ended badly, too\n");
    assert!(text.starts_with(&head), "{text}");
    let fourth = text.lines().nth(4).unwrap_or_default();
    assert!(fourth.contains("SIGABRT") && fourth.contains(" no dump, for the limit burst: "), "{text}");
    assert!(text.contains("common to the 2 that ended badly:\n  how they ended: SIGSEGV"), "{text}");
    assert!(text.contains("/nonexistent/config"), "{text}");
    assert!(text.contains("what differs from the last that went well (") && text.contains("@@ only in B"), "{text}");
    let object: Value = serde_json::from_str(&told(&["--json"])).expect("JSON");
    assert_eq!(object["lives"].as_array().map(Vec::len), Some(4), "{object}");
    assert!(object["compared_with"].is_string() && object["diff"].as_array().is_some_and(|diff| !diff.is_empty()));
}

#[test]
#[ignore = "needs root and BPF"]
fn both_sides_of_a_deadlock_are_named() {
    let scratch = Scratch::new();
    let program = compile(&scratch, "deadlock", &[]).display().to_string();
    let served = Served::start("", "");
    let summary = |unit: &str, command: &str| {
        let group = served.cgroup(unit);
        let _running = Running(vec![group.command(command).spawn().expect("start it")]);
        let summary = || {
            let dump = served.told(&["dump", group.name()]);
            let line = dump.lines().find_map(|line| line.strip_prefix("# summary: "));
            line.unwrap_or_else(|| panic!("{dump}")).to_owned()
        };
        wait_until("they wait for a second", || summary().contains("wait for each other for"));
        summary()
    };
    let threads = summary("mutexes.service", &format!("exec {program}"));
    assert!(threads.starts_with("The threads ") && threads.contains(" of deadlock["), "{threads}");
    assert!(threads.contains("audit[") && threads.contains("transfer["), "{threads}");
    assert!(threads.contains(": each for a mutex that the other one holds."), "{threads}");
    let place = served.place.path().join("locked");
    let processes = summary("files.service", &format!("exec {program} {}", place.display()));
    assert!(
        processes.contains("backup[") && processes.contains("rotate[") && !processes.contains("threads "),
        "{processes}"
    );
    assert!(processes.contains(": each for a lock of a file that the other one holds."), "{processes}");
}

#[test]
#[ignore = "needs root and BPF"]
fn who_killed_is_told_where_only_the_kernel_knows_it() {
    let scratch = Scratch::new();
    let program = compile(&scratch, "ended", &[]).display().to_string();
    let (thread, status) = summary_of_run(&[&program, "thread"]);
    assert_eq!(status, Some(3), "{thread}");
    assert!(thread.contains("] exited with 3"), "{thread}");
    assert!(
        thread.contains("Its thread ended[") && thread.contains("SIGSYS: its seccomp filter forbids chdir."),
        "{thread}"
    );
    let (process, status) = summary_of_run(&[&program, "process"]);
    assert_eq!(status, Some(128 + libc::SIGSYS), "{process}");
    assert!(process.contains("SIGSYS") && process.contains("seccomp filter forbids chdir"), "{process}");
    // What the kernel has put back where a result would stand is none.
    let whole = Command::new(TRACELOOP).args(["run", "--", &program, "process"]).output().expect("run it");
    let whole = String::from_utf8_lossy(&whole.stdout).into_owned();
    let last = whole.lines().find(|line| line.contains("its last call: chdir(")).unwrap_or_else(|| panic!("{whole}"));
    assert!(last.ends_with("chdir(\"/\") = ?"), "{last}");
    let line = whole.lines().find(|line| line.contains("] chdir(")).unwrap_or_else(|| panic!("{whole}"));
    assert!(line.ends_with("chdir(\"/\") = ?"), "{line}");
    let (orphan, _) = summary_of_run(&["sh", "-c", &format!("{program} orphan; sleep 0.3")]);
    assert!(orphan.contains("SIGTERM, which it gets when its parent ends (PR_SET_PDEATHSIG), as ended["), "{orphan}");
    for signal in [40, libc::SIGVTALRM, libc::SIGIO, libc::SIGPWR] {
        let (told, status) = summary_of_run(&["sh", "-c", &format!("kill -{signal} $$")]);
        assert_eq!(status, Some(128 + signal), "{told}");
        let name = traceloop::model::signal_name(signal);
        assert!(told.contains(&format!("sent itself {name} and died of it")), "{told}");
    }
}

/// A cgroup with a limit for memory, by whichever controller this machine has; or why there is none.
fn limited(megabytes: u64) -> Result<std::path::PathBuf, String> {
    let mounts = fs::read_to_string("/proc/self/mounts").expect("read the mounts");
    let mut mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?, words.next()?))
    });
    let of_v2 = |place: &&str| {
        fs::read_to_string(format!("{place}/cgroup.subtree_control")).is_ok_and(|enabled| enabled.contains("memory"))
    };
    let (at, limit) = mounts
        .find_map(|(place, kind, options)| match kind {
            "cgroup" if options.split(',').any(|option| option == "memory") => Some((place, "memory.limit_in_bytes")),
            "cgroup2" => Some(place).filter(of_v2).map(|place| (place, "memory.max")),
            _ => None,
        })
        .ok_or("no hierarchy of cgroups has the memory controller enabled")?;
    let path = std::path::Path::new(at).join(format!("traceloop-oom-{}", std::process::id()));
    fs::create_dir(&path).map_err(|error| format!("{} cannot be made: {error}", path.display()))?;
    fs::write(path.join(limit), (megabytes << 20).to_string()).expect("limit its memory");
    // What does not fit must not go elsewhere.
    let _ = fs::write(path.join("memory.swap.max"), "0");
    Ok(path)
}

#[test]
#[ignore = "needs root and BPF"]
fn the_oom_killer_is_named() {
    let place = match limited(32) {
        Ok(place) => place,
        Err(why) => return println!("  not tried: {why}"),
    };
    let script =
        format!("echo $$ > {}/cgroup.procs; exec dd bs=300M count=1 if=/dev/zero of=/dev/null", place.display());
    let (told, status) = summary_of_run(&["sh", "-c", &script]);
    let _ = fs::remove_dir(&place);
    assert_eq!(status, Some(128 + libc::SIGKILL), "{told}");
    let name = place.file_name().expect("a name").display().to_string();
    let wanted = format!(
        "was killed by SIGKILL: the kernel's OOM killer chose it when cgroup /{name} was at its limit of 32 MiB for memory"
    );
    assert!(told.contains(&wanted), "{told}");
    // Who may not read the kernel's log has no more than the kernel side says.
    let place = limited(32).expect("there was one before");
    let script = format!("echo $$ > {}/cgroup.procs; exec dd bs=300M count=1 if=/dev/zero", place.display());
    let output = Command::new("setpriv")
        .args(["--bounding-set", "-syslog", TRACELOOP, "run", "--", "sh", "-c", &script])
        .output()
        .expect("run it");
    let _ = fs::remove_dir(&place);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_restricted = fs::read_to_string("/proc/sys/kernel/dmesg_restrict").is_ok_and(|set| set.trim() == "1");
    let wanted = if is_restricted {
        "when memory ran out; whether the machine's or what a cgroup may use is not in the record"
    } else {
        "was at its limit of 32 MiB for memory"
    };
    assert!(text.contains(wanted), "{text}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_worker_of_a_busy_server_that_crashes_is_in_its_dump() {
    let served = Served::start("", "tail = \"200ms\"");
    let group = served.cgroup_with_rings("nginx.service");
    let place = served.place.path();
    let port = 20_000 + std::process::id() % 10_000;
    let config = place.join("nginx.conf");
    let text = format!(
        "daemon off;\npid {0}/nginx.pid;\nerror_log {0}/error.log;\nworker_processes 1;\nuser root;\nevents {{}}\n\
         http {{ access_log off; server {{ listen 127.0.0.1:{port}; location / {{ return 200 ok; }} }} }}\n",
        place.display()
    );
    fs::write(&config, text).expect("write the configuration");
    let nginx = group.command(&format!("exec nginx -c {}", config.display())).spawn().expect("start nginx");
    let mut running = Running(vec![nginx]);
    wait_until("nginx to listen", || {
        std::net::TcpStream::connect(("127.0.0.1", u16::try_from(port).expect("a port"))).is_ok()
    });
    let url = format!("http://127.0.0.1:{port}/");
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", "-c20", "-d6s", &url]).stdout(Stdio::null()).stderr(Stdio::null());
    running.0.push(wrk.spawn().expect("start wrk"));
    sleep(Duration::from_secs(2));
    let master = running.0[0].id();
    let children = fs::read_to_string(format!("/proc/{master}/task/{master}/children")).expect("its workers");
    let worker: i32 = children.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("a worker");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(worker), nix::sys::signal::Signal::SIGSEGV).expect("kill it");
    let stored = served.wait_for_stored(1);
    let dump = super::served::shown(&stored[0]);
    let of_worker = dump.lines().filter(|line| line.starts_with(&format!("{worker} "))).count();
    assert!(of_worker > 100, "{of_worker} lines of {worker} of {}", dump.lines().count());
    assert!(dump.contains(&format!("{worker} ")) && dump.contains("+++ killed by SIGSEGV"), "{of_worker}");
    let told = info(&served, group.name());
    assert!(told.contains(&format!("nginx[{worker}] was killed by SIGSEGV")), "{told}");
    let ended = running.0[0].try_wait().expect("look at nginx");
    assert!(ended.is_none_or(|status| status.signal().is_none()), "the master goes on");
}
