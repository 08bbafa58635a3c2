//! What makes a test a sentence: `Scratch::new(way).run("cat /nonexistent").has("openat(")`.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread::{self, JoinHandle, sleep},
    time::{Duration, Instant},
};

/// Options for each way in which the kernel side can find tracks and threads: all features, and the
/// fall-backs of older kernels.
const ALL_WAYS: [&[&str]; 6] = [
    &[],
    &["--without", "cgroup-storage"],
    &["--without", "cgroup-storage", "--without", "task-storage"],
    &["--without", "task-registers"],
    &["--without", "typed-task"],
    &["--without", "typed-tracepoints"],
];

/// All of them, or the kernel's own only, where TRACELOOP_TEST_WAYS is `own`: other kernels have the others.
pub(crate) struct Ways;

pub(crate) const WAYS: Ways = Ways;

impl IntoIterator for Ways {
    type Item = &'static [&'static str];
    type IntoIter = std::iter::Take<std::array::IntoIter<Self::Item, 6>>;

    fn into_iter(self) -> Self::IntoIter {
        ALL_WAYS.into_iter().take(if own_way_only() { 1 } else { ALL_WAYS.len() })
    }
}

/// Whether this is an emulated machine with a kernel that has its own way, and little time.
pub(crate) fn own_way_only() -> bool {
    env::var_os("TRACELOOP_TEST_WAYS").is_some_and(|ways| ways == "own")
}

pub(crate) const TRACELOOP: &str = env!("CARGO_BIN_EXE_traceloop");

/// Where the v2 tree is mounted.
pub(crate) fn cgroup_root() -> PathBuf {
    traceloop::cgroup::v2_mount().expect("a cgroup v2 tree").point
}

/// A cgroup of its own for one test, and a directory for its files.
pub(crate) struct Scratch {
    pub(crate) cgroup: PathBuf,
    pub(crate) files: tempfile::TempDir,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("traceloop-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let cgroup = cgroup_root().join(name);
        fs::create_dir(&cgroup).expect("make a cgroup: run as root");
        Self { cgroup, files: tempfile::tempdir().expect("a directory") }
    }

    /// Starts recording this cgroup; returns once every call is recorded.
    pub(crate) fn record(&self, options: &[&str]) -> Recording {
        Recording::start(
            &self.files.path().join("dump"),
            &[&["cgroups", "--dump-on-exit", "--format", "strace"], options].concat(),
            &[&self.cgroup],
        )
    }

    /// A shell that joins the cgroup and then becomes the command.
    pub(crate) fn command(&self, command: &str) -> Command {
        let mut shell = Command::new("sh");
        let procs = self.cgroup.join("cgroup.procs");
        shell.arg("-c").arg(format!("echo $$ > {}; exec {command}", procs.display()));
        shell
    }

    /// Records the cgroup while the command runs in it, and dumps.
    pub(crate) fn run(&self, way: &[&str], command: &str) -> Dump {
        let recording = self.record(&[&["--buffer-size", "4M"], way].concat());
        let output = self.command(command).stdin(Stdio::null()).output().expect("run the command");
        let _ = output;
        recording.dump()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::write(self.cgroup.join("cgroup.kill"), "1");
        for _ in 0..100 {
            let gone = remove(&self.cgroup);
            if gone {
                return;
            }
            sleep(Duration::from_millis(10));
        }
    }
}

fn remove(cgroup: &Path) -> bool {
    for entry in fs::read_dir(cgroup).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    fs::remove_dir(cgroup).is_ok() || !cgroup.exists()
}

/// Waits until it is so; what never happens is not a slow machine's.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(300);
    while !is_so() {
        assert!(Instant::now() < until, "{what}: not within 300 s");
        sleep(Duration::from_millis(20));
    }
}

/// Waits until a process goes by this name and sleeps in a call.
#[track_caller]
pub(crate) fn wait_asleep(child: &Child, comm: &str) {
    let stat = format!("/proc/{}/stat", child.id());
    let asleep = format!("({comm}) S ");
    wait_until(&asleep, || fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(&asleep)));
}

/// A running `traceloop cgroups`.
pub(crate) struct Recording {
    child: Option<Child>,
    file: PathBuf,
    /// What it says on stderr once it is ready.
    told: Arc<Mutex<String>>,
    listener: Option<JoinHandle<()>>,
    /// How much of the file was read, and how many dumps it told of then.
    read: (usize, usize),
}

/// Each dump in strace's form is told of so, once it is written. What was lost stands behind it, said in one breath.
const TOLD: &str = "traceloop: complete ";

impl Recording {
    pub(crate) fn start(file: &Path, options: &[&str], cgroups: &[&Path]) -> Self {
        let mut child = Command::new(TRACELOOP)
            .args(options)
            .arg("-o")
            .arg(file)
            .args(cgroups)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("start traceloop");
        let mut stderr = BufReader::new(child.stderr.take().expect("its stderr"));
        let mut line = String::new();
        loop {
            line.clear();
            let got = stderr.read_line(&mut line).expect("read the ready line");
            assert!(got > 0, "traceloop ended before it was ready: {:?}", child.wait());
            if line.starts_with("recording ") {
                break;
            }
        }
        let told = Arc::new(Mutex::new(String::new()));
        let listen = {
            let told = Arc::clone(&told);
            move || {
                while let Ok(said) = stderr.fill_buf()
                    && !said.is_empty()
                {
                    let length = said.len();
                    told.lock().expect("nobody panics with it").push_str(&String::from_utf8_lossy(said));
                    stderr.consume(length);
                }
            }
        };
        let listener = Some(thread::spawn(listen));
        Self { child: Some(child), file: file.to_owned(), told, listener, read: (0, 0) }
    }

    /// What it has said since it was ready.
    pub(crate) fn told(&self) -> String {
        self.told.lock().expect("nobody panics with it").clone()
    }

    /// A dump while the recording goes on, in strace's form.
    pub(crate) fn dump_now(&mut self) -> Dump {
        self.signal(nix::sys::signal::Signal::SIGUSR2);
        let (length, dumps) = self.read;
        wait_until("a dump", || self.told().matches(TOLD).count() > dumps);
        let text = fs::read_to_string(&self.file).expect("read the dump");
        self.read = (text.len(), dumps + 1);
        Dump { text: text[length..].to_owned(), told: self.told() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Sends a signal to the recorder.
    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.pid()).expect("a pid"));
        nix::sys::signal::kill(pid, signal).expect("signal traceloop");
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) {
        let status = self.child.take().expect("it runs").wait().expect("wait for traceloop");
        assert!(status.success(), "traceloop failed: {status}");
    }

    /// Ends the recording and reads what it dumped.
    pub(crate) fn dump(self) -> Dump {
        self.signal(nix::sys::signal::Signal::SIGINT);
        self.ended()
    }

    /// Waits until it has ended, and reads what it dumped.
    pub(crate) fn ended(mut self) -> Dump {
        let status = self.child.take().expect("it runs").wait().expect("wait for traceloop");
        assert!(status.success(), "traceloop failed: {status}");
        self.listener.take().expect("it listens").join().expect("its stderr");
        let text = fs::read_to_string(&self.file).expect("read the dump");
        Dump { text: text[self.read.0..].to_owned(), told: self.told() }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A dump in strace's form.
pub(crate) struct Dump {
    pub(crate) text: String,
    /// What it said on stderr meanwhile.
    pub(crate) told: String,
}

impl Dump {
    /// Whether some line holds this text.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.text.lines().any(|line| line.contains(text))
    }

    /// Asserts that the recorder said that nothing is missing but what may be here. Then it is said, and is of that alone.
    #[track_caller]
    pub(crate) fn must_be_complete(&self) {
        let lost = || self.told.lines().filter(|line| line.starts_with("traceloop: lost "));
        let missed = lost().count() > 0 && lost().all(may_be_lost);
        let how = if missed { "with losses" } else { "nothing lost" };
        let complete = self.told.contains(&format!("complete since the recording began, {how}"));
        assert!(complete, "{:?}", self.told);
    }

    /// How many lines hold this text.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.text.lines().filter(|line| line.contains(text)).count()
    }

    /// Asserts that some line holds this text; shows the dump otherwise.
    #[track_caller]
    pub(crate) fn must_have(&self, text: &str) -> &Self {
        assert!(self.has(text), "no line holds {text:?} in:\n{}", self.text);
        self
    }
}

/// Whether a loss is one that there may be: where the kernel lets programs be preempted, of what they write of processes
/// (systemd/man/traceloop-kernels.7.md).
pub(crate) fn may_be_lost(line: &str) -> bool {
    let preempts = traceloop::kernel::preempts_programs().expect("the kernel's release");
    preempts && line.contains(": the program on_") && line.ends_with(" was running already on that CPU")
}

/// Compiles a C program of tests/kernel/programs, unless TRACELOOP_TEST_PROGRAMS says where they are.
pub(crate) fn compile(scratch: &Scratch, name: &str, flags: &[&str]) -> PathBuf {
    if let Some(compiled) = env::var_os("TRACELOOP_TEST_PROGRAMS") {
        return Path::new(&compiled).join(name);
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernel/programs").join(name).with_extension("c");
    let program = scratch.files.path().join(name);
    let status = Command::new("gcc")
        .args(["-O1", "-pthread", "-o"])
        .arg(&program)
        .arg(source)
        .args(flags)
        .status()
        .expect("run gcc");
    assert!(status.success(), "gcc {name}");
    program
}
