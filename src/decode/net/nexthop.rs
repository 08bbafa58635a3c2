//! NETLINK_ROUTE's next hop objects.

use super::attribute::{Around, Attributes, Form::*};
use crate::{
    decode::{memory::Memory, text::Text},
    syscall::words::net::route as words,
};

pub(super) fn head(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.field("nh_scope").word(&words::SCOPES, memory.u8().into());
    text.field("nh_protocol").word(&words::PROTOCOLS, memory.u8().into());
    let reserved = memory.u8();
    if reserved != 0 {
        text.field("resvd").hex(reserved);
    }
    text.field("nh_flags").flags(&words::NEXTHOP_FLAGS, memory.u32().into());
}

pub(super) static ATTRIBUTES: Attributes = Attributes {
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
