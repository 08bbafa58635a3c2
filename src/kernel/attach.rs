//! How the programs of sys_enter, sys_exit and sched_process_exit hang on their tracepoints.
//!
//! Typed (tp_btf) costs less, but Linux 7.2 and later let such programs be preempted, and leave one out
//! while another task on the CPU is inside it: records are lost when tasks contend for a CPU (the kernel
//! counts them as recursion misses). The classic tracepoint's programs cannot be preempted; they need the
//! tracepoints' numbers, which tracefs tells.

use std::{
    ffi::CStr,
    fmt, fs, io,
    io::Read,
    os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd},
    path::Path,
};

use anyhow::{Context, Result, bail};
use libbpf_rs::{
    Link, ProgramMut,
    libbpf_sys::{PERF_FLAG_FD_CLOEXEC, PERF_TYPE_TRACEPOINT, perf_event_attr},
};

use super::Feature;

/// The kernel from which on typed programs are preempted.
const PREEMPTS: (u32, u32) = (7, 2);

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attach {
    /// tp_btf.
    Typed,
    /// tp_btf although calls may be missed: the tracepoints' numbers cannot be had.
    TypedWithMisses,
    /// tracepoint/raw_syscalls and tracepoint/sched.
    Classic,
}

/// The programs that become a classic tracepoint's, and which one's. The end of a call first: a call whose start alone
/// was seen would be told as one that has not ended.
pub(super) const CLASSIC: [(&str, &str); 3] = [
    ("sys_exit", "raw_syscalls/sys_exit"),
    ("sys_enter", "raw_syscalls/sys_enter"),
    ("on_task_exit", "sched/sched_process_exit"),
];

impl Attach {
    /// For this kernel; `registers` tells whether it has bpf_task_pt_regs, which the classic way needs.
    pub(super) fn choose(without: &[Feature], registers: bool) -> Result<Self> {
        let forced = without.contains(&Feature::TypedTracepoints);
        if !forced && !preempts_programs()? {
            return Ok(Self::Typed);
        }
        if without.contains(&Feature::ClassicTracepoints) {
            return Ok(Self::TypedWithMisses);
        }
        let why = match numbers() {
            Ok(_) if registers => return Ok(Self::Classic),
            Ok(_) => anyhow::anyhow!("the kernel has no bpf_task_pt_regs"),
            Err(error) => error,
        };
        if forced {
            return Err(why.context("do without typed tracepoints"));
        }
        tracing::warn!(
            error = %format!("{why:#}"),
            "calls may be missed when tasks contend for a CPU: this kernel needs tracefs"
        );
        Ok(Self::TypedWithMisses)
    }

    /// Whether the programs are the classic tracepoint's.
    pub fn is_classic(self) -> bool {
        self == Self::Classic
    }
}

impl fmt::Display for Attach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Typed => "typed tracepoints",
            Self::TypedWithMisses => "typed tracepoints, which miss calls here when tasks contend for a CPU",
            Self::Classic => "classic tracepoints, as typed ones miss calls here when tasks contend for a CPU",
        })
    }
}

/// Whether this kernel lets programs be preempted: then what they write of one task may be missed for another's.
pub fn preempts_programs() -> Result<bool> {
    Ok(preempts(&fs::read_to_string("/proc/sys/kernel/osrelease").context("read the kernel's release")?))
}

fn preempts(release: &str) -> bool {
    let mut numbers = release.trim().split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= PREEMPTS
}

/// The tracepoints' numbers, in their order, from tracefs: where it is mounted, or else a mount of it that nobody else
/// sees.
pub(super) fn numbers() -> Result<[u64; CLASSIC.len()]> {
    let mounted = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"]
        .into_iter()
        .map(Path::new)
        .find(|root| root.join("events/raw_syscalls").is_dir());
    let detached;
    let root = match mounted {
        Some(root) => root.to_owned(),
        None => {
            detached = detached_tracefs().context("mount tracefs")?;
            format!("/proc/self/fd/{}", detached.as_raw_fd()).into()
        }
    };
    let mut numbers = [0; CLASSIC.len()];
    for (number, (_, tracepoint)) in numbers.iter_mut().zip(CLASSIC) {
        let path = root.join("events").join(tracepoint).join("id");
        let mut text = String::new();
        fs::File::open(&path)
            .and_then(|file| file.take(32).read_to_string(&mut text))
            .with_context(|| format!("read {}", path.display()))?;
        *number = text.trim().parse().with_context(|| format!("the tracepoint's number in {}", path.display()))?;
    }
    Ok(numbers)
}

pub(super) fn attach(program: &ProgramMut<'_>, number: u64) -> Result<Link> {
    let attr = perf_event_attr {
        type_: PERF_TYPE_TRACEPOINT,
        size: u32::try_from(size_of::<perf_event_attr>())?,
        config: number,
        ..Default::default()
    };
    // For a program of a tracepoint the process and the CPU do not matter.
    // SAFETY: `attr` is a valid perf_event_attr of the size it names.
    let event = unsafe {
        libc::syscall(libc::SYS_perf_event_open, &raw const attr, -1, 0, -1, u64::from(PERF_FLAG_FD_CLOEXEC))
    };
    let event = owned(event).context("open the tracepoint")?;
    // The link closes the event.
    Ok(program.attach_perf_event(event.into_raw_fd())?)
}

/// fsopen, fsconfig and fsmount: the mount has no place in the tree.
fn detached_tracefs() -> Result<OwnedFd> {
    const FSCONFIG_CMD_CREATE: u32 = 6;
    let kind: &CStr = c"tracefs";
    // SAFETY: the string ends with a NUL.
    let context = owned(unsafe { libc::syscall(libc::SYS_fsopen, kind.as_ptr(), libc::FSOPEN_CLOEXEC) })?;
    // SAFETY: this command takes no pointers.
    let made = unsafe { libc::syscall(libc::SYS_fsconfig, context.as_raw_fd(), FSCONFIG_CMD_CREATE, 0, 0, 0) };
    if made < 0 {
        bail!(io::Error::last_os_error());
    }
    // SAFETY: numbers only.
    Ok(owned(unsafe { libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), libc::FSMOUNT_CLOEXEC, 0) })?)
}

fn owned(result: libc::c_long) -> io::Result<OwnedFd> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    let fd = i32::try_from(result).map_err(io::Error::other)?;
    // SAFETY: the kernel just gave us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use super::preempts;

    #[test]
    fn from_7_2_on() {
        assert!(!preempts("6.18.44\n") && !preempts("7.1.13+deb13-cloud-amd64\n") && !preempts("5.10.0-32-amd64"));
        assert!(preempts("7.2.13+deb14-amd64\n") && preempts("7.10-rc1") && preempts("8.0.0"));
    }
}
