//! Words of filters and rule sets: seccomp, the instructions of its programs, Landlock.

use linux_raw_sys::landlock;

use super::words;

words! {
    /// PR_SET_SECCOMP's modes.
    pub SECCOMP_MODE "SECCOMP_MODE_???": libc { SECCOMP_MODE_DISABLED SECCOMP_MODE_STRICT SECCOMP_MODE_FILTER }
    /// seccomp's operations.
    pub SECCOMP_OPS "SECCOMP_SET_MODE_???":
        libc { SECCOMP_SET_MODE_STRICT SECCOMP_SET_MODE_FILTER SECCOMP_GET_ACTION_AVAIL SECCOMP_GET_NOTIF_SIZES }
    /// What a filter returns.
    pub SECCOMP_ACTIONS "SECCOMP_RET_???":
        libc { SECCOMP_RET_KILL_PROCESS SECCOMP_RET_KILL_THREAD SECCOMP_RET_TRAP SECCOMP_RET_ERRNO
            SECCOMP_RET_USER_NOTIF SECCOMP_RET_TRACE SECCOMP_RET_LOG SECCOMP_RET_ALLOW }
    /// A filter's flags.
    pub SECCOMP_FLAGS "SECCOMP_FILTER_FLAG_???":
        libc { SECCOMP_FILTER_FLAG_TSYNC SECCOMP_FILTER_FLAG_LOG SECCOMP_FILTER_FLAG_SPEC_ALLOW
            SECCOMP_FILTER_FLAG_NEW_LISTENER SECCOMP_FILTER_FLAG_TSYNC_ESRCH SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV }
    /// Classes of instructions.
    pub BPF_CLASS "BPF_???": libc { BPF_LD BPF_LDX BPF_ST BPF_STX BPF_ALU BPF_JMP BPF_RET BPF_MISC }
    /// Sizes of loads and stores.
    pub BPF_SIZE "BPF_???":
        libc { BPF_W BPF_H BPF_B }
        is { BPF_DW = 24 }
    /// Modes of loads and stores.
    pub BPF_MODE "BPF_???":
        libc { BPF_IMM BPF_ABS BPF_IND BPF_MEM BPF_LEN BPF_MSH }
        is { BPF_XADD = 0xc0 }
    /// Operations of BPF_MISC.
    pub BPF_MISCOP "BPF_???": libc { BPF_TAX BPF_TXA }
    /// Sources of operands.
    pub BPF_SRC "BPF_???": libc { BPF_K BPF_X }
    /// Arithmetic operations.
    pub BPF_ALU "BPF_???":
        libc { BPF_ADD BPF_SUB BPF_MUL BPF_DIV BPF_OR BPF_AND BPF_LSH BPF_RSH BPF_NEG BPF_MOD BPF_XOR }
        is { BPF_MOV = 0xb0, BPF_ARSH = 0xc0, BPF_END = 0xd0 }
    /// Jumps.
    pub BPF_JMP "BPF_???":
        libc { BPF_JA BPF_JEQ BPF_JGT BPF_JGE BPF_JSET }
        is { BPF_JNE = 0x50, BPF_JSGT = 0x60, BPF_JSGE = 0x70, BPF_CALL = 0x80, BPF_EXIT = 0x90, BPF_JLT = 0xa0,
            BPF_JLE = 0xb0, BPF_JSLT = 0xc0, BPF_JSLE = 0xd0 }
    /// What is returned.
    pub BPF_RVAL "BPF_???": libc { BPF_K BPF_X BPF_A }
    /// Classes of extended instructions.
    pub EBPF_CLASS "BPF_???":
        libc { BPF_LD BPF_LDX BPF_ST BPF_STX BPF_ALU BPF_JMP }
        is { BPF_JMP32 = 6, BPF_ALU64 = 7 }
    /// Modes of extended loads and stores.
    pub EBPF_MODE "BPF_???":
        libc { BPF_IMM BPF_ABS BPF_IND BPF_MEM }
        is { BPF_XADD = 0xc0 }
    /// Sizes of extended loads and stores.
    pub EBPF_SIZE "BPF_???":
        libc { BPF_W BPF_H BPF_B }
        is { BPF_DW = 24 }
    /// Extended arithmetic operations.
    pub EBPF_ALU "BPF_???":
        libc { BPF_ADD BPF_SUB BPF_MUL BPF_DIV BPF_OR BPF_AND BPF_LSH BPF_RSH BPF_NEG BPF_MOD BPF_XOR }
        is { BPF_MOV = 0xb0, BPF_ARSH = 0xc0, BPF_END = 0xd0 }
    /// Extended jumps.
    pub EBPF_JMP "BPF_???":
        libc { BPF_JA BPF_JEQ BPF_JGT BPF_JGE BPF_JSET }
        is { BPF_JNE = 0x50, BPF_JSGT = 0x60, BPF_JSGE = 0x70, BPF_CALL = 0x80, BPF_EXIT = 0x90, BPF_JLT = 0xa0,
            BPF_JLE = 0xb0, BPF_JSLT = 0xc0, BPF_JSLE = 0xd0 }
    /// Registers of the extended machine.
    pub EBPF_REGS "BPF_REG_???":
        is { BPF_REG_0 = 0, BPF_REG_1 = 1, BPF_REG_2 = 2, BPF_REG_3 = 3, BPF_REG_4 = 4, BPF_REG_5 = 5,
            BPF_REG_6 = 6, BPF_REG_7 = 7, BPF_REG_8 = 8, BPF_REG_9 = 9, BPF_REG_10 = 10 }
    /// landlock_create_ruleset's flags.
    pub LANDLOCK_CREATE "LANDLOCK_CREATE_RULESET_???":
        landlock { LANDLOCK_CREATE_RULESET_VERSION LANDLOCK_CREATE_RULESET_ERRATA }
    /// landlock_restrict_self's flags.
    pub LANDLOCK_RESTRICT "LANDLOCK_RESTRICT_SELF_???":
        landlock { LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON
            LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF }
        is { LANDLOCK_RESTRICT_SELF_TSYNC = 8 }
    /// Rights on files.
    pub LANDLOCK_FS "LANDLOCK_ACCESS_FS_???":
        landlock { LANDLOCK_ACCESS_FS_EXECUTE LANDLOCK_ACCESS_FS_WRITE_FILE LANDLOCK_ACCESS_FS_READ_FILE
            LANDLOCK_ACCESS_FS_READ_DIR LANDLOCK_ACCESS_FS_REMOVE_DIR LANDLOCK_ACCESS_FS_REMOVE_FILE
            LANDLOCK_ACCESS_FS_MAKE_CHAR LANDLOCK_ACCESS_FS_MAKE_DIR LANDLOCK_ACCESS_FS_MAKE_REG
            LANDLOCK_ACCESS_FS_MAKE_SOCK LANDLOCK_ACCESS_FS_MAKE_FIFO LANDLOCK_ACCESS_FS_MAKE_BLOCK
            LANDLOCK_ACCESS_FS_MAKE_SYM LANDLOCK_ACCESS_FS_REFER LANDLOCK_ACCESS_FS_TRUNCATE
            LANDLOCK_ACCESS_FS_IOCTL_DEV }
        is { LANDLOCK_ACCESS_FS_RESOLVE_UNIX = 0x1_0000 }
    /// Rights on the network.
    pub LANDLOCK_NET "LANDLOCK_ACCESS_NET_???":
        landlock { LANDLOCK_ACCESS_NET_BIND_TCP LANDLOCK_ACCESS_NET_CONNECT_TCP }
        is { LANDLOCK_ACCESS_NET_BIND_UDP = 4, LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP = 8 }
    /// What a domain keeps inside.
    pub LANDLOCK_SCOPE "LANDLOCK_SCOPE_???":
        landlock { LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET LANDLOCK_SCOPE_SIGNAL }
    /// Kinds of rules.
    pub LANDLOCK_RULES "LANDLOCK_RULE_???": is { LANDLOCK_RULE_PATH_BENEATH = 1, LANDLOCK_RULE_NET_PORT = 2 }
    /// Security modules.
    pub LSM "LSM_ID_???":
        is { LSM_ID_UNDEF = 0, LSM_ID_CAPABILITY = 100, LSM_ID_SELINUX = 101, LSM_ID_SMACK = 102, LSM_ID_TOMOYO = 103,
            LSM_ID_APPARMOR = 104, LSM_ID_YAMA = 105, LSM_ID_LOADPIN = 106, LSM_ID_SAFESETID = 107,
            LSM_ID_LOCKDOWN = 108, LSM_ID_BPF = 109, LSM_ID_LANDLOCK = 110, LSM_ID_IMA = 111, LSM_ID_EVM = 112,
            LSM_ID_IPE = 113 }
    /// Their attributes.
    pub LSM_ATTR "LSM_ATTR_???":
        is { LSM_ATTR_UNDEF = 0, LSM_ATTR_CURRENT = 100, LSM_ATTR_EXEC = 101, LSM_ATTR_FSCREATE = 102,
            LSM_ATTR_KEYCREATE = 103, LSM_ATTR_PREV = 104, LSM_ATTR_SOCKCREATE = 105 }
    /// lsm_get_self_attr's flags.
    pub LSM_FLAGS "LSM_FLAG_???": is { LSM_FLAG_SINGLE = 1 }
}
