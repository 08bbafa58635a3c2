//! Pods over the runtime interface, as the kubelet makes them.

use std::{
    collections::HashMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use k8s_cri::v1::{
    ContainerConfig, ContainerMetadata, CreateContainerRequest, ExecSyncRequest, ImageSpec, Int64Value,
    LinuxContainerConfig, LinuxContainerSecurityContext, LinuxPodSandboxConfig, LinuxSandboxSecurityContext,
    NamespaceMode, NamespaceOption, PodSandboxConfig, PodSandboxMetadata, RemovePodSandboxRequest,
    RunPodSandboxRequest, StartContainerRequest, StopPodSandboxRequest, runtime_service_client::RuntimeServiceClient,
};
use tonic::transport::{Channel, Endpoint};

/// A pod of one container; its end is asked for with `remove`.
pub(crate) struct Pod {
    runtime: RuntimeServiceClient<Channel>,
    sandbox: String,
    /// The pod's cgroup, from the root of the tree.
    cgroup: String,
    /// The container's id.
    pub(crate) container: String,
    /// What the container prints, as the kubelet has it kept.
    log: PathBuf,
}

const LOG: &str = "container.log";

/// What a pod is called.
pub(crate) struct Called<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) uid: &'a str,
    /// The name of its container.
    pub(crate) container: &'a str,
}

/// The namespaces of the node that a pod has: its network always, since there is no other here.
pub(crate) fn of_node(processes: bool) -> NamespaceOption {
    let pid = if processes { NamespaceMode::Node } else { NamespaceMode::Container };
    NamespaceOption { network: NamespaceMode::Node.into(), pid: pid.into(), ..NamespaceOption::default() }
}

/// A container that runs `script` as this user.
pub(crate) fn of_script(script: &str, user: i64) -> ContainerConfig {
    let security = LinuxContainerSecurityContext {
        privileged: true,
        namespace_options: Some(of_node(false)),
        run_as_user: Some(Int64Value { value: user }),
        ..LinuxContainerSecurityContext::default()
    };
    ContainerConfig {
        image: Some(ImageSpec { image: "local.test/box:1".to_owned(), ..ImageSpec::default() }),
        command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        linux: Some(LinuxContainerConfig { security_context: Some(security), ..LinuxContainerConfig::default() }),
        ..ContainerConfig::default()
    }
}

impl Pod {
    /// The pod `namespace`/`name` with the container `app`, which runs `script`.
    pub(crate) async fn run(socket: &str, namespace: &str, name: &str, uid: &str, script: &str) -> Self {
        Self::start(socket, &Called { namespace, name, uid, container: "app" }, of_script(script, 0)).await
    }

    /// A pod with this container, to which the labels of the kubelet are added.
    pub(crate) async fn start(socket: &str, called: &Called<'_>, mut container: ContainerConfig) -> Self {
        let channel = Endpoint::from_shared(format!("unix:{socket}"))
            .expect("a path")
            .connect()
            .await
            .expect("connect to containerd");
        let mut runtime = RuntimeServiceClient::new(channel);
        let Called { namespace, name, uid, .. } = called;
        let cgroup = format!("kubepods/besteffort/pod{uid}");
        let labels = HashMap::from([
            ("io.kubernetes.pod.name".to_owned(), (*name).to_owned()),
            ("io.kubernetes.pod.namespace".to_owned(), (*namespace).to_owned()),
            ("io.kubernetes.pod.uid".to_owned(), (*uid).to_owned()),
        ]);
        let inner = container.linux.as_ref().and_then(|linux| linux.security_context.as_ref());
        let inner = inner.expect("a security context");
        let security = LinuxSandboxSecurityContext {
            privileged: inner.privileged,
            namespace_options: inner.namespace_options.clone(),
            ..LinuxSandboxSecurityContext::default()
        };
        let metadata = PodSandboxMetadata {
            name: (*name).to_owned(),
            uid: (*uid).to_owned(),
            namespace: (*namespace).to_owned(),
            attempt: 0,
        };
        let mut of_pod = labels.clone();
        of_pod.insert("tier".to_owned(), "front".to_owned());
        let log = PathBuf::from(std::env::var("TRACELOOP_SCRATCH").expect("started by tests/containers/run")).join(uid);
        let config = PodSandboxConfig {
            metadata: Some(metadata),
            log_directory: log.display().to_string(),
            labels: of_pod,
            linux: Some(LinuxPodSandboxConfig {
                cgroup_parent: format!("/{cgroup}"),
                security_context: Some(security),
                ..LinuxPodSandboxConfig::default()
            }),
            ..PodSandboxConfig::default()
        };
        let request = RunPodSandboxRequest { config: Some(config.clone()), ..RunPodSandboxRequest::default() };
        let sandbox = runtime.run_pod_sandbox(request).await.expect("make the pod").into_inner().pod_sandbox_id;

        container.metadata = Some(ContainerMetadata { name: called.container.to_owned(), attempt: 0 });
        container.log_path = LOG.to_owned();
        container.labels = labels;
        container.labels.insert("io.kubernetes.container.name".to_owned(), called.container.to_owned());
        let request = CreateContainerRequest {
            pod_sandbox_id: sandbox.clone(),
            config: Some(container),
            sandbox_config: Some(config),
        };
        let container = runtime.create_container(request).await.expect("make the container").into_inner().container_id;
        let request = StartContainerRequest { container_id: container.clone() };
        runtime.start_container(request).await.expect("start the container");
        Self { runtime, sandbox, cgroup, container, log: log.join(LOG) }
    }

    /// What the container has printed so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Runs a command in the container, as `kubectl exec` and probes do: what it printed, if it succeeded.
    pub(crate) async fn exec(&mut self, command: &[&str]) -> Result<String, String> {
        let cmd = command.iter().map(|word| (*word).to_owned()).collect();
        let request = ExecSyncRequest { container_id: self.container.clone(), cmd, timeout: 10 };
        let told = self.runtime.exec_sync(request).await.map_err(|error| error.to_string())?.into_inner();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if told.exit_code == 0 { Ok(text(&told.stdout)) } else { Err(text(&told.stderr)) }
    }

    /// Stops and removes it with all that it has; the kubelet would remove the pod's cgroup.
    pub(crate) async fn remove(mut self) {
        let pod_sandbox_id = self.sandbox;
        // As the kubelet does, again: a container that ends by itself just then may take with it the connection over
        // which containerd asks its shim to kill it ("ttrpc: closed").
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let stop = StopPodSandboxRequest { pod_sandbox_id: pod_sandbox_id.clone() };
            match self.runtime.stop_pod_sandbox(stop).await {
                Ok(_) => break,
                Err(error) if Instant::now() > until => panic!("stop the pod: {error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        let remove = RemovePodSandboxRequest { pod_sandbox_id };
        self.runtime.remove_pod_sandbox(remove).await.expect("remove the pod");
        let tree = traceloop::cgroup::v2_mount().expect("a cgroup v2 tree").point;
        for cgroup in [&self.cgroup, "kubepods/besteffort", "kubepods"] {
            let _ = std::fs::remove_dir(tree.join(cgroup));
        }
    }
}
