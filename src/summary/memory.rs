//! Which memory had run out when the kernel's OOM killer chose a process.

use super::process::Process;
use crate::model::{Memory, OomKill, plain};

/// `when cgroup /a was at its limit of 32.0 MiB`; says so where it is not known.
pub(super) fn ran_out(kills: &[OomKill], process: &Process<'_>) -> String {
    let name = process.name();
    let is_it = |kill: &&OomKill| kill.pid == process.pid && kill.comm == String::from_utf8_lossy(name.bytes());
    match kills.iter().rev().find(is_it).map(|kill| &kill.memory) {
        Some(Memory::Machine) => "when the machine's memory ran out".to_owned(),
        Some(Memory::Nodes) => "when the memory of the NUMA nodes that could be used ran out".to_owned(),
        Some(Memory::Cgroup { path, limit, with_swap }) => {
            let path = path.as_deref().map_or_else(|| "a cgroup".to_owned(), |path| format!("cgroup {}", plain(path)));
            let limit = limit.map_or_else(String::new, |limit| format!(" of {}", bytes(limit)));
            let of = if *with_swap { " for memory and swap together" } else { " for memory" };
            format!("when {path} was at its limit{limit}{of}")
        }
        None => "when memory ran out; whether the machine's or what a cgroup may use is not in the record".to_owned(),
    }
}

/// As limits are written: `32 MiB`, `1536 KiB`.
fn bytes(bytes: u64) -> String {
    let units = [("GiB", 30), ("MiB", 20)];
    let unit = units.iter().find(|(_, shift)| bytes >> shift > 0 && bytes.trailing_zeros() >= *shift);
    unit.map_or_else(|| format!("{} KiB", bytes >> 10), |(unit, shift)| format!("{} {unit}", bytes >> shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_as_they_were_set() {
        let told = [32 << 20, 3 << 30, 1 << 30, 1536 << 10, (100 << 20) + 4096].map(bytes);
        assert_eq!(told, ["32 MiB", "3 GiB", "1 GiB", "1536 KiB", "102404 KiB"]);
    }
}
