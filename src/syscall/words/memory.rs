//! Words of memory.

use super::words;

words! {
    /// Protection of pages.
    pub PROT "PROT_???":
        libc { PROT_NONE PROT_READ PROT_WRITE PROT_EXEC } is { PROT_SEM = 8 } libc { PROT_GROWSDOWN PROT_GROWSUP }
    /// Kinds of mappings.
    pub MAP_TYPES "MAP_???": libc { MAP_FILE MAP_SHARED MAP_PRIVATE MAP_SHARED_VALIDATE }
    /// mmap's other flags.
    pub MAP "":
        libc { MAP_FIXED MAP_ANONYMOUS } is { MAP_32BIT = 0x40 }
        libc { MAP_NORESERVE MAP_POPULATE MAP_NONBLOCK MAP_GROWSDOWN MAP_DENYWRITE MAP_EXECUTABLE MAP_LOCKED MAP_STACK MAP_HUGETLB MAP_SYNC MAP_FIXED_NOREPLACE }
    /// mremap's flags.
    pub MREMAP "MREMAP_???": libc { MREMAP_MAYMOVE MREMAP_FIXED MREMAP_DONTUNMAP }
    /// madvise's advice.
    pub MADVISE "MADV_???":
        libc { MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED MADV_FREE MADV_REMOVE MADV_DONTFORK
            MADV_DOFORK MADV_HWPOISON MADV_SOFT_OFFLINE MADV_MERGEABLE MADV_UNMERGEABLE MADV_HUGEPAGE MADV_NOHUGEPAGE
            MADV_DONTDUMP MADV_DODUMP MADV_WIPEONFORK MADV_KEEPONFORK MADV_COLD MADV_PAGEOUT MADV_POPULATE_READ
            MADV_POPULATE_WRITE }
        is { MADV_DONTNEED_LOCKED = 24, MADV_COLLAPSE = 25 }
    /// msync's flags.
    pub MSYNC "MS_???": libc { MS_SYNC MS_ASYNC MS_INVALIDATE }
    /// memfd_create's flags.
    pub MEMFD "MFD_???": libc { MFD_CLOEXEC MFD_ALLOW_SEALING MFD_HUGETLB }
    /// getrandom's flags.
    pub GETRANDOM "GRND_???": libc { GRND_NONBLOCK GRND_RANDOM GRND_INSECURE }
    /// memfd_secret's flags.
    pub MEMFD_SECRET "": libc { O_CLOEXEC }
    /// mlockall's flags.
    pub MLOCKALL "MCL_???": libc { MCL_CURRENT MCL_FUTURE MCL_ONFAULT }
    /// mlock2's flags.
    pub MLOCK "MLOCK_???": libc { MLOCK_ONFAULT }
    /// A protection key's rights.
    pub PKEY "PKEY_???": is { PKEY_DISABLE_ACCESS = 1, PKEY_DISABLE_WRITE = 2, PKEY_DISABLE_EXECUTE = 4 }
    /// userfaultfd's flags.
    pub USERFAULT "UFFD_???": is { UFFD_USER_MODE_ONLY = 1 } libc { O_NONBLOCK O_CLOEXEC }
    /// membarrier's commands.
    pub MEMBARRIER "MEMBARRIER_CMD_???":
        is { MEMBARRIER_CMD_QUERY = 0, MEMBARRIER_CMD_GLOBAL = 1, MEMBARRIER_CMD_GLOBAL_EXPEDITED = 2,
            MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED = 4, MEMBARRIER_CMD_PRIVATE_EXPEDITED = 8,
            MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 16, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE = 32,
            MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 64, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ = 128,
            MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ = 256 }
    /// membarrier's flags.
    pub MEMBARRIER_FLAGS "MEMBARRIER_CMD_FLAG_???": is { MEMBARRIER_CMD_FLAG_CPU = 1 }
    /// Memory policies.
    pub POLICY "MPOL_???":
        is { MPOL_DEFAULT = 0, MPOL_PREFERRED = 1, MPOL_BIND = 2, MPOL_INTERLEAVE = 3, MPOL_LOCAL = 4,
            MPOL_PREFERRED_MANY = 5 }
    /// A memory policy's flags.
    pub POLICY_FLAGS "MPOL_???":
        is { MPOL_F_STATIC_NODES = 0x8000, MPOL_F_RELATIVE_NODES = 0x4000, MPOL_F_NUMA_BALANCING = 0x2000 }
    /// mbind's flags.
    pub MBIND "MPOL_???": is { MPOL_MF_STRICT = 1, MPOL_MF_MOVE = 2, MPOL_MF_MOVE_ALL = 4 }
    /// get_mempolicy's flags.
    pub GET_POLICY "MPOL_???": is { MPOL_F_NODE = 1, MPOL_F_ADDR = 2, MPOL_F_MEMS_ALLOWED = 4 }
    /// move_pages' flags.
    pub MOVE_PAGES "MPOL_???": is { MPOL_MF_MOVE = 2, MPOL_MF_MOVE_ALL = 4 }
}
