//! Containers of docker: a real dockerd of the test's own, without networks.

use std::{
    env,
    process::{Command, Output},
};

/// Where dockerd listens.
pub(crate) fn socket() -> String {
    env::var("TRACELOOP_DOCKER").expect("started by tests/containers/run")
}

/// A container; removed with this value.
pub(crate) struct Container(String);

fn docker(arguments: &[&str]) -> Output {
    let mut command = Command::new(env::var("TRACELOOP_DOCKER_CLI").expect("started by tests/containers/run"));
    command.arg("--host").arg(format!("unix://{}", socket())).args(arguments).output().expect("run docker")
}

impl Container {
    /// The container `name`, which runs `script`.
    pub(crate) fn run(name: &str, script: &str) -> Self {
        let open = ["--security-opt", "apparmor=unconfined", "--network=host", "--log-driver=none"];
        let of_it = ["--name", name, "--label", "tier=front", "box:1", "/bin/sh", "-c", script];
        let output = docker(&[&["run", "-d"], &open[..], &of_it].concat());
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
        docker(&["rm", "--force", &self.0]);
    }
}
