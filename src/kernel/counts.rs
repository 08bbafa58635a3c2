//! Calls as the kernel side counts them, where it is to count and not to record.

use anyhow::{Context, Result};
use libbpf_rs::{ErrorKind, MapCore, MapFlags};

use super::Kernel;

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CountKey {
    /// The cgroup's id.
    pub cgroup: u64,
    /// The process.
    pub pid: u32,
    /// The call's number.
    pub nr: i32,
    /// Whether it came in by the 32-bit ABI.
    pub compat: bool,
}

/// How many calls there were since the counting began. Times are nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Calls that have ended.
    pub calls: u64,
    /// Those of them that failed.
    pub errors: u64,
    /// From their starts to their ends, together.
    pub time: u64,
    /// The longest.
    pub longest: u64,
}

impl CountKey {
    fn of(bytes: &[u8]) -> Option<Self> {
        let (cgroup, rest) = bytes.split_first_chunk()?;
        let (pid, rest) = rest.split_first_chunk()?;
        let (nr, rest) = rest.split_first_chunk()?;
        let (compat, _) = rest.split_first_chunk()?;
        Some(Self {
            cgroup: u64::from_ne_bytes(*cgroup),
            pid: u32::from_ne_bytes(*pid),
            nr: i32::from_ne_bytes(*nr),
            compat: u64::from_ne_bytes(*compat) != 0,
        })
    }

    fn bytes(self) -> Vec<u8> {
        let mut bytes = self.cgroup.to_ne_bytes().to_vec();
        bytes.extend(self.pid.to_ne_bytes());
        bytes.extend(self.nr.to_ne_bytes());
        bytes.extend(u64::from(self.compat).to_ne_bytes());
        bytes
    }
}

impl Count {
    fn add(&mut self, bytes: &[u8]) {
        let word =
            |n: usize| bytes.get(8 * n..8 * n + 8).and_then(|word| word.try_into().ok()).map_or(0, u64::from_ne_bytes);
        self.calls += word(0);
        self.errors += word(1);
        self.time += word(2);
        self.longest = self.longest.max(word(3));
    }
}

impl Kernel {
    /// All counts, of all CPUs together.
    pub fn counts(&self) -> Result<Vec<(CountKey, Count)>> {
        let counts = &self.skel.maps.counts;
        let mut all = Vec::new();
        for bytes in counts.keys() {
            let Some(key) = CountKey::of(&bytes) else { continue };
            let mut count = Count::default();
            // Gone in between: nothing to tell.
            for cpu in counts.lookup_percpu(&bytes, MapFlags::ANY).context("read the counts")?.unwrap_or_default() {
                count.add(&cpu);
            }
            all.push((key, count));
        }
        Ok(all)
    }

    /// Forgets what is counted no more.
    pub fn forget_count(&self, key: CountKey) -> Result<()> {
        match self.skel.maps.counts.delete(&key.bytes()) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context("forget a count"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_the_kernel_side_writes() {
        let key = CountKey { cgroup: 7 << 40, pid: 4711, nr: 257, compat: true };
        assert_eq!(CountKey::of(&key.bytes()), Some(key));
        assert_eq!(key.bytes().len(), size_of::<crate::skel::types::count_key>());
        assert_eq!(CountKey::of(&[0; 23]), None);
    }

    #[test]
    fn cpus_are_added() {
        let mut count = Count::default();
        for words in [[1_u64, 0, 10, 10], [2, 1, 5, 4]] {
            count.add(&words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<_>>());
        }
        assert_eq!(count, Count { calls: 3, errors: 1, time: 15, longest: 10 });
    }
}
