//! Netlink attributes: tables say what the value of each is, one printer follows them.

use super::{inet, interface};
use crate::{
    decode::{memory::Memory, text::Text},
    syscall::words::{Words, net},
};

/// The attributes of one kind of message.
#[derive(Debug)]
pub(super) struct Attributes {
    /// Their names.
    pub(super) words: &'static Words,
    /// What their values are, with the names of those that are so; no names: all of them. Values of
    /// attributes that are not here are shown byte by byte.
    pub(super) forms: &'static [(Form, &'static [&'static str])],
}

impl Attributes {
    fn form(&self, number: u16) -> Option<&'static Form> {
        let word = self.words.word(number.into());
        let is_named = |names: &[&str]| word.is_some_and(|word| names.contains(&word));
        self.forms.iter().find(|(_, names)| names.is_empty() || is_named(names)).map(|(form, _)| form)
    }
}

/// What an attribute's value is. Numbers that are shorter than their type are shown byte by byte.
#[derive(Debug)]
pub(super) enum Form {
    U8,
    U16,
    U32,
    U64,
    S32,
    X16,
    X32,
    /// Hexadecimal, of one, two, four or eight bytes.
    XAny,
    /// Network order, `htons(80)`.
    Be16,
    /// Network order, `htobe64(80)`.
    Be64,
    /// A string whose NUL is not shown.
    Str,
    /// Hundredths of a second.
    Ticks,
    Fd,
    /// A user or group id.
    Id,
    Interface,
    Inet,
    Inet6,
    /// An address of the message's family.
    Address,
    /// A hardware address of as many bytes as there are.
    Hardware,
    /// A hardware address cut as strace cuts it, by the message's family.
    HardwareOfFamily,
    /// One of several values, of so many bytes.
    Enum(&'static Words, usize),
    /// The same without a comment behind an unknown one.
    Plain(&'static Words, usize),
    /// Bits, of so many bytes.
    Flags(&'static Words, usize),
    /// Bits as a number with their words in a comment, of one byte.
    Explained(&'static Words),
    /// An IP protocol, of up to eight bytes.
    IpProtocol,
    Ethernet,
    /// Unsigned numbers of so many bytes in brackets.
    Array(usize),
    /// The same, each with its index's name: `[[WORD]=1]`; whether they are signed.
    Indexed(&'static Words, usize, bool),
    /// A structure of unsigned 32-bit numbers, by their names.
    Figures(&'static [&'static str]),
    /// Attributes in the attribute.
    Nested(&'static Attributes),
    /// What only its own printer knows; it answers whether it could.
    Own(fn(&mut Text<'_>, &[u8], &mut Around) -> bool),
}

/// What an attribute's value may depend on.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    /// The message's address family.
    pub(super) family: u8,
    /// Bytes of a long of the caller.
    pub(super) word: usize,
    /// The kind of link that an attribute before it has named.
    pub(super) kind: Vec<u8>,
    /// The kind of port that an attribute before it has named.
    pub(super) slave_kind: Vec<u8>,
    /// The type of the attribute whose value it is, without its flags.
    pub(super) outer: u16,
}

const HEAD: usize = 4;
const NESTED: u16 = 0x8000;
const NET_BYTEORDER: u16 = 0x4000;

/// One attribute, or several in brackets.
pub(super) fn list(text: &mut Text<'_>, bytes: &[u8], attributes: &'static Attributes, around: &mut Around) {
    chain(text, bytes, HEAD, |text, bytes, length| {
        one(text, &bytes[..length.clamp(HEAD, bytes.len())], attributes, around)
    });
}

/// Things that stand behind each other, each with its own length at its start: `length` reads it. One
/// is shown by itself, several in brackets, no more than the string limit allows.
fn chain(text: &mut Text<'_>, mut bytes: &[u8], head: usize, mut print: impl FnMut(&mut Text<'_>, &[u8], usize)) {
    let mut shown = 0;
    let mut array = false;
    loop {
        if bytes.len() < head {
            text.hex_string(bytes, false);
            break;
        }
        if shown == text.style().string_limit {
            text.push("...");
            break;
        }
        let length = usize::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
        let rest = if length >= head { bytes.get(length.next_multiple_of(4)..).unwrap_or_default() } else { &[] };
        if !array && !rest.is_empty() {
            text.push("[");
            array = true;
        }
        print(text, bytes, length);
        if rest.is_empty() {
            break;
        }
        text.push(", ");
        bytes = rest;
        shown += 1;
    }
    if array {
        text.push("]");
    }
}

/// `{nla_len=8, nla_type=IFLA_MTU}`, with its value behind it in brackets.
fn one(text: &mut Text<'_>, bytes: &[u8], attributes: &'static Attributes, around: &mut Around) {
    let mut memory = Memory::new(bytes, 0, 8);
    let (length, kind) = (memory.u16(), memory.u16());
    let number = kind & !(NESTED | NET_BYTEORDER);
    let head = |text: &mut Text<'_>| {
        text.braced(|text| {
            text.field("nla_len").unsigned(length);
            text.field("nla_type");
            for (bit, word) in [(NESTED, "NLA_F_NESTED|"), (NET_BYTEORDER, "NLA_F_NET_BYTEORDER|")] {
                if kind & bit != 0 {
                    text.push(word);
                }
            }
            text.word(attributes.words, number.into());
        });
    };
    let Some(value) = bytes.get(HEAD..).filter(|value| !value.is_empty()) else { return head(text) };
    text.bracketed(|text| {
        head(text);
        text.push(", ");
        around.outer = kind;
        let before = text.len();
        if !attributes.form(number).is_some_and(|form| self::value(text, form, value, around)) {
            text.truncate(before);
            text.hex_string(value, false);
        }
    });
}

/// A value of a form; false if it is too short for it.
fn value(text: &mut Text<'_>, form: &Form, bytes: &[u8], around: &mut Around) -> bool {
    let mut memory = Memory::new(bytes, 0, 8);
    match form {
        Form::U8 => text.unsigned(memory.u8()),
        Form::U16 => text.unsigned(memory.u16()),
        Form::U32 => text.unsigned(memory.u32()),
        Form::U64 => text.unsigned(memory.u64()),
        Form::S32 => text.signed(memory.i32()),
        Form::Fd => text.fd(memory.i32()),
        Form::X16 => text.hex(memory.u16()),
        Form::X32 => text.hex(memory.u32()),
        Form::XAny if !matches!(bytes.len(), 1 | 2 | 4 | 8) => return false,
        Form::XAny => text.hex(number(bytes)),
        Form::Be16 => inet::port(text, memory.be16()),
        Form::Be64 => text.push(&format!("htobe64({})", u64::from_be(memory.u64()))),
        Form::Str => {
            let more = bytes.len() > text.style().string_limit;
            text.string(bytes.strip_suffix(&[0]).unwrap_or(bytes), more);
        }
        Form::Ticks if bytes.len() > 8 => return false,
        Form::Ticks => text.ticks(number(bytes)),
        Form::Id => match memory.u32() {
            u32::MAX => text.push("-1"),
            id => text.unsigned(id),
        },
        Form::Interface => interface::index(text, memory.u32()),
        Form::Inet => inet::inet_addr(text, memory.be32()),
        Form::Inet6 => inet::inet_pton(text, inet::bits(&mut memory), None),
        Form::Address => inet::by_family(text, around.family.into(), bytes, None),
        Form::Hardware | Form::HardwareOfFamily if bytes.len() > 32 => return false,
        Form::Hardware => interface::hardware(text, bytes),
        Form::HardwareOfFamily => {
            let most = interface::hardware_length(around.family.into());
            interface::hardware(text, &bytes[..bytes.len().min(most)]);
        }
        Form::Enum(_, size) | Form::Plain(_, size) | Form::Flags(_, size) if bytes.len() > 8 || bytes.len() < *size => {
            return false;
        }
        Form::Enum(words, size) => text.word(words, number(&bytes[..*size])),
        Form::Plain(words, size) => text.word_else(words, "", number(&bytes[..*size])),
        Form::Flags(words, size) => text.flags(words, number(&bytes[..*size])),
        Form::Explained(words) => text.explained_flags(words, memory.u8().into()),
        Form::IpProtocol if bytes.len() > 8 => return false,
        Form::IpProtocol => text.word(&net::IP_PROTOCOLS, number(bytes)),
        Form::Ethernet if bytes.len() > 8 => return false,
        Form::Ethernet => text.push(&ethernet(memory.be16())),
        Form::Array(size) if bytes.len() < *size => return false,
        Form::Array(size) => array(text, bytes, *size, None, false),
        Form::Indexed(_, size, _) if bytes.len() < *size => return false,
        Form::Indexed(words, size, signed) => array(text, bytes, *size, Some(words), *signed),
        Form::Figures(names) => text.braced(|text| {
            for name in *names {
                text.field(name).unsigned(memory.u32());
            }
        }),
        Form::Nested(attributes) => list(text, bytes, attributes, around),
        Form::Own(print) => return print(text, bytes, around),
    }
    !memory.is_short()
}

fn ethernet(protocol: u16) -> String {
    match net::ETHERNET_PROTOCOLS.word(protocol.into()) {
        Some(word) => format!("htons({word})"),
        None => format!("htons({protocol:#x} /* ETHER_P_??? */)"),
    }
}

/// Up to eight bytes as a number.
fn number(bytes: &[u8]) -> u64 {
    let mut wide = [0; 8];
    for (to, from) in wide.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_le_bytes(wide)
}

/// Numbers in brackets, each behind its index if those have names.
fn array(text: &mut Text<'_>, bytes: &[u8], size: usize, words: Option<&Words>, signed: bool) {
    let limit = text.style().string_limit;
    text.bracketed(|text| {
        for (n, element) in bytes.chunks_exact(size).enumerate() {
            if n > 0 {
                text.push(", ");
            }
            if n == limit {
                return text.push("...");
            }
            if let Some(words) = words {
                text.push("[");
                match words.word(n as u64) {
                    Some(word) => text.push(word),
                    None => text.push(&format!("{n} /* {} */", words.unknown)),
                }
                text.push("]=");
            }
            match number(element) {
                value if signed && size == 4 => text.signed(crate::decode::raw::int(value)),
                value => text.unsigned(value),
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{decode::text::written, syscall::words::net::link};

    static LINK: Attributes =
        Attributes { words: &link::ATTRS, forms: &[(Form::U32, &["IFLA_MTU"]), (Form::Str, &["IFLA_IFNAME"])] };

    fn shown(bytes: &[u8]) -> String {
        written(|text| list(text, bytes, &LINK, &mut Around::default()))
    }

    #[test]
    fn one_stands_by_itself_and_several_in_brackets() {
        let mtu = [8, 0, 4, 0, 0xdc, 5, 0, 0];
        let one = "[{nla_len=8, nla_type=IFLA_MTU}, 1500]";
        assert_eq!(shown(&mtu), one);
        assert_eq!(shown(&[mtu, mtu].concat()), format!("[{one}, {one}]"));
        assert_eq!(shown(b"\x07\0\x03\0lo\0\0"), r#"[{nla_len=7, nla_type=IFLA_IFNAME}, "lo"]"#);
    }

    #[test]
    fn what_is_cut_or_not_known_is_bytes() {
        assert_eq!(shown(&[1, 2]), r#""\x01\x02""#);
        assert_eq!(shown(&[6, 0, 4, 0, 1, 2]), r#"[{nla_len=6, nla_type=IFLA_MTU}, "\x01\x02"]"#);
        assert_eq!(shown(&[2, 0, 4, 0]), "{nla_len=2, nla_type=IFLA_MTU}");
        assert_eq!(shown(&[4, 0, 0x12, 0x80]), "{nla_len=4, nla_type=NLA_F_NESTED|IFLA_LINKINFO}");
    }
}
