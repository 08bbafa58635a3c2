//! A daemon for one test, with what it stores.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use traceloop::keeper::Keeper;

const TRACELOOP: &str = env!("CARGO_BIN_EXE_traceloop");

/// A running daemon, as it is installed but for its places.
pub(crate) struct Served {
    child: Child,
    place: tempfile::TempDir,
}

impl Served {
    /// `runtimes` are lines of that part of the configuration.
    pub(crate) fn start(runtimes: &str) -> Self {
        let place = tempfile::tempdir().expect("a directory");
        let shown = place.path().display();
        let config = format!(
            "socket = \"{shown}/sock\"\n[record]\ninclude = [\"/libpod_parent/*\", \"/docker/*\", \"/kubepods/*\"]\n\
             [store]\ndirectory = \"{shown}/store\"\nmax-use = \"1G\"\nkeep-free = \"1M\"\n[runtimes]\n{runtimes}\n"
        );
        fs::write(place.path().join("config"), config).expect("write the configuration");
        let log = fs::File::create(place.path().join("log")).expect("a log");
        let mut command = Command::new(TRACELOOP);
        command.args(["serve", "--config"]).arg(place.path().join("config"));
        let child = command.stdin(Stdio::null()).stderr(log).spawn().expect("start the daemon");
        let mut served = Self { child, place };
        served.wait("the daemon to be ready", |served| {
            assert!(matches!(served.child.try_wait(), Ok(None)), "the daemon ended: {}", served.log());
            served.log().contains("recording").then_some(())
        });
        served
    }

    fn log(&self) -> String {
        fs::read_to_string(self.place.path().join("log")).unwrap_or_default()
    }

    /// Asks until there is something.
    #[track_caller]
    pub(crate) fn wait<T>(&mut self, what: &str, mut found: impl FnMut(&mut Self) -> Option<T>) -> T {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(found) = found(self) {
                return found;
            }
            assert!(Instant::now() < until, "waited for {what}; the daemon said: {}", self.log());
            sleep(Duration::from_millis(50));
        }
    }

    fn verb(&self, args: &[&str], option: &str, place: &Path) -> Output {
        let mut command = Command::new(TRACELOOP);
        command.args(args).arg(option).arg(place).stdin(Stdio::null()).output().expect("run traceloop")
    }

    /// A verb that asks the daemon: what it printed, if it succeeded.
    pub(crate) fn live(&self, args: &[&str]) -> Option<String> {
        text(&self.verb(args, "--socket", &self.place.path().join("sock")))
    }

    /// A verb that reads stored dumps: what it printed, if it succeeded.
    pub(crate) fn stored(&self, args: &[&str]) -> Option<String> {
        text(&self.verb(args, "--directory", &self.place.path().join("store")))
    }
}

fn text(output: &Output) -> Option<String> {
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Ok(Some(keeper)) = Keeper::connect(&self.place.path().join("keeper.sock")) {
            let _ = keeper.end();
        }
    }
}
