//! NETLINK_NETFILTER: types made of a subsystem and a message, and the head of the payload.

use super::{
    attribute::{self, Around, Attributes},
    header::Header,
};
use crate::{
    decode::{memory::Memory, text::Text},
    syscall::words::{
        Words,
        net::{self, netfilter as words, netlink},
    },
};

const NFTABLES: u16 = 10;
const NLMSG_DONE: u16 = 3;

/// `NFNL_SUBSYS_NFTABLES<<8|NFT_MSG_GETRULE`.
pub(super) fn kind(text: &mut Text<'_>, kind: u16) {
    if let Some(word) = words::BATCH.word(kind.into()) {
        return text.push(word);
    }
    let (subsystem, message) = (kind >> 8, kind & 0xff);
    text.word(&words::SUBSYSTEMS, subsystem.into());
    text.push("<<8|");
    let messages = match subsystem {
        1 => &words::CTNETLINK,
        2 => &words::CTNETLINK_EXP,
        3 => &words::QUEUE,
        4 => &words::ULOG,
        5 => &words::OSF,
        6 => &words::IPSET,
        7 => &words::ACCT,
        8 => &words::CTTIMEOUT,
        9 => &words::CTHELPER,
        NFTABLES => &words::NFTABLES,
        11 => &words::COMPAT,
        12 => &words::HOOK,
        _ => return text.hex(message),
    };
    text.word(messages, message.into());
}

/// What the flags of a message mean, by what it does: its name tells.
pub(super) fn flags(kind: u16) -> &'static Words {
    let message = u64::from(kind & 0xff);
    let word = match kind >> 8 {
        1 => words::CTNETLINK.word(message),
        2 => words::CTNETLINK_EXP.word(message),
        7 => words::ACCT.word(message),
        8 => words::CTTIMEOUT.word(message).filter(|word| !word.contains("DEFAULT")),
        9 => words::CTHELPER.word(message),
        NFTABLES => words::NFTABLES.word(message).filter(|word| !word.ends_with("RULE_RESET")),
        11 => words::COMPAT.word(message),
        12 => words::HOOK.word(message),
        _ => None,
    };
    let does =
        |verb: &str| word.is_some_and(|word| word.split('_').any(|part| part.starts_with(verb) && part != "DELETED"));
    match () {
        () if does("NEW") => &netlink::NEW_FLAGS,
        () if does("GET") => &netlink::GET_FLAGS,
        () if does("DEL") => &netlink::DELETE_FLAGS,
        () => &netlink::FLAGS,
    }
}

static UNNAMED: Attributes = Attributes { words: &Words { unknown: "", list: &[] }, forms: &[] };

/// struct nfgenmsg and attributes, whose names depend on the subsystem and are not told.
pub(super) fn payload(text: &mut Text<'_>, header: Header, bytes: &[u8], around: &mut Around) -> bool {
    if header.kind == NLMSG_DONE {
        return false;
    }
    if bytes.len() < 4 {
        text.hex_string(bytes, false);
        return true;
    }
    let mut memory = Memory::new(bytes, 0, 8);
    let (family, version, resource) = (memory.u8(), memory.u8(), memory.be16());
    let subsystem = header.kind >> 8;
    text.braced(|text| {
        text.field("nfgen_family").word(&net::FAMILIES, family.into());
        text.field("version").word(&words::VERSIONS, version.into());
        text.field("res_id");
        match resource {
            NFTABLES if subsystem == NFTABLES => text.push("htons(NFNL_SUBSYS_NFTABLES)"),
            // Some programs forget the network's order.
            _ if subsystem == NFTABLES && resource.swap_bytes() == NFTABLES => text.push("NFNL_SUBSYS_NFTABLES"),
            _ => text.push(&format!("htons({resource})")),
        }
    });
    let rest = memory.rest();
    if rest.is_empty() {
        return true;
    }
    text.push(", ");
    if words::BATCH.word(header.kind.into()).is_some() || header.kind < 16 {
        text.hex_string(rest, false);
    } else {
        attribute::list(text, rest, &UNNAMED, around);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text::written;

    #[test]
    fn types() {
        assert_eq!(written(|text| kind(text, 16)), "NFNL_MSG_BATCH_BEGIN");
        assert_eq!(written(|text| kind(text, 0x0a07)), "NFNL_SUBSYS_NFTABLES<<8|NFT_MSG_GETRULE");
    }

    #[test]
    fn flags_follow_what_a_message_does() {
        assert!(std::ptr::eq(flags(0x0a06), &raw const netlink::NEW_FLAGS));
        assert!(std::ptr::eq(flags(0x0a07), &raw const netlink::GET_FLAGS));
        assert!(std::ptr::eq(flags(0x0102), &raw const netlink::DELETE_FLAGS));
        assert!(std::ptr::eq(flags(0x0601), &raw const netlink::FLAGS));
    }
}
