//! Stored dumps: listed, found, described, exported, removed.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Output,
};

use traceloop::{
    decode,
    model::{Block, Cause, Container, Identity, Pod, Recording},
    store::{Amount, Recipients, Retention, Saved, Store},
};

use super::support::{dump, execve, header, openat, reading, recording_of, stderr, stdout, task, traceloop};

/// A directory of dumps.
pub(crate) struct Dumps {
    place: tempfile::TempDir,
}

impl Dumps {
    pub(crate) fn new() -> Self {
        Self { place: tempfile::tempdir().expect("a directory") }
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.place.path().join("dumps")
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&self.directory()).expect("open the store")
    }

    /// Stores a dump of this unit, made so many hours after the first could be.
    fn save(&self, unit: &str, cause: Cause, hour: u64) -> Saved {
        self.store().save(&failed(unit, cause, hour)).expect("store a dump")
    }

    /// Runs a verb on it.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        let directory = self.directory();
        traceloop(&[&args[..1], &["--directory", directory.to_str().expect("a path")], &args[1..]].concat())
    }

    /// The units of the dumps that are listed for these arguments.
    fn listed(&self, args: &[&str]) -> Vec<String> {
        let output = self.run(&[&["list", "--json"], args].concat());
        let name = |line: &str| {
            let object: serde_json::Value = serde_json::from_str(line).expect("an object");
            object["name"].as_str().expect("a name").to_owned()
        };
        stdout(&output).lines().map(name).collect()
    }
}

/// A recording of this unit, in which an openat failed.
fn failed(unit: &str, cause: Cause, hour: u64) -> Recording {
    let now = 9_000_000_000 + hour * 3_600_000_000_000;
    let mut recording = recording_of(header(), &[openat("/etc/missing", now - 1_000_000_000)]);
    let cgroup = format!("/system.slice/{unit}");
    recording.dump.identities = vec![Identity { unit: Some(unit.into()), cgroup, ..Identity::default() }];
    recording.dump.cause = cause;
    recording.dump.taken = now;
    decode::summed_up(recording)
}

fn killed(comm: &str, pid: u32) -> Cause {
    Cause::Killed { pid, comm: comm.into(), signal: 11, core: true }
}

#[test]
fn a_stored_dump_is_listed_described_and_shown() {
    let dumps = Dumps::new();
    let saved = dumps.save("nginx.service", killed("nginx", 4711), 0);
    let list = stdout(&dumps.run(&["list"]));
    for word in ["UNIT", "nginx.service", "4711", "SIGSEGV", &saved.id] {
        assert!(list.contains(word), "{word} is not in\n{list}");
    }
    assert_eq!(list.lines().count(), 2, "{list}");
    let info = stdout(&dumps.run(&["info", "nginx"]));
    let path = saved.path.to_str().expect("a path");
    for text in [
        "Unit: nginx.service",
        "Reason: nginx[4711] was killed by SIGSEGV (core dumped)",
        "Calls: 1, 1 of them failed",
        r#"openat(AT_FDCWD, "/etc/missing", O_RDONLY) = -1 ENOENT (No such file or directory)"#,
        path,
    ] {
        assert!(info.contains(text), "{text} is not in\n{info}");
    }
    let shown = stdout(&dumps.run(&["show", "-1", "--format", "strace"]));
    assert!(shown.contains(r#"openat(AT_FDCWD, "/etc/missing""#), "{shown}");
    let shown = traceloop(&["show", path]);
    assert!(stdout(&shown).contains("/etc/missing"), "{}", stderr(&shown));
}

#[test]
fn dumps_are_found_by_what_people_know_of_them() {
    let dumps = Dumps::new();
    dumps.save("nginx.service", killed("worker", 100), 0);
    dumps.save("sshd.service", Cause::Request, 1);
    let last = dumps.save("nginx.service", Cause::Exit, 2);
    let mut contained = failed("x.scope", Cause::Request, 3);
    contained.dump.identities[0].unit = None;
    contained.dump.identities[0].container =
        Some(Container { id: "f".repeat(64), name: Some("web".into()), ..Container::default() });
    dumps.store().save(&contained).expect("store a dump");
    let (nginx, sshd) = ("nginx.service", "sshd.service");
    for (args, found) in [
        (&[][..], &[nginx, sshd, nginx, "web"][..]),
        (&["nginx"], &[nginx, nginx]),
        (&["nginx.service"], &[nginx, nginx]),
        (&["ng*"], &[nginx, nginx]),
        (&["nginx", "sshd"], &[nginx, sshd, nginx]),
        (&["worker"], &[nginx]),
        (&["100"], &[nginx]),
        (&["web"], &["web"]),
        (&["UNIT=sshd"], &[sshd]),
        (&["unit=nginx", "reason=exit"], &[nginx]),
        (&["REASON=exit", "REASON=request"], &[sshd, nginx, "web"]),
        (&["SIGNAL=SIGSEGV"], &[nginx]),
        (&["COMM=worker", "PID=100"], &[nginx]),
        (&["-1"], &["web"]),
        (&["-2"], &[nginx]),
        (&["nginx", "-2"], &[nginx]),
        (&["-n", "2"], &[nginx, "web"]),
        (&["-r"], &["web", nginx, sshd, nginx]),
        (&["--since", "2023-11-14T23:30:00Z"], &[nginx, "web"]),
        (&["-U", "2023-11-14T22:30:00Z"], &[nginx]),
        (&[&last.id], &[nginx]),
        (&[&last.id[..8]], &[nginx]),
        (&[last.path.to_str().expect("a path")], &[nginx]),
        (&["ngin"], &[]),
        (&["-9"], &[]),
    ] {
        assert_eq!(dumps.listed(args), found, "{args:?}");
    }
}

#[test]
fn a_pod_and_a_cgroup_are_shown_by_their_names_and_no_file_is_missed() {
    let dumps = Dumps::new();
    let mut of_pod = failed("x.scope", Cause::Exit, 0);
    let name = |text: &str| Some(text.to_owned());
    of_pod.dump.identities[0].pod =
        Some(Pod { uid: "u".into(), namespace: name("shop"), name: name("cart-7"), container: name("app") });
    let saved = dumps.store().save(&of_pod).expect("store a dump");
    let cgroup = of_pod.dump.identities[0].cgroup.clone();
    for what in ["shop/cart-7", "shop/cart-7/app", &cgroup, saved.path.to_str().expect("a path")] {
        let output = dumps.run(&["show", what, "--format", "strace"]);
        assert!(output.status.success() && stdout(&output).contains("openat("), "{what}: {}", stderr(&output));
    }
    let output = dumps.run(&["show", "shop/cart-8"]);
    assert_eq!(output.status.code(), Some(1));
    let said =
        format!("traceloop: show shop/cart-8: No such file, and no dump matches in {}\n", dumps.directory().display());
    assert_eq!(stderr(&output), said);
}

#[test]
fn nothing_found_is_said_and_fails() {
    let dumps = Dumps::new();
    for verb in ["list", "info", "show", "export"] {
        let output = dumps.run(&[verb]);
        assert_eq!(output.status.code(), Some(1), "{verb}");
        assert!(stderr(&output).contains("there are no dumps"), "{verb}: {}", stderr(&output));
    }
    dumps.save("a.service", Cause::Exit, 0);
    for verb in ["list", "info", "show", "export", "delete", "vacuum"] {
        let output = dumps.run(&[verb, "nobody"]);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""), "{verb}");
        assert!(stderr(&output).contains("no dump matches"), "{verb}: {}", stderr(&output));
    }
    assert_eq!(stderr(&dumps.run(&["list", "-q", "nobody"])), "");
}

#[test]
fn without_a_verb_dumps_are_listed() {
    // The usual directory may hold anything; what matters is that it is not a usage error.
    let output = traceloop(&[]);
    assert_ne!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn a_mistake_in_a_match_is_a_usage_error() {
    let dumps = Dumps::new();
    for args in
        [&["list", "NONSENSE=1"][..], &["show", "NONSENSE=1"], &["list", "-S", "x"], &["info", "a["], &["delete"]]
    {
        assert_eq!(dumps.run(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn an_exported_dump_is_the_file_itself() {
    let dumps = Dumps::new();
    let saved = dumps.save("a.service", Cause::Exit, 0);
    let raw = fs::read(&saved.path).expect("read it");
    assert_eq!(dumps.run(&["export", "a"]).stdout, raw);
    let copy = dumps.directory().join("../copy");
    let output = dumps.run(&["export", "-1", "-o", copy.to_str().expect("a path")]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(fs::read(&copy).expect("read the copy"), raw);
    assert!(stdout(&dumps.run(&["export", "a", "--format", "json"])).starts_with('{'));
    let chosen = dumps.run(&["export", "-1", "-Z", "-n", "1", "-o", copy.to_str().expect("a path")]);
    assert_eq!(chosen.status.code(), Some(2), "{}", stderr(&chosen));
    assert_eq!(fs::read(&copy).expect("the copy is as it was"), raw);
    let table = dumps.run(&["export", "a", "-c"]);
    assert!(stdout(&table).contains("openat"), "{}", stderr(&table));
}

#[test]
fn what_is_deleted_is_told_and_gone() {
    let dumps = Dumps::new();
    let first = dumps.save("a.service", Cause::Exit, 0);
    let second = dumps.save("b.service", Cause::Exit, 1);
    let output = dumps.run(&["delete", "a"]);
    assert_eq!(stdout(&output), format!("deleted {}\n", first.path.display()));
    assert!(!first.path.exists() && second.path.exists());
}

#[test]
fn a_vacuum_keeps_within_its_limits() {
    let dumps = Dumps::new();
    let paths: Vec<_> = (0..5).map(|hour| dumps.save("a.service", Cause::Exit, hour).path).collect();
    let used = |path: &Path| fs::metadata(path).expect("it is there").blocks() * 512;
    let two = (used(&paths[3]) + used(&paths[4])).to_string();
    let output = dumps.run(&["vacuum", "--max-use", &two]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().count(), 3, "{}", stdout(&output));
    assert_eq!(paths.iter().map(|path| path.exists()).collect::<Vec<_>>(), [false, false, false, true, true]);
    assert_eq!(stdout(&dumps.run(&["vacuum", "--max-age", "1d"])).lines().count(), 2);
}

#[test]
fn two_vacuums_at_once_remove_no_more_than_one() {
    let dumps = Dumps::new();
    let paths: Vec<_> = (0..40).map(|hour| dumps.save("a.service", Cause::Exit, hour).path).collect();
    let ten: u64 = paths[30..].iter().map(|path| fs::metadata(path).expect("it is there").blocks() * 512).sum();
    let outputs = std::thread::scope(|scope| {
        let vacuum = || dumps.run(&["vacuum", "--max-use", &ten.to_string()]);
        let running: Vec<_> = (0..4).map(|_| scope.spawn(vacuum)).collect();
        running.into_iter().map(|one| one.join().expect("a vacuum")).collect::<Vec<_>>()
    });
    let deleted: usize = outputs.iter().map(|output| stdout(output).lines().count()).sum();
    assert!(outputs.iter().all(|output| output.status.success()));
    assert_eq!((deleted, paths.iter().filter(|path| path.exists()).count()), (30, 10));
    assert!(paths[30..].iter().all(|path| path.exists()));
}

#[test]
fn the_dump_just_stored_stays_whatever_the_limits() {
    let dumps = Dumps::new();
    let old = dumps.save("a.service", Cause::Exit, 0);
    let tight = Retention { max_use: Some(Amount::Bytes(0)), ..Retention::default() };
    let kept = dumps.store().keep(&failed("b.service", Cause::Exit, 1), &tight).expect("keep a dump");
    assert!(kept.saved.path.exists() && !old.path.exists());
    assert_eq!(kept.given_up.len(), 1);
}

#[test]
fn the_directory_and_its_files_are_private() {
    let dumps = Dumps::new();
    let saved = dumps.save("a.service", Cause::Exit, 0);
    let mode = |path: &Path| fs::metadata(path).expect("it is there").mode() & 0o7777;
    assert_eq!((mode(&dumps.directory()), mode(&saved.path)), (0o700, 0o640));
    fs::set_permissions(dumps.directory(), PermissionsExt::from_mode(0o755)).expect("open it");
    let error = Store::open(&dumps.directory()).expect_err("others may enter");
    assert!(format!("{error:#}").contains("chmod 0700"), "{error:#}");
    // In an empty one of ours there is nothing that anybody could have seen, or planted.
    fs::remove_file(&saved.path).expect("remove it");
    fs::set_permissions(dumps.directory(), PermissionsExt::from_mode(0o775)).expect("open it");
    let error = Store::open(&dumps.directory()).expect_err("others may write");
    assert!(format!("{error:#}").contains("chmod 0700"), "{error:#}");
    fs::set_permissions(dumps.directory(), PermissionsExt::from_mode(0o755)).expect("open it");
    Store::open(&dumps.directory()).expect("it is closed to others");
    assert_eq!(mode(&dumps.directory()), 0o700);
    let link = dumps.directory().join("../link");
    symlink(dumps.directory(), &link).expect("make a link");
    let error = Store::open(&link).expect_err("a link");
    assert!(format!("{error:#}").contains("symbolic link"), "{error:#}");
}

#[test]
fn what_is_planted_in_the_store_is_not_followed() {
    let dumps = Dumps::new();
    let saved = dumps.save("a.service", Cause::Exit, 0);
    let name = |id: &str| dumps.directory().join(format!("20260101T000000.000000Z-b-exit-{id}.dump"));
    let secret = dumps.directory().join("../secret");
    fs::write(&secret, dump(&[openat("/secret", 2_000_002_500)])).expect("write a file");
    symlink(&secret, name("000000000001")).expect("make a link");
    fs::create_dir(name("000000000002")).expect("make a directory");
    nix::unistd::mkfifo(&name("000000000003"), nix::sys::stat::Mode::from_bits_truncate(0o644)).expect("make a pipe");
    fs::hard_link(&secret, dumps.directory().join("not-ours")).expect("make a file");
    assert_eq!(dumps.listed(&[]), ["a.service"]);
    let output = dumps.run(&["vacuum", "--max-use", "0"]);
    assert_eq!(stdout(&output), format!("deleted {}\n", saved.path.display()));
    assert!(secret.exists() && dumps.directory().join("not-ours").exists());
}

#[test]
fn dumps_of_older_versions_are_listed_described_and_shown() {
    let dumps = Dumps::new();
    dumps.store();
    let path = dumps.directory().join("20231114T221329.000000Z-a.service-exit-00000000000a.dump");
    fs::write(&path, super::support::older_dump(&[openat("/etc/missing", 2_000_002_500)])).expect("write a file");
    let list = stdout(&dumps.run(&["list"]));
    assert!(list.contains(" a.service ") && list.contains("00000000000a"), "{list}");
    assert!(stdout(&dumps.run(&["info"])).contains("Reason: the recorder ends"));
    assert!(stdout(&dumps.run(&["show", "-1"])).contains("/etc/missing"));
}

/// A service whose worker waits in a read while another process is killed.
fn crashed() -> Recording {
    let second = 1_000_000_000;
    let mut recording = recording_of(
        header(),
        &[
            openat("/etc/one", 2 * second),
            openat("/etc/two", 3 * second),
            task(7, 4 * second, 7, [7, 0, 11 | 0x80], b"server"),
            task(7, 5 * second, 8, [8, 0, 3 << 8], b"helper"),
        ],
    );
    recording.blocks.push(Block::of(None, 0, reading(9, 6 * second)));
    decode::summed_up(recording)
}

#[test]
fn last_words_tell_what_was_in_flight_what_failed_and_how_it_ended() {
    let dumps = Dumps::new();
    dumps.store().save(&crashed()).expect("store a dump");
    let info = stdout(&dumps.run(&["info"]));
    let shown = stdout(&dumps.run(&["show", "-1"]));
    let head: String = shown.lines().take_while(|line| line.starts_with('#')).collect();
    for text in [
        "[7] was killed by SIGSEGV (core dumped)",
        r#"its last call: openat(AT_FDCWD, "/etc/two", O_RDONLY) = -1 ENOENT"#,
        "[8] exited with 3",
        "[9] read(5,  <in flight> for 3.0s",
        r#"[7] openat(AT_FDCWD, "/etc/one", O_RDONLY) = -1 ENOENT (No such file or directory)"#,
    ] {
        assert!(info.contains(text), "{text} is not in\n{info}");
        assert!(head.contains(text), "{text} is not in\n{shown}");
    }
    assert_eq!(dumps.listed(&["SIGNAL=SIGSEGV", "STATUS=3"]).len(), 1);
    let list = stdout(&dumps.run(&["list", "-q"]));
    assert!(list.contains(" 7 server "), "{list}");
}

#[test]
fn last_words_of_a_large_dump_are_its_last() {
    let records: Vec<Vec<u8>> = (0..20_000).map(|n| openat(format!("/{n}"), 1_000_000_000 + n * 10_000)).collect();
    let recording = decode::summed_up(recording_of(header(), &records));
    let words = recording.dump.last_words.expect("it was looked at");
    let counts = recording.dump.counts.expect("it was counted");
    assert_eq!((counts.calls, counts.failed), (20_000, 20_000));
    let last: Vec<&str> = words.failed.iter().map(|call| &*call.text).collect();
    assert_eq!(last.len(), 8);
    assert!(last[0].contains("\"/19992\"") && last[7].contains("\"/19999\""), "{last:?}");
}

#[test]
fn lists_are_for_programs_and_for_pipes() {
    let dumps = Dumps::new();
    dumps.save("nginx.service", killed("nginx", 100), 0);
    dumps.save("sshd.service", Cause::Request, 1);
    dumps.save("nginx.service", Cause::Exit, 2);
    assert_eq!(stdout(&dumps.run(&["list", "--no-legend"])).lines().count(), 3);
    assert_eq!(stdout(&dumps.run(&["list", "--json=off", "--no-pager"])).lines().count(), 4);
    let pretty = stdout(&dumps.run(&["list", "--json=pretty", "-1"]));
    let object: serde_json::Value = serde_json::from_str(&pretty).expect("an object");
    assert!(pretty.lines().count() > 10 && object["name"] == "nginx.service", "{pretty}");
    assert_eq!(stdout(&dumps.run(&["info", "--json=short"])).lines().count(), 3);
    assert_eq!(stdout(&dumps.run(&["list", "-F", "UNIT"])), "nginx.service\nsshd.service\n");
    assert_eq!(stdout(&dumps.run(&["list", "-F", "signal", "nginx"])), "SIGSEGV\n");
    let wrong = dumps.run(&["list", "--field", "NONSENSE"]);
    assert!(wrong.status.code() == Some(2) && stderr(&wrong).contains("INVOCATION"), "{}", stderr(&wrong));
    let gone = stdout(&dumps.run(&["delete", "sshd", "--json"]));
    assert!(gone.contains("\"id\""), "{gone}");
    let gone = stdout(&dumps.run(&["vacuum", "--max-age", "1d", "--json"]));
    assert_eq!(gone.lines().filter(|line| line.starts_with("{\"id\":")).count(), 2, "{gone}");
}

#[test]
fn dumps_are_found_by_the_programs_that_were_begun() {
    let dumps = Dumps::new();
    let store = |unit: &str, records: &[[Vec<u8>; 2]]| {
        let mut recording = recording_of(header(), &records.concat());
        recording.dump.identities = vec![Identity { unit: Some(unit.into()), ..Identity::default() }];
        dumps.store().save(&decode::summed_up(recording)).expect("store a dump")
    };
    let tried = execve(7, "/usr/local/bin/nginx", 1_000_000_000, -2);
    store("web.service", &[tried, execve(7, "/usr/sbin/nginx", 2_000_000_000, 0)]);
    store("db.service", &[execve(9, "/usr/lib/postgresql/15/bin/postgres", 2_000_000_000, 0)]);
    for (exe, found) in [
        ("EXE=/usr/sbin/nginx", &["web.service"][..]),
        ("EXE=nginx", &["web.service"]),
        ("EXE=/usr/lib/*/postgres", &["db.service"]),
        ("EXE=/usr/local/bin/nginx", &[]),
        ("exe=*s*", &["db.service", "web.service"]),
    ] {
        let mut listed = dumps.listed(&["--all", "-q", exe]);
        listed.sort();
        assert_eq!(listed, found, "{exe}");
    }
    let programs = stdout(&dumps.run(&["list", "-F", "EXE", "UNIT=web"]));
    assert_eq!(programs, "/usr/sbin/nginx\nnginx\n");
    let directory = dumps.directory();
    let directory = directory.to_str().expect("a path");
    let before = traceloop(&["--no-pager", "-D", directory, "list", "--all", "--no-legend"]);
    assert_eq!(stdout(&before).lines().count(), 2, "{}", stderr(&before));
}

/// Key pairs as age-keygen makes them.
const PUBLIC: &str = "age1net3j4xtuk8fmr6372wwsxs48587ev0n0jjcjezpfxug5u57zd2shapjpq";
const SECRET: &str = "AGE-SECRET-KEY-150Y4E5HZM5N3C4YNJHZAUFACAQD9HNFG4DX6XTTL25G90PZY2RSSJ79G42";
const ANOTHER: &str = "AGE-SECRET-KEY-19X98PXEYCKK2A3QKAUWNP2L83Z9LVHZFAD6W360DUL9P4NSM5HRS0GVZ62";

#[test]
fn an_encrypted_dump_is_read_by_who_has_its_key() {
    let dumps = Dumps::new();
    let store = dumps.store();
    store.seal_for(Recipients::parse(&[PUBLIC.to_owned()]).expect("a key"));
    let id = store.save(&failed("shop.service", killed("shop", 77), 0)).expect("store a dump").id;
    let place = tempfile::tempdir().expect("a directory");
    let file = |name: &str, text: &str| {
        let path = place.path().join(name);
        fs::write(&path, text).expect("write a key");
        path.to_str().expect("a path").to_owned()
    };
    let (key, another, none) = (file("key", SECRET), file("another", ANOTHER), file("none", "nothing"));
    // Nothing of what was recorded is there, and what its name tells is.
    let stored = fs::read(store.entries().expect("entries")[0].path.clone()).expect("the file");
    assert!(stored.starts_with(b"age-encryption.org/v1\n"));
    let list = stdout(&dumps.run(&["list"]));
    assert!(list.contains("shop.service") && list.contains("killed") && list.contains("encrypted"), "{list}");
    let info = stdout(&dumps.run(&["info", "shop"]));
    assert!(info.contains("Encrypted: the dump is encrypted: give the file of its key with --identity"), "{info}");
    let told: serde_json::Value = serde_json::from_str(&stdout(&dumps.run(&["list", "--json"]))).expect("an object");
    assert_eq!((&told["state"], &told["id"]), (&"encrypted".into(), &id.as_str().into()));
    assert_eq!(stdout(&dumps.run(&["list", "-F", "UNIT"])), "shop.service\n");
    let list = stdout(&dumps.run(&["list", "--identity", &key]));
    assert!(list.contains("shop.service") && !list.contains("encrypted"), "{list}");
    let info = stdout(&dumps.run(&["info", "--identity", &key, "shop"]));
    assert!(info.contains("Calls: 1") && !info.contains("Encrypted"), "{info}");
    let info = stdout(&dumps.run(&["info", "--identity", &another, "shop"]));
    assert!(info.contains("Encrypted: ") && info.contains("by the key in") && info.contains("No matching"), "{info}");
    let refused = dumps.run(&["show", "shop"]);
    assert!(refused.status.code() == Some(1) && stderr(&refused).contains("--identity"), "{}", stderr(&refused));
    let shown = dumps.run(&["show", "--format", "strace", "--identity", &key, "shop"]);
    assert!(stdout(&shown).contains("/etc/missing"), "{}", stderr(&shown));
    let counted = dumps.run(&["stats", "--identity", &key, "-1"]);
    assert!(stdout(&counted).contains("openat"), "{}", stderr(&counted));
    // As it is without the key, plain with it.
    let (sealed, plain) = (file("sealed", ""), file("plain", ""));
    assert!(dumps.run(&["export", "-o", &sealed, &id]).status.success());
    assert_eq!(fs::read(&sealed).expect("a copy"), stored);
    assert!(dumps.run(&["export", "-o", &plain, "--identity", &key, &id]).status.success());
    assert!(stdout(&traceloop(&["show", &plain])).contains("/etc/missing"));
    assert!(stdout(&traceloop(&["show", "--identity", &key, &sealed])).contains("/etc/missing"));
    let refused = traceloop(&["info", &sealed]);
    assert!(refused.status.code() == Some(1) && stderr(&refused).contains("--identity"), "{}", stderr(&refused));
    assert!(stdout(&traceloop(&["info", "--identity", &key, &sealed])).contains("Calls: 1"));
    for (wrong, why) in [(&another, "No matching keys found"), (&none, "read the key"), (&sealed, "read the key")] {
        let refused = dumps.run(&["show", "--identity", wrong, "-1"]);
        assert!(refused.status.code() == Some(1) && stderr(&refused).contains(why), "{}", stderr(&refused));
        assert_eq!(stderr(&refused).lines().count(), 1, "{}", stderr(&refused));
    }
    // Changed or cut, it says so.
    let mut broken = stored.clone();
    let last = broken.len() - 1;
    broken[last] ^= 1;
    fs::write(&sealed, &broken).expect("write it");
    let refused = traceloop(&["show", "--identity", &key, &sealed]);
    assert!(refused.status.code() == Some(1) && stderr(&refused).contains("decrypt the dump"), "{}", stderr(&refused));
    // One that is stored afterwards may be plain again.
    store.seal_for(None);
    store.save(&failed("other.service", Cause::Exit, 1)).expect("store a dump");
    assert!(stdout(&dumps.run(&["show", "other"])).contains("/etc/missing"));
    assert!(Recipients::parse(&["age1nonsense".to_owned()]).is_err());
}

/// What bash offers for a line, by the completions as they are packaged.
fn offered(directory: &Path, line: &str) -> Vec<String> {
    let script = r#"source <(traceloop completions bash) && COMP_LINE=$1 COMP_POINT=${#1} && _traceloop && printf '%s\n' "${COMPREPLY[@]}""#;
    let binary = Path::new(env!("CARGO_BIN_EXE_traceloop")).parent().expect("its directory");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").expect("a path"));
    let output = std::process::Command::new("bash")
        .args(["--norc", "-c", script, "bash", line])
        .env("PATH", path)
        .env("TRACELOOP_DIRECTORY", directory)
        .env("TRACELOOP_SOCKET", directory.join("none.sock"))
        .current_dir(directory)
        .output()
        .expect("run bash");
    stdout(&output).lines().map(str::to_owned).collect()
}

#[test]
fn a_shell_is_offered_dumps_units_and_words() {
    let dumps = Dumps::new();
    let id = dumps.save("nginx.service", Cause::Exit, 0).id;
    dumps.save("sshd.service", Cause::Request, 1);
    let offered = |line: &str| offered(&dumps.directory(), line);
    assert!(offered("traceloop sh").contains(&"show".to_owned()));
    let all = offered("traceloop show ");
    assert!(all.contains(&"nginx.service".to_owned()) && all.contains(&id), "{all:?}");
    assert_eq!(offered("traceloop show ngi"), ["nginx.service"]);
    assert_eq!(offered(&format!("traceloop info {}", &id[..8])), [id]);
    assert!(offered("traceloop list --rev").contains(&"--reverse".to_owned()));
    assert!(offered("traceloop show -e trace=open").contains(&"openat".to_owned()));
    assert!(offered("traceloop show -e openat,%netw").contains(&"openat,%network".to_owned()));
    assert!(offered("traceloop explain epoll_pw").contains(&"epoll_pwait".to_owned()));
    assert!(offered("traceloop show --format st").contains(&"strace".to_owned()));
}

#[test]
fn what_is_written_goes_to_a_command_as_strace_has_it() {
    let place = tempfile::tempdir().expect("a directory");
    let (file, to) = (place.path().join("a.dump"), place.path().join("upper"));
    fs::write(&file, dump(&[openat("/one", 2_000_002_500)])).expect("write a file");
    let file = file.to_str().expect("a path");
    let piped = format!("|tr a-z A-Z >{}", to.display());
    let output = traceloop(&["show", "--format", "strace", "-o", &piped, file]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(fs::read_to_string(&to).expect("what it wrote").contains("OPENAT(AT_FDCWD, \"/ONE\""));
    assert_eq!(traceloop(&["show", "-o", "|", file]).status.code(), Some(2));
    // Who has seen enough is no failure.
    assert!(traceloop(&["show", "-o", "!true", file]).status.success());
}

#[test]
fn a_file_is_described_exported_and_read_from_a_pipe() {
    use std::process::{Command, Stdio};
    let dumps = Dumps::new();
    let saved = dumps.save("a.service", killed("a", 7), 0);
    let (path, raw) = (saved.path.to_str().expect("a path"), fs::read(&saved.path).expect("read it"));
    let other = dumps.directory().join("../other.dump");
    fs::write(&other, &raw).expect("a copy");
    let other = other.to_str().expect("a path");
    for file in [path, other] {
        // Without any store.
        let info = traceloop(&["info", file, "-D", "/nonexistent"]);
        assert!(stdout(&info).contains("Reason: a[7] was killed by SIGSEGV"), "{file}: {}", stderr(&info));
        assert_eq!(stdout(&info).contains("ID:"), file == path, "{}", stdout(&info));
        assert_eq!(stdout(&traceloop(&["list", "--no-legend", file])).lines().count(), 1);
        assert_eq!(traceloop(&["export", file]).stdout, raw);
        let delete = traceloop(&["delete", file]);
        assert!(delete.status.code() == Some(1) && stderr(&delete).contains("not for a file"), "{}", stderr(&delete));
    }
    for verb in [&["show", "-"][..], &["show", "--json", "-"], &["stats", "-"], &["export", "--format", "text", "-"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_traceloop"));
        let piped = command.args(verb).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut piped = piped.expect("run it");
        std::io::Write::write_all(&mut piped.stdin.take().expect("a pipe"), &raw).expect("write the dump");
        let output = piped.wait_with_output().expect("it ends");
        assert!(output.status.success() && stdout(&output).contains("openat"), "{verb:?}");
        let from_file = command.stdin(fs::File::open(path).expect("open it")).output().expect("run it");
        assert_eq!(stdout(&from_file), stdout(&output), "{verb:?}");
    }
    for (verb, word) in
        [("show", "gone.dump"), ("info", "gone.dump"), ("export", "./gone"), ("list", "/gone"), ("stats", "gone")]
    {
        let output = dumps.run(&[verb, word]);
        assert_eq!(output.status.code(), Some(1), "{verb}");
        assert!(
            stderr(&output).contains(&format!("{word}: No such file, and no dump matches in ")),
            "{}",
            stderr(&output)
        );
        let output = traceloop(&[verb, word, "-D", "/nonexistent"]);
        assert!(stderr(&output).contains(&format!("{word}: No such file")), "{}", stderr(&output));
    }
    let text = dumps.directory().with_extension("txt");
    fs::write(&text, "no dump").expect("write a file");
    for verb in ["show", "info", "list", "export"] {
        let output = dumps.run(&[verb, text.to_str().expect("a path")]);
        assert!(output.status.code() == Some(1), "{verb}");
        assert!(stderr(&output).contains("not a traceloop dump"), "{verb}: {}", stderr(&output));
    }
}

#[test]
fn times_are_said_as_people_say_them() {
    let dumps = Dumps::new();
    dumps.save("a.service", Cause::Exit, 0);
    for (args, found) in [
        (["--until", "now"], 1),
        (["--since", "now"], 0),
        (["--since", "2h"], 0),
        (["--since", "3m ago"], 0),
        (["--until", "2 hours ago"], 1),
        (["--until", "10:00"], 1),
        (["--since", "1000weeks"], 1),
    ] {
        assert_eq!(dumps.listed(&args).len(), found, "{args:?}");
    }
    for time in ["2h", "1h ago", "now", "10:00", "today"] {
        let output = dumps.run(&["show", "-1", "--until", time]);
        assert!(output.status.success(), "{time}: {}", stderr(&output));
    }
}

/// The list, the description, the header, the text and the page count the same calls.
#[test]
fn numbers_agree() {
    let dumps = Dumps::new();
    let records = [openat("/a", 7_000_000_000), openat("/b", 7_500_000_000), reading(7, 8_000_000_000)];
    let mut recording = recording_of(header(), &records[..2]);
    recording.blocks.push(Block::of(None, 0, records[2].clone()));
    dumps.store().save(&decode::summed_up(recording)).expect("store a dump");
    let list: serde_json::Value = serde_json::from_slice(&dumps.run(&["list", "--json"]).stdout).expect("an object");
    assert_eq!((&list["calls"], &list["failed"]), (&2.into(), &2.into()), "{list}");
    let info = stdout(&dumps.run(&["info"]));
    assert!(info.contains("Calls: 2, 2 of them failed\n"), "{info}");
    let text = |args: &[&str]| stdout(&dumps.run(&[&["show", "-1"], args].concat()));
    assert!(text(&[]).contains("\n# 2 calls, and 1 without an end\n"), "{}", text(&[]));
    assert!(text(&["-n", "2"]).contains("\n# 1 of 2 calls, and 1 without an end\n"), "{}", text(&["-n", "2"]));
    assert!(text(&["--format", "html"]).contains(r#""calls":2,"failed":2,"endless":1,"signals":0,"held":2}"#));
    let stats: serde_json::Value = serde_json::from_str(&stdout(&dumps.run(&["stats", "--json"]))).expect("an object");
    assert_eq!(stats["calls"], 2, "{stats}");
}
