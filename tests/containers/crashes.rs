//! A container dies: what it did is there by its name, while it runs and after it is gone.

use std::env;

use crate::{cri::Pod, docker, podman::Container, served::Served};

/// Looks for a file that is not there; a child of it dies by a fault; it waits; it fails.
const SCRIPT: &str = "cat /nonexistent; sh -c 'kill -SEGV $$'; sleep 4; exit 3";

/// What the name must lead to while the container runs, and after it is gone.
fn holds(dump: &str) {
    for text in ["execve(\"/bin/sh\"", "\"/nonexistent\", O_RDONLY", "ENOENT", "+++ killed by SIGSEGV +++"] {
        assert!(dump.contains(text), "{text:?} is not in:\n{dump}");
    }
}

fn runs_and_dies(served: &mut Served, names: &[&str], id: &str) {
    let killed = |dump: String| dump.contains("killed by SIGSEGV").then_some(dump);
    for name in names.iter().chain([&&id[..12]]) {
        let dump = served.wait(name, |served| served.live(&["dump", name, "--format", "strace"]).and_then(killed));
        holds(&dump);
        assert!(!dump.contains("+++ exited with 3 +++"), "the container had ended before {name} was asked for");
    }
    let listed = served.live(&["ps"]).unwrap_or_default();
    assert!(listed.lines().any(|line| line.contains(names[0]) && line.contains("recording")), "{listed}");
}

fn is_kept(served: &mut Served, names: &[&str], id: &str) {
    for name in names.iter().chain([&&id[..12]]) {
        let dump = served.wait(name, |served| {
            let dump = served.stored(&["show", "-1", name, "--format", "strace"])?;
            dump.contains("+++ exited with 3 +++").then_some(dump)
        });
        holds(&dump);
    }
    let listed = served.stored(&["list", names[0]]).unwrap_or_default();
    assert_eq!(
        listed.lines().filter(|line| line.contains(names[0])).count(),
        2,
        "one by the signal, one by the status: {listed}"
    );
}

#[test]
#[ignore = "needs root, BPF and container runtimes: tests/containers/run"]
fn of_podman() {
    let mut served = Served::start("podman = []");
    let container = Container::run("traceloop-crash", SCRIPT);
    let id = container.id().to_owned();
    runs_and_dies(&mut served, &["traceloop-crash"], &id);
    served.wait("its end", |served| served.live(&["ps", "traceloop-crash"]).filter(|text| text.contains("ended")));
    drop(container);
    is_kept(&mut served, &["traceloop-crash"], &id);
}

#[test]
#[ignore = "needs root, BPF and container runtimes: tests/containers/run"]
fn of_docker() {
    let mut served = Served::start(&format!("docker = [\"{}\"]", docker::socket()));
    let container = docker::Container::run("traceloop-docked", SCRIPT);
    let id = container.id().to_owned();
    runs_and_dies(&mut served, &["traceloop-docked"], &id);
    served.wait("its end", |served| served.live(&["ps", "traceloop-docked"]).filter(|text| text.contains("ended")));
    drop(container);
    is_kept(&mut served, &["traceloop-docked"], &id);
}

#[tokio::test]
#[ignore = "needs root, BPF and container runtimes: tests/containers/run"]
async fn of_a_pod() {
    let socket = env::var("TRACELOOP_CRI").unwrap();
    let mut served = Served::start(&format!("cri = [\"{socket}\"]"));
    let pod = Pod::run(&socket, "shop", "crash-0", "0f8fad5b-d9cb-469f-a165-70867728950e", SCRIPT).await;
    let id = pod.container.clone();
    let names = ["shop/crash-0/app", "shop/crash-0"];
    runs_and_dies(&mut served, &names, &id);
    served.wait("its end", |served| served.live(&["ps", names[0]]).filter(|text| text.contains("ended")));
    let dump = served.live(&["dump", "shop/crash-0", "--format", "strace"]).unwrap_or_default();
    assert!(dump.contains("+++ exited with 3 +++"), "the sandbox is not what is asked for:\n{dump}");
    pod.remove().await;
    is_kept(&mut served, &names, &id);
}
