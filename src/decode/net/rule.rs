//! NETLINK_ROUTE's rules.

use super::attribute::{Around, Attributes, Form::*};
use crate::{
    decode::{memory::Memory, text::Text},
    syscall::words::net::route as words,
};

pub(super) fn head(text: &mut Text<'_>, memory: &mut Memory<'_>) {
    text.field("dst_len").unsigned(memory.u8());
    text.field("src_len").unsigned(memory.u8());
    text.field("tos").flags(&words::TOS, memory.u8().into());
    text.field("table").word(&words::TABLES, memory.u8().into());
    memory.skip(2);
    text.field("action").word(&words::RULE_ACTIONS, memory.u8().into());
    text.field("flags").flags(&words::RULE_FLAGS, memory.u32().into());
}

pub(super) static ATTRIBUTES: Attributes = Attributes {
    words: &words::RULE,
    forms: &[
        (Address, &["FRA_DST", "FRA_SRC"]),
        (Str, &["FRA_IIFNAME", "FRA_OIFNAME"]),
        (
            U32,
            &[
                "FRA_GOTO",
                "FRA_PRIORITY",
                "FRA_FWMARK",
                "FRA_FLOW",
                "FRA_SUPPRESS_IFGROUP",
                "FRA_SUPPRESS_PREFIXLEN",
                "FRA_FWMASK",
            ],
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
