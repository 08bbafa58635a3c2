//! Pods over the runtime interface, as the kubelet makes them.

use std::collections::HashMap;

use k8s_cri::v1::{
    ContainerConfig, ContainerMetadata, CreateContainerRequest, ImageSpec, LinuxContainerConfig,
    LinuxContainerSecurityContext, LinuxPodSandboxConfig, LinuxSandboxSecurityContext, NamespaceMode, NamespaceOption,
    PodSandboxConfig, PodSandboxMetadata, RemovePodSandboxRequest, RunPodSandboxRequest, StartContainerRequest,
    StopPodSandboxRequest, runtime_service_client::RuntimeServiceClient,
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
}

impl Pod {
    /// The pod `namespace`/`name` with the container `app`, which runs `script`.
    pub(crate) async fn run(socket: &str, namespace: &str, name: &str, uid: &str, script: &str) -> Self {
        let channel = Endpoint::from_shared(format!("unix:{socket}"))
            .expect("a path")
            .connect()
            .await
            .expect("connect to containerd");
        let mut runtime = RuntimeServiceClient::new(channel);
        let cgroup = format!("kubepods/besteffort/pod{uid}");
        let labels = HashMap::from([
            ("io.kubernetes.pod.name".to_owned(), name.to_owned()),
            ("io.kubernetes.pod.namespace".to_owned(), namespace.to_owned()),
            ("io.kubernetes.pod.uid".to_owned(), uid.to_owned()),
        ]);
        let host = || {
            let (network, pid) = (NamespaceMode::Node.into(), NamespaceMode::Container.into());
            Some(NamespaceOption { network, pid, ..NamespaceOption::default() })
        };
        let security = LinuxSandboxSecurityContext {
            privileged: true,
            namespace_options: host(),
            ..LinuxSandboxSecurityContext::default()
        };
        let metadata = PodSandboxMetadata {
            name: name.to_owned(),
            uid: uid.to_owned(),
            namespace: namespace.to_owned(),
            attempt: 0,
        };
        let mut of_pod = labels.clone();
        of_pod.insert("tier".to_owned(), "front".to_owned());
        let config = PodSandboxConfig {
            metadata: Some(metadata),
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

        let mut of_container = labels;
        of_container.insert("io.kubernetes.container.name".to_owned(), "app".to_owned());
        let security = LinuxContainerSecurityContext {
            privileged: true,
            namespace_options: host(),
            ..LinuxContainerSecurityContext::default()
        };
        let container = ContainerConfig {
            metadata: Some(ContainerMetadata { name: "app".to_owned(), attempt: 0 }),
            image: Some(ImageSpec { image: "local.test/box:1".to_owned(), ..ImageSpec::default() }),
            command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            labels: of_container,
            linux: Some(LinuxContainerConfig { security_context: Some(security), ..LinuxContainerConfig::default() }),
            ..ContainerConfig::default()
        };
        let request = CreateContainerRequest {
            pod_sandbox_id: sandbox.clone(),
            config: Some(container),
            sandbox_config: Some(config),
        };
        let container = runtime.create_container(request).await.expect("make the container").into_inner().container_id;
        let request = StartContainerRequest { container_id: container.clone() };
        runtime.start_container(request).await.expect("start the container");
        Self { runtime, sandbox, cgroup, container }
    }

    /// Stops and removes it with all that it has; the kubelet would remove the pod's cgroup.
    pub(crate) async fn remove(mut self) {
        let pod_sandbox_id = self.sandbox;
        let stop = StopPodSandboxRequest { pod_sandbox_id: pod_sandbox_id.clone() };
        self.runtime.stop_pod_sandbox(stop).await.expect("stop the pod");
        let remove = RemovePodSandboxRequest { pod_sandbox_id };
        self.runtime.remove_pod_sandbox(remove).await.expect("remove the pod");
        let tree = traceloop::cgroup::v2_mount().expect("a cgroup v2 tree").point;
        for cgroup in [&self.cgroup, "kubepods/besteffort", "kubepods"] {
            let _ = std::fs::remove_dir(tree.join(cgroup));
        }
    }
}
