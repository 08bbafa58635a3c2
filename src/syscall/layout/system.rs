//! Structures of the machine, of asynchronous I/O and of submission rings.

use super::{Field::*, layouts};
use crate::syscall::words::{self, kvm};

layouts! {
    /// struct sysinfo.
    pub SYSINFO {
        uptime: Word, loads: Array(3, &Word), totalram: Word, freeram: Word, sharedram: Word, bufferram: Word,
        totalswap: Word, freeswap: Word, procs: U16, totalhigh: Word, freehigh: Word, mem_unit: U32,
    }
    /// struct kexec_segment.
    pub KEXEC_SEGMENT { buf: Addr, bufsz: Word, mem: Addr, memsz: Word }
    /// struct kvm_userspace_memory_region.
    pub KVM_MEMORY {
        slot: U32, flags: Flags32(&kvm::MEMORY), guest_phys_addr: Hex64, memory_size: U64, userspace_addr: Addr64,
    }
    /// struct io_event.
    pub IO_EVENT { data: Hex64, obj: Hex64, res: I64, res2: I64 }
    /// struct io_sqring_offsets.
    pub SQ_OFFSETS {
        head: U32, tail: U32, ring_mask: U32, ring_entries: U32, flags: U32, dropped: U32, array: U32,
        resv1: NonZero(&Hex32), resv2: NonZero(&Hex64),
    }
    /// struct file_attr, as it is returned.
    pub FILE_ATTR {
        fa_xflags: Flags64(&words::file::FILE_XFLAGS), fa_extsize: U32, fa_nextents: U32, fa_projid: U32,
        fa_cowextsize: U32,
    }
    /// The same, as it is set: the number of extents is not.
    pub NEW_FILE_ATTR {
        fa_xflags: Flags64(&words::file::FILE_XFLAGS), fa_extsize: U32, fa_nextents: Pad(4), fa_projid: U32,
        fa_cowextsize: U32,
    }
    /// struct io_cqring_offsets.
    pub CQ_OFFSETS {
        head: U32, tail: U32, ring_mask: U32, ring_entries: U32, overflow: U32, cqes: U32, flags: U32,
        resv1: NonZero(&Hex32), resv2: NonZero(&Hex64),
    }
    /// struct io_uring_restriction's likes: what a ring of buffers is.
    pub URING_BUF_REG {
        ring_addr: Addr64, ring_entries: U32, bgid: U16, pad: NonZero(&Hex16), resv: NonZero(&Array(3, &Hex64)),
    }
    /// struct io_uring_rsrc_update of ring descriptors that are registered.
    pub URING_RING_FD { offset: Signed(&NO_WORDS), resv: NonZero(&Hex32), data: Fd, upper: Pad(4) }
    /// The same, of those that are unregistered.
    pub URING_RING_UNREGISTER { offset: U32, resv: NonZero(&Hex32), data: NonZero(&Hex64) }
}

static NO_WORDS: crate::syscall::Words = crate::syscall::Words { unknown: "", list: &[] };
