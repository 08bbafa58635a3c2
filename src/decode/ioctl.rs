//! ioctl: its command, and structures in which question and answer stand side by side.

use super::{extent, net, raw::Raw, text::Text, watch};
use crate::syscall::{Abi, Shape, ioctl, words};

/// A command by its name, or by the parts of its number: `_IOC(_IOC_READ, 0x54, 0x30, 0x4)`.
pub(super) fn command(text: &mut Text<'_>, abi: Abi, command: u32) {
    text.either(|text| text.hex(command), |text| command_words(text, abi, command));
}

fn command_words(text: &mut Text<'_>, abi: Abi, command: u32) {
    let parts = Parts::of(command);
    let parameter = sized(text, &parts);
    if let Some(names) = ioctl::names(command, abi.word()) {
        text.push(if parameter { " or " } else { "" });
        return text.push(names);
    }
    if parameter {
        return;
    }
    text.push("_IOC(");
    text.flags(&words::ioctl::DIRECTIONS, parts.direction.into());
    for part in [parts.kind, parts.number, parts.size] {
        text.push(", ");
        text.hex(part);
    }
    text.push(")");
}

/// What a command's number is made of.
struct Parts {
    direction: u32,
    kind: u32,
    number: u32,
    size: u32,
}

const WRITE: u32 = 1;
const READ: u32 = 2;
const BOTH: u32 = READ | WRITE;

impl Parts {
    fn of(command: u32) -> Self {
        Self {
            direction: command >> 30,
            kind: command >> 8 & 0xff,
            number: command & 0xff,
            size: command >> 16 & 0x3fff,
        }
    }
}

/// Commands whose number carries a parameter: `EVIOCGNAME(256)`.
fn sized(text: &mut Text<'_>, parts: &Parts) -> bool {
    let kind = char::from_u32(parts.kind).unwrap_or(' ');
    let name = match (kind, parts.direction, parts.number) {
        ('!', READ, 2) if parts.size == 8 => {
            text.push("SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR");
            return true;
        }
        ('E', WRITE, 0xc0..=0xff) => {
            return worded(text, "EVIOCSABS", &words::ioctl::AXES, parts.number - 0xc0);
        }
        ('E', READ, 0x40..=0x7f) => {
            return worded(text, "EVIOCGABS", &words::ioctl::AXES, parts.number - 0x40);
        }
        ('E', READ, 0x20..=0x3f) => return event_bits(text, parts),
        ('E', READ, number) => match number {
            0x06 => "EVIOCGNAME",
            0x07 => "EVIOCGPHYS",
            0x08 => "EVIOCGUNIQ",
            0x09 => "EVIOCGPROP",
            0x0a => "EVIOCGMTSLOTS",
            0x18 => "EVIOCGKEY",
            0x19 => "EVIOCGLED",
            0x1a => "EVIOCGSND",
            0x1b => "EVIOCGSW",
            _ => return false,
        },
        ('H', READ, 0x04) => "HIDIOCGRAWNAME",
        ('H', READ, 0x05) => "HIDIOCGRAWPHYS",
        ('H', READ | BOTH, 0x06) => "HIDIOCSFEATURE",
        ('H', BOTH, 0x07) => "HIDIOCGFEATURE",
        ('H', READ, 0x08) => "HIDIOCGRAWUNIQ",
        ('H', READ, 0x12) => "HIDIOCGPHYS",
        ('M', WRITE, number) => return numbered(text, "MIXER_WRITE", number),
        ('M', READ, number) => return numbered(text, "MIXER_READ", number),
        ('U', READ, 0x2c) => "UI_GET_SYSNAME",
        ('j', READ, 0x13) => "JSIOCGNAME",
        ('k', WRITE, 0) => "SPI_IOC_MESSAGE",
        _ => return false,
    };
    numbered(text, name, parts.size)
}

fn numbered(text: &mut Text<'_>, name: &str, number: u32) -> bool {
    text.push(&format!("{name}({number})"));
    true
}

fn worded(text: &mut Text<'_>, name: &str, words: &crate::syscall::Words, value: u32) -> bool {
    text.push(name);
    text.push("(");
    text.word(words, value.into());
    text.push(")");
    true
}

fn event_bits(text: &mut Text<'_>, parts: &Parts) -> bool {
    text.push("EVIOCGBIT(");
    match parts.number - 0x20 {
        0 => text.push("0"),
        kind => text.word(&words::ioctl::INPUT_EVENTS, kind.into()),
    }
    text.push(&format!(", {})", parts.size));
    true
}

/// A structure that is read and answered in; false if too little of it is known.
pub(super) fn both(text: &mut Text<'_>, raw: &Raw<'_>, shape: Shape, before: &[u8], after: Option<&[u8]>) -> bool {
    let word = raw.abi.word();
    match shape {
        Shape::InterfaceGet => net::request::got(text, raw, before, after),
        Shape::InterfaceList => net::interfaces(text, raw, before, after),
        Shape::Fiemap => extent::map(text, before, after, word),
        Shape::DedupeRange => extent::dedupe(text, before, after, word),
        Shape::UffdApi => watch::api(text, before, after, word),
        Shape::UffdCopy => watch::copy(text, before, after, word),
        Shape::UffdRegister => watch::register(text, before, after, word),
        Shape::UffdZeropage => watch::zeropage(text, before, after, word),
        Shape::SeccompNotif => watch::notification(text, before, after, word),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::style::Style;

    fn named(number: u32) -> String {
        let style = Style::default();
        let mut text = Text::new(&style);
        command(&mut text, Abi::X86_64, number);
        text.finish()
    }

    #[test]
    fn known_and_unknown_commands() {
        assert_eq!(named(0x5413), "TIOCGWINSZ");
        assert_eq!(named(0x8004_54ff), "_IOC(_IOC_READ, 0x54, 0xff, 0x4)");
        assert_eq!(named(0x0000_ffff), "_IOC(_IOC_NONE, 0xff, 0xff, 0)");
        assert_eq!(named(0xffff_ffff), "_IOC(_IOC_READ|_IOC_WRITE, 0xff, 0xff, 0x3fff)");
    }

    #[test]
    fn parameters_in_the_number() {
        assert_eq!(named(0x8100_4506), "EVIOCGNAME(256)");
        assert_eq!(named(0x8018_4540), "EVIOCGABS(ABS_X)");
        assert_eq!(named(0x8004_4520), "EVIOCGBIT(0, 4)");
    }
}
