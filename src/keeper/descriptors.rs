//! A descriptor for each ring: as many as the system allows.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the limit as far as it goes, and says how many descriptors this process may have.
pub(super) fn most_descriptors() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 0 };
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() {
        return hard;
    }
    soft
}
