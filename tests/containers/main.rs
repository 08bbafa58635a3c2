//! Real containers: podman without its service, and containerd over Kubernetes' runtime interface. Started
//! by `tests/containers/run`, which makes the root file system and starts containerd.
//!
//! - `names`: what the runtimes tell of a container

mod cri;
mod names;
mod podman;
