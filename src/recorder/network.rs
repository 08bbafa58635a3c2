//! The network interfaces of the machine: records know them by number only.

use std::{collections::BTreeMap, fs, path::Path};

/// The names of the interfaces in this network namespace, by their numbers; none if there is no sysfs.
pub fn interfaces() -> BTreeMap<u32, String> {
    below(Path::new("/sys/class/net"))
}

fn below(directory: &Path) -> BTreeMap<u32, String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let numbered = entries.filter_map(|entry| {
        let number = fs::read_to_string(entry.path().join("ifindex")).ok()?;
        Some((number.trim().parse().ok()?, entry.file_name().into_string().ok()?))
    });
    numbered.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_have_numbers() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("eth0")).unwrap();
        fs::write(directory.path().join("eth0/ifindex"), "4\n").unwrap();
        fs::write(directory.path().join("bonding_masters"), "\n").unwrap();
        assert_eq!(below(directory.path()), BTreeMap::from([(4, "eth0".to_owned())]));
        assert_eq!(below(&directory.path().join("none")), BTreeMap::new());
    }
}
