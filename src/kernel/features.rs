//! Kernel features that traceloop can do without.

use std::{fmt, str::FromStr};

use anyhow::{Error, bail};

/// What a kernel may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// BPF_MAP_TYPE_CGRP_STORAGE, from Linux 6.2 on; else a hash of cgroup ids.
    CgroupStorage,
    /// BPF_MAP_TYPE_TASK_STORAGE in tracing programs, from Linux 5.11 on; else an array by thread id.
    TaskStorage,
    /// bpf_task_pt_regs, from Linux 5.15 on; else /proc/TID/syscall.
    TaskRegisters,
}

impl FromStr for Feature {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "cgroup-storage" => Self::CgroupStorage,
            "task-storage" => Self::TaskStorage,
            "task-registers" => Self::TaskRegisters,
            _ => bail!("a feature is cgroup-storage, task-storage or task-registers, not {text:?}"),
        })
    }
}

/// Which of them are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// See [`Feature::CgroupStorage`].
    pub cgroup_storage: bool,
    /// See [`Feature::TaskStorage`].
    pub task_storage: bool,
    /// See [`Feature::TaskRegisters`].
    pub task_registers: bool,
}

impl Features {
    /// What to try, best first, leaving out what is switched off.
    pub fn attempts(without: &[Feature]) -> Vec<Self> {
        let allowed = |feature| !without.contains(&feature);
        let best = Self {
            cgroup_storage: allowed(Feature::CgroupStorage),
            task_storage: allowed(Feature::TaskStorage),
            task_registers: allowed(Feature::TaskRegisters),
        };
        let mut attempts = vec![
            best,
            Self { cgroup_storage: false, ..best },
            Self { cgroup_storage: false, task_registers: false, ..best },
            Self { cgroup_storage: false, task_storage: false, task_registers: false },
        ];
        attempts.dedup();
        attempts
    }
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cgroups = if self.cgroup_storage { "cgroup storage" } else { "a hash of cgroups" };
        let tasks = if self.task_storage { "task storage" } else { "an array of tasks" };
        write!(f, "{cgroups}, {tasks}")
    }
}
