//! Names from runtimes that answer, that come late, that are down, slow or talk nonsense.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tempfile::TempDir;

use super::*;
use crate::identity::{of_path, runtime::fakes};

const ID: &str = "8c1f2b3a4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8";
const UID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

/// A directory with the sockets `cri`, `docker` and `podman`, and the storage `storage`.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn resolver(&self) -> Resolver {
        let one = |name| vec![self.at(name)];
        Resolver::new(Runtimes {
            cri: one("cri"),
            docker: one("docker"),
            podman: one("podman"),
            podman_storage: one("storage"),
        })
    }
}

fn docker_container() -> Identity {
    of_path(&format!("/system.slice/docker-{ID}.scope"), 7)
}

fn pod_container() -> Identity {
    of_path(&format!("/kubepods/besteffort/pod{UID}/{ID}"), 7)
}

fn inspected(path: &str) -> (u16, Vec<u8>) {
    assert_eq!(path, format!("/containers/{ID}/json"));
    (200, format!(r#"{{"Id":"{ID}","Name":"/web","Config":{{"Image":"nginx:1","Labels":{{"a":"b"}}}}}}"#).into_bytes())
}

async fn name_of(resolver: &Resolver, identity: Identity) -> (String, Duration) {
    let began = Instant::now();
    (resolver.resolve(identity).await.to_string(), began.elapsed())
}

#[tokio::test]
async fn docker_and_podman_tell_name_image_and_labels() {
    let place = Place::new();
    fakes::docker(&place.at("docker"), inspected);
    fakes::docker(&place.at("podman"), inspected);
    let resolver = place.resolver();
    let identity = resolver.resolve(docker_container()).await;
    let container = identity.container.unwrap();
    assert_eq!((container.name.as_deref(), container.image.as_deref()), (Some("web"), Some("nginx:1")));
    assert_eq!(container.labels.get("a").map(String::as_str), Some("b"));
    let podman = of_path(&format!("/machine.slice/libpod-{ID}.scope/container"), 7);
    assert_eq!(name_of(&resolver, podman).await.0, "web");
}

#[tokio::test]
async fn a_pod_has_its_names_and_both_kinds_of_labels() {
    let place = Place::new();
    fakes::Cri::with(ID, UID).serve(&place.at("cri"), || true);
    let resolver = place.resolver();
    let identity = resolver.resolve(pod_container()).await;
    assert_eq!(identity.to_string(), "shop/web-0/app");
    let container = identity.container.unwrap();
    assert_eq!((container.runtime.as_str(), container.name.as_deref()), ("containerd", Some("app")));
    assert_eq!(container.image.as_deref(), Some("docker.io/library/app:1"));
    assert_eq!(container.labels.get("tier").map(String::as_str), Some("front"));
    // The sandbox and the pod's own cgroup have the pod's names only.
    let sandbox = of_path(&format!("/kubepods/besteffort/pod{UID}/{}", "5a".repeat(32)), 7);
    assert_eq!(name_of(&resolver, sandbox).await.0, "shop/web-0");
    assert_eq!(name_of(&resolver, of_path(&format!("/kubepods/besteffort/pod{UID}"), 7)).await.0, "shop/web-0");
}

#[tokio::test]
async fn a_container_that_is_listed_late_is_asked_for_again_and_then_remembered() {
    let place = Place::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    fakes::docker(&place.at("docker"), move |path| match count.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => (404, b"{}".to_vec()),
        _ => inspected(path),
    });
    let resolver = place.resolver();
    let (name, took) = name_of(&resolver, docker_container()).await;
    assert_eq!(name, "web");
    assert!(took >= AGAIN[0] + AGAIN[1], "{took:?}");
    assert_eq!(name_of(&resolver, docker_container()).await.0, "web");
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn nobody_there_costs_the_name_and_no_time() {
    let place = Place::new();
    std::os::unix::net::UnixListener::bind(place.at("cri")).map(drop).unwrap();
    let resolver = place.resolver();
    for identity in
        [docker_container(), pod_container(), of_path("/system.slice/a.service", 7), of_path("/lxc.payload.x", 7)]
    {
        let (_, took) = name_of(&resolver, identity.clone()).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert_eq!(resolver.resolve(identity.clone()).await, identity);
    }
}

#[tokio::test]
async fn a_stalling_runtime_is_left_alone_after_a_while() {
    let place = Place::new();
    fakes::stalling(&place.at("docker"));
    fakes::stalling(&place.at("cri"));
    let resolver = place.resolver();
    for number in 0..FAILURES {
        let (name, took) = name_of(&resolver, docker_container()).await;
        assert_eq!(name, ID[..12]);
        assert!(took >= PATIENCE && took < PATIENCE * 2, "{number}: {took:?}");
    }
    let (name, took) = name_of(&resolver, docker_container()).await;
    assert_eq!(name, ID[..12]);
    assert!(took < PATIENCE / 2, "{took:?}");
    assert!(name_of(&resolver, pod_container()).await.1 < PATIENCE * 2);
}

#[tokio::test]
async fn nonsense_and_floods_cost_the_name_only() {
    for bytes in [&b"\0\xff\x1b[2J"[..], b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n", &[b'a'; 1 << 21]] {
        let place = Place::new();
        for socket in ["docker", "podman", "cri"] {
            fakes::babbling(&place.at(socket), bytes);
        }
        let resolver = place.resolver();
        for identity in [docker_container(), pod_container()] {
            assert_eq!(resolver.resolve(identity.clone()).await, identity);
        }
    }
    let place = Place::new();
    let flood = |_: &str| (200, format!(r#"{{"Id":"{ID}","Name":"/{}"}}"#, "x".repeat(3 << 20)).into_bytes());
    fakes::docker(&place.at("docker"), flood);
    let mut cri = fakes::Cri::with(ID, UID);
    cri.containers[0].labels.insert("x".repeat(3 << 20), String::new());
    cri.serve(&place.at("cri"), || true);
    let resolver = place.resolver();
    for identity in [docker_container(), pod_container()] {
        assert_eq!(resolver.resolve(identity.clone()).await, identity);
    }
}

#[tokio::test]
async fn podman_without_its_service() {
    let place = Place::new();
    let list = place.at("storage/vfs-containers");
    std::fs::create_dir_all(&list).unwrap();
    std::fs::write(list.join("containers.json"), format!(r#"[{{"id":"{ID}","names":["web"]}}]"#)).unwrap();
    let identity = of_path(&format!("/libpod_parent/libpod-{ID}"), 7);
    assert_eq!(name_of(&place.resolver(), identity).await.0, "web");
}

#[tokio::test]
async fn names_of_the_containers_around() {
    let place = Place::new();
    fakes::docker(&place.at("docker"), inspected);
    let identity = of_path(&format!("/docker/{ID}/lxc/inner/system.slice/a.service"), 7);
    let identity = place.resolver().resolve(identity).await;
    assert_eq!(identity.to_string(), "inner/a.service");
    assert_eq!(identity.outer[0].name.as_deref(), Some("web"));
    assert!(identity.matches(&crate::identity::Target::parse("web").unwrap()));
    assert!(Path::new(&identity.cgroup).starts_with(&identity.outer[0].cgroup));
}
