//! The perf event behind a ring, and the event that starts many of them at once.

use std::{
    fs, io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

use libbpf_rs::libbpf_sys::{
    PERF_COUNT_SW_BPF_OUTPUT, PERF_COUNT_SW_DUMMY, PERF_FLAG_FD_CLOEXEC, PERF_SAMPLE_RAW, PERF_TYPE_SOFTWARE,
    perf_event_attr,
};

use super::paranoid::explained;

nix::ioctl_none!(enable, b'$', 0);

/// An overwriting BPF output event on `cpu`, which takes samples as soon as its leader does.
pub(super) fn output(cpu: u32, leader: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut attr = software(PERF_COUNT_SW_BPF_OUTPUT);
    attr.sample_type = u64::from(PERF_SAMPLE_RAW);
    attr.__bindgen_anon_1.sample_period = 1;
    attr.set_write_backward(1);
    open(&attr, cpu, Some(leader))
}

/// An event on `cpu` that counts nothing and is off: those that it leads are off with it.
pub(super) fn leader(cpu: u32) -> io::Result<OwnedFd> {
    let mut attr = software(PERF_COUNT_SW_DUMMY);
    attr.set_disabled(1);
    open(&attr, cpu, None)
}

/// Switches a leader on, and with it those that it leads.
pub(super) fn start(leader: &OwnedFd) -> io::Result<()> {
    // SAFETY: the descriptor is an event's, and the request takes no argument.
    unsafe { enable(leader.as_raw_fd()) }?;
    Ok(())
}

fn software(config: u32) -> perf_event_attr {
    perf_event_attr {
        type_: PERF_TYPE_SOFTWARE,
        size: u32::try_from(size_of::<perf_event_attr>()).expect("a small struct"),
        config: u64::from(config),
        ..Default::default()
    }
}

fn open(attr: &perf_event_attr, cpu: u32, leader: Option<BorrowedFd<'_>>) -> io::Result<OwnedFd> {
    let cpu = i32::try_from(cpu).map_err(io::Error::other)?;
    let (attr, group) = (std::ptr::from_ref(attr), leader.map_or(-1, |leader| leader.as_raw_fd()));
    // SAFETY: `attr` is a valid perf_event_attr of the size it names.
    let fd = unsafe { libc::syscall(libc::SYS_perf_event_open, attr, -1, cpu, group, u64::from(PERF_FLAG_FD_CLOEXEC)) };
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    if fd < 0 {
        return Err(explained(io::Error::last_os_error()));
    }
    // SAFETY: the kernel just gave us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The CPUs that are online, as /sys/devices/system/cpu/online lists them.
pub fn online_cpus() -> io::Result<Vec<u32>> {
    let text = fs::read_to_string("/sys/devices/system/cpu/online")?;
    parse_cpu_list(text.trim())
        .ok_or_else(|| io::Error::other(format!("cannot read the list of online CPUs: {text:?}")))
}

fn parse_cpu_list(list: &str) -> Option<Vec<u32>> {
    let mut cpus = Vec::new();
    for range in list.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        cpus.extend(first.parse::<u32>().ok()?..=last.parse::<u32>().ok()?);
    }
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use super::parse_cpu_list;

    #[test]
    fn cpu_lists() {
        assert_eq!(parse_cpu_list("0-1,4"), Some(vec![0, 1, 4]));
        assert_eq!(parse_cpu_list("7"), Some(vec![7]));
        assert_eq!(parse_cpu_list("x"), None);
    }
}
