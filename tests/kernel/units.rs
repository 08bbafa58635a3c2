//! Units that are recorded by settings of their own: in the kernel, from the next call on, without a loss of history, and
//! said wherever their calls are shown.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use nix::sys::signal::Signal;

use super::{
    served::{Group, Served},
    support::wait_until,
};

/// A process of a unit that makes calls when it is asked to.
struct Asked {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// Each line names a file that is not there, and is written to /dev/null before.
const PROGRAM: &str = "exec /usr/bin/python3 -uc 'import os, sys, time\n\
null = os.open(\"/dev/null\", os.O_WRONLY)\n\
for line in sys.stdin:\n\
\x20   os.write(null, b\"0123456789abcdef\" * 4)\n\
\x20   os.access(\"/\" + line.strip(), 0)\n\
\x20   time.sleep(0.5)\n\
\x20   print(\"done\")'";

impl Asked {
    fn start(group: &Group) -> Self {
        let mut command = group.command(PROGRAM);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("start it");
        let (input, output) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        Self { child, input, output: BufReader::new(output) }
    }

    /// Has it write, and ask for a file of that name.
    fn ask(&mut self, name: &str) {
        writeln!(self.input, "{name}").expect("ask it");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it has done so");
        assert_eq!(line, "done\n");
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of calls, and those of the header.
fn parts(dump: &str) -> (String, String) {
    let (header, calls): (Vec<&str>, Vec<&str>) = dump.lines().partition(|line| line.starts_with('#'));
    (calls.join("\n"), header.join("\n"))
}

/// The configuration with these lines of [record] behind it.
fn reload(served: &Served, rules: &str) {
    let path = served.place.path().join("config");
    let text = fs::read_to_string(&path).expect("read the configuration");
    let text = text.split("[[record.unit]]").next().expect("a part");
    let said = served.log().matches("the configuration").count();
    fs::write(&path, format!("{}\n{rules}", text.trim_end())).expect("write the configuration");
    served.signal(Signal::SIGHUP);
    wait_until("the configuration is read", || served.log().matches("the configuration").count() > said);
}

#[test]
#[ignore = "needs root and BPF"]
fn each_unit_is_recorded_as_its_rule_says() {
    let rules = "[[record.unit]]\nmatch = [\"*calls.service\"]\nsyscalls = \"access,faccessat,faccessat2\"\n\
                 [[record.unit]]\nmatch = [\"*quiet.service\"]\npayload = false\nstring-limit = 8\n\
                 [[record.unit]]\nmatch = [\"*short.service\"]\nstring-limit = 5\n\
                 [[record.unit]]\nmatch = [\"*slow.service\"]\nonly-slower = \"250ms\"\n\
                 [[record.unit]]\nmatch = [\"*off.service\"]\noff = true\n";
    let served = Served::start("", &format!("status = false\n{rules}"));
    let dump = |name: &str| {
        let group = served.cgroup(name);
        wait_until("its rule holds", || {
            let listed = served.told(&["ps", group.name()]);
            name == "usual.service"
                || listed.contains("recording only")
                || listed.contains("recording no")
                || listed.contains("5 bytes")
        });
        let mut asked = Asked::start(&group);
        asked.ask("nonexistent-file");
        parts(&served.told(&["dump", group.name()]))
    };
    let written = "\"0123456789abcdef0123456789abcdef\"..., 64";
    let (usual, header) = dump("usual.service");
    assert!(usual.contains(written) && usual.contains("\"/nonexistent-file\""), "{usual}");
    assert!(!header.contains("recorded"), "{header}");
    let (calls, header) = dump("calls.service");
    assert!(
        calls.contains("\"/nonexistent-file\"") && !calls.contains("write(") && !calls.contains("openat("),
        "{calls}"
    );
    assert!(header.contains("recorded: only the calls access,faccessat,faccessat2"), "{header}");
    assert!(header.contains("of what was to be recorded"), "{header}");
    let (quiet, header) = dump("quiet.service");
    assert!(quiet.contains("write(3, 0x") && quiet.contains("\"/nonexistent-file\""), "{quiet}");
    assert!(header.contains("no contents of reads, writes and messages, 8 bytes of strings"), "{header}");
    assert!(!header.contains("of what was to be recorded"), "{header}");
    let (short, header) = dump("short.service");
    assert!(short.contains("\"01234\"..., 64") || short.contains("\"012345\"..., 64"), "{short}");
    assert!(header.contains("recorded: 5 bytes of strings"), "{header}");
    let (slow, header) = dump("slow.service");
    assert!(slow.contains("nanosleep(") && !slow.contains("write(") && !slow.contains("nonexistent"), "{slow}");
    assert!(header.contains("only calls that lasted 250ms or more"), "{header}");
    let (off, header) = dump("off.service");
    assert!(header.contains("recorded: nothing"), "{header}");
    assert!(!off.contains("write(") && !off.contains("execve("), "{off}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_reload_changes_what_is_recorded_and_costs_no_history() {
    let mut served = Served::start("", "status = false");
    let group = served.cgroup("changing.service");
    let mut asked = Asked::start(&group);
    asked.ask("first");
    reload(&served, "[[record.unit]]\nmatch = [\"*changing.service\"]\noff = true\n");
    asked.ask("second");
    assert!(served.told(&["ps", group.name()]).contains("recording nothing"));
    reload(&served, "[[record.unit]]\nmatch = [\"*changing.service\"]\nsyscalls = \"!write\"\n");
    asked.ask("third");
    // A mistake changes nothing.
    reload(&served, "[[record.unit]]\nmatch = [\"*changing.service\"]\nsyscalls = \"opennat\"\n");
    assert!(served.log().contains("opennat") && served.log().contains("the configuration stays as it was"));
    asked.ask("fourth");
    // Another daemon goes on with what the keeper holds.
    served.kill();
    asked.ask("fifth");
    reload_file(&served, "");
    served.run();
    asked.ask("sixth");
    let (calls, header) = parts(&served.told(&["dump", group.name()]));
    let has = |name: &str| calls.contains(&format!("\"/{name}\""));
    assert!(has("first") && has("third") && has("fourth") && has("fifth") && has("sixth"), "{header}\n{calls}");
    assert!(!has("second"), "{calls}");
    let writes = calls.matches("write(3, \"0123").count();
    assert_eq!(writes, 2, "the first and the sixth: {calls}");
    let told: Vec<&str> = header.lines().filter(|line| line.contains("recorded from")).collect();
    assert_eq!(told.len(), 2, "{header}");
    assert!(told[0].contains(" to ") && told[0].ends_with(": nothing"), "{header}");
    assert!(told[1].contains(" to ") && told[1].ends_with(": only the calls !write"), "{header}");
    assert!(!served.told(&["ps", group.name()]).contains("only"));
}

fn reload_file(served: &Served, rules: &str) {
    let path = served.place.path().join("config");
    let text = fs::read_to_string(&path).expect("read the configuration");
    let text = text.split("[[record.unit]]").next().expect("a part");
    fs::write(&path, format!("{}\n{rules}", text.trim_end())).expect("write the configuration");
}

#[test]
#[ignore = "needs root and BPF"]
fn add_asks_for_settings_of_one_unit() {
    let served = Served::start("", "status = false");
    let group = served.cgroup_with_rings("asked.service");
    let mut asked = Asked::start(&group);
    asked.ask("first");
    let path = format!("/{}", group.name());
    let said = served.verb(&["add", &path, "--syscalls", "!access,faccessat,faccessat2", "--no-payload"]);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("only the calls !access,faccessat,faccessat2, no contents"), "{said}");
    asked.ask("second");
    let (calls, header) = parts(&served.told(&["dump", group.name()]));
    assert!(calls.contains("\"/first\"") && !calls.contains("\"/second\""), "{calls}");
    assert!(calls.contains("write(3, 0x"), "{calls}");
    assert!(header.contains("recorded from "), "{header}");
    // Without settings there is nothing to do; with wrong ones nothing is done.
    assert!(!served.verb(&["add", &path]).status.success());
    assert_eq!(served.verb(&["add", &path, "--syscalls", "opennat"]).status.code(), Some(2));
    assert_eq!(served.verb(&["add", &path, "--off", "--no-payload"]).status.code(), Some(2));
    served.told(&["add", &path, "--off"]);
    asked.ask("third");
    asked.child.kill().expect("end it");
    asked.child.wait().expect("wait for it");
    let (calls, _) = parts(&served.told(&["dump", group.name()]));
    assert!(calls.contains("\"/first\"") && !calls.contains("+++ killed"), "{calls}");
    assert!(served.stored().is_empty(), "of what is off nothing is stored: {:?}", served.stored());
    let mut rest = String::new();
    asked.output.read_to_string(&mut rest).expect("nothing more");
}

#[test]
#[ignore = "needs root and BPF"]
fn rings_of_a_unit_are_as_large_as_it_is_to_have_them() {
    let rules = "[[record.unit]]\nmatch = [\"*large.service\"]\nbuffer-size = \"1M\"\n";
    let served = Served::start("", &format!("status = false\n{rules}"));
    let memory = |name: &str| {
        let track: serde_json::Value = serde_json::from_str(&served.told(&["ps", "--json", name])).expect("an object");
        track["memory"].as_u64().expect("bytes")
    };
    let (large, usual) = (served.cgroup("large.service"), served.cgroup("usual.service"));
    let mut asked = Asked::start(&large);
    asked.ask("first");
    wait_until("its rings are large", || memory(large.name()) >= memory(usual.name()) + (1 << 20));
    asked.ask("second");
    let (calls, _) = parts(&served.told(&["dump", large.name()]));
    assert!(calls.contains("\"/first\"") && calls.contains("\"/second\""), "{calls}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_unit_costs_no_more_than_it_may_and_each_step_is_said() {
    let served = Served::start("max-overhead = \"1%\"", "status = false");
    let group = served.cgroup_with_rings("dear.service");
    let track = || -> serde_json::Value {
        serde_json::from_str(&served.told(&["ps", "--json", group.name()])).expect("an object")
    };
    // Twice a million cheap calls a second, as long as it lasts.
    let mut storm = group.command("exec dd if=/dev/zero of=/dev/null bs=1").spawn().expect("start it");
    wait_until("it is recorded by less", || track()["level"] == "counts");
    let skipped = track()["skipped"].as_u64().expect("a count");
    wait_until("what is not recorded is counted", || {
        track()["skipped"].as_u64().is_some_and(|now| now > skipped + 1000)
    });
    assert!(served.told(&["ps", group.name()]).contains("recording no calls: they were counted"));
    let metrics = served.asked("/metrics");
    let level = format!("traceloop_track_recording_level{{target=\"{0}\",unit=\"{0}\"}} 3", group.name());
    assert!(
        metrics.contains(&level) && metrics.contains("traceloop_call_cost_seconds{what=\"recorded\"}"),
        "{metrics}"
    );
    assert!(served.log().contains("less is recorded of a unit") && served.log().contains("max-overhead is 1%"));
    storm.kill().expect("end it");
    storm.wait().expect("wait for it");
    // Quiet again, it comes up.
    wait_until("all is recorded again", || track()["level"] == "all");
    let mut asked = Asked::start(&group);
    asked.ask("after");
    let (calls, header) = parts(&served.told(&["dump", group.name()]));
    assert!(calls.contains("\"/after\"") && calls.contains("+++ killed by SIGKILL +++"), "{calls}");
    let told: Vec<&str> = header.lines().filter(|line| line.contains("recorded from ")).collect();
    let counted = told.iter().find(|line| line.contains("they were counted")).expect("a step");
    assert!(counted.contains(" to ") && counted.contains("calls a second, of which recording cost "), "{header}");
    assert!(header.contains("of what was to be recorded"), "{header}");
}
