//! The pod of systemd/traceloop.daemonset.yaml, made of what the manifest says as the kubelet would make it: the
//! static binary with those capabilities, profiles and mounts and no others, which records another pod.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use k8s_cri::v1::{
    Capability, ContainerConfig, ImageSpec, Int64Value, LinuxContainerConfig, LinuxContainerSecurityContext, Mount,
    SecurityProfile, security_profile::ProfileType,
};
use serde_json::Value;

use crate::cri::{Called, Pod, of_node, of_script};

/// What the kubelet hides from containers that are not privileged.
const MASKED: [&str; 9] = [
    "/proc/asound",
    "/proc/acpi",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
];
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// The manifest's objects, as JSON.
fn objects() -> Vec<Value> {
    let path = env::var("TRACELOOP_MANIFEST").expect("started by tests/containers/run");
    serde_json::from_str(&fs::read_to_string(path).expect("read the manifest")).expect("JSON")
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    objects.iter().find(|object| object["kind"] == kind).unwrap_or_else(|| panic!("no {kind} in the manifest"))
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().expect("a text").to_owned()).collect()
}

/// Where a volume is on this machine: the node's own paths, but for those that this test has elsewhere.
fn host_path(volume: &Value, objects: &[Value], place: &Path) -> PathBuf {
    let name = volume["name"].as_str().expect("a name");
    let own = place.join(name);
    match (volume["hostPath"]["path"].as_str(), volume["configMap"]["name"].as_str()) {
        (Some("/run/containerd/containerd.sock"), _) => env::var("TRACELOOP_CRI").expect("a runtime").into(),
        // As a kubelet makes them.
        (Some("/var/lib/traceloop" | "/run/traceloop"), _) => {
            fs::create_dir(&own).expect("a directory");
            fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).expect("set its mode");
            own
        }
        (Some(path), _) => path.into(),
        (None, Some(map)) => {
            let map = objects.iter().find(|object| object["kind"] == "ConfigMap" && object["metadata"]["name"] == map);
            let files = map.expect("the map")["data"].as_object().expect("files");
            fs::create_dir(&own).expect("a directory");
            for (name, text) in files {
                // How full the disk is that this runs on must not decide which dumps stay.
                let text = text.as_str().expect("a text").replace("[store]", "[store]\nkeep-free = \"1M\"");
                fs::write(own.join(name), text).expect("write");
            }
            own
        }
        (None, None) => {
            panic!("a volume of an unknown kind: {volume}")
        }
    }
}

/// The manifest's container, as the runtime is asked for it.
fn container(objects: &[Value], place: &Path) -> ContainerConfig {
    let pod = &of_kind(objects, "DaemonSet")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let context = &container["securityContext"];
    let yes = |value: &Value| value.as_bool().expect("yes or no");
    assert!(yes(&pod["hostNetwork"]) && pod["containers"].as_array().is_some_and(|all| all.len() == 1));
    assert_eq!(context["seccompProfile"]["type"], "RuntimeDefault");
    let volumes = pod["volumes"].as_array().expect("volumes");
    let mounts = container["volumeMounts"].as_array().expect("mounts").iter().map(|mount| {
        let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).expect("the mount's volume");
        Mount {
            container_path: mount["mountPath"].as_str().expect("a path").to_owned(),
            host_path: host_path(volume, objects, place).display().to_string(),
            readonly: mount["readOnly"].as_bool().unwrap_or(false),
            ..Mount::default()
        }
    });
    let security = LinuxContainerSecurityContext {
        capabilities: Some(Capability {
            add_capabilities: texts(&context["capabilities"]["add"]),
            drop_capabilities: texts(&context["capabilities"]["drop"]),
            ..Capability::default()
        }),
        privileged: yes(&context["privileged"]),
        namespace_options: Some(of_node(yes(&pod["hostPID"]))),
        run_as_user: Some(Int64Value { value: context["runAsUser"].as_i64().expect("a user") }),
        readonly_rootfs: yes(&context["readOnlyRootFilesystem"]),
        no_new_privs: !yes(&context["allowPrivilegeEscalation"]),
        masked_paths: MASKED.map(str::to_owned).to_vec(),
        readonly_paths: READ_ONLY.map(str::to_owned).to_vec(),
        seccomp: Some(SecurityProfile {
            profile_type: ProfileType::RuntimeDefault.into(),
            ..SecurityProfile::default()
        }),
        ..LinuxContainerSecurityContext::default()
    };
    ContainerConfig {
        image: Some(ImageSpec { image: "local.test/traceloop:1".to_owned(), ..ImageSpec::default() }),
        command: texts(&container["command"]),
        mounts: mounts.collect(),
        linux: Some(LinuxContainerConfig { security_context: Some(security), ..LinuxContainerConfig::default() }),
        ..ContainerConfig::default()
    }
}

/// Asks in the pod until the answer holds the text.
async fn wait_for(pod: &mut Pod, command: &[&str], text: &str) -> String {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = pod.exec(command).await;
        match answer {
            Ok(answer) if answer.contains(text) => return answer,
            answer if Instant::now() > until => {
                panic!("waited for {text:?} from {command:?}: {answer:?}\nit said {}", pod.said())
            }
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// The capabilities that the manifest asks for.
fn rights() -> Vec<String> {
    let objects = objects();
    let pod = &of_kind(&objects, "DaemonSet")["spec"]["template"]["spec"];
    texts(&pod["containers"][0]["securityContext"]["capabilities"]["add"])
}

/// The manifest's pod, but for one of its capabilities.
async fn recorder(place: &Path, without: Option<&str>) -> Pod {
    let mut container = container(&objects(), place);
    let security = container.linux.as_mut().and_then(|linux| linux.security_context.as_mut());
    let held = security.and_then(|security| security.capabilities.as_mut()).expect("capabilities");
    held.add_capabilities.retain(|name| Some(name.as_str()) != without);
    let called = Called {
        namespace: "traceloop",
        name: "traceloop-x7x",
        uid: "2f1c6c1e-5a0b-4f57-9d4e-6b7c8d9e0f10",
        container: "traceloop",
    };
    Pod::start(&socket(), &called, container).await
}

fn socket() -> String {
    env::var("TRACELOOP_CRI").expect("started by tests/containers/run")
}

/// A pod of a user that is not root: it fails to open a file, sleeps for five seconds, and then dies twice.
async fn dying() -> Pod {
    let script = "cat /nonexistent; sleep 5; sh -c 'kill -SEGV $$'; sleep 2; exit 3";
    let called =
        Called { namespace: "shop", name: "cart-0", uid: "3a2d7d2f-6b1c-4068-8e5f-7c8d9e0f1021", container: "app" };
    Pod::start(&socket(), &called, of_script(script, 1000)).await
}

const LIVE: [&str; 5] = ["/usr/bin/traceloop", "dump", "shop/cart-0", "--format", "strace"];

/// The call in flight of the pod that sleeps.
fn flying(dump: &str) -> &str {
    dump.lines().rfind(|line| line.contains("nanosleep(")).unwrap_or_default()
}

#[tokio::test]
#[ignore = "needs root, BPF and container runtimes: tests/containers/run"]
async fn its_rights_are_enough() {
    let place = tempfile::tempdir().unwrap();
    let mut recorder = recorder(place.path(), None).await;
    let objects = objects();
    let pod = &of_kind(&objects, "DaemonSet")["spec"]["template"]["spec"];
    let probe = texts(&pod["containers"][0]["livenessProbe"]["exec"]["command"]);
    let probe: Vec<&str> = probe.iter().map(String::as_str).collect();
    wait_for(&mut recorder, &probe, "TARGET").await;
    // It records everything but itself, though its cgroup has another name each time.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let recorded = wait_for(&mut recorder, &probe, "TARGET").await;
    assert!(!recorded.contains("traceloop/traceloop-x7x/traceloop"), "{recorded}");

    let dying = dying().await;
    let dump = wait_for(&mut recorder, &LIVE, "nanosleep(").await;
    assert!(dump.contains("\"/nonexistent\", O_RDONLY) = -1 ENOENT"), "{dump}");
    // What a call in flight points to is read with rights of its own.
    assert!(flying(&dump).contains("{tv_sec=5, tv_nsec=0}"), "{dump}");
    let stored = ["/usr/bin/traceloop", "show", "shop/cart-0/app", "--format", "strace"];
    wait_for(&mut recorder, &stored, "+++ exited with 3 +++").await;
    let listed = wait_for(&mut recorder, &["/usr/bin/traceloop", "list", "shop/cart-0/app"], "SIGSEGV").await;
    assert!(listed.contains("status 3"), "{listed}");
    dying.remove().await;
    recorder.remove().await;
}

#[tokio::test]
#[ignore = "needs root, BPF and container runtimes: tests/containers/run"]
async fn none_of_its_rights_is_too_many() {
    for right in rights() {
        let place = tempfile::tempdir().unwrap();
        let mut recorder = recorder(place.path(), Some(&right)).await;
        if ["SYS_PTRACE", "DAC_READ_SEARCH"].contains(&right.as_str()) {
            wait_for(&mut recorder, &["/usr/bin/traceloop", "ps"], "TARGET").await;
            let dying = dying().await;
            let dump = wait_for(&mut recorder, &LIVE, "nanosleep(").await;
            assert!(flying(&dump).contains(", 0x"), "without {right}, what it points to is told all the same:\n{dump}");
            dying.remove().await;
        } else {
            // It ends, or knows less, and says what it lacks.
            let until = Instant::now() + Duration::from_secs(20);
            let lacks = format!("CAP_{right}");
            while !recorder.said().contains(&lacks) {
                assert!(Instant::now() < until, "without {right}: {}", recorder.said());
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        recorder.remove().await;
    }
}
