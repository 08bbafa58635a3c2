//! Slots: which cgroup's records go where, and which slots wait for cgroups to come.

use std::os::fd::{AsRawFd, BorrowedFd};

use anyhow::{Context, Result};
use libbpf_rs::{ErrorKind, MapCore, MapFlags};

use super::{Kernel, WHEN_FIRST, notices::RawNotice};
use crate::{
    cgroup::{Cgroup, NAMES, NameKind, Place},
    model::User,
    ring::Ring,
    skel::types::{self, name_kind, name_where},
};

/// How often what another process came before in is tried again.
const TRIES: usize = 100;

/// Beside a slot in the map of cgroups: those made below get slots of their own (bpf/notice.h).
const PARTED: u32 = 1 << 31;

/// Where a cgroup's records go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The slot; 0: it is not recorded.
    pub slot: u32,
    /// Whether cgroups made below it are looked at by their own names.
    pub parted: bool,
}

impl Kernel {
    /// Makes a ring the destination of what a slot's cgroups do on the ring's CPU.
    pub fn insert_ring(&self, slot: u32, ring: &Ring) -> Result<()> {
        let index = slot * self.cpus + ring.cpu();
        let event = ring.event().with_context(|| format!("the ring of cpu {} has no event any more", ring.cpu()))?;
        self.skel
            .maps
            .rings
            .update(&index.to_ne_bytes(), &event.as_raw_fd().to_ne_bytes(), MapFlags::ANY)
            .with_context(|| format!("insert the ring of cpu {} for slot {slot}", ring.cpu()))
    }

    /// From now on the cgroup's calls go to the slot; so do those of cgroups made below it, unless it is
    /// parted.
    pub fn assign(&self, cgroup: &Cgroup, to: Assignment) -> Result<()> {
        let value = to.slot | if to.parted { PARTED } else { 0 };
        let doing = || format!("record the cgroup {}", cgroup.path().display());
        let (id, value) = (cgroup.id().to_ne_bytes(), value.to_ne_bytes());
        self.skel.maps.cgroups.update(&id, &value, MapFlags::ANY).with_context(doing)?;
        if self.features.cgroup_storage {
            let fd = cgroup.directory().as_raw_fd().to_ne_bytes();
            let update = || self.skel.maps.cgroup_slots.update(&fd, &value, MapFlags::ANY);
            // EAGAIN: another recorder was the first to keep something with this cgroup, a moment ago.
            let is_late = |error: &libbpf_rs::Error| error.kind() == ErrorKind::WouldBlock;
            let mut tries = (0..TRIES).map(|_| update()).skip_while(|tried| tried.as_ref().is_err_and(is_late));
            tries.next().unwrap_or_else(update).with_context(doing)?;
        }
        self.forget_slots()
    }

    /// Where a cgroup's records go; `None`: the kernel side does not know it.
    pub fn assignment(&self, cgroup: u64) -> Result<Option<Assignment>> {
        let cgroups = &self.skel.maps.cgroups;
        let value = cgroups.lookup(&cgroup.to_ne_bytes(), MapFlags::ANY).context("look a cgroup up")?;
        let value = value.and_then(|raw| raw.try_into().ok()).map(u32::from_ne_bytes);
        Ok(value.map(|value| Assignment { slot: value & !PARTED, parted: value & PARTED != 0 }))
    }

    /// Has the kernel side look slots up anew. Before a generation comes again, what was kept in its
    /// first time is emptied out, while nothing new is kept.
    pub(super) fn forget_slots(&self) -> Result<()> {
        let generation = self.generation.get().wrapping_add(1);
        if generation == 0 {
            self.tell_generation(0)?;
            let kept = &self.skel.maps.bss;
            let none = vec![0; usize::try_from(kept.value_size()).context("a table of no size")?];
            kept.update(&WHEN_FIRST, &none, MapFlags::ANY).context("empty the table of kept slots")?;
        }
        self.generation.set(generation.max(1));
        self.tell_generation(self.generation.get())
    }

    fn tell_generation(&self, generation: u16) -> Result<()> {
        let generations = &self.skel.maps.generations;
        generations
            .update(&WHEN_FIRST, &u32::from(generation).to_ne_bytes(), MapFlags::ANY)
            .context("tell of a new slot")
    }

    /// The cgroup's calls are no longer recorded.
    pub fn release(&self, cgroup: &Cgroup) -> Result<()> {
        if self.features.cgroup_storage {
            let fd = cgroup.directory().as_raw_fd();
            let _ = self.skel.maps.cgroup_slots.delete(&fd.to_ne_bytes());
        }
        self.release_id(cgroup.id()).with_context(|| format!("stop recording the cgroup {}", cgroup.path().display()))
    }

    /// The same for a cgroup that is gone.
    pub fn release_id(&self, cgroup: u64) -> Result<()> {
        let deleted = self.skel.maps.cgroups.delete(&cgroup.to_ne_bytes());
        self.forget_slots()?;
        match deleted {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context("forget a cgroup"),
            _ => Ok(()),
        }
    }

    /// Offers a slot to the cgroups that will be made.
    pub fn offer(&self, slot: u32) -> Result<()> {
        let nobody = [0; size_of::<types::notice>()];
        let owners = &self.skel.maps.owners;
        owners.update(&slot.to_ne_bytes(), &nobody, MapFlags::ANY).context("forget whose a slot was")?;
        self.ends_heeded(slot, [])?;
        self.forget_user(slot)?;
        self.skel.maps.pool.update(&[], &slot.to_ne_bytes(), MapFlags::ANY).context("offer a slot to new cgroups")
    }

    /// Takes back an offered slot that nobody has taken.
    pub fn take_back(&self) -> Result<Option<u32>> {
        let taken = self.skel.maps.pool.lookup_and_delete(&[]).context("take a slot back")?;
        Ok(taken.and_then(|raw| raw.try_into().ok()).map(u32::from_ne_bytes))
    }

    /// The notice of the cgroup that took a slot since it was offered, whether or not there was room to tell of it.
    pub fn owner(&self, slot: u32) -> Result<Option<RawNotice>> {
        let bytes =
            self.skel.maps.owners.lookup(&slot.to_ne_bytes(), MapFlags::ANY).context("look a slot's owner up")?;
        Ok(bytes.as_deref().and_then(super::notices::parse))
    }

    /// The user whose calls are marked in a slot, see bpf/user.h; `None`: there is none.
    pub fn user(&self, slot: u32) -> Result<Option<User>> {
        let user = self.skel.maps.users.lookup(&slot.to_ne_bytes(), MapFlags::ANY).context("look a slot's user up")?;
        let user = user.and_then(|raw| raw.try_into().ok()).map_or(0, u64::from_ne_bytes);
        let [uid, gid] = [user & u64::from(u32::MAX), user >> 32].map(|id| u32::try_from(id).unwrap_or(0));
        Ok((uid != 0).then_some(User { uid, gid }))
    }

    /// The next one who makes calls there is its user.
    fn forget_user(&self, slot: u32) -> Result<()> {
        let doing = "forget a slot's user";
        match self.skel.maps.first_users.delete(&slot.to_ne_bytes()) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).context(doing),
            _ => {}
        }
        self.skel.maps.users.update(&slot.to_ne_bytes(), &[0; 8], MapFlags::ANY).context(doing)
    }

    /// Readable when there are notices; `None`: nobody is told.
    pub fn notices_fd(&self) -> Option<BorrowedFd<'_>> {
        self.notices.as_ref().map(super::notices::Notices::fd)
    }

    /// What has happened since the last time.
    pub fn notices(&self) -> Result<Vec<RawNotice>> {
        self.notices.as_ref().map_or_else(|| Ok(Vec::new()), super::notices::Notices::take)
    }

    /// Tells the kernel side which names are no leaves.
    pub(super) fn tell_names(&self) -> Result<()> {
        for (n, (place, kind)) in NAMES.iter().enumerate() {
            let (place, text) = match place {
                Place::Whole(text) => (name_where::NAME_WHOLE, text),
                Place::Prefix(text) => (name_where::NAME_PREFIX, text),
                Place::Suffix(text) => (name_where::NAME_SUFFIX, text),
            };
            let kind = match kind {
                NameKind::Leaf => name_kind::NAME_LEAF,
                NameKind::Pass => name_kind::NAME_PASS,
                NameKind::Both => name_kind::NAME_BOTH,
            };
            let mut row = [0_u8; size_of::<types::name_rule>()];
            row[..text.len()].copy_from_slice(text.as_bytes());
            let behind = std::mem::offset_of!(types::name_rule, length);
            row[behind..behind + 3].copy_from_slice(&[u8::try_from(text.len())?, place.0, kind.0]);
            let key = u32::try_from(n)?.to_ne_bytes();
            self.skel.maps.name_rules.update(&key, &row, MapFlags::ANY).context("tell the names of cgroups")?;
        }
        Ok(())
    }
}
