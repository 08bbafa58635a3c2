//! A target that means several recordings: one dump of all of them, one stream of all of them, each line with its name.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{
    served::{Group, Served},
    support::{Scratch, TRACELOOP},
};

/// A slice with units.
struct Slice<'a> {
    served: &'a Served,
    slice: Group,
}

impl<'a> Slice<'a> {
    fn new(served: &'a Served) -> Self {
        Self::named(served, "shop.slice")
    }

    fn named(served: &'a Served, name: &str) -> Self {
        Self { served, slice: served.cgroup(name) }
    }

    /// A unit with rings of its own.
    fn unit_with_rings(&self, name: &str) -> Group {
        let mut tries = (0..100).map(|n| self.unit(&format!("{n}{name}")));
        tries.find(|unit| self.has_rings(unit)).expect("a slot is ready")
    }

    fn has_rings(&self, unit: &Group) -> bool {
        self.served.has_rings(&format!("/{}/{}", self.slice.name(), unit.name()))
    }

    /// With two units that have rings of their own: cgroups that others make on this machine take slots, too.
    fn of_two_with_rings(served: &'a Served) -> (Self, Group, Group) {
        let tries = (0..100).map(|n| {
            let slice = Self::named(served, &format!("shop{n}.slice"));
            let (web, db) = (slice.unit("web.service"), slice.unit("db.service"));
            (slice, web, db)
        });
        let mut tries = tries.skip_while(|(slice, web, db)| !slice.has_rings(web) || !slice.has_rings(db));
        tries.next().expect("slots are ready")
    }

    fn unit(&self, name: &str) -> Group {
        let path = self.slice.path.join(self.served.named(name));
        fs::create_dir(&path).expect("make a cgroup");
        Group { path }
    }
}

/// The lines of a text dump that tell of calls or of ends: time, name, rest.
fn told(dump: &str) -> Vec<(&str, &str, &str)> {
    let lines = dump.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.splitn(3, ' ');
            let mut next = || words.next().unwrap_or_else(|| panic!("no call: {line}"));
            (next(), next(), next())
        })
        .collect()
}

#[test]
#[ignore = "needs root and BPF"]
fn a_slice_is_one_dump_in_the_order_of_time_that_tells_of_each_unit() {
    let served = Served::start("buffer-size = \"256K\"", "status = false");
    let (slice, web, db) = Slice::of_two_with_rings(&served);
    let other = served.cgroup("other.service");
    other.command("exec cat /other").status().expect("run it");
    // One of them is busy enough to overwrite its beginning.
    let scratch = Scratch::new();
    let mut busy = db.numbers(&scratch, "60");
    std::thread::sleep(Duration::from_secs(1));
    web.command("cat /web-1").status().expect("run it");
    web.command("cat /web-2").status().expect("run it");
    let name = slice.slice.name().to_owned();
    let dump = served.told(&["dump", &name]);
    busy.kill().expect("end it");
    busy.wait().expect("wait for it");

    let head: Vec<&str> = dump.lines().take_while(|line| line.starts_with('#')).collect();
    assert!(head[0].contains(": 2 cgroups on "), "{head:#?}");
    let about = |unit: &Group| {
        let start = format!("# /{name}/{}: ", unit.name());
        head.iter().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("{start} in {head:#?}"))
    };
    assert!(
        about(&web).contains("complete since its recording began at ") && about(&web).ends_with(", nothing lost"),
        "{head:#?}"
    );
    assert!(about(&db).contains("complete from ") && about(&db).contains("older records overwritten"), "{head:#?}");

    let lines = told(&dump);
    assert!(lines.is_sorted_by_key(|(time, ..)| *time), "not in the order of time:\n{dump}");
    let of = |unit: &Group| lines.iter().filter(|(_, name, _)| *name == unit.name()).count();
    assert!(of(&web) > 20 && of(&db) > 100, "{} and {}", of(&web), of(&db));
    assert_eq!(of(&web) + of(&db), lines.len(), "a line tells of neither:\n{dump}");
    let web_2 = lines.iter().find(|(.., rest)| rest.contains("\"/web-2\", O_RDONLY")).expect("a call");
    assert_eq!(web_2.1, web.name());
    assert!(lines.iter().all(|(_, name, rest)| *name == db.name() || !rest.starts_with("offsets[")), "{dump}");
    assert!(!dump.contains("/other"), "what is not below it:\n{dump}");

    // One of them alone is told as ever.
    let alone = served.told(&["dump", web.name(), "-n", "5"]);
    assert!(told(&alone).iter().all(|(_, comm, _)| comm.contains('[')), "{alone}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_dump_of_several_is_a_file_and_objects_and_tables_of_each() {
    let served = Served::start("", "status = false");
    let slice = Slice::new(&served);
    let (web, db) = (slice.unit("web.service"), slice.unit("db.service"));
    web.command("exec cat /web").status().expect("run it");
    db.command("exec cat /db").status().expect("run it");
    let name = slice.slice.name().to_owned();

    let file = served.place.path().join("slice.dump");
    served.told(&["dump", &name, "--format", "raw", "-o", file.to_str().expect("a path")]);
    let show = |options: &[&str]| {
        let output = Command::new(TRACELOOP).arg("show").arg(&file).args(options).output().expect("show");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let shown = show(&[]);
    assert!(told(&shown).iter().any(|(_, name, rest)| *name == db.name() && rest.contains("\"/db\"")), "{shown}");

    let objects: Vec<serde_json::Value> =
        show(&["--format", "json"]).lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(objects[0]["each"].as_array().map(Vec::len), Some(2), "{}", objects[0]);
    let opens = |path: &str| {
        let is_it = |object: &&serde_json::Value| object["syscall"] == "openat" && object["args"][1]["value"] == path;
        objects.iter().find(is_it).unwrap_or_else(|| panic!("nothing opens {path}"))["target"].clone()
    };
    assert_eq!((opens("/web"), opens("/db")), (web.name().into(), db.name().into()));

    let stats = served.told(&["stats", &name, "--by", "cgroup"]);
    for unit in [&web, &db] {
        assert!(stats.lines().any(|line| line.trim_start().starts_with(&format!("{}, ", unit.name()))), "{stats}");
    }
    // Stored, each is found by its own name.
    let ids = served.told(&["dump", "--save", &name]);
    assert_eq!(ids.lines().count(), 2, "{ids}");
    assert_eq!(served.wait_for_stored(2).len(), 2);
}

/// `follow`, whose lines are there as they come.
struct Follow {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Follow {
    fn of(served: &Served, target: &str) -> Self {
        let mut child = Command::new(TRACELOOP)
            .args(["follow", target, "--socket"])
            .arg(served.socket())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("follow");
        let (send, lines) = mpsc::channel();
        let (stdout, stderr) = (child.stdout.take().expect("its output"), child.stderr.take().expect("its errors"));
        let pass = |from: Box<dyn Read + Send>, before: &'static str, to: mpsc::Sender<String>| {
            std::thread::spawn(move || {
                for line in BufReader::new(from).lines().map_while(Result::ok) {
                    let _ = to.send(format!("{before}{line}"));
                }
            });
        };
        pass(Box::new(stdout), "", send.clone());
        pass(Box::new(stderr), "! ", send);
        Self { child, lines }
    }

    /// Waits for a line that holds all of these.
    #[track_caller]
    fn wait(&self, texts: &[&str]) -> String {
        let until = Instant::now() + Duration::from_secs(15);
        let mut seen = Vec::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if texts.iter().all(|text| line.contains(text)) => return line,
                Ok(line) => seen.push(line),
                Err(_) => panic!("no line with {texts:?} came; but\n{}", seen.join("\n")),
            }
        }
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGINT);
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn a_slice_is_followed_with_the_units_that_come() {
    let served = Served::start("", "status = false");
    let slice = Slice::new(&served);
    let web = slice.unit("web.service");
    let follow = Follow::of(&served, slice.slice.name());
    follow.wait(&["! following", web.name()]);
    web.command("exec cat /web").status().expect("run it");
    follow.wait(&["cat[", "\"/web\", O_RDONLY"]);
    let late = slice.unit_with_rings("late.service");
    late.command("cat /late-1; sleep 2; exec cat /late-2").status().expect("run it");
    follow.wait(&["! following", late.name()]);
    // Its first program, which ran before anybody asked for it.
    follow.wait(&[&format!(" {} cat[", late.name()), "execve(\"/"]);
    follow.wait(&[&format!(" {} cat[", late.name()), "\"/late-1\", O_RDONLY"]);
    follow.wait(&[&format!(" {} cat[", late.name()), "\"/late-2\", O_RDONLY"]);
    web.command("exec cat /web-again").status().expect("run it");
    follow.wait(&[&format!(" {} cat[", web.name()), "\"/web-again\", O_RDONLY"]);
}

#[test]
#[ignore = "needs root and BPF"]
fn a_unit_that_is_started_again_is_followed_on() {
    let served = Served::start("", "status = false");
    let first = served.cgroup("again.service");
    first.command("exec cat /first").status().expect("run it");
    let follow = Follow::of(&served, first.name());
    follow.wait(&["! following", first.name()]);
    let name = first.name().to_owned();
    first.remove();
    let second = served.cgroup("again.service");
    second.command("cat /second; sleep 2").status().expect("run it");
    let line = follow.wait(&["\"/second\", O_RDONLY"]);
    assert!(!line.contains(&name), "one unit, one name: {line}");
}
