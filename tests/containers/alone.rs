//! The static binary in a root file system that holds nothing else: no shell, no library, no /etc.

use std::{
    env, fs,
    process::{Command, Output},
};

/// Runs it there, with what a container has of the kernel.
fn alone(arguments: &[&str]) -> Output {
    let root = env::var("TRACELOOP_ONLY").expect("started by tests/containers/run");
    for directory in ["proc", "sys"] {
        fs::create_dir_all(format!("{root}/{directory}")).expect("a place for the kernel's file systems");
    }
    let enter = "mount --rbind /proc \"$0/proc\" && mount --rbind /sys \"$0/sys\" && exec chroot \"$0\" /usr/bin/traceloop \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", enter, &root]).args(arguments);
    command.output().expect("run unshare")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
#[ignore = "needs root, BPF and the static binary: tests/containers/run"]
fn it_needs_nothing() {
    let doctor = alone(&["doctor"]);
    assert!(doctor.status.success(), "{}{}", text(&doctor.stdout), text(&doctor.stderr));
    let run = alone(&["run", "--format", "strace", "--", "/usr/bin/traceloop", "--version"]);
    let (said, dump) = (text(&run.stderr), text(&run.stdout));
    assert!(run.status.success(), "{said}");
    assert!(said.contains("recording 1 cgroup"), "{said}");
    for what in ["execve(\"/usr/bin/traceloop\", [\"/usr/bin/traceloop\", \"--version\"]", "+++ exited with 0 +++"] {
        assert!(dump.contains(what), "{what:?} is not in:\n{dump}");
    }
    assert!(!dump.contains("/ld-linux") && !dump.contains(".so"), "it asks for libraries:\n{dump}");
}
