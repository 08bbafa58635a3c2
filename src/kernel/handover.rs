//! The kernel side outlives the process that loaded it: what another process has to hold, and how a later
//! one goes on with it.
//!
//! A later process opens the same object anew, puts the maps that were held in the place of its own, and
//! loads only the two programs that it runs itself; the others run on, by their links.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    os::fd::{AsFd, BorrowedFd},
};

use anyhow::{Context, Result};
use libbpf_rs::{MapCore, skel::Skel};

use super::{
    Held, Kernel, Options,
    held::{LINK, MAP, PROGRAM},
    network,
};

/// The settings, which are the loading process's own: what they were is told by the fingerprint.
const SETTINGS: &str = ".rodata";

impl Kernel {
    /// What must be held for the recording to go on, by name.
    pub fn handles(&self) -> Result<Held> {
        let mut handles = Held::new();
        let clone = |fd: BorrowedFd<'_>| fd.try_clone_to_owned().context("hold a part of the kernel side");
        for map in self.skel.object().maps().filter(|map| map.autocreate()) {
            let name = map.name().to_string_lossy().into_owned();
            if !name.ends_with(SETTINGS) && !name.starts_with("layout_") {
                handles.insert(format!("{MAP}{name}"), clone(map.as_fd())?);
            }
        }
        for (name, link) in &self.links {
            handles.insert(format!("{LINK}{name}"), clone(link.as_fd())?);
        }
        for (name, program) in &self.programs {
            handles.insert(format!("{PROGRAM}{name}"), clone(program.as_fd())?);
        }
        Ok(handles)
    }

    /// The names under which the programs, and what attaches them, are held.
    pub fn names_of_programs(&self) -> Vec<String> {
        self.programs.iter().flat_map(|(name, _)| [LINK, PROGRAM].map(|kind| format!("{kind}{name}"))).collect()
    }

    /// Goes on with what was held. The options must be those with which it was loaded.
    pub fn resume(options: &Options, held: &Held) -> Result<Self> {
        Self::load_with(options, Some(held)).context("go on with the recording that is held")
    }
}

/// What programs and settings are told by: only with the same can a recording go on as it is.
pub fn fingerprint(options: &Options) -> String {
    let mut hasher = DefaultHasher::new();
    env!("TRACELOOP_BPF").hash(&mut hasher);
    format!("{options:?}").hash(&mut hasher);
    // Records leave it out.
    network::own().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
