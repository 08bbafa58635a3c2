//! Real containers: podman without its service, and containerd over Kubernetes' runtime interface. Started
//! by `tests/containers/run`, which makes the root file system and starts containerd.
//!
//! - `names`: what the runtimes tell of a container
//! - `crashes`: a container dies, and its last calls are there by its name

mod crashes;
mod cri;
mod names;
mod podman;
mod served;
