//! Kernel features that traceloop can do without: which of them this kernel has.

use std::{fmt, str::FromStr};

use anyhow::{Context, Error, Result, bail};
use libbpf_rs::{
    ProgramType,
    libbpf_sys::{self, bpf_func_id},
};

use super::Attach;

/// What a kernel may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// A pointer to the current task that the verifier knows, from Linux 5.11 on; else reads by helper.
    /// The other features need it.
    TypedTask,
    /// BPF_MAP_TYPE_CGRP_STORAGE, from Linux 6.2 on; else a hash of cgroup ids.
    CgroupStorage,
    /// BPF_MAP_TYPE_TASK_STORAGE in tracing programs, from Linux 5.12 on; else an array by thread id.
    TaskStorage,
    /// bpf_task_pt_regs, from Linux 5.15 on; else /proc/TID/syscall.
    TaskRegisters,
    /// tp_btf programs for system calls; else classic tracepoints.
    TypedTracepoints,
    /// Classic tracepoints where typed ones miss calls; else those.
    ClassicTracepoints,
}

impl FromStr for Feature {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "typed-task" => Self::TypedTask,
            "cgroup-storage" => Self::CgroupStorage,
            "task-storage" => Self::TaskStorage,
            "task-registers" => Self::TaskRegisters,
            "typed-tracepoints" => Self::TypedTracepoints,
            "classic-tracepoints" => Self::ClassicTracepoints,
            _ => bail!(
                "a feature is typed-task, cgroup-storage, task-storage, task-registers, typed-tracepoints or \
                 classic-tracepoints, not {text:?}"
            ),
        })
    }
}

/// Which of them are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// See [`Feature::TypedTask`].
    pub typed_task: bool,
    /// See [`Feature::CgroupStorage`].
    pub cgroup_storage: bool,
    /// See [`Feature::TaskStorage`].
    pub task_storage: bool,
    /// See [`Feature::TaskRegisters`].
    pub task_registers: bool,
    /// How the programs of system calls are attached.
    pub attach: Attach,
}

impl Features {
    /// What this kernel has, without what is switched off.
    pub fn probe(without: &[Feature]) -> Result<Self> {
        let allowed = |feature| !without.contains(&feature);
        let typed_task = allowed(Feature::TypedTask) && has_helper(libbpf_sys::BPF_FUNC_get_current_task_btf)?;
        let has = |feature, helper| Ok::<_, Error>(typed_task && allowed(feature) && has_helper(helper)?);
        let task_registers = has(Feature::TaskRegisters, libbpf_sys::BPF_FUNC_task_pt_regs)?;
        Ok(Self {
            typed_task,
            cgroup_storage: has(Feature::CgroupStorage, libbpf_sys::BPF_FUNC_cgrp_storage_get)?,
            task_storage: has(Feature::TaskStorage, libbpf_sys::BPF_FUNC_task_storage_get)?,
            task_registers,
            attach: Attach::choose(without, task_registers)?,
        })
    }
}

/// Asked for raw tracepoints: for the type that the programs have, libbpf cannot ask.
fn has_helper(helper: bpf_func_id) -> Result<bool> {
    let asked = ProgramType::RawTracepoint.is_helper_supported(helper);
    asked.with_context(|| format!("ask the kernel for BPF helper {helper}"))
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cgroups = if self.cgroup_storage { "cgroup storage" } else { "a hash of cgroups" };
        let tasks = if self.task_storage { "task storage" } else { "an array of tasks" };
        let registers = if self.task_registers { "task registers" } else { "/proc/TID/syscall" };
        write!(f, "{cgroups}, {tasks}, {registers}, {}", self.attach)
    }
}
