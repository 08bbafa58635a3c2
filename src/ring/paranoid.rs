//! The kernel's setting of who may open perf events.
//!
//! Upstream kernels leave them to CAP_PERFMON. Those of Debian and Ubuntu know levels above 2 (Debian's default is 3, Ubuntu's
//! 4), at which they leave them to CAP_SYS_ADMIN alone.

use std::{fs, io};

const SETTING: &str = "/proc/sys/kernel/perf_event_paranoid";
/// The highest level that upstream kernels know.
const UPSTREAM: i32 = 2;

/// The setting's level, where it leaves perf events to CAP_SYS_ADMIN.
pub fn leaves_events_to_admins() -> Option<i32> {
    above_upstream(&fs::read_to_string(SETTING).ok()?)
}

fn above_upstream(text: &str) -> Option<i32> {
    text.trim().parse().ok().filter(|level| *level > UPSTREAM)
}

/// What the kernel's refusal to open an event means, where the setting explains it.
pub(super) fn explained(error: io::Error) -> io::Error {
    match leaves_events_to_admins().filter(|_| error.kind() == io::ErrorKind::PermissionDenied) {
        Some(level) => io::Error::new(
            error.kind(),
            format!(
                "{error}: kernel.perf_event_paranoid is {level}, which leaves perf events to CAP_SYS_ADMIN on this kernel; \
                 give that capability, or set it to {UPSTREAM}: sysctl kernel.perf_event_paranoid={UPSTREAM}"
            ),
        ),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::above_upstream;

    #[test]
    fn only_levels_that_upstream_lacks_leave_events_to_admins() {
        assert_eq!(["-1\n", "2\n", "3\n", "4\n", ""].map(above_upstream), [None, None, Some(3), Some(4), None]);
    }
}
