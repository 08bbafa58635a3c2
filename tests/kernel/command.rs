//! The command line: ready line, signals, exit codes, errors.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use nix::sys::signal::Signal;

use super::support::{Recording, Scratch, TRACELOOP, cgroup_root};

fn traceloop(args: &[&str]) -> Output {
    Command::new(TRACELOOP).args(args).stdin(Stdio::null()).output().expect("run traceloop")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// One line on stderr that holds all of these, exit 1.
#[track_caller]
fn fails_with(args: &[&str], words: &[&str]) {
    let output = traceloop(args);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    for word in words {
        assert!(told.contains(word), "{word:?} is not in {told}");
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn what_is_wrong_with_a_cgroup_is_told_in_one_line() {
    fails_with(&["cgroups", "/sys/fs/cgroup/no/such"], &["/sys/fs/cgroup/no/such", "below"]);
    fails_with(&["cgroups", "/tmp"], &["/tmp is not a cgroup"]);
    let mounts = fs::read_to_string("/proc/self/mounts").expect("mounts");
    if let Some(v1) = mounts.lines().find(|line| line.split(' ').nth(2) == Some("cgroup")) {
        let path = v1.split(' ').nth(1).expect("a path");
        fails_with(&["cgroups", path], &[path, "cgroup v1", cgroup_root().to_str().expect("a path")]);
    }
}

#[test]
#[ignore = "needs root and BPF"]
fn missing_rights_are_told_in_one_line() {
    let scratch = Scratch::new();
    let output = Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all", TRACELOOP, "cgroups"])
        .arg(&scratch.cgroup)
        .output()
        .expect("run setpriv");
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.lines().count() == 1 && told.contains("run as root, or with CAP_BPF and CAP_PERFMON"), "{told}");
}

#[test]
#[ignore = "needs root and BPF"]
fn usage_errors_exit_with_2() {
    assert_eq!(traceloop(&["cgroups"]).status.code(), Some(2));
    assert_eq!(traceloop(&["no-such-verb"]).status.code(), Some(2));
    assert_eq!(traceloop(&["cgroups", "--syscalls", "nonsense", "/"]).status.code(), Some(2));
}

#[test]
#[ignore = "needs root and BPF"]
fn sigusr2_dumps_and_goes_on() {
    let scratch = Scratch::new();
    let recording = scratch.record(&[]);
    assert!(scratch.command("/bin/true before-the-signal").status().expect("run it").success());
    recording.signal(Signal::SIGUSR2);
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(scratch.command("/bin/true after-the-signal").status().expect("run it").success());
    let dump = recording.dump();
    assert_eq!(dump.count("before-the-signal\"]"), 2, "once in each dump:\n{}", dump.text);
    assert_eq!(dump.count("after-the-signal\"]"), 1);
}

#[test]
#[ignore = "needs root and BPF"]
fn without_the_flag_it_follows() {
    let scratch = Scratch::new();
    let file = scratch.files.path().join("followed");
    let recording = Recording::start(&file, &["cgroups", "--format", "strace"], &[&scratch.cgroup]);
    assert!(scratch.command("/bin/true followed").status().expect("run it").success());
    let seen = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        fs::read_to_string(&file)
            .is_ok_and(|text| text.contains(r#"["/bin/true", "followed"]"#) && text.contains("+++ exited with 0"))
    });
    assert!(seen, "{}", fs::read_to_string(&file).unwrap_or_default());
    recording.dump().must_have(r#"["/bin/true", "followed"]"#);
}

#[test]
#[ignore = "needs root and BPF"]
fn a_raw_dump_is_shown_without_root() {
    let scratch = Scratch::new();
    let file = Path::new("/tmp").join(format!("traceloop-test-{}.dump", std::process::id()));
    let output = Command::new(TRACELOOP)
        .args(["run", "--format", "raw", "-o"])
        .arg(&file)
        .args(["--", "cat", "/nonexistent"])
        .stderr(Stdio::null())
        .status()
        .expect("run traceloop");
    assert_eq!(output.code(), Some(1));
    let copy = scratch.files.path().join("traceloop");
    fs::copy(TRACELOOP, &copy).expect("copy the program");
    for path in [scratch.files.path(), &copy] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(path, mode).expect("set the mode");
    }
    let shown = Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(&copy)
        .args(["show", "--format", "strace"])
        .arg(&file)
        .output()
        .expect("show it");
    let _ = fs::remove_file(&file);
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.status.success(), "{}", stderr(&shown));
    assert!(text.contains(r#"openat(AT_FDCWD, "/nonexistent", O_RDONLY) = -1 ENOENT"#), "{text}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let command = format!("{TRACELOOP} run -- ls -R /etc | head -1 >/dev/null; echo ${{PIPESTATUS[0]}}");
    let output = Command::new("bash").arg("-c").arg(command).stderr(Stdio::null()).output().expect("run bash");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.trim() == "0", "{text}");
}

#[test]
#[ignore = "needs root and BPF"]
fn doctor_finds_nothing_bad_here() {
    let output = traceloop(&["doctor"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("ok    recording: the programs load and attach"), "{text}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_kernel_without_btf_is_named() {
    let scratch = Scratch::new();
    let hidden =
        format!("mount -t tmpfs none /sys/kernel/btf && exec {TRACELOOP} cgroups {}", scratch.cgroup.display());
    let output = Command::new("unshare").args(["-m", "sh", "-c", &hidden]).output().expect("run unshare");
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.lines().count() == 1 && told.contains("no BTF") && told.contains("CONFIG_DEBUG_INFO_BTF"), "{told}");
}

/// What a command finds of signals, limits and descriptors is what a shell would have given it.
#[test]
#[ignore = "needs root and BPF"]
fn a_command_starts_as_a_shell_starts_it() {
    let script = "grep -E '^(Sig|Umask|Seccomp|NoNewPrivs|Cap)' /proc/self/status; cat /proc/self/limits; ls /proc/self/fd; \
                  nice; cat /proc/self/oom_score_adj; pwd; env | sort; yes | head -1; echo ${PIPESTATUS[0]}";
    let file = tempfile::NamedTempFile::new().expect("a file");
    let out = |command: &mut Command| {
        let output = command.stdin(Stdio::null()).output().expect("run it");
        without_libcs_own(&String::from_utf8_lossy(&output.stdout))
    };
    let plain = out(Command::new("bash").args(["-c", script]));
    let mut traceloop = Command::new(TRACELOOP);
    traceloop.args(["run", "-o"]).arg(file.path()).args(["--", "bash", "-c", script]);
    let recorded = out(&mut traceloop);
    assert!(plain.contains("\n141\n"), "{plain}");
    assert_eq!(plain, recorded);
    // What nohup and a script's `&` make it ignore.
    let ignoring = |command: &str| {
        let script = format!("trap '' HUP INT QUIT USR2; exec {command} grep SigIgn /proc/self/status");
        out(Command::new("bash").args(["-c", &script]))
    };
    let plain = ignoring("");
    assert_eq!(ignoring(&format!("{TRACELOOP} run -o {} --", file.path().display())), plain);
}

/// Another run that was killed, or that has the same pid in another namespace, has left its cgroup there.
#[test]
#[ignore = "needs root and BPF"]
fn a_cgroup_of_the_same_name_is_in_nobodys_way() {
    let root = cgroup_root();
    let script = format!("mkdir {}/traceloop-run-$$ && exec {TRACELOOP} run --format strace -- true", root.display());
    let child = Command::new("sh").args(["-c", &script]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.expect("start it");
    let pid = child.id();
    let left = root.join(format!("traceloop-run-{pid}"));
    let output = child.wait_with_output().expect("wait for it");
    fs::remove_dir(&left).expect("it is there still");
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("exit_group(0)"), "{}", stderr(&output));
    assert!(!root.join(format!("traceloop-run-{pid}.1")).exists(), "its own goes");
}

/// glibc's posix_spawn ignores the two signals that are its own (32, 33) in the child, where the parent has threads that
/// use them: the test's process may have, and traceloop's not.
fn without_libcs_own(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix("SigIgn:\t").and_then(|mask| u64::from_str_radix(mask, 16).ok()) {
        Some(mask) => format!("SigIgn:\t{:016x}\n", mask & !(3 << 31)),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}
