//! The kernel side outlives the process that loaded it: what another process has to hold, and how a later
//! one goes on with it.
//!
//! A later process opens the same object anew, puts the maps that were held in the place of its own, and
//! loads only the two programs that it runs itself; the others run on, by their links.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use anyhow::{Context, Result};
use libbpf_rs::{MapCore, MapFlags, skel::Skel};

use super::{Kernel, Options, flush, load::WHEN_FIRST, network};

/// Names that this side gives to what is to be held.
const MAP: &str = "map/";
const LINK: &str = "link/";
const PROGRAM: &str = "program/";

/// The settings, which are the loading process's own: what they were is told by the fingerprint.
const SETTINGS: &str = ".rodata";

/// Descriptors that were held, by name.
pub type Held = BTreeMap<String, OwnedFd>;

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

    /// Goes on with what was held. The options must be those with which it was loaded.
    pub fn resume(options: &Options, held: &Held) -> Result<Self> {
        Self::load_with(options, Some(held)).context("go on with the recording that is held")
    }

    /// Takes over what runs already, instead of attaching anything.
    pub(super) fn adopt(&mut self, held: &Held) -> Result<()> {
        for (name, fd) in held {
            if let Some(program) = name.strip_prefix(PROGRAM) {
                let fd = fd.try_clone().context("hold a program that runs")?;
                self.programs.push((program.to_owned(), fd));
            }
        }
        let generation = self.skel.maps.generations.lookup(&WHEN_FIRST, MapFlags::ANY).context("read a setting")?;
        let generation = generation.and_then(|raw| raw.first_chunk::<2>().copied()).map_or(0, u16::from_ne_bytes);
        self.generation.set(generation);
        Ok(())
    }
}

/// Makes each CPU send what it has written for a recording that is held.
pub fn flush_held(held: &Held) -> Result<()> {
    let program = held.get(&format!("{PROGRAM}flush")).context("the program that sends records is not held")?;
    let cpus = u32::try_from(libbpf_rs::num_possible_cpus().context("count the possible CPUs")?)?;
    (0..cpus).try_for_each(|cpu| flush::flush(program.as_fd(), cpu).map(drop))
}

/// The held map of that name.
pub(super) fn map<'a>(held: &'a Held, name: &str) -> Option<BorrowedFd<'a>> {
    held.get(&format!("{MAP}{name}")).map(AsFd::as_fd)
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
