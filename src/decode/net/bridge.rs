//! Bridges and tun devices: what a link's kind adds to its attributes.

use super::{
    attribute::{Around, Attributes, Form::*},
    interface,
};
use crate::{
    decode::{memory::Memory, text::Text},
    syscall::words::net::link as words,
};

pub(super) static PORT: Attributes = Attributes {
    words: &words::BRIDGE_PORT,
    forms: &[
        (
            U8,
            &[
                "IFLA_BRPORT_STATE",
                "IFLA_BRPORT_MODE",
                "IFLA_BRPORT_GUARD",
                "IFLA_BRPORT_PROTECT",
                "IFLA_BRPORT_FAST_LEAVE",
                "IFLA_BRPORT_LEARNING",
                "IFLA_BRPORT_UNICAST_FLOOD",
                "IFLA_BRPORT_PROXYARP",
                "IFLA_BRPORT_LEARNING_SYNC",
                "IFLA_BRPORT_PROXYARP_WIFI",
                "IFLA_BRPORT_TOPOLOGY_CHANGE_ACK",
                "IFLA_BRPORT_CONFIG_PENDING",
                "IFLA_BRPORT_MULTICAST_ROUTER",
                "IFLA_BRPORT_MCAST_FLOOD",
                "IFLA_BRPORT_MCAST_TO_UCAST",
                "IFLA_BRPORT_VLAN_TUNNEL",
                "IFLA_BRPORT_BCAST_FLOOD",
                "IFLA_BRPORT_NEIGH_SUPPRESS",
                "IFLA_BRPORT_ISOLATED",
                "IFLA_BRPORT_MRP_RING_OPEN",
                "IFLA_BRPORT_MRP_IN_OPEN",
                "IFLA_BRPORT_LOCKED",
            ],
        ),
        (
            U16,
            &[
                "IFLA_BRPORT_PRIORITY",
                "IFLA_BRPORT_DESIGNATED_PORT",
                "IFLA_BRPORT_DESIGNATED_COST",
                "IFLA_BRPORT_ID",
                "IFLA_BRPORT_NO",
            ],
        ),
        (U32, &["IFLA_BRPORT_COST", "IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT", "IFLA_BRPORT_MCAST_EHT_HOSTS_CNT"]),
        (X16, &["IFLA_BRPORT_GROUP_FWD_MASK"]),
        (Ticks, &["IFLA_BRPORT_MESSAGE_AGE_TIMER", "IFLA_BRPORT_FORWARD_DELAY_TIMER", "IFLA_BRPORT_HOLD_TIMER"]),
        (Interface, &["IFLA_BRPORT_BACKUP_PORT"]),
        (Own(identity), &["IFLA_BRPORT_ROOT_ID", "IFLA_BRPORT_BRIDGE_ID"]),
    ],
};

pub(super) static BRIDGE: Attributes = Attributes {
    words: &words::BRIDGE_INFO,
    forms: &[
        (
            Ticks,
            &[
                "IFLA_BR_FORWARD_DELAY",
                "IFLA_BR_HELLO_TIME",
                "IFLA_BR_MAX_AGE",
                "IFLA_BR_AGEING_TIME",
                "IFLA_BR_HELLO_TIMER",
                "IFLA_BR_TCN_TIMER",
                "IFLA_BR_TOPOLOGY_CHANGE_TIMER",
                "IFLA_BR_GC_TIMER",
                "IFLA_BR_MCAST_LAST_MEMBER_INTVL",
                "IFLA_BR_MCAST_MEMBERSHIP_INTVL",
                "IFLA_BR_MCAST_QUERIER_INTVL",
                "IFLA_BR_MCAST_QUERY_INTVL",
                "IFLA_BR_MCAST_QUERY_RESPONSE_INTVL",
                "IFLA_BR_MCAST_STARTUP_QUERY_INTVL",
            ],
        ),
        (
            U32,
            &[
                "IFLA_BR_STP_STATE",
                "IFLA_BR_ROOT_PATH_COST",
                "IFLA_BR_MCAST_HASH_ELASTICITY",
                "IFLA_BR_MCAST_HASH_MAX",
                "IFLA_BR_MCAST_LAST_MEMBER_CNT",
                "IFLA_BR_MCAST_STARTUP_QUERY_CNT",
            ],
        ),
        (U16, &["IFLA_BR_PRIORITY", "IFLA_BR_ROOT_PORT", "IFLA_BR_VLAN_DEFAULT_PVID"]),
        (
            U8,
            &[
                "IFLA_BR_VLAN_FILTERING",
                "IFLA_BR_TOPOLOGY_CHANGE",
                "IFLA_BR_TOPOLOGY_CHANGE_DETECTED",
                "IFLA_BR_MCAST_ROUTER",
                "IFLA_BR_MCAST_SNOOPING",
                "IFLA_BR_MCAST_QUERY_USE_IFADDR",
                "IFLA_BR_MCAST_QUERIER",
                "IFLA_BR_NF_CALL_IPTABLES",
                "IFLA_BR_NF_CALL_IP6TABLES",
                "IFLA_BR_NF_CALL_ARPTABLES",
                "IFLA_BR_VLAN_STATS_ENABLED",
                "IFLA_BR_MCAST_STATS_ENABLED",
                "IFLA_BR_MCAST_IGMP_VERSION",
                "IFLA_BR_MCAST_MLD_VERSION",
                "IFLA_BR_VLAN_STATS_PER_PORT",
            ],
        ),
        (X16, &["IFLA_BR_GROUP_FWD_MASK"]),
        (Ethernet, &["IFLA_BR_VLAN_PROTOCOL"]),
        (Hardware, &["IFLA_BR_GROUP_ADDR"]),
        (Own(identity), &["IFLA_BR_ROOT_ID", "IFLA_BR_BRIDGE_ID"]),
        (Own(switches), &["IFLA_BR_MULTI_BOOLOPT"]),
        (Nested(&QUERIER), &["IFLA_BR_MCAST_QUERIER_STATE"]),
    ],
};

static QUERIER: Attributes = Attributes {
    words: &words::QUERIER,
    forms: &[
        (Inet, &["BRIDGE_QUERIER_IP_ADDRESS"]),
        (Inet6, &["BRIDGE_QUERIER_IPV6_ADDRESS"]),
        (Interface, &["BRIDGE_QUERIER_IP_PORT", "BRIDGE_QUERIER_IPV6_PORT"]),
        (Ticks, &["BRIDGE_QUERIER_IP_OTHER_TIMER", "BRIDGE_QUERIER_IPV6_OTHER_TIMER"]),
    ],
};

pub(super) static TUN: Attributes = Attributes {
    words: &words::TUN,
    forms: &[
        (Id, &["IFLA_TUN_OWNER", "IFLA_TUN_GROUP"]),
        (Enum(&words::TUN_TYPES, 1), &["IFLA_TUN_TYPE"]),
        (U8, &["IFLA_TUN_PI", "IFLA_TUN_VNET_HDR", "IFLA_TUN_PERSIST", "IFLA_TUN_MULTI_QUEUE"]),
        (U32, &["IFLA_TUN_NUM_QUEUES", "IFLA_TUN_NUM_DISABLED_QUEUES"]),
    ],
};

fn identity(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        let (high, low) = (memory.u8(), memory.u8());
        text.field("prio").push(&format!("[{high}, {low}]"));
        interface::hardware(text.field("addr"), memory.raw(6));
    });
    !memory.is_short()
}

fn switches(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        for field in ["optval", "optmask"] {
            text.field(field).flags(&words::BRIDGE_OPTIONS, memory.u32().into());
        }
    });
    !memory.is_short()
}
