//! Runtimes for tests, each on a unix socket: what they answer is a function of what they are asked.

use std::{convert::Infallible, path::Path, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Request, Response,
    body::{Bytes, Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use k8s_cri::v1::{
    Container, ContainerMetadata, ContainerStatus, ContainerStatusRequest, ContainerStatusResponse, ImageSpec,
    ListContainersRequest, ListContainersResponse, ListPodSandboxRequest, ListPodSandboxResponse, PodSandbox,
    PodSandboxMetadata, VersionResponse,
};
use prost::Message;
use tokio::net::UnixListener;

/// One that takes connections and never says a word.
pub(crate) fn stalling(socket: &Path) {
    let listener = UnixListener::bind(socket).unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(connection) = listener.accept().await {
            held.push(connection);
        }
    });
}

/// One that answers anything with these bytes.
pub(crate) fn babbling(socket: &Path, bytes: &'static [u8]) {
    let listener = UnixListener::bind(socket).unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = tokio::io::AsyncWriteExt::write_all(&mut connection, bytes).await;
                tokio::time::sleep(Duration::from_secs(5)).await;
            });
        }
    });
}

/// docker's or podman's service: `answer` gets the path and returns status and body.
pub(crate) fn docker(socket: &Path, answer: impl Fn(&str) -> (u16, Vec<u8>) + Send + Sync + 'static) {
    let listener = UnixListener::bind(socket).unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let (status, body) = answer(request.uri().path());
                async move { Response::builder().status(status).body(Full::new(Bytes::from(body))) }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service),
            );
        }
    });
}

/// What a runtime of Kubernetes' interface has.
#[derive(Clone, Default)]
pub(crate) struct Cri {
    pub(crate) containers: Vec<Container>,
    pub(crate) sandboxes: Vec<PodSandbox>,
}

impl Cri {
    /// The container `id` called `app` in the pod shop/web-0, as containerd tells it.
    pub(crate) fn with(id: &str, uid: &str) -> Self {
        let labels = |more: &[(&str, &str)]| {
            let pod = [("pod.name", "web-0"), ("pod.namespace", "shop"), ("pod.uid", uid)];
            let pod = pod.map(|(key, value)| (format!("io.kubernetes.{key}"), value.to_owned()));
            pod.into_iter().chain(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))).collect()
        };
        let container = Container {
            id: id.to_owned(),
            pod_sandbox_id: "5a".repeat(32),
            metadata: Some(ContainerMetadata { name: "app".to_owned(), attempt: 0 }),
            image: Some(ImageSpec { image: format!("sha256:{}", "ab".repeat(32)), ..ImageSpec::default() }),
            labels: labels(&[("io.kubernetes.container.name", "app")]),
            ..Container::default()
        };
        let (name, namespace) = ("web-0".to_owned(), "shop".to_owned());
        let sandbox = PodSandbox {
            id: "5a".repeat(32),
            metadata: Some(PodSandboxMetadata { name, uid: uid.to_owned(), namespace, attempt: 0 }),
            labels: labels(&[("tier", "front")]),
            ..PodSandbox::default()
        };
        Self { containers: vec![container], sandboxes: vec![sandbox] }
    }

    /// Serves it; `None` from `ready` stands for a runtime that has not listed anything yet.
    pub(crate) fn serve(self, socket: &Path, ready: impl Fn() -> bool + Send + Sync + 'static) {
        let listener = UnixListener::bind(socket).unwrap();
        let state = Arc::new((self, ready));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let state = state.clone();
                let service = service_fn(move |request| {
                    let state = state.clone();
                    async move {
                        let none = Self::default();
                        if state.1() { state.0.answer(request).await } else { none.answer(request).await }
                    }
                });
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(server.serve_connection(TokioIo::new(connection), service));
            }
        });
    }

    /// gRPC: five bytes (not compressed, the length), the message, and the status in the trailers.
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<BoxBody<Bytes, Infallible>>, hyper::Error> {
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        let body = request.into_body().collect().await?.to_bytes();
        let asked = body.get(5..).unwrap_or_default();
        let (status, message) = match method.as_str() {
            "ListContainers" => {
                let id = ListContainersRequest::decode(asked).unwrap().filter.unwrap_or_default().id;
                let containers = self.containers.iter().filter(|one| one.id.starts_with(&id)).cloned().collect();
                ("0", ListContainersResponse { containers }.encode_to_vec())
            }
            "ContainerStatus" => {
                let id = ContainerStatusRequest::decode(asked).unwrap().container_id;
                let image = ImageSpec { image: "docker.io/library/app:1".to_owned(), ..ImageSpec::default() };
                let known = self.containers.iter().any(|one| one.id == id);
                let status = known.then(|| ContainerStatus { image: Some(image), ..ContainerStatus::default() });
                ("0", ContainerStatusResponse { status, ..ContainerStatusResponse::default() }.encode_to_vec())
            }
            "ListPodSandbox" => {
                let filter = ListPodSandboxRequest::decode(asked).unwrap().filter.unwrap_or_default();
                let fits = |one: &&PodSandbox| {
                    one.id.starts_with(&filter.id)
                        && filter.label_selector.iter().all(|(key, value)| one.labels.get(key) == Some(value))
                };
                (
                    "0",
                    ListPodSandboxResponse { items: self.sandboxes.iter().filter(fits).cloned().collect() }
                        .encode_to_vec(),
                )
            }
            "Version" => {
                let runtime_name = "containerd".to_owned();
                ("0", VersionResponse { runtime_name, ..VersionResponse::default() }.encode_to_vec())
            }
            _ => ("12", Vec::new()),
        };
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        let data = [&[0], &length[..], &message].concat();
        let trailers = hyper::HeaderMap::from_iter([("grpc-status".parse().unwrap(), status.parse().unwrap())]);
        let frames = [Ok(Frame::data(Bytes::from(data))), Ok(Frame::trailers(trailers))];
        let body = BoxBody::new(StreamBody::new(tokio_stream::iter(frames)));
        Ok(Response::builder().header("content-type", "application/grpc").body(body).unwrap())
    }
}
