//! Paths as real machines have them, and what they must be read as.

use super::*;

const ID: &str = "8c1f2b3a4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8";
const INNER: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const UID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

/// `unit user slice runtime:id pod outer`, `-` for what is absent; the id's name only where it is told.
fn told(path: &str) -> String {
    let identity = of_path(&path.replace("INNER", INNER).replace("UID", UID).replace("ID", ID), 7);
    let container = |container: &Container| {
        assert!(container.name.as_ref().is_none_or(|name| *name == container.id));
        assert!(identity.cgroup.starts_with(&container.cgroup) && !container.cgroup.is_empty());
        format!("{}:{}", container.runtime, container.id)
    };
    let mut words = vec![identity.unit.clone(), identity.user.map(|user| user.to_string()), identity.slice.clone()];
    words.push(identity.container.as_ref().map(container));
    words.push(identity.pod.as_ref().map(|pod| pod.uid.clone()));
    words.extend(identity.outer.iter().map(|outer| Some(container(outer))));
    let words: Vec<_> = words.into_iter().map(|word| word.unwrap_or_else(|| "-".to_owned())).collect();
    words.join(" ").replace(ID, "ID").replace(INNER, "INNER").replace(UID, "UID")
}

#[test]
fn units() {
    let table = [
        ("/", "- - - - -"),
        ("", "- - - - -"),
        ("/init.scope", "init.scope - - - -"),
        ("/system.slice", "system.slice - - - -"),
        ("/system.slice/nginx.service", "nginx.service - system.slice - -"),
        ("/system.slice/nginx.service/", "nginx.service - system.slice - -"),
        ("/system.slice/systemd-udevd.service/udev", "systemd-udevd.service - system.slice - -"),
        ("/system.slice/_memory.service", "memory.service - system.slice - -"),
        ("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service - system-getty.slice - -"),
        (
            "/system.slice/system-postgresql.slice/postgresql@15-main.service",
            "postgresql@15-main.service - system-postgresql.slice - -",
        ),
        ("/system.slice/run-r1f2.service", "run-r1f2.service - system.slice - -"),
        ("/system.slice/dev-disk-by\\x2dlabel-s.swap", "dev-disk-by\\x2dlabel-s.swap - system.slice - -"),
        ("/system.slice/cups.socket", "cups.socket - system.slice - -"),
        ("/user.slice/user-1000.slice/session-2.scope", "session-2.scope - user-1000.slice - -"),
        ("/user.slice/user-1000.slice/user@1000.service", "user@1000.service - user-1000.slice - -"),
        ("/user.slice/user-1000.slice/user@1000.service/init.scope", "init.scope 1000 - - -"),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice", "app.slice 1000 user-1000.slice - -"),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service", "foo.service 1000 app.slice - -"),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-firefox-4242.scope/sub",
            "app-gnome-firefox-4242.scope 1000 app.slice - -",
        ),
        ("/traceloop-run-7923", "- - - - -"),
        ("/system.slice/plain", "- - system.slice - -"),
    ];
    for (path, expected) in table {
        assert_eq!(told(path), expected, "{path}");
    }
}

#[test]
fn containers() {
    let table = [
        ("/machine.slice/libpod-ID.scope", "libpod-ID.scope - machine.slice podman:ID -"),
        ("/machine.slice/libpod-ID.scope/container", "libpod-ID.scope - machine.slice podman:ID -"),
        ("/machine.slice/libpod-conmon-ID.scope", "libpod-conmon-ID.scope - machine.slice - -"),
        ("/libpod_parent/libpod-ID", "- - - podman:ID -"),
        ("/libpod_parent/conmon", "- - - - -"),
        (
            "/machine.slice/machine-libpod_pod_ID.slice/libpod-INNER.scope",
            "libpod-INNER.scope - machine-libpod_pod_ID.slice podman:INNER -",
        ),
        ("/system.slice/web.service/libpod-payload-ID", "web.service - system.slice podman:ID -"),
        (
            "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope",
            "libpod-ID.scope 1000 user.slice podman:ID -",
        ),
        ("/system.slice/docker-ID.scope", "docker-ID.scope - system.slice docker:ID -"),
        ("/docker/ID", "- - - docker:ID -"),
        ("/system.slice/nerdctl-ID.scope", "nerdctl-ID.scope - system.slice containerd:ID -"),
        ("/default/ID", "- - - :ID -"),
        ("/ecs/task/ID", "- - - :ID -"),
        ("/system.slice/somebox-ID.scope", "somebox-ID.scope - system.slice :ID -"),
        ("/lxc.payload.web1", "- - - lxc:web1 -"),
        ("/lxc.payload.web1/init.scope", "init.scope - - lxc:web1 -"),
        ("/lxc.monitor.web1", "- - - - -"),
        ("/lxc/100/ns/system.slice/cron.service", "cron.service - system.slice lxc:100 -"),
        (
            "/machine.slice/systemd-nspawn@deb12.service/payload/system.slice/cron.service",
            "cron.service - system.slice nspawn:deb12 -",
        ),
        (
            "/machine.slice/systemd-nspawn@my\\x2dbox.service",
            "systemd-nspawn@my\\x2dbox.service - machine.slice nspawn:my-box -",
        ),
        ("/machine.slice/machine-my\\x2dbox.scope", "machine-my\\x2dbox.scope - machine.slice nspawn:my-box -"),
        ("/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", "machine-qemu\\x2d1\\x2dvm.scope - machine.slice - -"),
        ("/system.slice/machine-learning.scope", "machine-learning.scope - system.slice - -"),
    ];
    for (path, expected) in table {
        assert_eq!(told(path), expected, "{path}");
    }
}

#[test]
fn pods() {
    let slice = "kubepods-burstable-pod0f8fad5b_d9cb_469f_a165_70867728950e.slice";
    let systemd = format!("/kubepods.slice/kubepods-burstable.slice/{slice}");
    let kind = format!("/docker/INNER/kubelet.slice/kubelet-kubepods.slice/kubelet-{slice}/cri-containerd-ID.scope");
    let table = [
        ("/kubepods/besteffort/podUID/ID".to_owned(), "- - - :ID UID".to_owned()),
        ("/kubepods/podUID/ID".to_owned(), "- - - :ID UID".to_owned()),
        ("/kubepods/burstable/podUID/crio-ID".to_owned(), "- - - cri-o:ID UID".to_owned()),
        ("/kubepods/burstable/podUID".to_owned(), "- - - - UID".to_owned()),
        (systemd.clone(), format!("{slice} - kubepods-burstable.slice - UID")),
        (format!("{systemd}/cri-containerd-ID.scope"), format!("cri-containerd-ID.scope - {slice} containerd:ID UID")),
        (format!("{systemd}/crio-ID.scope/container"), format!("crio-ID.scope - {slice} cri-o:ID UID")),
        (format!("{systemd}/crio-conmon-ID.scope"), format!("crio-conmon-ID.scope - {slice} - UID")),
        (format!("{systemd}/docker-ID.scope"), format!("docker-ID.scope - {slice} docker:ID UID")),
        (
            "/kubepods.slice/kubepods-podUID.slice/cri-containerd-ID.scope".replace("UID", &UID.replace('-', "_")),
            format!("cri-containerd-ID.scope - kubepods-pod{}.slice containerd:ID UID", UID.replace('-', "_")),
        ),
        (
            "/kubepods/burstable/pod4a8c0e2d6f1b3957a1c3e5f708192a3b/ID".to_owned(),
            "- - - :ID 4a8c0e2d6f1b3957a1c3e5f708192a3b".to_owned(),
        ),
        (
            format!("/system.slice/containerd.service/{slice}:cri-containerd:ID"),
            "containerd.service - system.slice containerd:ID UID".to_owned(),
        ),
        (kind, format!("cri-containerd-ID.scope - kubelet-{slice} containerd:ID UID docker:INNER")),
        ("/kubepods/podUID/ID/docker/INNER".to_owned(), "- - - docker:INNER UID :ID".to_owned()),
        ("/podUID".to_owned(), "- - - - -".to_owned()),
        ("/kubepods/podcast".to_owned(), "- - - - -".to_owned()),
    ];
    for (path, expected) in table {
        assert_eq!(told(&path), expected, "{path}");
    }
}

#[test]
fn a_service_manager_inside_a_container() {
    let identity = of_path(&format!("/machine.slice/libpod-{ID}.scope/container/system.slice/nginx.service"), 7);
    assert_eq!(identity.unit.as_deref(), Some("nginx.service"));
    assert_eq!(identity.inner_unit(), Some("nginx.service"));
    assert_eq!(identity.to_string(), format!("{}/nginx.service", &ID[..12]));
    // A user's manager around a container is not the manager of what runs inside.
    let user = "/user.slice/user-1000.slice/user@1000.service/user.slice";
    let identity = of_path(&format!("{user}/libpod-{ID}.scope/container/system.slice/a.service"), 7);
    assert_eq!(identity.user, None);
    assert_eq!(of_path(&format!("/machine.slice/libpod-{ID}.scope"), 7).inner_unit(), None);
    assert_eq!(of_path(&format!("/system.slice/web.service/libpod-payload-{ID}"), 7).to_string(), ID[..12]);
}

#[test]
fn hostile_names_are_no_names() {
    let long = format!("/{}", "a/".repeat(4000));
    let table = [
        "/lxc.payload.\u{1b}[2J",
        "/lxc.payload...",
        "/lxc.payload.",
        "/libpod-.scope",
        "/libpod-xyz.scope",
        "/docker-8C1F.scope",
        "/docker/ü",
        "//////",
        "/.service/.scope/.slice",
        "/kubepods/pod------------------------------------x",
        "/-pod.slice",
        "/kubepods-pod\u{e4}.slice",
        "/machine.slice/machine-\\x.scope",
        "/machine.slice/machine-\\xff.scope",
        "/machine.slice/machine-a-b.scope/x",
        "a\0b",
        &long,
    ];
    for path in table {
        let identity = of_path(path, 7);
        assert_eq!((&identity.container, &identity.pod), (&None, &None), "{path:?}");
        assert!(!identity.to_string().contains(char::is_control));
    }
}

proptest::proptest! {
    #[test]
    fn any_path_is_read_and_found_again(path in "(/(\\PC{0,12}|lxc\\.payload\\.[a-z]{1,9}|user@[0-9]{1,9}\\.service|[a-z_@-]{1,9}\\.(slice|service|scope))){0,6}") {
        let identity = of_path(&path, 7);
        assert_eq!(identity.cgroup, path);
        assert!(identity.container.as_ref().is_none_or(|container| path.starts_with(&container.cgroup)));
        if !identity.to_string().contains(['*', '?', '[', '{']) && !path.is_empty() {
            assert!(identity.matches(&crate::identity::Target::parse(&identity.to_string()).unwrap()), "{identity}");
        }
    }
}
