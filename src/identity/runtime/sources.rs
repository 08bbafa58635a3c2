//! Where the names of containers may be asked for, and which of these places know a given container.

use std::path::PathBuf;

use anyhow::Result;
use serde::Deserialize;

use super::{Names, api, cri, storage};

/// The sockets and directories of container runtimes; an empty list asks nobody.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Runtimes {
    /// Sockets that speak Kubernetes' runtime interface.
    pub cri: Vec<PathBuf>,
    /// Sockets of docker.
    pub docker: Vec<PathBuf>,
    /// Sockets of podman; users' services are found by the user's id.
    pub podman: Vec<PathBuf>,
    /// Directories in which podman keeps its list of containers, for machines without its service.
    pub podman_storage: Vec<PathBuf>,
}

impl Default for Runtimes {
    fn default() -> Self {
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect();
        Self {
            cri: paths(&[
                "/run/containerd/containerd.sock",
                "/var/run/crio/crio.sock",
                "/run/k3s/containerd/containerd.sock",
            ]),
            docker: paths(&["/var/run/docker.sock"]),
            podman: paths(&["/run/podman/podman.sock"]),
            podman_storage: paths(&["/var/lib/containers/storage"]),
        }
    }
}

/// One place that may know a container.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::identity) enum Source {
    Cri(PathBuf),
    Docker(PathBuf),
    Podman(PathBuf),
    Storage(PathBuf),
}

/// Whom the names are wanted of: a container, or else a pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::identity) enum Question {
    Container(String),
    /// By its uid: the pod's own cgroup, without a container.
    Pod(String),
}

impl Runtimes {
    /// The places that may know a container of `runtime` ("": unknown), the likeliest first. `user`: whose
    /// service manager it runs under.
    pub(in crate::identity) fn knowing(&self, runtime: &str, in_pod: bool, user: Option<u32>) -> Vec<Source> {
        let cri = || self.cri.iter().cloned().map(Source::Cri);
        let docker = || self.docker.iter().cloned().map(Source::Docker);
        let podman = || {
            let of_user = user.map(|user| PathBuf::from(format!("/run/user/{user}/podman/podman.sock")));
            let storage = self.podman_storage.iter().cloned().map(Source::Storage);
            of_user.into_iter().chain(self.podman.iter().cloned()).map(Source::Podman).chain(storage)
        };
        match (runtime, in_pod) {
            ("podman", _) => podman().collect(),
            ("docker", _) => docker().collect(),
            ("containerd" | "cri-o", _) => cri().collect(),
            ("", true) => cri().chain(docker()).collect(),
            ("", false) => docker().chain(cri()).chain(podman()).collect(),
            // The others' names stand in the path.
            _ => Vec::new(),
        }
    }
}

impl Source {
    /// What it knows; `None`: nothing (yet).
    pub(in crate::identity) async fn ask(&self, question: &Question) -> Result<Option<Names>> {
        match (self, question) {
            (Self::Cri(socket), question) => cri::ask(socket, question).await,
            (Self::Docker(socket), Question::Container(id)) => api::ask(socket, "docker", id).await,
            (Self::Podman(socket), Question::Container(id)) => api::ask(socket, "podman", id).await,
            (Self::Storage(directory), Question::Container(id)) => {
                let (directory, id) = (directory.clone(), id.clone());
                tokio::task::spawn_blocking(move || storage::ask(&directory, &id)).await?
            }
            _ => Ok(None),
        }
    }

    /// The socket or directory.
    pub(in crate::identity) fn path(&self) -> &PathBuf {
        match self {
            Self::Cri(path) | Self::Docker(path) | Self::Podman(path) | Self::Storage(path) => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_knows_what() {
        let runtimes: Runtimes =
            toml::from_str("cri = ['/c']\ndocker = ['/d']\npodman = ['/p']\npodman-storage = ['/s']").unwrap();
        let knowing = |runtime, in_pod, user| {
            let known = runtimes.knowing(runtime, in_pod, user);
            known.iter().map(|source| source.path().display().to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(knowing("podman", false, None), "/p /s");
        assert_eq!(knowing("podman", false, Some(1000)), "/run/user/1000/podman/podman.sock /p /s");
        assert_eq!(knowing("docker", true, None), "/d");
        assert_eq!(knowing("containerd", true, None), "/c");
        assert_eq!(knowing("", true, None), "/c /d");
        assert_eq!(knowing("", false, None), "/d /c /p /s");
        assert_eq!(knowing("lxc", false, None), "");
        assert!(toml::from_str::<Runtimes>("crii = []").is_err());
        assert_eq!(toml::from_str::<Runtimes>("").unwrap(), Runtimes::default());
    }
}
