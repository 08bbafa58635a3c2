//! RTM_*LINK: an interface and its attributes.

use super::{
    attribute::{Around, Attributes, Form::*, list},
    interface,
};
use crate::{
    decode::{memory::Memory, text::Text},
    syscall::words::net::{self, link as words},
};

/// The fields of struct ifinfomsg behind its family.
pub(super) fn head(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    memory.skip(1);
    text.field("ifi_type").word(&net::address::HARDWARE, memory.u16().into());
    interface::index(text.field("ifi_index"), memory.u32());
    text.field("ifi_flags").flags(&net::INTERFACE_FLAGS, memory.u32().into());
    text.field("ifi_change").hex(memory.u32());
}

pub(super) static ATTRIBUTES: Attributes = Attributes {
    words: &words::ATTRS,
    forms: &[
        (HardwareOfFamily, &["IFLA_ADDRESS", "IFLA_BROADCAST", "IFLA_PERM_ADDRESS"]),
        (
            Str,
            &[
                "IFLA_IFNAME",
                "IFLA_QDISC",
                "IFLA_IFALIAS",
                "IFLA_PHYS_PORT_NAME",
                "IFLA_ALT_IFNAME",
                "IFLA_PARENT_DEV_NAME",
                "IFLA_PARENT_DEV_BUS_NAME",
            ],
        ),
        (
            U32,
            &[
                "IFLA_MTU",
                "IFLA_LINK",
                "IFLA_MASTER",
                "IFLA_TXQLEN",
                "IFLA_WEIGHT",
                "IFLA_NET_NS_PID",
                "IFLA_NUM_VF",
                "IFLA_GROUP",
                "IFLA_PROMISCUITY",
                "IFLA_NUM_TX_QUEUES",
                "IFLA_NUM_RX_QUEUES",
                "IFLA_CARRIER_CHANGES",
                "IFLA_GSO_MAX_SEGS",
                "IFLA_GSO_MAX_SIZE",
                "IFLA_CARRIER_UP_COUNT",
                "IFLA_CARRIER_DOWN_COUNT",
                "IFLA_MIN_MTU",
                "IFLA_MAX_MTU",
                "IFLA_GRO_MAX_SIZE",
                "IFLA_TSO_MAX_SIZE",
                "IFLA_TSO_MAX_SEGS",
                "IFLA_ALLMULTI",
            ],
        ),
        (U8, &["IFLA_OPERSTATE", "IFLA_LINKMODE", "IFLA_CARRIER", "IFLA_PROTO_DOWN"]),
        (S32, &["IFLA_LINK_NETNSID", "IFLA_NEW_NETNSID", "IFLA_IF_NETNSID"]),
        (Fd, &["IFLA_NET_NS_FD"]),
        (Interface, &["IFLA_NEW_IFINDEX"]),
        (Flags(&words::EXT_MASK, 4), &["IFLA_EXT_MASK"]),
        (Enum(&words::EVENTS, 4), &["IFLA_EVENT"]),
        (Own(stats), &["IFLA_STATS"]),
        (Own(stats64), &["IFLA_STATS64"]),
        (Own(map), &["IFLA_MAP"]),
        (Own(protocol_info), &["IFLA_PROTINFO"]),
        (Own(spec), &["IFLA_AF_SPEC"]),
        (Own(info), &["IFLA_LINKINFO"]),
        (Nested(&VF_LIST), &["IFLA_VFINFO_LIST"]),
        (Nested(&VF_PORTS), &["IFLA_VF_PORTS"]),
        (Nested(&PORT), &["IFLA_PORT_SELF"]),
        (Nested(&XDP), &["IFLA_XDP"]),
        (Nested(&NAMES), &["IFLA_PROP_LIST"]),
        (Nested(&PROTO_DOWN), &["IFLA_PROTO_DOWN_REASON"]),
    ],
};

static NAMES: Attributes = Attributes { words: &words::ATTRS, forms: &[(Str, &["IFLA_ALT_IFNAME"])] };

static PROTO_DOWN: Attributes = Attributes { words: &words::PROTO_DOWN, forms: &[(X32, &[])] };

static XDP: Attributes = Attributes {
    words: &words::XDP,
    forms: &[
        (Fd, &["IFLA_XDP_FD", "IFLA_XDP_EXPECTED_FD"]),
        (Enum(&words::XDP_ATTACHED, 1), &["IFLA_XDP_ATTACHED"]),
        (Flags(&words::XDP_FLAGS, 4), &["IFLA_XDP_FLAGS"]),
        (U32, &["IFLA_XDP_PROG_ID", "IFLA_XDP_DRV_PROG_ID", "IFLA_XDP_SKB_PROG_ID", "IFLA_XDP_HW_PROG_ID"]),
    ],
};

static INET: Attributes =
    Attributes { words: &words::INET, forms: &[(Indexed(&words::INET_CONF, 4, true), &["IFLA_INET_CONF"])] };

static INET6: Attributes = Attributes {
    words: &words::INET6,
    forms: &[
        (Flags(&words::INET6_FLAGS, 4), &["IFLA_INET6_FLAGS"]),
        (Indexed(&words::INET6_CONF, 4, true), &["IFLA_INET6_CONF"]),
        (Indexed(&words::INET6_STATS, 8, false), &["IFLA_INET6_STATS"]),
        (Figures(&["max_reasm_len", "tstamp", "reachable_time", "retrans_time"]), &["IFLA_INET6_CACHEINFO"]),
        (Indexed(&words::ICMP6_STATS, 8, false), &["IFLA_INET6_ICMP6STATS"]),
        (Inet6, &["IFLA_INET6_TOKEN"]),
        (Enum(&words::ADDR_GEN, 1), &["IFLA_INET6_ADDR_GEN_MODE"]),
        (U32, &["IFLA_INET6_RA_MTU"]),
    ],
};

static MCTP: Attributes = Attributes { words: &words::MCTP, forms: &[(U32, &["IFLA_MCTP_NET"])] };

static BY_FAMILY: Attributes = Attributes { words: &net::FAMILIES, forms: &[(Own(by_family), &[])] };

static BRIDGE_SPEC: Attributes = Attributes {
    words: &words::BRIDGE_SPEC,
    forms: &[
        (Flags(&words::BRIDGE_FLAGS, 2), &["IFLA_BRIDGE_FLAGS"]),
        (Enum(&words::BRIDGE_MODES, 2), &["IFLA_BRIDGE_MODE"]),
        (Own(vlan), &["IFLA_BRIDGE_VLAN_INFO"]),
        (Nested(&VLAN_TUNNEL), &["IFLA_BRIDGE_VLAN_TUNNEL_INFO"]),
    ],
};

static VLAN_TUNNEL: Attributes = Attributes {
    words: &words::VLAN_TUNNEL,
    forms: &[
        (U32, &["IFLA_BRIDGE_VLAN_TUNNEL_ID"]),
        (U16, &["IFLA_BRIDGE_VLAN_TUNNEL_VID"]),
        (Flags(&words::VLAN_FLAGS, 2), &["IFLA_BRIDGE_VLAN_TUNNEL_FLAGS"]),
    ],
};

static PORT: Attributes = Attributes {
    words: &words::PORT,
    forms: &[
        (U32, &["IFLA_PORT_VF"]),
        (Str, &["IFLA_PORT_PROFILE"]),
        (U8, &["IFLA_PORT_REQUEST"]),
        (U16, &["IFLA_PORT_RESPONSE"]),
    ],
};

static VF_PORTS: Attributes = Attributes { words: &words::VF_PORTS, forms: &[(Nested(&PORT), &["IFLA_VF_PORT"])] };

static VF_LIST: Attributes = Attributes { words: &words::VF_LIST, forms: &[(Nested(&VF), &["IFLA_VF_INFO"])] };

static VF: Attributes = Attributes {
    words: &words::VF,
    forms: &[
        (Figures(&["vf", "vlan", "qos"]), &["IFLA_VF_VLAN"]),
        (Figures(&["vf", "rate"]), &["IFLA_VF_TX_RATE"]),
        (Figures(&["vf", "setting"]), &["IFLA_VF_SPOOFCHK", "IFLA_VF_RSS_QUERY_EN", "IFLA_VF_TRUST"]),
        (Figures(&["vf", "min_tx_rate", "max_tx_rate"]), &["IFLA_VF_RATE"]),
        (Own(vf_mac), &["IFLA_VF_MAC"]),
        (Own(vf_link_state), &["IFLA_VF_LINK_STATE"]),
        (Nested(&VF_STATS), &["IFLA_VF_STATS"]),
    ],
};

static VF_STATS: Attributes = Attributes {
    words: &words::VF_STATS,
    forms: &[(
        U64,
        &[
            "IFLA_VF_STATS_RX_PACKETS",
            "IFLA_VF_STATS_TX_PACKETS",
            "IFLA_VF_STATS_RX_BYTES",
            "IFLA_VF_STATS_TX_BYTES",
            "IFLA_VF_STATS_BROADCAST",
            "IFLA_VF_STATS_MULTICAST",
            "IFLA_VF_STATS_RX_DROPPED",
            "IFLA_VF_STATS_TX_DROPPED",
        ],
    )],
};

static INFO: Attributes = Attributes {
    words: &words::INFO,
    forms: &[
        (Own(kind), &["IFLA_INFO_KIND"]),
        (Own(slave_kind), &["IFLA_INFO_SLAVE_KIND"]),
        (Own(info_data), &["IFLA_INFO_DATA"]),
        (Own(slave_data), &["IFLA_INFO_SLAVE_DATA"]),
        (Own(extra_stats), &["IFLA_INFO_XSTATS"]),
    ],
};

const STATS: [&str; 25] = [
    "rx_packets",
    "tx_packets",
    "rx_bytes",
    "tx_bytes",
    "rx_errors",
    "tx_errors",
    "rx_dropped",
    "tx_dropped",
    "multicast",
    "collisions",
    "rx_length_errors",
    "rx_over_errors",
    "rx_crc_errors",
    "rx_frame_errors",
    "rx_fifo_errors",
    "rx_missed_errors",
    "tx_aborted_errors",
    "tx_carrier_errors",
    "tx_fifo_errors",
    "tx_heartbeat_errors",
    "tx_window_errors",
    "rx_compressed",
    "tx_compressed",
    "rx_nohandler",
    "rx_otherhost_dropped",
];

/// Counters: newer kernels have more of them than older ones.
fn counters(text: &mut Text<'_>, bytes: &[u8], width: usize, known: &[usize]) -> bool {
    let Some(most) = known.last() else { return false };
    let count = (bytes.len() / width).min(*most);
    let exact = count == *most || bytes.len() == count * width && known.contains(&count);
    if !exact {
        return false;
    }
    let mut memory = Memory::new(bytes, 0, width);
    text.braced(|text| {
        for name in &STATS[..count] {
            text.field(name).unsigned(memory.word());
        }
    });
    true
}

fn stats(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    counters(text, bytes, 4, &[23, 24])
}

pub(super) fn stats64(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    counters(text, bytes, 8, &[23, 24, 25])
}

fn map(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        for field in ["mem_start", "mem_end", "base_addr"] {
            text.field(field).hex(memory.u64());
        }
        text.field("irq").unsigned(memory.u16());
        text.field("dma").unsigned(memory.u8());
        text.field("port").unsigned(memory.u8());
    });
    !memory.is_short()
}

/// What a family tells of the link, as strace knows it of bridges and IPv6.
fn protocol_info(text: &mut Text<'_>, bytes: &[u8], around: &mut Around) -> bool {
    match i32::from(around.family) {
        libc::AF_BRIDGE => list(text, bytes, &super::bridge::PORT, around),
        libc::AF_INET6 => list(text, bytes, &INET6, around),
        _ => return false,
    }
    true
}

fn spec(text: &mut Text<'_>, bytes: &[u8], around: &mut Around) -> bool {
    let bridge = i32::from(around.family) == libc::AF_BRIDGE;
    list(text, bytes, if bridge { &BRIDGE_SPEC } else { &BY_FAMILY }, around);
    true
}

/// Attributes of the family that the attribute's own type is.
fn by_family(text: &mut Text<'_>, bytes: &[u8], around: &mut Around) -> bool {
    const AF_MCTP: i32 = 45;
    match i32::from(around.outer & 0xff) {
        libc::AF_INET => list(text, bytes, &INET, around),
        libc::AF_INET6 => list(text, bytes, &INET6, around),
        AF_MCTP => list(text, bytes, &MCTP, around),
        _ => return false,
    }
    true
}

fn info(text: &mut Text<'_>, bytes: &[u8], around: &mut Around) -> bool {
    let mut inner = Around { kind: Vec::new(), slave_kind: Vec::new(), ..around.clone() };
    list(text, bytes, &INFO, &mut inner);
    true
}

fn named(text: &mut Text<'_>, bytes: &[u8]) -> Vec<u8> {
    let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    text.string(name, !bytes.contains(&0));
    name.to_vec()
}

fn kind(text: &mut Text<'_>, bytes: &[u8], around: &mut Around) -> bool {
    around.kind = named(text, bytes);
    true
}

fn slave_kind(text: &mut Text<'_>, bytes: &[u8], around: &mut Around) -> bool {
    around.slave_kind = named(text, bytes);
    true
}

fn info_data(text: &mut Text<'_>, bytes: &[u8], around: &mut Around) -> bool {
    let attributes: &'static Attributes = match around.kind.as_slice() {
        b"bridge" => &super::bridge::BRIDGE,
        b"tun" => &super::bridge::TUN,
        _ => return false,
    };
    list(text, bytes, attributes, around);
    true
}

fn slave_data(text: &mut Text<'_>, bytes: &[u8], around: &mut Around) -> bool {
    if around.slave_kind != b"bridge" {
        return false;
    }
    list(text, bytes, &super::bridge::PORT, around);
    true
}

fn extra_stats(text: &mut Text<'_>, bytes: &[u8], around: &mut Around) -> bool {
    const NAMES: [&str; 6] = ["bus_error", "error_warning", "error_passive", "bus_off", "arbitration_lost", "restarts"];
    if around.kind != b"can" || bytes.len() < 4 * NAMES.len() {
        return false;
    }
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| NAMES.iter().for_each(|name| text.field(name).unsigned(memory.u32())));
    true
}

fn vlan(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        text.field("flags").flags(&words::VLAN_FLAGS, memory.u16().into());
        text.field("vid").unsigned(memory.u16());
    });
    let rest = memory.rest();
    if !rest.is_empty() {
        text.push(", ");
        text.hex_string(rest, false);
    }
    !memory.is_short()
}

fn vf_mac(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        text.field("vf").unsigned(memory.u32());
        interface::hardware(text.field("mac"), memory.raw(32));
    });
    !memory.is_short()
}

fn vf_link_state(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        text.field("vf").unsigned(memory.u32());
        text.field("link_state").word(&words::VF_LINK_STATES, memory.u32().into());
    });
    !memory.is_short()
}
