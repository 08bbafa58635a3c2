//! What leaves the recorder, and who gets it: rules for secrets, the socket's clients, names that mean harm.

use std::{
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use super::{
    served::{Group, Served, shown},
    support::{Scratch, TRACELOOP, cgroup_root, compile},
};

const RULES: &str = r#"status = true
[redact]
environment = ["*PASSWORD*"]
arguments = ['--token[= ](\S+)']
paths = ["**/private-*"]
"#;

/// Everything that a dump file holds, unpacked, as bytes.
fn unpacked(file: &[u8]) -> Vec<u8> {
    let (recording, damage) = traceloop::store::read(file).expect("read it");
    assert_eq!(damage, None);
    let mut all = serde_json::to_vec(&recording.dump).expect("its header");
    recording.blocks.iter().for_each(|block| all.extend(&*block.plain().expect("unpack it")));
    all
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
#[ignore = "needs root and BPF"]
fn what_the_configuration_names_leaves_by_no_way() {
    let mut served = Served::start_with("", "", RULES);
    let vault = served.named("vault.service");
    // The rule needs the test's own name, which is known only now.
    let config = served.place.path().join("config");
    let text = fs::read_to_string(&config).expect("read it");
    fs::write(&config, format!("{text}[[payload]]\nunits = [\"{vault}\"]\npayload = \"none\"\n")).expect("write it");
    served.signal(nix::sys::signal::Signal::SIGHUP);
    let until = Instant::now() + Duration::from_secs(10);
    while !served.log().contains("was read again") {
        assert!(Instant::now() < until, "{}", served.log());
        sleep(Duration::from_millis(20));
    }
    let (vault, plain) = (served.cgroup("vault.service"), served.cgroup("plain.service"));
    let place = served.place.path().display().to_string();
    fs::write(format!("{place}/private-file"), "contents-of-it").expect("write a file");
    let script = format!("{place}/script");
    fs::write(
        &script,
        format!("# The shell reads this, and its head is contents: no secret in it.\nenv DB_PASSWORD=hunter2 LANG=C true --token geheim --token=geheim public\ncat {place}/private-file\nsleep 1\nexit 3\n"),
    )
    .expect("write a script");
    let secrets = ["hunter2", "geheim", "private-file"];
    let mut followed = Vec::new();
    let mut raws = Vec::new();
    for group in [&vault, &plain] {
        let mut follower = Command::new(TRACELOOP)
            .args(["follow", group.name(), "--format", "strace", "-s", "4096", "--socket"])
            .arg(served.socket())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("follow");
        sleep(Duration::from_millis(300));
        let _ = group.command(&format!("exec sh {script}")).status();
        sleep(Duration::from_millis(500));
        let raw = served.place.path().join("raw");
        served.told(&["dump", group.name(), "--format", "raw", "-o", raw.to_str().expect("a path")]);
        raws.push(fs::read(&raw).expect("the dump"));
        served.told(&["dump", group.name(), "--save"]);
        follower.kill().expect("end it");
        followed.push(follower.wait_with_output().expect("its output").stdout);
    }
    // One on request and one for the exit status of each.
    let stored = served.wait_for_stored(4);
    served.stop();
    let files = stored.iter().map(|path| fs::read(path).expect("a dump"));
    let all: Vec<Vec<u8>> = raws.iter().cloned().chain(files).map(|file| unpacked(&file)).collect();
    for bytes in all.iter().chain(&followed) {
        assert!(has(bytes, "<redacted>"), "nothing was taken out of {}", String::from_utf8_lossy(bytes));
        let found: Vec<_> = secrets.iter().filter(|secret| has(bytes, secret)).collect();
        assert!(found.is_empty(), "{found:?} in {}", String::from_utf8_lossy(bytes));
    }
    let contents: Vec<bool> = all.iter().map(|bytes| has(bytes, "contents-of-it")).collect();
    assert_eq!(contents.iter().filter(|told| **told).count(), 3, "of the plain one only: {contents:?}");
    assert!(!contents[0] && contents[1]);
    let of_vault = stored.iter().find(|path| path.display().to_string().contains("vault")).expect("one of its");
    let text = shown(of_vault);
    for line in
        ["DB_PASSWORD=<redacted>", "\"--token\", \"<redacted>\"", "\"--token=<redacted>\", \"public\"", "LANG=C"]
    {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    let told = Command::new(TRACELOOP).args(["show", "-n", "0"]).arg(of_vault).output().expect("show it");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(
        told.contains("redacted by the configuration: the contents of reads") && told.contains("<redacted>"),
        "{told}"
    );
    assert!(!served.log().contains("hunter2"), "{}", served.log());
}

#[test]
#[ignore = "needs root and BPF"]
fn every_dump_that_a_client_takes_is_told_with_who_took_it() {
    let served = Served::start("", "status = false");
    let group = served.cgroup("seen.service");
    group.command("exec true").status().expect("run it");
    let name = group.name().to_owned();
    served.told(&["dump", &name, "-n", "1"]);
    served.told(&["dump", &name, "--save"]);
    served.told(&["close", &name]);
    let log = served.log();
    for what in ["dump", "save", "close"] {
        let told =
            log.lines().find(|line| line.contains("a client was served") && line.contains(&format!("what=\"{what}\"")));
        let told = told.unwrap_or_else(|| panic!("nothing of {what} in {log}"));
        for word in [&format!("target_name={name}")[..], "uid=0", "comm=traceloop"] {
            assert!(told.contains(word), "{word} is not in {told}");
        }
        let pid = told.split("pid=").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
        assert!(pid.is_some_and(|pid| pid > 1), "{told}");
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn an_unprivileged_user_gets_a_word_and_nothing_else() {
    let served = Served::start("", "status = false");
    let group = served.cgroup("theirs.service");
    group.command("exec true").status().expect("run it");
    // The socket lets everybody in: what he is given is decided behind it.
    fs::set_permissions(served.place.path(), fs::Permissions::from_mode(0o755)).expect("open the directory");
    let ask = |path: &str| {
        let output = Command::new("curl")
            .args(["-s", "-w", "\n%{http_code}", "--unix-socket"])
            .arg(served.socket())
            .arg(format!("http://localhost{path}"))
            .uid(65534)
            .gid(65534)
            .output()
            .expect("run curl");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    for path in ["/v1/tracks", "/v1", "/metrics", "/v1/tracks/1/dump", "/v1/stuck", "/", "/nonexistent"] {
        let answer = ask(path);
        assert!(answer.ends_with("403") && answer.contains("members of the group traceloop"), "{path}: {answer}");
        assert!(!answer.contains("theirs.service"), "{path}: {answer}");
    }
    served.told(&["dump", group.name(), "--save"]);
    let id = served.told(&["list", "-q", "--json", "--directory", &served.store()]);
    let id =
        serde_json::from_str::<serde_json::Value>(&id).expect("an object")["id"].as_str().expect("an id").to_owned();
    assert_eq!(ask("/v1/dumps"), "\n200", "not even that it is there");
    assert_eq!(ask("/v1/dumps?match=UNIT=*theirs*"), "\n200");
    for path in [format!("/v1/dumps/{id}"), format!("/v1/dumps?after={id}")] {
        let answer = ask(&path);
        assert!(answer.ends_with("404") && answer.contains("no stored dump has the id"), "{path}: {answer}");
    }
    // It would be a place for him to wait at.
    assert!(ask("/v1/dumps/stream").ends_with("404"));
    assert!(!served.log().contains("uid=65534"), "{}", served.log());
}

#[test]
#[ignore = "needs root and BPF"]
fn a_user_gets_the_calls_of_a_dump_that_were_made_as_him_alone() {
    const HIS: u32 = 61_234;
    let served = Served::start("", "");
    fs::set_permissions(served.place.path(), fs::Permissions::from_mode(0o755)).expect("open the directory");
    let scratch = Scratch::new();
    let at = scratch.files.path();
    fs::set_permissions(at, fs::Permissions::from_mode(0o755)).expect("open the directory");
    // Whoever runs it reads as root.
    fs::copy("/bin/cat", at.join("setuid")).expect("copy a program");
    fs::set_permissions(at.join("setuid"), fs::Permissions::from_mode(0o4755)).expect("make it setuid");
    // And this one may be run, and not be looked into.
    fs::copy("/bin/cat", at.join("closed")).expect("copy a program");
    fs::set_permissions(at.join("closed"), fs::Permissions::from_mode(0o711)).expect("close it");
    let setuid = at.join("setuid").display().to_string();
    let closed = at.join("closed").display().to_string();
    let group = served.cgroup("his.service");
    let as_him = format!("setpriv --reuid {HIS} --regid {HIS} --clear-groups --inh-caps=-all");
    // As a service manager does it: it prepares the unit as root, and becomes the user.
    let script = format!(
        "cat /managers-1; {as_him} sh -c 'cat /his-1; {setuid} /setuids; {closed} /closeds; cat /his-2; kill -SEGV $$'; \
         cat /managers-2; setpriv --reuid 61235 --regid 61235 --clear-groups cat /anothers; true"
    );
    let _ = group.command(&script).status();
    group.remove();
    let stored = served.wait_for_stored(1);
    let whole = shown(&stored[0]);
    for text in ["/managers-1", "/his-1", "/setuids", "/closeds", "/his-2"] {
        assert!(whole.contains(&format!("\"{text}\", O_RDONLY")), "{text} is not in {whole}");
    }
    let store = served.store();
    let ask = |uid: u32, gid: u32, args: &[&str]| {
        let mut command = Command::new(TRACELOOP);
        command.args(args).args(["--directory", &store, "--socket"]).arg(served.socket()).uid(uid).gid(gid);
        command.output().expect("run traceloop")
    };
    let text = |output: &std::process::Output| {
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    for args in [&["show", "--format", "strace"][..], &["export", "--format", "json"], &["info", "--json"], &["list"]] {
        let output = ask(HIS, HIS, args);
        let told = text(&output);
        assert!(output.status.success(), "{args:?}: {told}");
        assert!(told.contains("SIGSEGV"), "{args:?}: {told}");
        // The shell that starts a setuid program knows what it is asked for.
        for not in ["/managers", "/anothers", "\"/setuids\", O_RDONLY", "\"/closeds\", O_RDONLY"] {
            assert!(!told.contains(not), "{args:?} has {not}: {told}");
        }
    }
    let his = text(&ask(HIS, HIS, &["show", "--format", "strace"]));
    for text in ["\"/his-1\", O_RDONLY", "\"/his-2\", O_RDONLY", "+++ killed by SIGSEGV"] {
        assert!(his.contains(text), "{text} is not in {his}");
    }
    let said = text(&ask(HIS, HIS, &["show"]));
    assert!(said.contains("# the calls of the user 61234; "), "{said}");
    // Not even that it is there.
    for (uid, gid) in [(61_235, 61_235), (65_534, 65_534), (HIS, 61_235)] {
        let output = ask(uid, gid, &["list"]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        assert!(!text(&output).contains("his.service"), "{}", text(&output));
    }
    for args in [&["delete", "-1"][..], &["vacuum", "--max-age", "1s"]] {
        assert!(!ask(HIS, HIS, args).status.success(), "{args:?}");
    }
    assert_eq!(served.stored().len(), 1);
}

#[test]
#[ignore = "needs root and BPF"]
fn what_nobody_may_trace_is_nobodys() {
    const HIS: u32 = 61_234;
    let served = Served::start("", "");
    // It forbids to be traced, as agents that hold keys do.
    let script = "import ctypes,os; os.open('/', 0); ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\ntry: open('/hidden-1')\n\
        except OSError: pass\nos.kill(os.getpid(), 11)";
    let group = served.cgroup("agent.service");
    let _ = group
        .command(&format!("exec setpriv --reuid {HIS} --regid {HIS} --clear-groups /usr/bin/python3 -c \"{script}\""))
        .status();
    // And this one has a capability that the user has not.
    let able = served.cgroup("able.service");
    let with = "--inh-caps +net_raw --ambient-caps +net_raw";
    let script = "cat /hidden-2; kill -SEGV $$";
    let _ = able
        .command(&format!("exec setpriv {with} --reuid {HIS} --regid {HIS} --clear-groups sh -c '{script}'"))
        .status();
    served.wait_for_stored(2);
    let store = served.store();
    fs::set_permissions(served.place.path(), fs::Permissions::from_mode(0o755)).expect("open the directory");
    let mut command = Command::new(TRACELOOP);
    command.args(["list", "--json", "--directory", &store, "--socket"]).arg(served.socket()).uid(HIS).gid(HIS);
    let told = String::from_utf8_lossy(&command.output().expect("run traceloop").stdout).into_owned();
    assert!(!told.contains("able.service"), "{told}");
    let id =
        serde_json::from_str::<serde_json::Value>(&told).expect("one object")["id"].as_str().expect("an id").to_owned();
    let mut command = Command::new(TRACELOOP);
    command.args(["show", &id, "--format", "strace", "--directory", &store, "--socket"]).arg(served.socket());
    let told = String::from_utf8_lossy(&command.uid(HIS).gid(HIS).output().expect("run it").stdout).into_owned();
    assert!(told.contains("prctl(PR_SET_DUMPABLE") && !told.contains("hidden-1"), "{told}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_socket_where_others_may_write_is_refused() {
    let place = tempfile::tempdir().expect("a directory");
    let open = place.path().join("open");
    fs::create_dir(&open).expect("a directory");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).expect("open it");
    let shown = place.path().display();
    for (socket, keeper) in [("open/sock", "open/keeper"), ("closed/sock", "open/keeper")] {
        let config = place.path().join("config");
        let text = format!(
            "socket = \"{shown}/{socket}\"\nkeeper = \"{shown}/{keeper}\"\n[store]\ndirectory = \"{shown}/store\"\n"
        );
        fs::write(&config, text).expect("write it");
        let output = Command::new(TRACELOOP).args(["serve", "--config"]).arg(&config).output().expect("run it");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("others may write") && told.contains("chmod go-w"), "{told}");
    }
}

/// Ends with control characters, and in none of the forms that people and programs read.
#[track_caller]
fn must_be_tame(what: &str, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let bad = text.char_indices().find(|(_, char)| traceloop::model::acts(*char) && *char != '\n');
    if let Some((at, char)) = bad {
        let before: String = text[..at].chars().rev().take(200).collect();
        panic!("{what}: {char:?} behind {:?}", before.chars().rev().collect::<String>());
    }
    assert!(!text.lines().any(|line| line.starts_with("forged")), "{what}: a name begins a line");
}

#[test]
#[ignore = "needs root and BPF"]
fn names_that_mean_harm_are_tame_in_every_view() {
    let served = Served::start("", "status = true");
    let scratch = super::support::Scratch::new();
    let program = compile(&scratch, "hostile", &[]);
    // No kernel lets a newline in; bytes that are no UTF-8 it does.
    let worse = served.named("b\u{1b}]0;forged\u{7}");
    let worse = cgroup_root().join(std::ffi::OsStr::from_bytes(&[worse.as_bytes(), b"\xff\xc3(.service"].concat()));
    fs::create_dir(&worse).expect("make a cgroup");
    let _worse = Group { path: worse };
    let group = served.cgroup("a\u{1b}[2J\u{9b}31m\rforged \u{202e}.service");
    // The shell writes to a name without such characters.
    let procs = served.place.path().join("procs");
    std::os::unix::fs::symlink(group.path.join("cgroup.procs"), &procs).expect("a link");
    let script = format!("echo $$ > {}; {} names; exit 3", procs.display(), program.display());
    let _ = Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::null()).status();
    let file = served.wait_for_stored(1).remove(0);
    let name = file.file_name().and_then(|name| name.to_str()).expect("a name of ASCII");
    must_be_tame("the file's name", name.as_bytes());
    let tracks = served.told(&["ps", "--json"]);
    let id = tracks
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find(|track| track["identity"]["cgroup"].as_str().is_some_and(|path| path.contains("31m")))
        .and_then(|track| track["id"].as_u64())
        .expect("it is listed");
    let target = format!("#{id}");
    let verbs: [&[&str]; 9] = [
        &["ps"],
        &["ps", "--json"],
        &["ps", "--given-up"],
        &["dump", &target],
        &["dump", &target, "--format", "strace"],
        &["dump", &target, "--format", "json"],
        &["dump", &target, "--format", "html"],
        &["dump", &target, "--format", "summary"],
        &["dump", "a\u{1b}[2J"],
    ];
    for args in verbs {
        let output = served.verb(args);
        must_be_tame(&format!("{args:?}"), &[output.stdout.clone(), output.stderr.clone()].concat());
        if args.contains(&"json") || args.contains(&"--json") {
            for line in String::from_utf8_lossy(&output.stdout).lines() {
                serde_json::from_str::<serde_json::Value>(line).expect("JSON");
            }
        }
    }
    let store = served.place.path().join("store");
    for args in
        [&["list"][..], &["list", "--json"], &["info"], &["info", "--json"], &["show"], &["stats"], &["delete", "-1"]]
    {
        let output = stored_verb(args, &store);
        must_be_tame(&format!("{args:?}"), &[output.stdout, output.stderr].concat());
    }
    served.told(&["close", &target]);
    must_be_tame("what was given up", served.told(&["ps", "--given-up"]).as_bytes());
    // It shows what makes calls meanwhile.
    let script = format!("echo $$ > {}; exec {} loop", procs.display(), program.display());
    let mut busy = Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).spawn().expect("start it");
    for by in ["unit", "process"] {
        let mut top = Command::new(TRACELOOP);
        top.args(["top", "--once", "--delay", "0.5", "--by", by]).stdin(Stdio::null());
        let top = top.output().expect("run top");
        assert!(String::from_utf8_lossy(&top.stdout).lines().count() > 1, "top shows nothing");
        must_be_tame("top", &[top.stdout, top.stderr].concat());
    }
    busy.kill().expect("end it");
    busy.wait().expect("wait for it");
    // Escape sequences of the log's own colours are none of a file's.
    must_be_tame("the log", served.log().as_bytes());
}

fn stored_verb(args: &[&str], store: &Path) -> std::process::Output {
    let mut command = Command::new(TRACELOOP);
    command.args(args);
    if args[0] == "stats" {
        let newest = fs::read_dir(store).expect("the store").flatten().next().expect("a dump").path();
        command.arg(newest);
    } else {
        command.arg("--directory").arg(store);
    }
    command.stdin(Stdio::null()).output().expect("run traceloop")
}
