//! podman without its service: the list of containers that it keeps beside their layers,
//! `STORAGE/DRIVER-containers/containers.json`.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::Names;

/// Tens of thousands of containers.
const LARGEST: u64 = 16 << 20;

/// Containers that are removed when they end are in the second list.
const LISTS: [&str; 2] = ["containers.json", "volatile-containers.json"];

/// What we read of an entry.
#[derive(Deserialize)]
struct Entry {
    id: String,
    #[serde(default)]
    names: Option<Vec<String>>,
    /// JSON in a string.
    #[serde(default)]
    metadata: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Metadata {
    image_name: String,
}

/// Looks a container up in the lists of all storage drivers.
pub(super) fn ask(storage: &Path, id: &str) -> Result<Option<Names>> {
    let entries = match fs::read_dir(storage) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("look into {}", storage.display())),
    };
    let drivers = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().ends_with("-containers"));
    for list in drivers.flat_map(|driver| LISTS.map(|list| driver.path().join(list))) {
        let Some(text) = read(&list)? else { continue };
        let entries: Vec<Entry> =
            serde_json::from_slice(&text).with_context(|| format!("understand {}", list.display()))?;
        if let Some(entry) = entries.into_iter().find(|entry| entry.id == id) {
            let metadata: Metadata = serde_json::from_str(&entry.metadata).unwrap_or_default();
            let name = entry.names.and_then(|names| names.into_iter().next()).unwrap_or_default();
            return Ok(Some(Names::new("podman", &name, &metadata.image_name)));
        }
    }
    Ok(None)
}

/// A file's content; `None`: there is none. What is not a plain file is not waited for.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let flags = libc::O_NONBLOCK | libc::O_NOFOLLOW;
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("open {}", path.display())),
    };
    let kind = file.metadata().with_context(|| format!("look at {}", path.display()))?;
    if !kind.is_file() || kind.len() > LARGEST {
        bail!("{} is no list of containers", path.display());
    }
    let mut text = Vec::new();
    file.take(LARGEST).read_to_end(&mut text).with_context(|| format!("read {}", path.display()))?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_podman_writes_them() {
        let storage = tempfile::tempdir().unwrap();
        assert_eq!(ask(&storage.path().join("none"), "8c").unwrap(), None);
        let driver = storage.path().join("overlay-containers");
        fs::create_dir_all(&driver).unwrap();
        let list = r#"[{"id":"00","names":null},{"id":"8c","names":["web"],"image":"f1","layer":"73",
            "metadata":"{\"image-name\":\"docker.io/library/nginx:latest\",\"name\":\"web\"}","flags":{}}]"#;
        fs::write(driver.join("volatile-containers.json"), list).unwrap();
        let names = ask(storage.path(), "8c").unwrap().unwrap();
        assert_eq!(
            (names.name.as_deref(), names.image.as_deref()),
            (Some("web"), Some("docker.io/library/nginx:latest"))
        );
        assert_eq!(ask(storage.path(), "00").unwrap().unwrap().name, None);
        assert_eq!(ask(storage.path(), "01").unwrap(), None);
        fs::write(driver.join("containers.json"), "[{").unwrap();
        assert!(format!("{:#}", ask(storage.path(), "8c").unwrap_err()).contains("understand"));
        fs::remove_file(driver.join("containers.json")).unwrap();
        nix::unistd::mkfifo(&driver.join("containers.json"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(ask(storage.path(), "8c").unwrap_err().to_string().contains("no list"));
    }
}
