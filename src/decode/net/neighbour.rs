//! NETLINK_ROUTE's neighbours and their tables.

use super::{
    attribute::{Around, Attributes, Form::*},
    interface,
};
use crate::{
    decode::{memory::Memory, text::Text},
    syscall::words::net::route as words,
};

pub(super) fn head(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    memory.skip(3);
    interface::index(text.field("ndm_ifindex"), memory.u32());
    text.field("ndm_state").flags(&words::NEIGHBOUR_STATES, memory.u16().into());
    text.field("ndm_flags").flags(&words::NEIGHBOUR_FLAGS, memory.u8().into());
    text.field("ndm_type").word(&words::KINDS, memory.u8().into());
}

pub(super) static ATTRIBUTES: Attributes = Attributes {
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

pub(super) static TABLE: Attributes = Attributes {
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
            &[
                "NDTPA_REFCNT",
                "NDTPA_QUEUE_LEN",
                "NDTPA_APP_PROBES",
                "NDTPA_UCAST_PROBES",
                "NDTPA_MCAST_PROBES",
                "NDTPA_PROXY_QLEN",
                "NDTPA_QUEUE_LENBYTES",
                "NDTPA_MCAST_REPROBES",
            ],
        ),
        (
            U64,
            &[
                "NDTPA_REACHABLE_TIME",
                "NDTPA_BASE_REACHABLE_TIME",
                "NDTPA_RETRANS_TIME",
                "NDTPA_GC_STALETIME",
                "NDTPA_DELAY_PROBE_TIME",
                "NDTPA_ANYCAST_DELAY",
                "NDTPA_PROXY_DELAY",
                "NDTPA_LOCKTIME",
                "NDTPA_INTERVAL_PROBE_TIME_MS",
            ],
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
        "ndts_allocs",
        "ndts_destroys",
        "ndts_hash_grows",
        "ndts_res_failed",
        "ndts_lookups",
        "ndts_hits",
        "ndts_rcv_probes_mcast",
        "ndts_rcv_probes_ucast",
        "ndts_periodic_gc_runs",
        "ndts_forced_gc_runs",
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
