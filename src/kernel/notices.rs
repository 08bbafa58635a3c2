//! What the kernel side tells at once: cgroups that come and go, processes that end badly.

use std::{
    cell::RefCell,
    fmt,
    mem::offset_of,
    os::fd::{BorrowedFd, RawFd},
    rc::Rc,
};

use anyhow::{Context, Result};
use libbpf_rs::{MapCore, RingBuffer, RingBufferBuilder};

use crate::skel::types::{asker, asker_flag, notice, notice_kind};

/// One notice, as the kernel side told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawNotice {
    /// What happened.
    pub what: RawWhat,
    /// CLOCK_BOOTTIME, nanoseconds.
    pub time: u64,
    /// The cgroup's id.
    pub cgroup: u64,
    /// Where its records go.
    pub slot: u32,
}

impl Asker {
    /// As the kernel side keeps it beside a process's end.
    pub(super) fn of(asker: &asker) -> Self {
        Self {
            pid: asker.pid,
            cgroup: asker.cgroup,
            comm: asker.comm,
            signal: asker.signo,
            kernel: asker.flags.0 & asker_flag::ASKER_KERNEL.0 != 0,
            oom: asker.flags.0 & asker_flag::ASKER_OOM.0 != 0,
        }
    }
}

impl RawNotice {
    /// The name of the cgroup that was made.
    pub fn name(&self) -> Option<&[u8]> {
        match &self.what {
            RawWhat::Made { name, .. } => Some(name),
            _ => None,
        }
    }
}

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawWhat {
    /// The cgroup was made.
    Made {
        /// The cgroup above it.
        parent: u64,
        /// Its name.
        name: Vec<u8>,
        /// Whether it took rings of its own.
        own: bool,
    },
    /// The cgroup was removed.
    Removed,
    /// A process in it ended by a signal or with a status other than 0: the first so, since somebody looked.
    Died {
        /// The process.
        pid: u32,
        /// Its name.
        comm: [u8; 16],
        /// How, as wait(2) reports it.
        code: u32,
        /// Who asked it to.
        asker: Asker,
    },
    /// A call in it ended as a rule says.
    Call,
}

/// Who has sent a process a signal that ends it: its first SIGKILL, or the last of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    /// Its process; 0: none was seen.
    pub pid: u32,
    /// The cgroup of that.
    pub cgroup: u64,
    /// Its name.
    pub comm: [u8; 16],
    /// The signal.
    pub signal: u8,
    /// Whether the kernel sent it for reasons of its own.
    pub kernel: bool,
    /// Whether the kernel's reason was that memory ran out.
    pub oom: bool,
}

/// Reads notices; the descriptor is readable when there are some.
pub(super) struct Notices {
    ring: RingBuffer<'static>,
    read: Rc<RefCell<Vec<RawNotice>>>,
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notices").finish_non_exhaustive()
    }
}

impl Notices {
    /// Reads deaths before what is told of cgroups: then the cgroup of whoever died is known.
    pub(super) fn open(maps: &[&dyn MapCore]) -> Result<Self> {
        let read = Rc::new(RefCell::new(Vec::new()));
        let mut builder = RingBufferBuilder::new();
        for map in maps {
            let into = Rc::clone(&read);
            let take = move |bytes: &[u8]| {
                into.borrow_mut().extend(parse(bytes));
                0
            };
            builder.add(*map, take).context("open the ring of notices")?;
        }
        Ok(Self { ring: builder.build().context("open the ring of notices")?, read })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        let fd: RawFd = self.ring.epoll_fd();
        // SAFETY: the ring owns the descriptor for as long as `self` is borrowed.
        unsafe { BorrowedFd::borrow_raw(fd) }
    }

    pub(super) fn take(&self) -> Result<Vec<RawNotice>> {
        self.ring.consume().context("read the notices")?;
        let mut read = std::mem::take(&mut *self.read.borrow_mut());
        read.sort_by_key(|notice| notice.time);
        Ok(read)
    }
}

/// A notice from its bytes; only of a cgroup that was made there is a name at their end.
pub(super) fn parse(bytes: &[u8]) -> Option<RawNotice> {
    bytes.get(..offset_of!(notice, name))?;
    let number = |at: usize| bytes.get(at..at + 8).and_then(|raw| raw.try_into().ok()).map_or(0, u64::from_ne_bytes);
    let half = |at: usize| bytes.get(at..at + 4).and_then(|raw| raw.try_into().ok()).map_or(0, u32::from_ne_bytes);
    let what = match notice_kind(bytes[offset_of!(notice, kind)]) {
        notice_kind::NOTICE_MADE => {
            let at = offset_of!(notice, length);
            let length = usize::from(u16::from_ne_bytes([bytes[at], bytes[at + 1]]));
            let name = &bytes[offset_of!(notice, name)..];
            RawWhat::Made {
                parent: number(offset_of!(notice, parent)),
                name: name[..length.min(name.len())].to_vec(),
                own: bytes[offset_of!(notice, own)] != 0,
            }
        }
        notice_kind::NOTICE_REMOVED => RawWhat::Removed,
        notice_kind::NOTICE_DIED => {
            let comm = |at: usize| bytes.get(at..at + 16).and_then(|raw| raw.try_into().ok()).unwrap_or_default();
            let at = offset_of!(notice, asker);
            let flags = bytes[at + offset_of!(asker, flags)];
            RawWhat::Died {
                pid: half(offset_of!(notice, pid)),
                comm: comm(offset_of!(notice, comm)),
                code: half(offset_of!(notice, code)),
                asker: Asker {
                    pid: half(at + offset_of!(asker, pid)),
                    cgroup: number(at + offset_of!(asker, cgroup)),
                    comm: comm(at + offset_of!(asker, comm)),
                    signal: bytes[at + offset_of!(asker, signo)],
                    kernel: flags & asker_flag::ASKER_KERNEL.0 != 0,
                    oom: flags & asker_flag::ASKER_OOM.0 != 0,
                },
            }
        }
        notice_kind::NOTICE_CALL => RawWhat::Call,
        _ => return None,
    };
    Some(RawNotice {
        what,
        time: number(offset_of!(notice, time)),
        cgroup: number(offset_of!(notice, cgroup)),
        slot: half(offset_of!(notice, slot)),
    })
}
