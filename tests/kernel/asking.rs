//! Views of what the daemon records: who may be anybody in the group, and what they cost when they go.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use super::{
    served::{Group, Served},
    support::TRACELOOP,
};

/// Some calls of a kind, again and again.
const BUSY: &str = "exec python3 -c 'import os, time\nfor _ in range(200):\n for _ in range(100): os.getppid()\n \
                    for _ in range(7): os.access(\"/nonexistent/x\", 0)\n time.sleep(0.05)'";

fn busy(group: &Group) -> std::process::Child {
    let child = group.command(BUSY).spawn().expect("start it");
    sleep(Duration::from_millis(500));
    child
}

fn end(mut child: std::process::Child) {
    child.kill().expect("end it");
    child.wait().expect("wait for it");
}

/// Threads of the daemon that count.
fn counting(served: &Served) -> usize {
    let tasks = fs::read_dir(format!("/proc/{}/task", served.pid())).expect("its threads").flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.trim_end() == "counting").count()
}

#[track_caller]
fn wait_for_counting(served: &Served, wanted: usize) {
    let until = Instant::now() + Duration::from_secs(30);
    while counting(served) != wanted {
        assert!(Instant::now() < until, "{} count instead of {wanted}: {}", counting(served), served.log());
        sleep(Duration::from_millis(50));
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn top_asks_the_daemon() {
    let served = Served::start("", "");
    let (group, other) = (served.cgroup("top.service"), served.cgroup("other.service"));
    let children = [busy(&group), busy(&other)];
    let rows = |args: &[&str]| -> Vec<serde_json::Value> {
        let text = served.told(&[&["top", "--json", "--once", "--delay", "0.5"], args].concat());
        text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
    };
    let calls = rows(&[group.name(), "--by", "call"]);
    let of =
        |name: &str| calls.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name}: {calls:?}"));
    let (getppid, access) = (of("getppid"), of("access"));
    let count = |row: &serde_json::Value, of: &str| row[of].as_u64().expect("a number");
    assert!(count(getppid, "calls") > 100 && count(getppid, "errors") == 0, "{calls:?}");
    assert!(count(access, "calls") > 7 && count(access, "errors") == count(access, "calls"), "{calls:?}");
    let units = rows(&[]);
    for name in [group.name(), other.name()] {
        assert!(units.iter().any(|row| row["name"] == name), "{name} is not in {units:?}");
    }
    let processes = rows(&[group.name(), "--by", "process"]);
    assert!(processes.len() == 1 && processes[0]["name"] == "python3", "{processes:?}");
    assert!(processes[0]["unit"] == group.name(), "{processes:?}");
    // A table for people, too.
    let table = served.told(&["top", "--once", "--by", "call", "--delay", "0.2", group.name()]);
    assert!(table.starts_with("   calls/s") && table.contains("getppid"), "{table}");
    // No traceloop of the clients counts by itself: the daemon did, and has stopped.
    wait_for_counting(&served, 0);
    let unknown = served.verb(&["top", "--once", "nonsense.service"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("nonsense.service"), "{unknown:?}");
    children.into_iter().for_each(end);
}

#[test]
#[ignore = "needs root and BPF"]
fn a_client_that_goes_or_stalls_ends_its_counting() {
    let served = Served::start("", "");
    let ask = |every: &str| {
        let mut stream = UnixStream::connect(served.socket()).expect("connect");
        let request = format!("GET /v1/counts?every={every} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("ask");
        let mut head = [0; 15];
        stream.read_exact(&mut head).expect("an answer");
        (stream, String::from_utf8_lossy(&head).into_owned())
    };
    // An hour to the next reading: that it is gone is seen all the same.
    let gone = ask("3600");
    assert_eq!(gone.1, "HTTP/1.1 200 OK");
    wait_for_counting(&served, 1);
    drop(gone);
    wait_for_counting(&served, 0);
    let clients: Vec<_> = (0..4).map(|_| ask("0.05")).collect();
    assert!(clients.iter().all(|(_, head)| head == "HTTP/1.1 200 OK"), "{clients:?}");
    let (_, one_too_many) = ask("1");
    assert_eq!(one_too_many, "HTTP/1.1 503 Se");
    // They take nothing; others are answered meanwhile.
    let began = Instant::now();
    served.told(&["ps"]);
    println!("ps beside four that count: {:?}", began.elapsed());
    drop(clients);
    wait_for_counting(&served, 0);
}

#[test]
#[ignore = "needs root and BPF"]
fn only_slow_calls_are_followed() {
    let served = Served::start("", "");
    let group = served.cgroup("slow.service");
    let mut follower = Command::new(TRACELOOP)
        .args(["follow", group.name(), "--format", "strace", "--duration", "200ms", "--socket"])
        .arg(served.socket())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("follow");
    let mut ready = String::new();
    BufReader::new(follower.stderr.take().expect("stderr")).read_line(&mut ready).expect("it says that it follows");
    assert!(ready.starts_with("following "), "{ready}");
    let status = group.command("cat /etc/hostname; sleep 0.3; cat /nonexistent; sleep 0.4").status();
    assert_eq!(status.expect("run it").code(), Some(0));
    sleep(Duration::from_secs(2));
    let pid = nix::unistd::Pid::from_raw(i32::try_from(follower.id()).expect("a pid"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("end it");
    let mut text = String::new();
    follower.stdout.take().expect("stdout").read_to_string(&mut text).expect("what it told");
    assert!(follower.wait().expect("wait for it").success());
    let naps = text.lines().filter(|line| line.contains("nanosleep(") && line.contains("= 0 <")).count();
    assert_eq!(naps, 2, "{text}");
    assert!(!text.contains("+++ exited with 1 +++"), "cat made no such call: {text}");
    for fast in ["openat(", "read(", "mmap(", "close("] {
        assert!(!text.contains(fast), "{fast} in {text}");
    }
    // How they ended is told, too.
    assert!(text.contains("+++ exited with 0 +++"), "{text}");
}

#[test]
#[ignore = "needs root and BPF"]
fn stats_counts_what_is_recorded_now() {
    let served = Served::start("", "");
    let group = served.cgroup("stats.service");
    group.command("exec cat /etc/hostname /nonexistent").status().expect("run it");
    let table = served.told(&["stats", "--by", "process", "--errno-summary", group.name()]);
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(lines.iter().any(|line| line.first() == Some(&"cat")), "{table}");
    assert!(lines.iter().any(|line| line.first() == Some(&"openat")), "{table}");
    assert!(lines.iter().any(|line| line.last() == Some(&"ENOENT")), "{table}");
    // strace's form, alone and behind ours.
    let (alone, both) = (served.told(&["stats", "-c", group.name()]), served.told(&["stats", "-C", group.name()]));
    assert!(alone.starts_with("% time     seconds  usecs/call     calls    errors syscall"), "{alone}");
    assert!(both.contains("stddev") && both.contains("% time     seconds"), "{both}");
    // A dump that is stored is meant where that is said, and where nothing is recorded by that name.
    let id = served.told(&["dump", "--save", group.name()]);
    let store = served.place.path().join("store").display().to_string();
    let stored = served.told(&["stats", "--directory", &store, id.trim()]);
    assert!(stored.contains("openat"), "{stored}");
    let none = served.verb(&["stats", "--stored", "--directory", "/nonexistent", group.name()]);
    assert_eq!(none.status.code(), Some(1), "{none:?}");
}

#[test]
#[ignore = "needs root and BPF"]
fn windows_are_right_however_often_they_are_asked_for() {
    let served = Served::start("", "");
    let group = served.cgroup("window.service");
    let window = || -> (f64, u64, u64) {
        let text = served.told(&["ps", "--json", group.name()]);
        let track: serde_json::Value = serde_json::from_str(text.trim()).expect("one object");
        let number = |name: &str| track[name].as_u64().expect("a number");
        (track["window"].as_f64().expect("a number"), number("records"), number("overwritten"))
    };
    let (_, records, overwritten) = window();
    assert_eq!((records, overwritten), (0, 0));
    let child = busy(&group);
    sleep(Duration::from_secs(1));
    end(child);
    // A dump has looked at every record; the list must say the same, at once and when it knows already.
    let dump = served.told(&["dump", group.name(), "--format", "json"]);
    let head: serde_json::Value = serde_json::from_str(dump.lines().next().expect("a first line")).expect("an object");
    let told = &head["window"];
    let (asked, again) = (window(), window());
    assert_eq!((asked.1, asked.2), (again.1, again.2));
    assert!(asked.1 > 1000, "{asked:?}");
    assert_eq!(told["overwritten"].as_u64(), Some(asked.2), "{told}");
    assert_eq!(told["records"].as_u64(), Some(asked.1 - asked.2), "{told} {asked:?}");
    // More is written: it is looked at anew.
    let child = busy(&group);
    end(child);
    served.told(&["dump", group.name(), "--format", "json", "-n", "1"]);
    assert!(window().1 > asked.1, "{:?} after {asked:?}", window());
}

/// Calls that ended, with those that threads died in, are counted the same by all who say how many there are.
#[test]
#[ignore = "needs root and BPF"]
fn every_count_is_the_same() {
    let served = Served::start("", "status = false");
    let group = served.cgroup("counted.service");
    let script = "sleep 60 & sleep 0.2; kill $!; cat /nonexistent; sleep 60 & exec true";
    group.command(script).status().expect("run it");
    let store = served.place.path().join("store").display().to_string();
    let id = served.told(&["dump", "--save", group.name()]).trim().to_owned();
    let in_store = |args: &[&str]| served.told(&[args, &["-D", &store, &id]].concat());
    let list: serde_json::Value = serde_json::from_str(&in_store(&["list", "--json"])).expect("an object");
    let (calls, failed) = (list["calls"].as_u64().expect("a number"), list["failed"].as_u64().expect("a number"));
    let shown = in_store(&["show", "--json"]);
    let shown: Vec<serde_json::Value> =
        shown.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    let shown: Vec<_> = shown.iter().filter(|line| line["type"] == "call").collect();
    let is = |call: &serde_json::Value, word: &str| call[word] == true;
    let never = |call: &serde_json::Value| call["result"] == "?" && !is(call, "died");
    let ended: Vec<_> =
        shown.iter().filter(|call| !(is(call, "in_flight") || is(call, "end_missing") || never(call))).collect();
    let wrong = |call: &serde_json::Value| {
        call["errno"].is_string()
            || is(call, "died")
            || call["result"].as_str().is_some_and(|text| text.starts_with("? "))
    };
    // The sleep that was killed returned to nobody.
    let interrupted = ended.iter().any(|call| wrong(call) && !call["errno"].is_string());
    assert!(interrupted && ended.len() < shown.len(), "{shown:?}");
    assert_eq!(ended.len() as u64, calls);
    assert_eq!(ended.iter().filter(|call| wrong(call)).count() as u64, failed);
    let info = in_store(&["info"]);
    assert!(info.contains(&format!("Calls: {calls}, {failed} of them failed\n")), "{info}");
    let text = in_store(&["show"]);
    let footer = format!("# {calls} calls, and {} without an end", shown.len() - ended.len());
    assert!(text.lines().any(|line| line == footer), "{footer} is not in {text}");
    let page = in_store(&["show", "--format", "html"]);
    assert!(page.contains(&format!("\"calls\":{calls},\"failed\":{failed},\"endless\":")), "{footer}");
}

/// What a line is completed to, as bash does it with what the package brings.
fn offered(served: &Served, line: &str) -> String {
    let script = "source <(\"$0\" completions bash); traceloop() { \"$TRACELOOP\" \"$@\"; }; \
                  COMP_LINE=$1 COMP_POINT=${#1}; _traceloop; echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash")
        .args(["--norc", "-c", script, TRACELOOP, line])
        .env("TRACELOOP", TRACELOOP)
        .env("TRACELOOP_SOCKET", served.socket())
        .env("TRACELOOP_DIRECTORY", served.store())
        .output()
        .expect("run bash");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
#[ignore = "needs root and BPF"]
fn what_is_recorded_is_offered_and_conditions_choose_from_it() {
    let served = Served::start("buffer-size = \"64M\"\nmemory-max = \"64M\"", "");
    assert!(served.log().contains("smaller than buffer-size"), "{}", served.log());
    let group = served.cgroup("offered.service");
    let program = "exec python3 -c 'import os, time\nwhile True:\n os.access(\"/nonexistent/x\", 0)\n os.getppid()\n time.sleep(0.01)'";
    let child = group.command(program).spawn().expect("start it");
    let name = group.name();
    assert_eq!(offered(&served, &format!("traceloop dump {}", &name[..name.len() - 9])).trim(), name);
    let condition = r#"syscall == "access" && errno == "ENOENT" && path.startsWith("/nonex")"#;
    let until = Instant::now() + Duration::from_secs(30);
    let dumped = loop {
        let dumped = served.told(&["dump", name, "--format", "strace", "--where", condition]);
        if dumped.contains("access(") || Instant::now() > until {
            break dumped;
        }
        sleep(Duration::from_millis(100));
    };
    assert!(dumped.contains("access(\"/nonexistent/x\"") && !dumped.contains("getppid"), "{dumped}");
    let mut follower = Command::new(TRACELOOP)
        .args(["follow", name, "--format", "json", "--where", r#"syscall == "access" && ret == -1"#, "--socket"])
        .arg(served.socket())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("follow it");
    let lines = BufReader::new(follower.stdout.take().expect("a pipe")).lines();
    for line in lines.take(20) {
        let line = line.expect("a line");
        assert!(line.contains("\"access\""), "{line}");
    }
    end(follower);
    end(child);
}
