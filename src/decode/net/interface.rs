//! Network interfaces and hardware addresses.

use crate::decode::text::Text;

/// An interface's number, by name where it is known: `if_nametoindex("lo")`. Even the loopback, which is the
/// first of every network namespace, may have been given another one.
pub(in crate::decode) fn index(text: &mut Text<'_>, index: u32) {
    let known = text.interfaces.get(&index).map(String::as_str);
    match known {
        Some(name) => text.either(
            |text| text.unsigned(index),
            |text| {
                text.push("if_nametoindex(");
                text.whole_string(name.as_bytes());
                text.push(")");
            },
        ),
        None => text.unsigned(index),
    }
}

/// `00:11:22:33:44:55`.
pub(in crate::decode) fn hardware(text: &mut Text<'_>, bytes: &[u8]) {
    let words = |text: &mut Text<'_>| {
        for (n, byte) in bytes.iter().enumerate() {
            text.push(&format!("{}{byte:02x}", if n > 0 { ":" } else { "" }));
        }
    };
    text.either(|text| text.whole_hex_string(bytes), words);
}

/// How many bytes an address of a hardware type has; more than there can be if that is not fixed.
pub(in crate::decode) fn hardware_length(kind: u32) -> usize {
    match u16::try_from(kind).unwrap_or(u16::MAX) {
        SLIP | X25 | CAN | PPP | RAWHDLC | RAWIP | IPDDP | PIMREG | CAIF | NETLINK | VSOCKMON => 0,
        ARCNET | MCTP | LOCALTLK | PHONET | PHONET_PIPE => 1,
        DLCI => 2,
        TUNNEL | SIT | IPGRE | IRDA => 4,
        ROSE => 5,
        ETHER | IEEE802 | LOOPBACK | FDDI | HIPPI | IEEE80211 | IEEE80211_PRISM | IEEE80211_RADIOTAP => 6,
        NETROM | AX25 => 7,
        EUI64 | IEEE802154 | IEEE802154_MONITOR | LOWPAN6 => 8,
        IEEE1394 | TUNNEL6 | IP6GRE => 16,
        INFINIBAND => 20,
        _ => 255,
    }
}

/// Hardware types that have an address of a fixed length.
mod kinds {
    pub(super) use libc::{
        ARPHRD_ARCNET as ARCNET, ARPHRD_AX25 as AX25, ARPHRD_CAN as CAN, ARPHRD_DLCI as DLCI, ARPHRD_ETHER as ETHER,
        ARPHRD_EUI64 as EUI64, ARPHRD_FDDI as FDDI, ARPHRD_HIPPI as HIPPI, ARPHRD_IEEE802 as IEEE802,
        ARPHRD_IEEE1394 as IEEE1394, ARPHRD_IEEE80211 as IEEE80211, ARPHRD_IEEE80211_PRISM as IEEE80211_PRISM,
        ARPHRD_IEEE80211_RADIOTAP as IEEE80211_RADIOTAP, ARPHRD_IEEE802154 as IEEE802154,
        ARPHRD_INFINIBAND as INFINIBAND, ARPHRD_IPDDP as IPDDP, ARPHRD_IPGRE as IPGRE, ARPHRD_IRDA as IRDA,
        ARPHRD_LOCALTLK as LOCALTLK, ARPHRD_LOOPBACK as LOOPBACK, ARPHRD_NETROM as NETROM, ARPHRD_PIMREG as PIMREG,
        ARPHRD_PPP as PPP, ARPHRD_RAWHDLC as RAWHDLC, ARPHRD_ROSE as ROSE, ARPHRD_SIT as SIT, ARPHRD_SLIP as SLIP,
        ARPHRD_TUNNEL as TUNNEL, ARPHRD_TUNNEL6 as TUNNEL6, ARPHRD_X25 as X25,
    };
    pub(super) const MCTP: u16 = 290;
    pub(super) const RAWIP: u16 = 519;
    pub(super) const IEEE802154_MONITOR: u16 = 805;
    pub(super) const PHONET: u16 = 820;
    pub(super) const PHONET_PIPE: u16 = 821;
    pub(super) const CAIF: u16 = 822;
    pub(super) const IP6GRE: u16 = 823;
    pub(super) const NETLINK: u16 = 824;
    pub(super) const LOWPAN6: u16 = 825;
    pub(super) const VSOCKMON: u16 = 826;
}
use kinds::*;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text::written;

    #[test]
    fn interfaces() {
        assert_eq!(written(|text| index(text, 1)), "if_nametoindex(\"lo\")");
        assert_eq!(written(|text| index(text, 7)), "7");
        assert_eq!(written(|text| hardware(text, &[0, 0x1f, 0xff])), "00:1f:ff");
    }
}
