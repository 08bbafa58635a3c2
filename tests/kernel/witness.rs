//! strace and traceloop on one execution: no call missing, none twice.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::support::{Scratch, WAYS, compile};

/// Calls of one thread in the order in which they began, by name.
type Calls = BTreeMap<u32, Vec<String>>;

/// Reads a log of `strace -f -ttt`; a call that is told in two lines counts once. Signals and exits
/// count too, by their first word.
fn calls(log: &str) -> Calls {
    let mut calls = Calls::new();
    for line in log.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.splitn(3, ' ').map(str::trim);
        let pid = words.next().and_then(|word| word.parse().ok());
        let rest = line.split_whitespace().skip(2).collect::<Vec<_>>().join(" ");
        let Some(pid) = pid else { continue };
        if rest.starts_with("<...") {
            continue;
        }
        let name = if rest.starts_with("+++") || rest.starts_with("---") {
            rest.split(' ').take(2).collect::<Vec<_>>().join(" ")
        } else {
            rest.split('(').next().unwrap_or_default().to_owned()
        };
        calls.entry(pid).or_default().push(name);
    }
    calls
}

/// What is in `reference` and not in `got`, and the other way round, in order. The first thread of the
/// recording joins it in a write(); what the reference tells before does not count.
fn differences(reference: &Calls, got: &Calls) -> (Vec<String>, Vec<String>) {
    let (mut missing, mut extra) = (Vec::new(), Vec::new());
    for pid in reference.keys().chain(got.keys().filter(|pid| !reference.contains_key(pid))) {
        let empty = Vec::new();
        let have = got.get(pid).unwrap_or(&empty);
        let want = reference.get(pid).unwrap_or(&empty);
        // The shell that joins writes nothing before.
        let joined = want.iter().position(|name| name == "write" && have.first() == Some(name));
        let want = &want[joined.unwrap_or(0)..];
        for (n, name) in want.iter().enumerate() {
            if have.get(n) != Some(name) {
                let instead = have.get(n).map_or("nothing", String::as_str);
                missing.push(format!("{pid}: {name} (call {n} of {}; of {} is {instead})", want.len(), have.len()));
                if have.len() < want.len() {
                    break;
                }
            }
        }
        if have.len() > want.len() {
            extra.push(format!("{pid}: {} calls more", have.len() - want.len()));
        }
    }
    (missing, extra)
}

/// Runs a command under strace in a recorded cgroup: both logs of one execution.
pub(crate) fn both(scratch: &Scratch, options: &[&str], before: &[&str], command: &str) -> (String, String) {
    both_shown(scratch, &[], options, before, command)
}

/// The strace beside: the machine's, or the one that TRACELOOP_STRACE names; and whose form it writes.
fn oracle() -> (OsString, &'static str) {
    let strace = env::var_os("TRACELOOP_STRACE").unwrap_or_else(|| "strace".into());
    let told = Command::new(&strace).arg("-V").output().expect("ask strace for its version").stdout;
    let is_old = String::from_utf8_lossy(&told).lines().next().is_some_and(|line| line.ends_with(" 6.1"));
    (strace, if is_old { "6.1" } else { "newest" })
}

/// The same, with options that both understand.
pub(crate) fn both_shown(
    scratch: &Scratch,
    shown: &[&str],
    options: &[&str],
    before: &[&str],
    command: &str,
) -> (String, String) {
    let log = scratch.files.path().join("strace.log");
    let (strace, version) = oracle();
    let own = ["--buffer-size", "32M", "--memory-max", "512M", "--strace-version", version];
    let recording = scratch.record(&[&own[..], shown, options].concat());
    let procs = scratch.cgroup.join("cgroup.procs");
    let status = Command::new(before.first().map_or(strace.clone(), OsString::from))
        .args(before.get(1..).unwrap_or_default())
        .args(if before.is_empty() { &[][..] } else { std::slice::from_ref(&strace) })
        .args(["-f", "-ttt", "-T"])
        .args(shown)
        .arg("-o")
        .arg(&log)
        .args(["sh", "-c"])
        .arg(format!("echo $$ > {}; exec {command}", procs.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("run strace");
    assert!(status.code().is_some_and(|code| code < 100), "{command}: {status}");
    let dump = recording.dump();
    dump.must_be_complete();
    let reference = String::from_utf8_lossy(&fs::read(&log).expect("strace's log")).into_owned();
    if let Some(keep) = std::env::var_os("TRACELOOP_KEEP_LOGS") {
        let _ = fs::write(Path::new(&keep).join("strace.log"), &reference);
        let _ = fs::write(Path::new(&keep).join("traceloop.log"), &dump.text);
    }
    (reference, dump.text)
}

/// Holds both logs of one execution against each other; returns how many calls there were.
fn compare(scratch: &Scratch, options: &[&str], before: &[&str], command: &str) -> usize {
    let (reference, got) = both(scratch, options, before, command);
    let reference = calls(&reference);
    let (missing, extra) = differences(&reference, &calls(&got));
    assert!(missing.is_empty() && extra.is_empty(), "{options:?} {before:?}: missing {missing:#?}, extra {extra:#?}");
    reference.values().map(Vec::len).sum()
}

#[test]
#[ignore = "needs root and BPF"]
fn eight_threads_that_fork_and_exec() {
    for way in WAYS {
        for before in [&[][..], &["taskset", "1"]] {
            let scratch = Scratch::new();
            let program = compile(&scratch, "threads", &[]);
            let calls = compare(&scratch, way, before, program.to_str().expect("a path"));
            assert!(calls > 1000, "{calls} calls are too few for this program");
        }
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn a_shell_pipeline() {
    let scratch = Scratch::new();
    compare(
        &scratch,
        &[],
        &[],
        r#"sh -c 'ls / | grep e | sort -r | head -2; trap "echo hup" HUP; kill -HUP $$; true'"#,
    );
}

/// initdb, start, a query, stop: some hundred thousand calls of a dozen processes.
#[test]
#[ignore = "needs root and BPF"]
fn postgres_from_initdb_to_stop() {
    let bin = fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL is installed: apt-get install postgresql")
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .find(|bin| bin.join("initdb").exists())
        .expect("initdb");
    let scratch = Scratch::new();
    let data = scratch.files.path().join("pg");
    let script = scratch.files.path().join("pg.sh");
    fs::create_dir(&data).expect("a directory");
    let owned = Command::new("chown").arg("postgres").arg(scratch.files.path()).arg(&data).status().expect("chown");
    assert!(owned.success());
    let text = format!(
        "set -e\nexport PATH={}:$PATH PGHOST={data} PGDATA={data}/db\ninitdb -N -A trust >/dev/null\n\
         pg_ctl -w -o \"-c listen_addresses='' -c unix_socket_directories={data}\" -l {data}/log start >/dev/null\n\
         psql -d postgres -c 'select count(*) from pg_class' >/dev/null\npg_ctl -m fast -w stop >/dev/null\n",
        bin.display(),
        data = data.display()
    );
    fs::write(&script, text).expect("write the script");
    let command = format!("setpriv --reuid postgres --regid postgres --clear-groups sh {}", script.display());
    let calls = compare(&scratch, &[], &[], &command);
    assert!(calls > 10_000, "{calls} calls are too few for postgres");
}
