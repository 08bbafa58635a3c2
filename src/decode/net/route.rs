//! NETLINK_ROUTE: addresses, routes, neighbours, rules; links are in `link`, traffic control in `traffic`.

use super::{
    address,
    attribute::{self, Around, Attributes, Form::*},
    interface, link,
    netlink::Header,
    traffic,
};
use crate::{
    decode::{memory::Memory, text::Text},
    syscall::words::{Words, net::{self, netlink, route as words}},
};

/// How a message begins, and its attributes behind that.
struct Kind {
    /// The name of the family in front.
    family: &'static str,
    /// Bytes of the structure.
    size: usize,
    /// Its fields behind the family; none if the family is all of it.
    fields: Option<fn(&mut Text<'_>, &mut Memory<'_>)>,
    attributes: &'static Attributes,
}

/// What the flags of a message mean: types come in fours, new, delete, get and set.
pub(super) fn flags(kind: u16) -> &'static Words {
    const RTM_DELACTION: u16 = 49;
    match kind {
        RTM_DELACTION => &netlink::GET_FLAGS,
        _ if kind & 3 == 0 => &netlink::NEW_FLAGS,
        _ if kind & 3 == 1 => &netlink::DELETE_FLAGS,
        _ if kind & 3 == 2 => &netlink::GET_FLAGS,
        _ => &netlink::FLAGS,
    }
}

fn kind(header: Header, family: u8) -> Option<Kind> {
    let kind = |family, size, fields, attributes| Some(Kind { family, size, fields: Some(fields), attributes });
    let plain = |family, attributes| Some(Kind { family, size: 1, fields: None, attributes });
    match header.kind {
        16..=19 => kind("ifi_family", 16, link::head, &link::ATTRIBUTES),
        20..=22 | 58 | 62 => kind("ifa_family", 8, address_head, &ADDRESS),
        24..=26 => kind("rtm_family", 12, route_head, &ROUTE),
        30 if i32::from(family) == libc::AF_BRIDGE => kind("ifi_family", 16, link::head, &link::ATTRIBUTES),
        28..=30 => kind("ndm_family", 12, neighbour_head, &NEIGHBOUR),
        32..=34 => kind("family", 12, rule_head, &RULE),
        36..=38 | 40..=42 | 44..=46 | 100..=102 => kind("tcm_family", 20, traffic::head, &traffic::ATTRIBUTES),
        48..=50 => plain("tca_family", &traffic::ACTION),
        64 | 66 | 67 => plain("ndtm_family", &NEIGHBOUR_TABLE),
        72..=74 => kind("ifal_family", 12, label_head, &LABEL),
        78 | 79 => kind("dcb_family", 4, dcb_head, &DCB),
        80..=82 => plain("ncm_family", &NETCONF),
        84..=86 => kind("family", 8, mdb_head, &MDB),
        88..=90 => plain("rtgen_family", &NSID),
        104..=106 => kind("nh_family", 8, nexthop_head, &NEXTHOP),
        _ => None,
    }
}

/// The payload of a message; false if it is none of this protocol's.
pub(super) fn payload(text: &mut Text<'_>, header: Header, bytes: &[u8], around: &mut Around) -> bool {
    const NLMSG_DONE: u16 = 3;
    if header.kind == NLMSG_DONE {
        return false;
    }
    let Some((family, rest)) = bytes.split_first() else { return false };
    around.family = *family;
    let Some(kind) = kind(header, *family) else {
        text.braced(|text| {
            text.field("family").word(&net::FAMILIES, (*family).into());
            if !rest.is_empty() {
                text.field("data").hex_string(rest, false);
            }
        });
        return true;
    };
    let whole = bytes.len() >= kind.size;
    text.braced(|text| {
        text.field(kind.family).word(&net::FAMILIES, (*family).into());
        let mut memory = Memory::new(bytes, 0, 8);
        memory.skip(1);
        match kind.fields {
            Some(fields) if whole => fields(text, &mut memory),
            Some(_) => text.push(", ..."),
            None => {}
        }
    });
    let rest = bytes.get(kind.size.next_multiple_of(4)..).unwrap_or_default();
    if whole && !rest.is_empty() {
        text.push(", ");
        attribute::list(text, rest, kind.attributes, around);
    }
    true
}

fn address_head(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.field("ifa_prefixlen").unsigned(memory.u8());
    text.field("ifa_flags").flags(&words::ADDRESS_FLAGS, memory.u8().into());
    text.field("ifa_scope").word(&words::SCOPES, memory.u8().into());
    interface::index(text.field("ifa_index"), memory.u32());
}

static ADDRESS: Attributes = Attributes {
    words: &words::ADDRESS,
    forms: &[
        (Address, &["IFA_ADDRESS", "IFA_LOCAL", "IFA_BROADCAST", "IFA_ANYCAST", "IFA_MULTICAST"]),
        (Str, &["IFA_LABEL"]),
        (Figures(&["ifa_prefered", "ifa_valid", "cstamp", "tstamp"]), &["IFA_CACHEINFO"]),
        (Flags(&words::ADDRESS_FLAGS, 4), &["IFA_FLAGS"]),
        (U32, &["IFA_RT_PRIORITY"]),
        (S32, &["IFA_TARGET_NETNSID"]),
    ],
};

fn route_head(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.field("rtm_dst_len").unsigned(memory.u8());
    text.field("rtm_src_len").unsigned(memory.u8());
    text.field("rtm_tos").flags(&words::TOS, memory.u8().into());
    text.field("rtm_table").word_else(&words::TABLES, "", memory.u8().into());
    text.field("rtm_protocol").word(&words::PROTOCOLS, memory.u8().into());
    text.field("rtm_scope").word(&words::SCOPES, memory.u8().into());
    text.field("rtm_type").word(&words::KINDS, memory.u8().into());
    text.field("rtm_flags").flags(&words::FLAGS, memory.u32().into());
}

static ROUTE: Attributes = Attributes {
    words: &words::ATTRS,
    forms: &[
        (Address, &["RTA_DST", "RTA_SRC", "RTA_GATEWAY", "RTA_PREFSRC", "RTA_NEWDST"]),
        (Interface, &["RTA_IIF", "RTA_OIF"]),
        (U32, &["RTA_PRIORITY", "RTA_PROTOINFO", "RTA_FLOW", "RTA_MP_ALGO", "RTA_MARK", "RTA_UID"]),
        (U16, &["RTA_SPORT", "RTA_DPORT"]),
        (U8, &["RTA_PREF", "RTA_TTL_PROPAGATE", "RTA_IP_PROTO"]),
        (U64, &["RTA_EXPIRES"]),
        (Plain(&words::TABLES, 4), &["RTA_TABLE"]),
        (Enum(&words::ENCAP, 2), &["RTA_ENCAP_TYPE"]),
        (Nested(&METRICS), &["RTA_METRICS"]),
        (Own(next_hops), &["RTA_MULTIPATH"]),
        (Own(cache), &["RTA_CACHEINFO"]),
        (Own(multicast), &["RTA_MFC_STATS"]),
        (Own(via), &["RTA_VIA"]),
    ],
};

static METRICS: Attributes = Attributes {
    words: &words::METRICS,
    forms: &[
        (Str, &["RTAX_CC_ALGO"]),
        (
            U32,
            &["RTAX_LOCK", "RTAX_MTU", "RTAX_WINDOW", "RTAX_RTT", "RTAX_RTTVAR", "RTAX_SSTHRESH", "RTAX_CWND",
                "RTAX_ADVMSS", "RTAX_REORDERING", "RTAX_HOPLIMIT", "RTAX_INITCWND", "RTAX_FEATURES", "RTAX_RTO_MIN",
                "RTAX_INITRWND", "RTAX_QUICKACK"],
        ),
    ],
};

fn cache(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        for field in ["rta_clntref", "rta_lastuse", "rta_expires", "rta_error", "rta_used"] {
            text.field(field).unsigned(memory.u32());
        }
        text.field("rta_id").hex(memory.u32());
        for field in ["rta_ts", "rta_tsage"] {
            text.field(field).unsigned(memory.u32());
        }
    });
    !memory.is_short()
}

fn multicast(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        for field in ["mfcs_packets", "mfcs_bytes", "mfcs_wrong_if"] {
            text.field(field).unsigned(memory.u64());
        }
    });
    !memory.is_short()
}

fn via(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    let family = memory.u16();
    text.braced(|text| {
        text.field("rtvia_family").word(&net::FAMILIES, family.into());
        let rest = memory.rest();
        if !rest.is_empty() {
            address::by_family(text, family.into(), rest, Some("rtvia_addr"));
        }
    });
    !memory.is_short()
}

/// RTA_MULTIPATH: structures with their length at their start, each with attributes behind it.
fn next_hops(text: &mut Text<'_>, bytes: &[u8], around: &mut Around) -> bool {
    const HEAD: usize = 8;
    if bytes.len() < HEAD {
        return false;
    }
    let several = usize::from(u16::from_ne_bytes([bytes[0], bytes[1]])) < bytes.len();
    let mut left = bytes;
    if several {
        text.push("[");
    }
    while left.len() >= HEAD {
        let mut memory = Memory::new(left, 0, 8);
        let length = usize::from(memory.u16());
        let own = &left[..length.clamp(HEAD, left.len())];
        let head = |text: &mut Text<'_>, memory: &mut Memory<'_>| {
            text.braced(|text| {
                text.field("rtnh_len").unsigned(length as u64);
                text.field("rtnh_flags").flags(&words::NEXTHOP_FLAGS, memory.u8().into());
                text.field("rtnh_hops").unsigned(memory.u8());
                interface::index(text.field("rtnh_ifindex"), memory.u32());
            });
        };
        if own.len() > HEAD {
            text.bracketed(|text| {
                head(text, &mut memory);
                text.push(", ");
                attribute::list(text, &own[HEAD..], &ROUTE, around);
            });
        } else {
            head(text, &mut memory);
        }
        left = left.get(length.max(HEAD).next_multiple_of(4)..).unwrap_or_default();
        if !left.is_empty() {
            text.push(", ");
        }
    }
    if several {
        text.push("]");
    }
    true
}

fn neighbour_head(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    memory.skip(3);
    interface::index(text.field("ndm_ifindex"), memory.u32());
    text.field("ndm_state").flags(&words::NEIGHBOUR_STATES, memory.u16().into());
    text.field("ndm_flags").flags(&words::NEIGHBOUR_FLAGS, memory.u8().into());
    text.field("ndm_type").word(&words::KINDS, memory.u8().into());
}

static NEIGHBOUR: Attributes = Attributes {
    words: &words::NEIGHBOUR,
    forms: &[
        (Address, &["NDA_DST"]),
        (Hardware, &["NDA_LLADDR"]),
        (Figures(&["ndm_confirmed", "ndm_used", "ndm_updated", "ndm_refcnt"]), &["NDA_CACHEINFO"]),
        (U32, &["NDA_PROBES", "NDA_VNI", "NDA_LINK_NETNSID", "NDA_SRC_VNI", "NDA_NH_ID"]),
        (U16, &["NDA_VLAN"]),
        (Be16, &["NDA_PORT"]),
        (Interface, &["NDA_IFINDEX", "NDA_MASTER"]),
        (IpProtocol, &["NDA_PROTOCOL"]),
        (Nested(&FORWARDING), &["NDA_FDB_EXT_ATTRS"]),
        (Flags(&words::NEIGHBOUR_EXT, 4), &["NDA_FLAGS_EXT"]),
        (Flags(&words::NEIGHBOUR_STATES, 2), &["NDA_NDM_STATE_MASK"]),
        (Flags(&words::NEIGHBOUR_FLAGS, 1), &["NDA_NDM_FLAGS_MASK"]),
    ],
};

static FORWARDING: Attributes =
    Attributes { words: &words::FDB_EXT, forms: &[(Flags(&words::FDB_NOTIFY, 1), &["NFEA_ACTIVITY_NOTIFY"])] };

fn rule_head(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.field("dst_len").unsigned(memory.u8());
    text.field("src_len").unsigned(memory.u8());
    text.field("tos").flags(&words::TOS, memory.u8().into());
    text.field("table").word(&words::TABLES, memory.u8().into());
    memory.skip(2);
    text.field("action").word(&words::RULE_ACTIONS, memory.u8().into());
    text.field("flags").flags(&words::RULE_FLAGS, memory.u32().into());
}

static RULE: Attributes = Attributes {
    words: &words::RULE,
    forms: &[
        (Address, &["FRA_DST", "FRA_SRC"]),
        (Str, &["FRA_IIFNAME", "FRA_OIFNAME"]),
        (
            U32,
            &["FRA_GOTO", "FRA_PRIORITY", "FRA_FWMARK", "FRA_FLOW", "FRA_SUPPRESS_IFGROUP", "FRA_SUPPRESS_PREFIXLEN",
                "FRA_FWMASK"],
        ),
        (Be64, &["FRA_TUN_ID"]),
        (Plain(&words::TABLES, 4), &["FRA_TABLE"]),
        (U8, &["FRA_L3MDEV"]),
        (Figures(&["start", "end"]), &["FRA_UID_RANGE"]),
        (Enum(&words::PROTOCOLS, 1), &["FRA_PROTOCOL"]),
        (IpProtocol, &["FRA_IP_PROTO"]),
        (Own(ports), &["FRA_SPORT_RANGE", "FRA_DPORT_RANGE"]),
    ],
};

fn ports(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        text.field("start").unsigned(memory.u16());
        text.field("end").unsigned(memory.u16());
    });
    !memory.is_short()
}

fn label_head(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    memory.skip(1);
    text.field("ifal_prefixlen").unsigned(memory.u8());
    text.field("ifal_flags").unsigned(memory.u8());
    interface::index(text.field("ifal_index"), memory.u32());
    text.field("ifal_seq").unsigned(memory.u32());
}

static LABEL: Attributes =
    Attributes { words: &words::ADDRLABEL, forms: &[(Address, &["IFAL_ADDRESS"]), (U32, &["IFAL_LABEL"])] };

fn dcb_head(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.field("cmd").word(&words::DCB_COMMANDS, memory.u8().into());
}

static DCB: Attributes = Attributes { words: &words::DCB, forms: &[] };

fn mdb_head(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    memory.skip(3);
    interface::index(text.field("ifindex"), memory.u32());
}

static MDB: Attributes = Attributes { words: &words::MDB, forms: &[] };

static NETCONF: Attributes = Attributes {
    words: &words::NETCONF,
    forms: &[
        (Interface, &["NETCONFA_IFINDEX"]),
        (
            S32,
            &["NETCONFA_FORWARDING", "NETCONFA_RP_FILTER", "NETCONFA_MC_FORWARDING", "NETCONFA_PROXY_NEIGH",
                "NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN", "NETCONFA_INPUT", "NETCONFA_BC_FORWARDING"],
        ),
    ],
};

static NSID: Attributes = Attributes {
    words: &words::NSID,
    forms: &[
        (S32, &["NETNSA_NSID", "NETNSA_TARGET_NSID", "NETNSA_CURRENT_NSID"]),
        (U32, &["NETNSA_PID"]),
        (Fd, &["NETNSA_FD"]),
    ],
};

static NEIGHBOUR_TABLE: Attributes = Attributes {
    words: &words::NEIGHBOUR_TABLE,
    forms: &[
        (Str, &["NDTA_NAME"]),
        (U32, &["NDTA_THRESH1", "NDTA_THRESH2", "NDTA_THRESH3"]),
        (Own(table_config), &["NDTA_CONFIG"]),
        (Nested(&PARAMETERS), &["NDTA_PARMS"]),
        (Own(table_stats), &["NDTA_STATS"]),
        (U64, &["NDTA_GC_INTERVAL"]),
    ],
};

static PARAMETERS: Attributes = Attributes {
    words: &words::NEIGHBOUR_PARMS,
    forms: &[
        (Interface, &["NDTPA_IFINDEX"]),
        (
            U32,
            &["NDTPA_REFCNT", "NDTPA_QUEUE_LEN", "NDTPA_APP_PROBES", "NDTPA_UCAST_PROBES", "NDTPA_MCAST_PROBES",
                "NDTPA_PROXY_QLEN", "NDTPA_QUEUE_LENBYTES", "NDTPA_MCAST_REPROBES"],
        ),
        (
            U64,
            &["NDTPA_REACHABLE_TIME", "NDTPA_BASE_REACHABLE_TIME", "NDTPA_RETRANS_TIME", "NDTPA_GC_STALETIME",
                "NDTPA_DELAY_PROBE_TIME", "NDTPA_ANYCAST_DELAY", "NDTPA_PROXY_DELAY", "NDTPA_LOCKTIME",
                "NDTPA_INTERVAL_PROBE_TIME_MS"],
        ),
    ],
};

fn table_config(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        text.field("ndtc_key_len").unsigned(memory.u16());
        text.field("ndtc_entry_size").unsigned(memory.u16());
        for field in ["ndtc_entries", "ndtc_last_flush", "ndtc_last_rand", "ndtc_hash_rnd"] {
            text.field(field).unsigned(memory.u32());
        }
        text.field("ndtc_hash_mask").padded_hex(memory.u32(), 8);
        for field in ["ndtc_hash_chain_gc", "ndtc_proxy_qlen"] {
            text.field(field).unsigned(memory.u32());
        }
    });
    !memory.is_short()
}

fn table_stats(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    const NAMES: [&str; 11] = [
        "ndts_allocs", "ndts_destroys", "ndts_hash_grows", "ndts_res_failed", "ndts_lookups", "ndts_hits",
        "ndts_rcv_probes_mcast", "ndts_rcv_probes_ucast", "ndts_periodic_gc_runs", "ndts_forced_gc_runs",
        "ndts_table_fulls",
    ];
    let names = match bytes.len() {
        88.. => &NAMES[..],
        80 => &NAMES[..10],
        _ => return false,
    };
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| names.iter().for_each(|name| text.field(name).unsigned(memory.u64())));
    true
}

fn nexthop_head(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.field("nh_scope").word(&words::SCOPES, memory.u8().into());
    text.field("nh_protocol").word(&words::PROTOCOLS, memory.u8().into());
    let reserved = memory.u8();
    if reserved != 0 {
        text.field("resvd").hex(reserved);
    }
    text.field("nh_flags").flags(&words::NEXTHOP_FLAGS, memory.u32().into());
}

static NEXTHOP: Attributes = Attributes {
    words: &words::NEXTHOP,
    forms: &[
        (U32, &["NHA_ID", "NHA_BLACKHOLE", "NHA_GROUPS", "NHA_FDB"]),
        (Enum(&words::NEXTHOP_GROUP, 2), &["NHA_GROUP_TYPE"]),
        (Interface, &["NHA_OIF", "NHA_MASTER"]),
        (Address, &["NHA_GATEWAY"]),
        (Enum(&words::ENCAP, 2), &["NHA_ENCAP_TYPE"]),
        (Own(group), &["NHA_GROUP"]),
        (Nested(&GROUP), &["NHA_RES_GROUP"]),
        (Nested(&BUCKET), &["NHA_RES_BUCKET"]),
    ],
};

static GROUP: Attributes = Attributes {
    words: &words::NEXTHOP_RES,
    forms: &[
        (U16, &["NHA_RES_GROUP_BUCKETS"]),
        (Ticks, &["NHA_RES_GROUP_IDLE_TIMER", "NHA_RES_GROUP_UNBALANCED_TIMER", "NHA_RES_GROUP_UNBALANCED_TIME"]),
    ],
};

static BUCKET: Attributes = Attributes {
    words: &words::NEXTHOP_BUCKET,
    forms: &[
        (U16, &["NHA_RES_BUCKET_INDEX"]),
        (Ticks, &["NHA_RES_BUCKET_IDLE_TIME"]),
        (U32, &["NHA_RES_BUCKET_NH_ID"]),
    ],
};

fn group(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    if bytes.len() < 8 {
        return false;
    }
    text.bracketed(|text| {
        for (n, element) in bytes.chunks_exact(8).enumerate() {
            text.separate();
            if n == text.style().string_limit {
                return text.push("...");
            }
            let mut memory = Memory::new(element, 0, 8);
            text.braced(|text| {
                text.field("id").unsigned(memory.u32());
                text.field("weight").unsigned(memory.u8());
                let (first, second) = (memory.u8(), memory.u16());
                if first != 0 {
                    text.field("resvd1").hex(first);
                }
                if second != 0 {
                    text.field("resvd2").hex(second);
                }
            });
        }
    });
    true
}
