//! Network namespaces by their numbers: the recorder's own, and that of a thread.

use std::{fs, os::unix::fs::MetadataExt, sync::LazyLock};

/// The recorder's network namespace; `None`: there is no /proc.
pub fn own() -> Option<u32> {
    static OWN: LazyLock<Option<u32>> = LazyLock::new(|| at("self"));
    *OWN
}

/// The network namespace of a process or thread.
pub fn of(id: u32) -> Option<u32> {
    at(&id.to_string())
}

fn at(id: &str) -> Option<u32> {
    let metadata = fs::metadata(format!("/proc/{id}/ns/net")).ok()?;
    u32::try_from(metadata.ino()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_in_its_own_network() {
        assert!(own().is_some());
        assert_eq!(of(std::process::id()), own());
        assert_eq!(of(u32::MAX), None);
    }
}
