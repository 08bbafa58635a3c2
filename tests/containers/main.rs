//! Real containers: podman without its service, docker, and containerd over Kubernetes' runtime interface. Started
//! by `tests/containers/run`, which makes the root file systems and starts dockerd and containerd.
//!
//! - `alone`: the static binary where nothing else is
//! - `names`: what the runtimes tell of a container
//! - `crashes`: a container dies, and its last calls are there by its name
//! - `daemonset`: the manifest's own pod, with the rights that it asks for, records another one

mod alone;
mod crashes;
mod cri;
mod daemonset;
mod docker;
mod names;
mod podman;
mod served;
