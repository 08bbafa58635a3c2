//! NETLINK_ROUTE: which message begins how, addresses and routes; others have files of their own.

use super::{
    attribute::{self, Around, Attributes, Form::*},
    header::Header,
    inet, interface, link, neighbour, nexthop, rule, traffic,
};
use crate::{
    decode::{memory::Memory, text::Text},
    syscall::words::{
        Words,
        net::{self, netlink, route as words},
    },
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
        28..=30 => kind("ndm_family", 12, neighbour::head, &neighbour::ATTRIBUTES),
        32..=34 => kind("family", 12, rule::head, &rule::ATTRIBUTES),
        36..=38 | 40..=42 | 44..=46 | 100..=102 => kind("tcm_family", 20, traffic::head, &traffic::ATTRIBUTES),
        48..=50 => plain("tca_family", &traffic::ACTION),
        64 | 66 | 67 => plain("ndtm_family", &neighbour::TABLE),
        72..=74 => kind("ifal_family", 12, label_head, &LABEL),
        78 | 79 => kind("dcb_family", 4, dcb_head, &DCB),
        80..=82 => plain("ncm_family", &NETCONF),
        84..=86 => kind("family", 8, mdb_head, &MDB),
        88..=90 => plain("rtgen_family", &NSID),
        104..=106 => kind("nh_family", 8, nexthop::head, &nexthop::ATTRIBUTES),
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
            &[
                "RTAX_LOCK",
                "RTAX_MTU",
                "RTAX_WINDOW",
                "RTAX_RTT",
                "RTAX_RTTVAR",
                "RTAX_SSTHRESH",
                "RTAX_CWND",
                "RTAX_ADVMSS",
                "RTAX_REORDERING",
                "RTAX_HOPLIMIT",
                "RTAX_INITCWND",
                "RTAX_FEATURES",
                "RTAX_RTO_MIN",
                "RTAX_INITRWND",
                "RTAX_QUICKACK",
            ],
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
            inet::by_family(text, family.into(), rest, Some("rtvia_addr"));
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
            &[
                "NETCONFA_FORWARDING",
                "NETCONFA_RP_FILTER",
                "NETCONFA_MC_FORWARDING",
                "NETCONFA_PROXY_NEIGH",
                "NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN",
                "NETCONFA_INPUT",
                "NETCONFA_BC_FORWARDING",
            ],
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{net::netlink, text::written};

    #[test]
    fn a_route_by_name() {
        let mut bytes = vec![36, 0, 0, 0, 24, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([2, 8, 0, 0, 254, 2, 254, 1, 0, 0, 0, 0]);
        bytes.extend([8, 0, 4, 0, 1, 0, 0, 0]);
        let shown = written(|text| netlink::messages(text, &bytes, bytes.len(), 0, 8));
        assert_eq!(
            shown,
            "[{nlmsg_len=36, nlmsg_type=RTM_NEWROUTE, nlmsg_flags=NLM_F_MULTI, nlmsg_seq=1, nlmsg_pid=0}, \
             {rtm_family=AF_INET, rtm_dst_len=8, rtm_src_len=0, rtm_tos=0, rtm_table=RT_TABLE_MAIN, \
             rtm_protocol=RTPROT_KERNEL, rtm_scope=RT_SCOPE_HOST, rtm_type=RTN_UNICAST, rtm_flags=0}, \
             [{nla_len=8, nla_type=RTA_OIF}, if_nametoindex(\"lo\")]]"
        );
    }

    #[test]
    fn types_tell_what_flags_mean() {
        assert!(std::ptr::eq(flags(16), &raw const netlink_words::NEW_FLAGS));
        assert!(std::ptr::eq(flags(18), &raw const netlink_words::GET_FLAGS));
        assert!(std::ptr::eq(flags(49), &raw const netlink_words::GET_FLAGS));
    }

    use crate::syscall::words::net::netlink as netlink_words;
}
