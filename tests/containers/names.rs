//! What the runtimes tell of a container whose cgroup's path is known.

use std::{env, fs};

use traceloop::identity::{Resolver, Runtimes, Target, of_path};

use crate::{cri::Pod, docker, podman::Container};

/// The path of the cgroup whose name holds the container's id.
fn cgroup_of(id: &str) -> String {
    let found = fs::read_dir("/proc").expect("/proc").flatten().find_map(|entry| {
        let text = fs::read_to_string(entry.path().join("cgroup")).ok()?;
        let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
        path.contains(id).then(|| path.to_owned())
    });
    found.unwrap_or_else(|| panic!("no process is in a cgroup of {id}"))
}

#[tokio::test]
#[ignore = "needs root and container runtimes: tests/containers/run"]
async fn podman_tells_the_name_without_its_service() {
    let container = Container::run("traceloop-names", "sleep 1000");
    let identity = of_path(&cgroup_of(container.id()), 7);
    assert_eq!(identity.container.as_ref().map(|found| found.id.as_str()), Some(container.id()));
    let identity = Resolver::new(Runtimes { podman: Vec::new(), ..Runtimes::default() }).resolve(identity).await;
    assert_eq!(identity.to_string(), "traceloop-names");
    assert!(identity.matches(&Target::parse(&container.id()[..12]).unwrap()));
}

#[tokio::test]
#[ignore = "needs root and container runtimes: tests/containers/run"]
async fn containerd_tells_the_pod_over_the_runtime_interface() {
    let socket = env::var("TRACELOOP_CRI").unwrap();
    let pod = Pod::run(&socket, "shop", "names-0", "7d3d8d0e-0b1c-4f5e-9a57-3f0a2b6c1d4e", "sleep 1000").await;
    let identity = of_path(&cgroup_of(&pod.container), 7);
    let resolver = Resolver::new(Runtimes { cri: vec![socket.into()], ..Runtimes::default() });
    let identity = resolver.resolve(identity).await;
    pod.remove().await;
    assert_eq!(identity.to_string(), "shop/names-0/app");
    let container = identity.container.as_ref().unwrap();
    assert_eq!((container.runtime.as_str(), container.image.as_deref()), ("containerd", Some("local.test/box:1")));
    assert_eq!(container.labels.get("tier").map(String::as_str), Some("front"));
    assert!(identity.matches(&Target::parse("shop/names-0").unwrap()));
}

#[tokio::test]
#[ignore = "needs root and container runtimes: tests/containers/run"]
async fn docker_tells_the_name_over_its_socket() {
    let container = docker::Container::run("traceloop-docked", "sleep 1000");
    let cgroup = cgroup_of(container.id());
    assert_eq!(cgroup, format!("/docker/{}", container.id()));
    let resolver = Resolver::new(Runtimes { docker: vec![docker::socket().into()], ..Runtimes::default() });
    let identity = resolver.resolve(of_path(&cgroup, 7)).await;
    assert_eq!(identity.to_string(), "traceloop-docked");
    let found = identity.container.as_ref().unwrap();
    assert_eq!((found.runtime.as_str(), found.image.as_deref()), ("docker", Some("box:1")));
    assert_eq!(found.labels.get("tier").map(String::as_str), Some("front"));
    assert!(identity.matches(&Target::parse(&container.id()[..12]).unwrap()));
}
