//! Words of NETLINK_SOCK_DIAG.

use linux_raw_sys::netlink;

use crate::syscall::words::{Words, words};

words! {
    /// Attributes of an inet socket.
    pub INET "INET_DIAG_???":
        is { INET_DIAG_NONE = 0, INET_DIAG_MEMINFO = 1, INET_DIAG_INFO = 2, INET_DIAG_VEGASINFO = 3, INET_DIAG_CONG
            = 4, INET_DIAG_TOS = 5, INET_DIAG_TCLASS = 6, INET_DIAG_SKMEMINFO = 7, INET_DIAG_SHUTDOWN = 8,
            INET_DIAG_DCTCPINFO = 9, INET_DIAG_PROTOCOL = 10, INET_DIAG_SKV6ONLY = 11, INET_DIAG_LOCALS = 12,
            INET_DIAG_PEERS = 13, INET_DIAG_PAD = 14, INET_DIAG_MARK = 15, INET_DIAG_BBRINFO = 16,
            INET_DIAG_CLASS_ID = 17, INET_DIAG_MD5SIG = 18, INET_DIAG_ULP_INFO = 19, INET_DIAG_SK_BPF_STORAGES = 20,
            INET_DIAG_CGROUP_ID = 21, INET_DIAG_SOCKOPT = 22 }
    /// Attributes of a request.
    pub INET_REQUEST "INET_DIAG_REQ_???":
        is { INET_DIAG_REQ_NONE = 0, INET_DIAG_REQ_BYTECODE = 1, INET_DIAG_REQ_SK_BPF_STORAGES = 2,
            INET_DIAG_REQ_PROTOCOL = 3 }
    /// Operations of a filter.
    pub BYTECODES "INET_DIAG_BC_???":
        is { INET_DIAG_BC_NOP = 0, INET_DIAG_BC_JMP = 1, INET_DIAG_BC_S_GE = 2, INET_DIAG_BC_S_LE = 3,
            INET_DIAG_BC_D_GE = 4, INET_DIAG_BC_D_LE = 5, INET_DIAG_BC_AUTO = 6, INET_DIAG_BC_S_COND = 7,
            INET_DIAG_BC_D_COND = 8, INET_DIAG_BC_DEV_COND = 9, INET_DIAG_BC_MARK_COND = 10, INET_DIAG_BC_S_EQ = 11,
            INET_DIAG_BC_D_EQ = 12, INET_DIAG_BC_CGROUP_COND = 13 }
    /// Which directions are shut down.
    pub SHUTDOWN "???_SHUTDOWN":
        is { RCV_SHUTDOWN = 1, SEND_SHUTDOWN = 2 }
    /// Attributes of an upper protocol.
    pub ULP "INET_ULP_INFO_???":
        is { INET_ULP_INFO_UNSPEC = 0, INET_ULP_INFO_NAME = 1, INET_ULP_INFO_TLS = 2, INET_ULP_INFO_MPTCP = 3 }
    /// Attributes of MPTCP.
    pub ULP_MPTCP "MPTCP_SUBFLOW_ATTR_???":
        is { MPTCP_SUBFLOW_ATTR_UNSPEC = 0, MPTCP_SUBFLOW_ATTR_TOKEN_REM = 1, MPTCP_SUBFLOW_ATTR_TOKEN_LOC = 2,
            MPTCP_SUBFLOW_ATTR_RELWRITE_SEQ = 3, MPTCP_SUBFLOW_ATTR_MAP_SEQ = 4, MPTCP_SUBFLOW_ATTR_MAP_SFSEQ = 5,
            MPTCP_SUBFLOW_ATTR_SSN_OFFSET = 6, MPTCP_SUBFLOW_ATTR_MAP_DATALEN = 7, MPTCP_SUBFLOW_ATTR_FLAGS = 8,
            MPTCP_SUBFLOW_ATTR_ID_REM = 9, MPTCP_SUBFLOW_ATTR_ID_LOC = 10, MPTCP_SUBFLOW_ATTR_PAD = 11 }
    /// Attributes of TLS.
    pub ULP_TLS "TLS_INFO_???":
        is { TLS_INFO_UNSPEC = 0, TLS_INFO_VERSION = 1, TLS_INFO_CIPHER = 2, TLS_INFO_TXCONF = 3, TLS_INFO_RXCONF =
            4, TLS_INFO_ZC_RO_TX = 5, TLS_INFO_RX_NO_PAD = 6 }
    /// Flags of a subflow.
    pub MPTCP_FLAGS "MPTCP_SUBFLOW_FLAG_???":
        is { MPTCP_SUBFLOW_FLAG_MCAP_REM = 1, MPTCP_SUBFLOW_FLAG_MCAP_LOC = 2, MPTCP_SUBFLOW_FLAG_JOIN_REM = 4,
            MPTCP_SUBFLOW_FLAG_JOIN_LOC = 8, MPTCP_SUBFLOW_FLAG_BKUP_REM = 16, MPTCP_SUBFLOW_FLAG_BKUP_LOC = 32,
            MPTCP_SUBFLOW_FLAG_FULLY_ESTABLISHED = 64, MPTCP_SUBFLOW_FLAG_CONNECTED = 128,
            MPTCP_SUBFLOW_FLAG_MAPVALID = 256 }
    /// Ciphers.
    pub TLS_CIPHERS "TLS_CIPHER_???":
        libc { TLS_CIPHER_AES_GCM_128 TLS_CIPHER_AES_GCM_256 TLS_CIPHER_AES_CCM_128 TLS_CIPHER_CHACHA20_POLY1305
            TLS_CIPHER_SM4_GCM TLS_CIPHER_SM4_CCM TLS_CIPHER_ARIA_GCM_128 TLS_CIPHER_ARIA_GCM_256 }
    /// Where TLS is done.
    pub TLS_CONFIGS "TLS_CONF_???":
        libc { TLS_CONF_BASE TLS_CONF_SW TLS_CONF_HW TLS_CONF_HW_RECORD }
    /// Versions.
    pub TLS_VERSIONS "TLS_???_VERSION":
        libc { TLS_1_2_VERSION TLS_1_3_VERSION }
    /// Attributes of a storage.
    pub BPF_STORAGE "SK_DIAG_BPF_STORAGE_???":
        is { SK_DIAG_BPF_STORAGE_NONE = 0, SK_DIAG_BPF_STORAGE_PAD = 1, SK_DIAG_BPF_STORAGE_MAP_ID = 2,
            SK_DIAG_BPF_STORAGE_MAP_VALUE = 3 }
    /// A list of storages.
    pub BPF_STORAGES "SK_DIAG_BPF_STORAGE_???":
        is { SK_DIAG_BPF_STORAGE_REP_NONE = 0, SK_DIAG_BPF_STORAGE = 1 }
    /// States.
    pub STATES "TCP_???":
        is { TCP_ESTABLISHED = 1, TCP_SYN_SENT = 2, TCP_SYN_RECV = 3, TCP_FIN_WAIT1 = 4, TCP_FIN_WAIT2 = 5,
            TCP_TIME_WAIT = 6, TCP_CLOSE = 7, TCP_CLOSE_WAIT = 8, TCP_LAST_ACK = 9, TCP_LISTEN = 10, TCP_CLOSING =
            11, TCP_NEW_SYN_RECV = 12 }
    /// Attributes of a unix socket.
    pub UNIX "UNIX_DIAG_???":
        is { UNIX_DIAG_NAME = 0, UNIX_DIAG_VFS = 1, UNIX_DIAG_PEER = 2, UNIX_DIAG_ICONS = 3, UNIX_DIAG_RQLEN = 4,
            UNIX_DIAG_MEMINFO = 5, UNIX_DIAG_SHUTDOWN = 6, UNIX_DIAG_UID = 7 }
    /// What a request asks for.
    pub UNIX_SHOW "UDIAG_SHOW_???":
        is { UDIAG_SHOW_NAME = 1, UDIAG_SHOW_VFS = 2, UDIAG_SHOW_PEER = 4, UDIAG_SHOW_ICONS = 8, UDIAG_SHOW_RQLEN =
            16, UDIAG_SHOW_MEMINFO = 32, UDIAG_SHOW_UID = 64 }
    /// Attributes of a netlink socket.
    pub NETLINK "NETLINK_DIAG_???":
        is { NETLINK_DIAG_MEMINFO = 0, NETLINK_DIAG_GROUPS = 1, NETLINK_DIAG_RX_RING = 2, NETLINK_DIAG_TX_RING = 3,
            NETLINK_DIAG_FLAGS = 4 }
    /// What a request asks for.
    pub NETLINK_SHOW "NDIAG_SHOW_???":
        is { NDIAG_SHOW_MEMINFO = 1, NDIAG_SHOW_GROUPS = 2, NDIAG_SHOW_RING_CFG = 4, NDIAG_SHOW_FLAGS = 8 }
    /// Flags of a netlink socket.
    pub NETLINK_FLAGS "NDIAG_FLAG_???":
        is { NDIAG_FLAG_CB_RUNNING = 1, NDIAG_FLAG_PKTINFO = 2, NDIAG_FLAG_BROADCAST_ERROR = 4,
            NDIAG_FLAG_NO_ENOBUFS = 8, NDIAG_FLAG_LISTEN_ALL_NSID = 16, NDIAG_FLAG_CAP_ACK = 32 }
    /// States of a netlink socket.
    pub NETLINK_STATES "NETLINK_???":
        netlink { NETLINK_UNCONNECTED NETLINK_CONNECTED }
        is { TCP_CLOSE = 7 }
    /// Attributes of a packet socket.
    pub PACKET "PACKET_DIAG_???":
        is { PACKET_DIAG_INFO = 0, PACKET_DIAG_MCLIST = 1, PACKET_DIAG_RX_RING = 2, PACKET_DIAG_TX_RING = 3,
            PACKET_DIAG_FANOUT = 4, PACKET_DIAG_UID = 5, PACKET_DIAG_MEMINFO = 6, PACKET_DIAG_FILTER = 7 }
    /// What a request asks for.
    pub PACKET_SHOW "PACKET_SHOW_???":
        is { PACKET_SHOW_INFO = 1, PACKET_SHOW_MCLIST = 2, PACKET_SHOW_RING_CFG = 4, PACKET_SHOW_FANOUT = 8,
            PACKET_SHOW_MEMINFO = 16, PACKET_SHOW_FILTER = 32 }
    /// Flags of a packet socket.
    pub PACKET_INFO "PDI_???":
        is { PDI_RUNNING = 1, PDI_AUXDATA = 2, PDI_ORIGDEV = 4, PDI_VNETHDR = 8, PDI_LOSS = 16 }
    /// Versions of packet rings.
    pub PACKET_VERSIONS "TPACKET_???":
        is { TPACKET_V1 = 0, TPACKET_V2 = 1, TPACKET_V3 = 2 }
}

/// What a request asks for.
pub static INET_EXTENDED: Words = Words {
    unknown: "1<<INET_DIAG_???-1",
    list: &[
        (1, "1<<(INET_DIAG_MEMINFO-1)"),
        (2, "1<<(INET_DIAG_INFO-1)"),
        (4, "1<<(INET_DIAG_VEGASINFO-1)"),
        (8, "1<<(INET_DIAG_CONG-1)"),
        (16, "1<<(INET_DIAG_TOS-1)"),
        (32, "1<<(INET_DIAG_TCLASS-1)"),
        (64, "1<<(INET_DIAG_SKMEMINFO-1)"),
        (128, "1<<(INET_DIAG_SHUTDOWN-1)"),
        (256, "1<<(INET_DIAG_DCTCPINFO-1)"),
        (512, "1<<(INET_DIAG_PROTOCOL-1)"),
        (1024, "1<<(INET_DIAG_SKV6ONLY-1)"),
        (2048, "1<<(INET_DIAG_LOCALS-1)"),
        (4096, "1<<(INET_DIAG_PEERS-1)"),
        (8192, "1<<(INET_DIAG_PAD-1)"),
        (0x4000, "1<<(INET_DIAG_MARK-1)"),
        (0x8000, "1<<(INET_DIAG_BBRINFO-1)"),
        (0x10000, "1<<(INET_DIAG_CLASS_ID-1)"),
        (0x20000, "1<<(INET_DIAG_MD5SIG-1)"),
        (0x40000, "1<<(INET_DIAG_ULP_INFO-1)"),
        (0x80000, "1<<(INET_DIAG_SK_BPF_STORAGES-1)"),
        (0x100000, "1<<(INET_DIAG_CGROUP_ID-1)"),
        (0x200000, "1<<(INET_DIAG_SOCKOPT-1)"),
    ],
};

/// Sets of states.
pub static STATE_FLAGS: Words = Words {
    unknown: "1<<TCP_???",
    list: &[
        (2, "1<<TCP_ESTABLISHED"),
        (4, "1<<TCP_SYN_SENT"),
        (8, "1<<TCP_SYN_RECV"),
        (16, "1<<TCP_FIN_WAIT1"),
        (32, "1<<TCP_FIN_WAIT2"),
        (64, "1<<TCP_TIME_WAIT"),
        (128, "1<<TCP_CLOSE"),
        (256, "1<<TCP_CLOSE_WAIT"),
        (512, "1<<TCP_LAST_ACK"),
        (1024, "1<<TCP_LISTEN"),
        (2048, "1<<TCP_CLOSING"),
        (4096, "1<<TCP_NEW_SYN_RECV"),
    ],
};
