//! Whether a directory is fit for a socket: whoever can write there can put his own in its place.

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use nix::{sys::stat::Mode, unistd::geteuid};

use crate::directory;

/// Clients who may not write there find the socket.
const SEARCHED: Mode =
    Mode::S_IRWXU.union(Mode::S_IRGRP).union(Mode::S_IXGRP).union(Mode::S_IROTH).union(Mode::S_IXOTH);

/// Refuses a directory that somebody else owns or may write to, with the remedy. An empty one of our own is closed to
/// others first.
pub fn trusted(directory: &Path) -> Result<()> {
    let about = fs::metadata(directory).with_context(|| format!("look at {}", directory.display()))?;
    let us = geteuid().as_raw();
    ensure!(
        about.uid() == us || about.uid() == 0,
        "the directory {} belongs to user {}, who could put another socket there: `chown {us} {0}`",
        directory.display(),
        about.uid(),
    );
    let doing = || format!("close {} to others", directory.display());
    if about.mode() & 0o022 != 0
        && !directory::close(directory, &File::open(directory).with_context(doing)?, SEARCHED).with_context(doing)?
    {
        let mode = about.mode() & 0o7777;
        bail!(
            "others may write to the directory {} (mode {mode:04o}), and could put another socket there: \
             `chmod go-w {0}`",
            directory.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn where_others_may_write_no_socket_is_made() {
        let place = tempfile::tempdir().unwrap();
        trusted(place.path()).unwrap();
        for (mode, fit) in [(0o755, true), (0o775, false), (0o1777, false), (0o702, false), (0o711, true)] {
            fs::set_permissions(place.path(), fs::Permissions::from_mode(mode)).unwrap();
            let found = trusted(place.path());
            assert_eq!(found.is_ok(), fit, "{mode:o}");
            if let Err(error) = found {
                let told = error.to_string();
                assert!(told.contains("chmod go-w") && told.contains(&format!("{mode:04o}")), "{told}");
            }
        }
        let ours = place.path().join("traceloop");
        fs::create_dir(&ours).unwrap();
        fs::set_permissions(&ours, fs::Permissions::from_mode(0o1777)).unwrap();
        trusted(&ours).unwrap();
        assert_eq!(fs::metadata(&ours).unwrap().permissions().mode() & 0o7777, 0o755);
        if geteuid().is_root() {
            fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
            std::os::unix::fs::chown(place.path(), Some(65534), None).unwrap();
            let told = trusted(place.path()).unwrap_err().to_string();
            assert!(told.contains("belongs to user 65534") && told.contains("chown 0 "), "{told}");
        }
    }
}
