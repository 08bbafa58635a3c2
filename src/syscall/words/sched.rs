//! Words of scheduling, priorities, futexes.

use linux_raw_sys::general;

use super::words;

words! {
    /// Scheduling policies.
    pub SCHED "SCHED_???":
        libc { SCHED_OTHER SCHED_FIFO SCHED_RR SCHED_BATCH }
        is { SCHED_ISO = 4 }
        libc { SCHED_IDLE SCHED_DEADLINE }
        general { SCHED_EXT }
    /// sched_setattr's flags.
    pub SCHED_FLAGS "SCHED_FLAG_???":
        libc { SCHED_FLAG_RESET_ON_FORK SCHED_FLAG_RECLAIM SCHED_FLAG_DL_OVERRUN SCHED_FLAG_KEEP_POLICY
            SCHED_FLAG_KEEP_PARAMS SCHED_FLAG_UTIL_CLAMP_MIN SCHED_FLAG_UTIL_CLAMP_MAX }
    /// Whose I/O priority.
    pub IOPRIO_WHO "IOPRIO_WHO_???": is { IOPRIO_WHO_PROCESS = 1, IOPRIO_WHO_PGRP = 2, IOPRIO_WHO_USER = 3 }
    /// Classes of I/O priority.
    pub IOPRIO_CLASS "IOPRIO_CLASS_???":
        is { IOPRIO_CLASS_NONE = 0, IOPRIO_CLASS_RT = 1, IOPRIO_CLASS_BE = 2, IOPRIO_CLASS_IDLE = 3 }
    /// futex's operations.
    pub FUTEX "FUTEX_???":
        libc { FUTEX_WAIT FUTEX_WAKE FUTEX_FD FUTEX_REQUEUE FUTEX_CMP_REQUEUE FUTEX_WAKE_OP FUTEX_LOCK_PI
            FUTEX_UNLOCK_PI FUTEX_TRYLOCK_PI FUTEX_WAIT_BITSET FUTEX_WAKE_BITSET FUTEX_WAIT_REQUEUE_PI
            FUTEX_CMP_REQUEUE_PI FUTEX_LOCK_PI2 }
        general { FUTEX_WAIT_PRIVATE FUTEX_WAKE_PRIVATE FUTEX_REQUEUE_PRIVATE FUTEX_CMP_REQUEUE_PRIVATE
            FUTEX_WAKE_OP_PRIVATE FUTEX_LOCK_PI_PRIVATE FUTEX_UNLOCK_PI_PRIVATE FUTEX_TRYLOCK_PI_PRIVATE
            FUTEX_WAIT_BITSET_PRIVATE FUTEX_WAKE_BITSET_PRIVATE FUTEX_WAIT_REQUEUE_PI_PRIVATE
            FUTEX_CMP_REQUEUE_PI_PRIVATE FUTEX_LOCK_PI2_PRIVATE }
    /// FUTEX_WAKE_OP's operations.
    pub FUTEX_WAKE_OPS "": libc { FUTEX_OP_SET FUTEX_OP_ADD FUTEX_OP_OR FUTEX_OP_ANDN FUTEX_OP_XOR }
    /// FUTEX_WAKE_OP's comparisons.
    pub FUTEX_WAKE_CMPS "":
        libc { FUTEX_OP_CMP_EQ FUTEX_OP_CMP_NE FUTEX_OP_CMP_LT FUTEX_OP_CMP_LE FUTEX_OP_CMP_GT FUTEX_OP_CMP_GE }
    /// The flags of futexes of the second kind: a size and others.
    pub FUTEX2_SIZES "FUTEX2_SIZE_???":
        is { FUTEX2_SIZE_U8 = 0, FUTEX2_SIZE_U16 = 1, FUTEX2_SIZE_U32 = 2, FUTEX2_SIZE_U64 = 3 }
    /// The others.
    pub FUTEX2 "FUTEX2_???": is { FUTEX2_NUMA = 4, FUTEX2_MPOL = 8, FUTEX2_PRIVATE = 0x80 }
    /// Which waiters: all of them by name.
    pub FUTEX_MASKS "": is { FUTEX_BITSET_MATCH_ANY = 0xffff_ffff_u32 }
    /// Flags of a waiter of futex_waitv.
    pub FUTEX_WAITV "FUTEX_???":
        is { FUTEX2_SIZE_U64 = 3, FUTEX2_SIZE_U32 = 2, FUTEX2_SIZE_U16 = 1, FUTEX2_NUMA = 4, FUTEX2_MPOL = 8,
            FUTEX2_PRIVATE = 0x80 }
        general { FUTEX_32 FUTEX_PRIVATE_FLAG }
}
