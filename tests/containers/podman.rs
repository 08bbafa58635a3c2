//! Containers of podman, with the options that work on any machine: no image, no network of their own, no
//! limits, no systemd.

use std::process::{Command, Output};

/// A container; removed with this value.
pub(crate) struct Container(String);

fn podman(arguments: &[&str]) -> Output {
    let settings = ["--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--runtime=runc", "--events-backend=file"];
    Command::new("podman").args(settings).args(arguments).output().expect("run podman")
}

impl Container {
    /// The container `name`, which runs `script`.
    pub(crate) fn run(name: &str, script: &str) -> Self {
        let root = std::env::var("TRACELOOP_ROOT").expect("started by tests/containers/run");
        let limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];
        let place = ["--network=host", "--log-driver=none", "--name", name, "--rootfs", &root];
        let run = [&["run", "-d"], &limits[..], &place, &["/bin/sh", "-c", script]].concat();
        let output = podman(&run);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Its id.
    pub(crate) fn id(&self) -> &str {
        &self.0
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        podman(&["rm", "-f", "-t", "0", &self.0]);
    }
}
