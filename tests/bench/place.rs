//! Where a bench takes place: two cgroups, and tracefs in a mount namespace of its own.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};

/// Two cgroups that are removed again.
pub(crate) struct Place {
    /// The subject is in this one.
    pub(crate) subject: PathBuf,
    /// And nobody in this one.
    pub(crate) other: PathBuf,
}

impl Place {
    pub(crate) fn make() -> Result<Self> {
        let root = traceloop::cgroup::v2_mount()?.point;
        let make = |name: &str| {
            let path = root.join(format!("traceloop-bench-{name}-{}", std::process::id()));
            fs::create_dir(&path).with_context(|| format!("make the cgroup {}: run as root", path.display()))?;
            anyhow::Ok(path)
        };
        Ok(Self { subject: make("subject")?, other: make("other")? })
    }

    /// Moves a process into the subject's cgroup.
    #[allow(dead_code, reason = "one of the benches needs it")]
    pub(crate) fn admit(&self, pid: u32) -> Result<()> {
        fs::write(self.subject.join("cgroup.procs"), pid.to_string()).context("move the subject into its cgroup")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for path in [&self.subject, &self.other] {
            for _ in 0..100 {
                if fs::remove_dir(path).is_ok() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        }
    }
}

/// The command begins in the cgroup.
#[allow(dead_code, reason = "one of the benches needs it")]
pub(crate) fn in_cgroup<'a>(command: &'a mut Command, cgroup: &Path) -> &'a mut Command {
    let procs = cgroup.join("cgroup.procs");
    // SAFETY: the child opens, writes and closes a file, nothing else.
    unsafe { command.pre_exec(move || fs::write(&procs, "0")) }
}

/// Mounts tracefs where only this process and its children see it.
#[allow(dead_code, reason = "one of the benches needs it")]
pub(crate) fn mount_tracefs(at: &str) -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).context("leave the mount namespace: run as root")?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .context("make the mounts private")?;
    if !Path::new(at).join("events").is_dir() {
        mount(Some("tracefs"), at, Some("tracefs"), MsFlags::empty(), None::<&str>).context("mount tracefs")?;
    }
    Ok(())
}
