//! Kubernetes' runtime interface, version 1: what containerd and CRI-O tell the kubelet.

use std::{collections::HashMap, path::Path, time::Duration};

use anyhow::{Context, Result};
use k8s_cri::v1::{
    ContainerFilter, ContainerStatusRequest, ImageSpec, ListContainersRequest, ListPodSandboxRequest, PodSandbox,
    PodSandboxFilter, VersionRequest, runtime_service_client::RuntimeServiceClient,
};
use tonic::transport::{Channel, Endpoint};

use super::{Names, Question};
use crate::model::Pod;

/// More than a container's and its pod's entry together.
const LARGEST: usize = 1 << 20;

type Client = RuntimeServiceClient<Channel>;

/// Asks for a container, for a pod by its uid, or for the sandbox that keeps a pod's namespaces: that has
/// a cgroup among the pod's containers, too.
pub(super) async fn ask(socket: &Path, question: &Question) -> Result<Option<Names>> {
    let path = socket.to_str().context("the socket's path is not UTF-8")?;
    let endpoint = Endpoint::from_shared(format!("unix:{path}"))?.connect_timeout(Duration::from_secs(1));
    let channel = endpoint.connect().await.with_context(|| format!("connect to {path}"))?;
    let mut client = RuntimeServiceClient::new(channel).max_decoding_message_size(LARGEST);
    let names = match question {
        Question::Pod(uid) => {
            let label_selector = HashMap::from([("io.kubernetes.pod.uid".to_owned(), uid.clone())]);
            let filter = PodSandboxFilter { label_selector, ..PodSandboxFilter::default() };
            sandbox(&mut client, filter).await?.map(|sandbox| of_sandbox(sandbox, Names::default()))
        }
        Question::Container(id) => match container(&mut client, id).await? {
            None => {
                let filter = PodSandboxFilter { id: id.clone(), ..PodSandboxFilter::default() };
                let found = sandbox(&mut client, filter).await?.filter(|sandbox| sandbox.id == *id);
                found.map(|sandbox| of_sandbox(sandbox, Names::default()))
            }
            found => found,
        },
    };
    let Some(mut names) = names else { return Ok(None) };
    let version = client.version(VersionRequest { version: "v1".to_owned() }).await.context("ask for the version")?;
    names.runtime = version.into_inner().runtime_name.chars().filter(|char| char.is_ascii_graphic()).take(32).collect();
    Ok(Some(names))
}

async fn container(client: &mut Client, id: &str) -> Result<Option<Names>> {
    let filter = Some(ContainerFilter { id: id.to_owned(), ..ContainerFilter::default() });
    let listed = client.list_containers(ListContainersRequest { filter }).await.context("list the containers")?;
    let Some(container) = listed.into_inner().containers.into_iter().find(|container| container.id == id) else {
        return Ok(None);
    };
    let image = container.image.unwrap_or_default();
    let image = match name_of(image) {
        Ok(name) => name,
        // A kubelet asks for images by their digests; the runtime has their names.
        Err(digest) => name_of(status_image(client, id).await).unwrap_or(digest),
    };
    let mut names = Names::new("", &container.metadata.unwrap_or_default().name, &image);
    names.label(container.labels);
    // The pod's own labels stand on its sandbox only.
    let filter = PodSandboxFilter { id: container.pod_sandbox_id.clone(), ..PodSandboxFilter::default() };
    if let Some(sandbox) = sandbox(client, filter).await?.filter(|sandbox| sandbox.id == container.pod_sandbox_id) {
        names = of_sandbox(sandbox, names);
    }
    Ok(Some(names))
}

/// What an image is called, or its digest, where that is all that is told.
fn name_of(image: ImageSpec) -> Result<String, String> {
    let name = [image.user_specified_image, image.image].into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let is_digest = name.starts_with("sha256:") || name.is_empty();
    if is_digest { Err(name) } else { Ok(name) }
}

/// A runtime that does not answer that has told the digest.
async fn status_image(client: &mut Client, id: &str) -> ImageSpec {
    let request = ContainerStatusRequest { container_id: id.to_owned(), verbose: false };
    let told = client.container_status(request).await.ok();
    told.and_then(|told| told.into_inner().status?.image).unwrap_or_default()
}

async fn sandbox(client: &mut Client, filter: PodSandboxFilter) -> Result<Option<PodSandbox>> {
    let request = ListPodSandboxRequest { filter: Some(filter) };
    let listed = client.list_pod_sandbox(request).await.context("list the pods")?;
    // A pod whose sandbox was made anew has several: the newest counts.
    Ok(listed.into_inner().items.into_iter().max_by_key(|sandbox| sandbox.created_at))
}

fn of_sandbox(sandbox: PodSandbox, mut names: Names) -> Names {
    let inside = names.pod.take();
    names.label(sandbox.labels);
    let told = Names::new("", &sandbox.metadata.clone().unwrap_or_default().name, "");
    let metadata = sandbox.metadata.unwrap_or_default();
    let pod = inside.or(names.pod.take());
    names.pod = pod.or_else(|| {
        let namespace = Names::new("", &metadata.namespace, "").name;
        Names::new("", &metadata.uid, "").name.map(|uid| Pod { uid, namespace, name: told.name, container: None })
    });
    names
}
