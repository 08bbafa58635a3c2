//! Processes that are followed wherever they are: given here, inherited by their children in the kernel side.
//!
//! Knows the map of ids. Whether an id still is the process that was meant is its giver's to see: after `follow`.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use libbpf_rs::{MapCore, MapFlags};

use super::Kernel;

/// What the kernel side replaces by when the process began.
const UNKNOWN: [u8; 8] = [0; 8];

impl Kernel {
    /// From now on the processes are followed, and the children that they make.
    pub fn follow(&self, pids: &[u32]) -> Result<()> {
        let followed = &self.skel.maps.followed;
        for pid in pids {
            followed
                .update(&pid.to_ne_bytes(), &UNKNOWN, MapFlags::ANY)
                .with_context(|| format!("follow process {pid}"))?;
        }
        // The iterator meets each process and learns when it began.
        self.in_flight(|_, _| false)?;
        for pid in pids {
            let born = followed.lookup(&pid.to_ne_bytes(), MapFlags::ANY).context("look a process up")?;
            ensure!(
                born.is_some_and(|born| born != UNKNOWN),
                "process {pid} ended before it could be recorded: give one that lives"
            );
        }
        Ok(())
    }

    /// The processes that are followed now, those that have ended and not been waited for among them.
    pub fn followed(&self) -> BTreeSet<u32> {
        let ids = self.skel.maps.followed.keys().filter_map(|key| key.try_into().ok());
        ids.map(u32::from_ne_bytes).collect()
    }
}
