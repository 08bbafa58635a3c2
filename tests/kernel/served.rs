//! A daemon of its own for one test: it records only cgroups whose names begin as the test's do.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

use traceloop::{control::Client, keeper::Keeper};

use super::support::{Scratch, TRACELOOP, cgroup_root, compile};

/// A running daemon with its socket, its store and its cgroups.
pub(crate) struct Served {
    child: Option<Child>,
    pub(crate) place: tempfile::TempDir,
    prefix: String,
}

impl Served {
    /// `record` and `triggers` are lines of those parts of the configuration.
    pub(crate) fn start(record: &str, triggers: &str) -> Self {
        Self::start_with("", record, triggers)
    }

    /// With lines at the top of the configuration, too.
    pub(crate) fn start_with(top: &str, record: &str, triggers: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("traceloop-daemon-{}-{}-", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let place = tempfile::tempdir().expect("a directory");
        let shown = place.path().display();
        // Storms are to be complete, unless a test is about what they may cost.
        let overhead = if record.contains("max-overhead") { "" } else { "max-overhead = \"none\"" };
        let config = format!(
            "socket = \"{shown}/sock\"\n{top}\n[record]\ninclude = [\"{prefix}*\"]\n{overhead}\n{record}\n\
             [store]\ndirectory = \"{shown}/store\"\nmax-use = \"1G\"\nkeep-free = \"1M\"\n[triggers]\n{triggers}\n"
        );
        fs::write(place.path().join("config"), config).expect("write the configuration");
        let mut served = Self { child: None, place, prefix };
        served.run();
        served
    }

    /// Ends it as nobody wants to be ended.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("kill the daemon");
        child.wait().expect("wait for it");
    }

    /// Starts it again.
    pub(crate) fn run(&mut self) {
        let log = fs::File::create(self.place.path().join("log")).expect("a log");
        let child = Command::new(TRACELOOP)
            .args(["serve", "--config"])
            .arg(self.place.path().join("config"))
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("start the daemon");
        self.child = Some(child);
        let until = Instant::now() + Duration::from_secs(60);
        while !self.log().contains("recording") {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().expect("look at the daemon"));
            assert!(ended.is_none(), "the daemon ended before it was ready: {}", self.log());
            assert!(Instant::now() < until, "the daemon does not get ready: {}", self.log());
            sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// What it said so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.place.path().join("log")).unwrap_or_default()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.place.path().join("sock")
    }

    /// Where it stores dumps.
    pub(crate) fn store(&self) -> String {
        self.place.path().join("store").display().to_string()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.socket())
    }

    /// Runs a verb of the command line against it.
    pub(crate) fn verb(&self, args: &[&str]) -> Output {
        let mut command = Command::new(TRACELOOP);
        command.args(args).arg("--socket").arg(self.socket()).stdin(Stdio::null());
        command.output().expect("run traceloop")
    }

    /// The same, which has to succeed: what it printed.
    #[track_caller]
    pub(crate) fn told(&self, args: &[&str]) -> String {
        let output = self.verb(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {stderr}\n{}", self.log());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What its socket answers to a GET, which has to succeed.
    pub(crate) fn asked(&self, path: &str) -> String {
        let mut command = Command::new("curl");
        command.args(["-s", "--fail", "--unix-socket"]).arg(self.socket()).arg(format!("http://localhost{path}"));
        let output = command.output().expect("run curl");
        assert!(output.status.success(), "{path}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What a cgroup of this test is called.
    pub(crate) fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A cgroup that it records.
    pub(crate) fn cgroup(&self, name: &str) -> Group {
        let path = cgroup_root().join(self.named(name));
        fs::create_dir(&path).expect("make a cgroup: run as root");
        Group { path }
    }

    /// The same with rings of its own: cgroups that others make on this machine take slots, too, and a test that makes
    /// hundreds of them takes each one that gets ready for as long as it runs.
    pub(crate) fn cgroup_with_rings(&self, name: &str) -> Group {
        let until = Instant::now() + Duration::from_secs(120);
        let tries = (0..).take_while(|_| Instant::now() < until);
        let mut groups =
            tries.inspect(|_| sleep(Duration::from_millis(20))).map(|n| self.cgroup(&format!("{n}{name}")));
        groups.find(|group| self.has_rings(group.name())).expect("a slot is ready")
    }

    /// Whether what TARGET means does not share the lobby.
    pub(crate) fn has_rings(&self, target: &str) -> bool {
        let track: serde_json::Value = serde_json::from_str(&self.told(&["ps", "--json", target])).expect("an object");
        track["shared"] == false
    }

    /// The dumps that it has stored.
    pub(crate) fn stored(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.place.path().join("store")).into_iter().flatten().flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        paths
    }

    /// Waits until so many dumps are stored.
    #[track_caller]
    pub(crate) fn wait_for_stored(&self, count: usize) -> Vec<PathBuf> {
        let until = Instant::now() + Duration::from_secs(10);
        while self.stored().len() < count {
            assert!(Instant::now() < until, "{:?} only: {}", self.stored(), self.log());
            sleep(Duration::from_millis(20));
        }
        self.stored()
    }

    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.pid()).expect("a pid"));
        nix::sys::signal::kill(pid, signal).expect("signal the daemon");
    }

    /// Ends it politely.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        self.signal(nix::sys::signal::Signal::SIGTERM);
        let status = self.child.take().expect("it runs").wait().expect("wait for the daemon");
        assert!(status.success(), "{status}: {}", self.log());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if let Ok(Some(keeper)) = Keeper::connect(&self.socket().with_file_name("keeper.sock")) {
            let _ = keeper.end();
        }
    }
}

/// A cgroup of a test.
pub(crate) struct Group {
    pub(crate) path: PathBuf,
}

impl Group {
    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).expect("a name")
    }

    /// A shell that joins it and then becomes the command.
    pub(crate) fn command(&self, command: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("echo $$ > {}; {command}", self.path.join("cgroup.procs").display()));
        shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Where the test runner looks for libraries is no business of theirs, and fills their rings.
        shell.env_remove("LD_LIBRARY_PATH");
        shell
    }

    /// Starts numbered calls on one CPU; `how`: for so many seconds, and with so many microseconds between.
    pub(crate) fn numbers(&self, scratch: &Scratch, how: &str) -> Child {
        let program = compile(scratch, "offsets", &[]);
        let child = self.command(&format!("exec taskset -c 0 {} {how}", program.display())).spawn();
        child.expect("start numbered calls")
    }

    /// One below it.
    pub(crate) fn below(&self, name: &str) -> Self {
        let path = self.path.join(name);
        fs::create_dir_all(&path).expect("make a cgroup below");
        Self { path }
    }

    /// Removes it, as systemd does when a unit has ended.
    pub(crate) fn remove(&self) {
        let until = Instant::now() + Duration::from_secs(5);
        while fs::remove_dir(&self.path).is_err() && self.path.exists() {
            assert!(Instant::now() < until, "{} is not empty", self.path.display());
            sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::write(self.path.join("cgroup.kill"), "1");
        for _ in 0..200 {
            if fs::remove_dir(&self.path).is_ok() || !self.path.exists() {
                return;
            }
            sleep(Duration::from_millis(10));
        }
    }
}

/// A dump file in strace's form.
pub(crate) fn shown(file: &Path) -> String {
    let output = Command::new(TRACELOOP).arg("show").arg(file).args(["--format", "strace"]).output().expect("show");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
