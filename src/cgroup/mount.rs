//! Where the v2 tree is mounted: /sys/fs/cgroup, or beside v1 hierarchies in hybrid set-ups.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The mounted v2 tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub point: PathBuf,
    /// Which cgroup stands at that place; `/` unless a container sees only a part.
    pub root: PathBuf,
}

/// The first cgroup2 mount of /proc/self/mountinfo.
pub fn v2_mount() -> Result<Mount> {
    let table = fs::read_to_string("/proc/self/mountinfo").context("read /proc/self/mountinfo")?;
    parse(&table).context("no cgroup v2 tree is mounted: `mount -t cgroup2 none /sys/fs/cgroup`, or boot with systemd.unified_cgroup_hierarchy=1")
}

/// Fields: id, parent, device, root, mount point, options, optional fields, `-`, type ...
fn parse(table: &str) -> Option<Mount> {
    table.lines().find_map(|line| {
        let (front, back) = line.split_once(" - ")?;
        if back.split(' ').next()? != "cgroup2" {
            return None;
        }
        let mut fields = front.split(' ').skip(3);
        Some(Mount { root: unescape(fields.next()?), point: unescape(fields.next()?) })
    })
}

/// mountinfo writes space, tab, newline and backslash as octal.
fn unescape(field: &str) -> PathBuf {
    let text = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(field.to_owned(), |text, (code, char)| text.replace(code, char));
    Path::new(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hybrid_host() {
        let table = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
                     32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:5 - cgroup cgroup rw,cpu\n\
                     41 31 0:38 /a\\040b /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
        let mount = parse(table).unwrap();
        assert_eq!(mount.point, Path::new("/sys/fs/cgroup/unified"));
        assert_eq!(mount.root, Path::new("/a b"));
        assert_eq!(parse("32 31 0:29 / /x rw - cgroup cgroup rw,cpu"), None);
    }
}
