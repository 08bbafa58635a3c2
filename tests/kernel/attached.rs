//! Processes that are there already are recorded where they are: with all threads and new children, and nobody else.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use traceloop::{
    recorder::{Budget, Recorder, Settings, Subject},
    syscall::plan::Wanted,
};

use super::{
    parity::share,
    support::{Recording, Scratch, TRACELOOP, WAYS, compile, wait_until},
};

/// A shell that runs each line that it is told, and says when it has.
struct Shell {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Shell {
    fn start(scratch: &Scratch) -> Self {
        let script = scratch.files.path().join("orders.sh");
        fs::write(&script, "while read line; do eval \"$line\"; echo done; done\nexit 5\n").expect("write the script");
        let mut child = scratch
            .command(&format!("sh {}", script.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start a shell");
        let answers = BufReader::new(child.stdout.take().expect("its stdout"));
        let mut shell = Self { orders: child.stdin.take(), child, answers };
        shell.run("true");
        shell
    }

    /// Has it run a line; what that said.
    fn run(&mut self, line: &str) -> String {
        writeln!(self.orders.as_mut().expect("it is told more"), "{line}").expect("tell it");
        let mut said = String::new();
        loop {
            let mut answer = String::new();
            assert!(self.answers.read_line(&mut answer).expect("listen to it") > 0, "it has ended");
            if answer == "done\n" {
                return said;
            }
            said += &answer;
        }
    }

    fn pid(&self) -> String {
        self.child.id().to_string()
    }

    fn end(&mut self) {
        drop(self.orders.take());
        self.child.wait().expect("wait for it");
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.end();
    }
}

/// Records processes; returns once every call is recorded.
fn attach(scratch: &Scratch, pids: &[&str], options: &[&str]) -> Recording {
    let fixed = &["run", "--format", "strace", "--buffer-size", "4M"][..];
    let pids: Vec<_> = pids.iter().flat_map(|pid| ["--pid", pid]).collect();
    Recording::start(&scratch.files.path().join("dump"), &[fixed, options, &pids].concat(), &[])
}

#[test]
#[ignore = "needs root and BPF"]
fn shells_and_their_children_are_recorded_and_their_neighbour_is_not() {
    for way in WAYS {
        let scratch = Scratch::new();
        let (mut one, mut two, mut neighbour) =
            (Shell::start(&scratch), Shell::start(&scratch), Shell::start(&scratch));
        one.run("/bin/true too-early");
        let recording = attach(&scratch, &[&one.pid(), &two.pid()], way);
        one.run("/bin/true of-the-first");
        two.run("sh -c '/bin/true of-a-grandchild; true'");
        neighbour.run("/bin/true of-the-neighbour");
        // What a process starts before it moves and after it has is recorded alike.
        let root = super::support::cgroup_root();
        one.run(&format!("echo $$ > {}/cgroup.procs; /bin/true has-moved", root.display()));
        let pids = [one.pid(), two.pid(), neighbour.pid()];
        one.end();
        two.end();
        // Nobody is left.
        let dump = recording.ended();
        for word in ["of-the-first", "of-a-grandchild", "has-moved"] {
            assert_eq!(dump.count(&format!("[\"/bin/true\", \"{word}\"]")), 1, "{way:?} {word}: {}", dump.text);
        }
        assert!(!dump.has("too-early") && !dump.has("of-the-neighbour"), "{way:?}: {}", dump.text);
        let told_of = |pid: &str| dump.text.lines().any(|line| line.starts_with(&format!("{pid} ")));
        assert_eq!(pids.each_ref().map(|pid| told_of(pid)), [true, true, false], "{way:?}: {}", dump.text);
        assert_eq!(dump.count("+++ exited with 5 +++"), 2, "{way:?}: {}", dump.text);
        dump.must_be_complete();
    }
}

/// The threads of a process that wait in read(2).
fn in_read(pid: u32) -> usize {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let calls = tasks.filter_map(|task| fs::read_to_string(task.path().join("syscall")).ok());
    calls.filter(|call| call.starts_with("0 ")).count()
}

#[test]
#[ignore = "needs root and BPF"]
fn every_thread_is_recorded_whoever_is_the_leader() {
    for way in WAYS {
        let scratch = Scratch::new();
        let program = compile(&scratch, "followed", &[]);
        let mut child =
            scratch.command(&program.display().to_string()).stdin(Stdio::piped()).spawn().expect("start the program");
        wait_until("both threads wait", || in_read(child.id()) == 2);
        let mut recording = attach(&scratch, &[&child.id().to_string()], &[&["-y"], way].concat());
        let before = recording.dump_now();
        // Older kernels do not tell the registers of a thread that waits.
        if !way.iter().any(|word| ["task-registers", "typed-task"].contains(word)) {
            assert_eq!(before.count("<pipe:["), 2, "{way:?}: {}", before.text);
            before.must_have(" read(0<pipe:[");
        }
        child.stdin.take().expect("a pipe").write_all(b"x").expect("wake it");
        assert_eq!(child.wait().expect("wait for it").code(), Some(3));
        let dump = recording.ended();
        for place in ["from-the-leader", "from-a-thread", "behind-execve", "without-the-leader", "of-a-child"] {
            assert_eq!(dump.count(&format!("access(\"/{place}\", F_OK)")), 1, "{way:?} {place}: {}", dump.text);
        }
        dump.must_have("+++ superseded by execve in pid ").must_have("+++ exited with 3 +++");
        dump.must_be_complete();
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn a_number_that_another_process_has_now_is_nobodys() {
    for way in WAYS {
        let scratch = Scratch::new();
        let program = compile(&scratch, "same_pid", &[]);
        let mut shell = Shell::start(&scratch);
        let recording = attach(&scratch, &[&shell.pid()], way);
        let mut taken = 0;
        for _ in 0..20 {
            let pid = shell.run("sh -c 'echo $$'");
            // Somebody else may have got the number.
            let made = Command::new(&program).arg(pid.trim()).status().expect("make a process");
            assert!([Some(0), Some(nix::libc::EEXIST)].contains(&made.code()), "{made}");
            taken += u32::from(made.success());
        }
        assert!(taken > 0, "no number could be had again");
        shell.run("/bin/true at-the-end");
        shell.end();
        let dump = recording.ended();
        assert!(!dump.has("in-anothers-place"), "{way:?}: {}", dump.text);
        dump.must_have("at-the-end").must_be_complete();
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn processes_that_have_ended_are_forgotten() {
    let scratch = Scratch::new();
    let mut shell = Shell::start(&scratch);
    let budget = Budget { ring: 256 << 10, total: 64 << 20 };
    let settings = Settings { wanted: Wanted::default(), budget, history: Default::default(), without: vec![] };
    let mut recorder = Recorder::prepare_following(&settings).expect("a recorder");
    recorder.follow(&[Subject::open(shell.child.id()).expect("the shell")]).expect("follow it");
    shell.run("for n in 1 2 3 4 5 6 7 8 9; do /bin/true | /bin/true; done");
    // They go when the kernel frees them, a little later.
    wait_until("its children are forgotten", || recorder.kernel().followed().len() == 1);
    assert!(recorder.follows_anybody());
    shell.end();
    wait_until("it is forgotten", || recorder.kernel().followed().is_empty());
    assert!(!recorder.follows_anybody());
    assert_eq!(recorder.kernel().counters().followed_full, 0);
}

#[test]
#[ignore = "needs root and BPF"]
fn what_io_uring_does_for_them_is_recorded() {
    for how in ["", "poll"] {
        let scratch = Scratch::new();
        let program = compile(&scratch, "uring", &[]);
        let (mut shell, mut neighbour) = (Shell::start(&scratch), Shell::start(&scratch));
        let options = ["run", "--format", "json", "--pid", &shell.pid()];
        let recording = Recording::start(&scratch.files.path().join("dump"), &options, &[]);
        neighbour.run(&format!("{} /etc/passwd {how} >/dev/null", program.display()));
        shell.run(&format!("{} /etc/hostname {how} >/dev/null", program.display()));
        shell.end();
        let dump = recording.ended();
        for step in ["submitted", "completed"] {
            assert_eq!(dump.count(&format!("\"step\":\"{step}\"")), 5, "{how}: {}", dump.text);
        }
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn lines_are_straces_that_is_attached_too() {
    let scratch = Scratch::new();
    let log = scratch.files.path().join("strace.log");
    let mut shell = Shell::start(&scratch);
    let mut strace = Command::new("strace")
        .args(["-f", "-ttt", "-T", "-p", &shell.pid(), "-o"])
        .arg(&log)
        .stderr(Stdio::null())
        .spawn()
        .expect("start strace");
    let status = format!("/proc/{}/status", shell.pid());
    wait_until("strace is attached", || {
        fs::read_to_string(&status).is_ok_and(|text| !text.contains("TracerPid:\t0\n"))
    });
    // It has taken the shell out of its call and put it back.
    wait_until("the shell reads again", || in_read(shell.child.id()) == 1);
    let recording = attach(&scratch, &[&shell.pid()], &[]);
    shell.run("ls -l / | sort | head -3 >/dev/null; cat /nonexistent 2>/dev/null; (exit 3)");
    shell.run("python3 -c 'import threading, os; t = threading.Thread(target=os.getppid); t.start(); t.join()'");
    shell.end();
    strace.wait().expect("wait for strace");
    let dump = recording.ended();
    dump.must_be_complete();
    let reference = String::from_utf8_lossy(&fs::read(&log).expect("strace's log")).into_owned();
    let (same, of, differences) = share(&reference, &dump.text);
    println!("{same} of {of} lines equal\n{differences}");
    assert!(of > 500 && same * 1000 >= of * 995, "{same} of {of} lines equal\n{differences}");
}

#[test]
#[ignore = "needs root and BPF"]
fn the_dump_says_whose_it_is() {
    let scratch = Scratch::new();
    let mut shell = Shell::start(&scratch);
    let run = |options: &[&str]| {
        let output =
            Command::new(TRACELOOP).args(["run", "--pid", &shell.pid()]).args(options).output().expect("run traceloop");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let text = run(&["--for", "100ms"]);
    let pid = shell.child.id();
    assert!(
        text.starts_with("# traceloop ")
            && text.lines().next().is_some_and(|line| line.contains(&format!(": sh[{pid}] on "))),
        "{text}"
    );
    let file = scratch.files.path().join("raw.dump");
    run(&["--for", "100ms", "--format", "raw", "-o", file.to_str().expect("a path")]);
    let shown = Command::new(TRACELOOP).args(["show", "--format", "json"]).arg(&file).output().expect("show it");
    let text = String::from_utf8_lossy(&shown.stdout);
    let head: serde_json::Value = serde_json::from_str(text.lines().next().unwrap_or_default()).expect("an object");
    assert_eq!(head["followed"], serde_json::json!([{ "tid": pid, "pid": pid, "comm": "sh" }]), "{head}");
    assert_eq!((&head["cgroups"], &head["cause"]), (&serde_json::json!([]), &serde_json::json!("exit")), "{head}");
    shell.end();
}

/// One line on stderr with these words, and that exit code.
#[track_caller]
fn refused(command: &mut Command, code: i32, words: &[&str]) {
    let output = command.output().expect("run traceloop");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert!(code == 2 || told.lines().count() == 1, "{told}");
    words.iter().for_each(|word| assert!(told.contains(word), "{word:?} is not in {told}"));
    assert!(output.stdout.is_empty());
}

#[test]
#[ignore = "needs root and BPF"]
fn what_cannot_be_recorded_is_told_in_one_line() {
    let scratch = Scratch::new();
    let run = |args: &[&str]| {
        let mut command = Command::new(TRACELOOP);
        command.arg("run").args(args);
        command
    };
    let mut shell = Shell::start(&scratch);
    let pid = shell.pid();
    refused(&mut run(&["--pid", "5000000"]), 1, &["there is no process 5000000"]);
    refused(&mut run(&["--pid", &pid, "--pid", "5000000"]), 1, &["there is no process 5000000"]);
    refused(&mut run(&["--pid", "0"]), 2, &["--pid"]);
    refused(&mut run(&["--pid", &pid, "--", "true"]), 2, &["cannot be used with"]);
    refused(&mut run(&[]), 2, &["COMMAND"]);
    refused(&mut run(&["--for", "1s", "--", "true"]), 2, &["--for", "cannot be used with"]);
    if fs::read_to_string("/proc/2/comm").is_ok_and(|comm| comm == "kthreadd\n") {
        refused(&mut run(&["--pid", "2"]), 1, &["2 is a thread of the kernel"]);
    }
    // A process that its parent has not asked for yet.
    let mut ended = Command::new("true").spawn().expect("start a process");
    let stat = format!("/proc/{}/stat", ended.id());
    wait_until("it has ended", || fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") Z ")));
    refused(&mut run(&["--pid", &ended.id().to_string()]), 1, &["has ended"]);
    ended.wait().expect("wait for it");
    let mut unprivileged = Command::new("setpriv");
    unprivileged
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all", TRACELOOP])
        .args(["run", "--pid", &pid]);
    refused(&mut unprivileged, 1, &["run as root, or with CAP_BPF and CAP_PERFMON"]);
    let mut elsewhere = Command::new("unshare");
    elsewhere.args(["--pid", "--fork", "--mount-proc", TRACELOOP, "run", "--pid", "1"]);
    refused(&mut elsewhere, 1, &["pid namespace", "on the host"]);
    shell.end();
}
