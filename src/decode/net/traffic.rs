//! NETLINK_ROUTE's traffic control: queues, classes, filters, actions.

use super::{
    attribute::{Around, Attributes, Form::*},
    interface,
};
use crate::{
    decode::{memory::Memory, text::Text},
    syscall::words::net::route as words,
};

/// The fields of struct tcmsg behind its family.
pub(super) fn head(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    memory.skip(3);
    interface::index(text.field("tcm_ifindex"), memory.u32());
    for field in ["tcm_handle", "tcm_parent", "tcm_info"] {
        text.field(field).unsigned(memory.u32());
    }
}

pub(super) static ATTRIBUTES: Attributes = Attributes {
    words: &words::TC,
    forms: &[
        (Str, &["TCA_KIND"]),
        (Own(stats), &["TCA_STATS"]),
        (Own(estimator), &["TCA_RATE"]),
        (U32, &["TCA_FCNT", "TCA_CHAIN", "TCA_INGRESS_BLOCK", "TCA_EGRESS_BLOCK", "TCA_DUMP_FLAGS"]),
        (Nested(&STATS), &["TCA_STATS2"]),
        (Nested(&SIZES), &["TCA_STAB"]),
        (U8, &["TCA_HW_OFFLOAD"]),
    ],
};

/// RTM_*ACTION's attributes.
pub(super) static ACTION: Attributes = Attributes {
    words: &words::TC_ACTION,
    forms: &[
        (Str, &["TCA_ACT_KIND"]),
        (U32, &["TCA_ACT_INDEX", "TCA_ACT_IN_HW_COUNT"]),
        (Nested(&STATS), &["TCA_ACT_STATS"]),
        (Flags(&words::TC_ACTION_FLAGS, 4), &["TCA_ACT_FLAGS"]),
        (Flags(&words::TC_ACTION_HW, 4), &["TCA_ACT_HW_STATS", "TCA_ACT_USED_HW_STATS"]),
    ],
};

static STATS: Attributes = Attributes {
    words: &words::TC_STATS,
    forms: &[
        (Own(basic), &["TCA_STATS_BASIC", "TCA_STATS_BASIC_HW"]),
        (Figures(&["bps", "pps"]), &["TCA_STATS_RATE_EST"]),
        (Figures(&["qlen", "backlog", "drops", "requeues", "overlimits"]), &["TCA_STATS_QUEUE"]),
        (Own(rate), &["TCA_STATS_RATE_EST64"]),
        (U64, &["TCA_STATS_PKT64"]),
    ],
};

static SIZES: Attributes =
    Attributes { words: &words::TC_STAB, forms: &[(Own(size), &["TCA_STAB_BASE"]), (Array(2), &["TCA_STAB_DATA"])] };

fn stats(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        text.field("bytes").unsigned(memory.u64());
        for field in ["packets", "drops", "overlimits", "bps", "pps", "qlen", "backlog"] {
            text.field(field).unsigned(memory.u32());
        }
    });
    !memory.is_short()
}

fn estimator(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        text.field("interval").signed(memory.u8().cast_signed());
        text.field("ewma_log").unsigned(memory.u8());
    });
    !memory.is_short()
}

fn basic(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        text.field("bytes").unsigned(memory.u64());
        text.field("packets").unsigned(memory.u32());
    });
    !memory.is_short()
}

fn rate(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        for field in ["bps", "pps"] {
            text.field(field).unsigned(memory.u64());
        }
    });
    !memory.is_short()
}

fn size(text: &mut Text<'_>, bytes: &[u8], _: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    text.braced(|text| {
        text.field("cell_log").unsigned(memory.u8());
        text.field("size_log").unsigned(memory.u8());
        text.field("cell_align").signed(memory.u16().cast_signed());
        text.field("overhead").signed(memory.i32());
        for field in ["linklayer", "mpu", "mtu", "tsize"] {
            text.field(field).unsigned(memory.u32());
        }
    });
    !memory.is_short()
}
