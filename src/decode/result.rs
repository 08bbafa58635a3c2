//! A call's result, with what strace tells behind it.

use std::borrow::Cow;

use super::{date, errno, file, net, poll, raw::Raw, signal, special, style::Constants, text::Text};
use crate::{
    model::Outcome,
    syscall::{Ret, Told, words},
    wire::Part,
};

/// Most results need no memory of their own.
const SMALL: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// A plain number: unsigned, as strace prints what is no error.
#[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "the bits are wanted")]
fn number(text: &mut Text<'_>, raw: &Raw<'_>, value: i64) {
    if raw.abi.word() == 4 { text.unsigned(value as u32) } else { text.unsigned(value as u64) }
}

/// A number and what it means, in terms of the call's memory.
#[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "the bits are wanted")]
fn told_value(text: &mut Text<'_>, raw: &Raw<'_>, told: Told, value: i64) {
    let bits = value as u32;
    match told {
        Told::Personality | Told::OldMask(_) | Told::Handler | Told::Speculation => text.hex(bits),
        _ => number(text, raw, value),
    }
    let from = text.len();
    if text.constants() == Constants::Raw && matches!(told, Told::IoPriority | Told::Speculation) {
        return;
    }
    text.push(" (");
    match told {
        Told::Speculation if raw.register(1) < 3 => {
            text.in_words(|text| text.flags(&words::prctl::SPEC_GET, bits.into()));
        }
        Told::IoPriority => special::io_priority_words(text, bits),
        Told::Personality => special::personality_words(text, bits),
        Told::Entry => match raw.number(0, Part::PART_DATA) {
            Some(entry) => {
                text.push("entry_number=");
                text.unsigned(entry);
            }
            None => return text.truncate(from),
        },
        Told::OldMask(old) => {
            text.push(if old { "old mask " } else { "mask " });
            signal::mask(text, bits.into(), 32);
        }
        Told::Handler if bits < 2 => special::handler(text, bits.into()),
        Told::Handler if bits == u32::MAX => text.push("SIG_ERR"),
        _ => return text.truncate(from),
    }
    text.push(")");
}

#[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "the bits are wanted")]
pub(super) fn outcome(raw: &Raw<'_>, ret: &Ret, value: i64) -> Outcome {
    if let Some((name, explained)) = errno::restart(value) {
        return Outcome::Interrupted { text: format!("? {name} ({explained})").into() };
    }
    if raw.failed() {
        let errno = i32::try_from(-value).unwrap_or(0);
        let text = errno::result(errno).map_or_else(|| format!("-1 (errno {errno})").into(), Cow::Borrowed);
        return Outcome::Failed { errno, text };
    }
    if let (Ret::Int, Some(text)) = (ret, usize::try_from(value).ok().and_then(|value| SMALL.get(value))) {
        return Outcome::Returned { value, text: Cow::Borrowed(text) };
    }
    let mut text = Text::with(raw.style, raw.fds);
    match ret {
        Ret::Fd => match i32::try_from(value) {
            Ok(fd) => text.new_fd(fd),
            Err(_) => text.signed(value),
        },
        Ret::Int | Ret::NewFd | Ret::Gone | Ret::Never => number(&mut text, raw, value),
        Ret::Bits(words) => {
            text.hex(value as u64);
            if value as u64 != 0 && words.list.iter().any(|(bits, _)| *bits != 0 && value as u64 & bits == *bits) {
                text.push(" (");
                text.flags(words, value as u64);
                text.push(")");
            }
        }
        Ret::Told(
            told @ (Told::IoPriority
            | Told::Speculation
            | Told::Personality
            | Told::Entry
            | Told::OldMask(_)
            | Told::Handler),
        ) => {
            told_value(&mut text, raw, *told, value);
        }
        Ret::Told(Told::Attached) => match raw.number(3, Part::PART_DATA) {
            Some(address) => text.hex(address),
            None => number(&mut text, raw, value),
        },
        // An int, of which the upper half is cleared: an error is none to the C library.
        Ret::Told(Told::Narrow) => {
            text.unsigned(value as u32);
            if let Some(words) = errno::result((value as i32).wrapping_neg()) {
                text.push(words.trim_start_matches("-1"));
            }
        }
        Ret::Told(Told::Time) => {
            text.signed(value);
            if let Some(told) = date::text(value, 0, 9) {
                text.push(" (");
                text.push(&told);
                text.push(")");
            }
        }
        Ret::Hex => text.hex(if raw.abi.word() == 4 { u64::from(value as u32) } else { value as u64 }),
        Ret::Octal => text.mode(value as u32),
        Ret::Flags(words) => {
            text.hex(value as u64);
            if value != 0 && text.constants() != Constants::Raw {
                text.push(" (flags ");
                text.in_words(|text| text.flags(words, value as u64));
                text.push(")");
            }
        }
        Ret::Titled((title, words)) => {
            text.hex(value as u64);
            if value != 0 {
                text.push(" (");
                text.push(title);
                text.flags(words, value as u64);
                text.push(")");
            }
        }
        Ret::Signal => {
            text.signed(value);
            if value != 0 {
                text.push(" (");
                text.push(&signal::name(value as i32));
                text.push(")");
            }
        }
        Ret::Word(words) => {
            text.signed(value);
            if let Some(word) = text.known(words, value as u64) {
                text.push(" (");
                text.push(word);
                text.push(")");
            }
        }
        Ret::OpenFlags => {
            text.hex(value as u64);
            text.push(" (flags ");
            text.in_words(|text| file::open_flags(text, value as u32));
            text.push(")");
        }
        Ret::Enum(words) => {
            text.hex(value as u64);
            if let Some(word) = text.known(words, value as u64) {
                text.push(" (");
                text.push(word);
                text.push(")");
            }
        }
        Ret::Told(Told::Poll) => {
            text.signed(value);
            poll::poll_result(&mut text, raw, value);
        }
        Ret::Told(Told::Received) => {
            text.signed(value);
            net::message::time_left(&mut text, raw, value);
        }
        Ret::Told(Told::Select) => {
            text.signed(value);
            if raw.row.is_some_and(|row| row.args().len() == 1) {
                poll::old_select_result(&mut text, raw, value);
            } else {
                poll::select_result(&mut text, raw, value);
            }
        }
    }
    Outcome::Returned { value, text: text.finish().into() }
}
