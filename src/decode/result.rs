//! A call's result, with what strace tells behind it.

use std::borrow::Cow;

use super::{call::Raw, errno, file, net, poll, signal, text::Text};
use crate::{
    model::Outcome,
    syscall::{Ret, Told},
};

/// Most results need no memory of their own.
const SMALL: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

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
    if let (Ret::Int | Ret::Fd, Some(text)) = (ret, usize::try_from(value).ok().and_then(|value| SMALL.get(value))) {
        return Outcome::Returned { value, text: Cow::Borrowed(text) };
    }
    let mut text = Text::new(raw.style);
    match ret {
        Ret::Int | Ret::Fd | Ret::Gone | Ret::Never => text.signed(value),
        Ret::Told(Told::Time) => text.signed(value),
        Ret::Hex => text.hex(if raw.abi.word() == 4 { u64::from(value as u32) } else { value as u64 }),
        Ret::Octal => text.mode(value as u32),
        Ret::Flags(words) => {
            text.hex(value as u64);
            text.push(" (flags ");
            text.flags(words, value as u64);
            text.push(")");
            if value == 0 {
                text.truncate(0);
                text.push("0");
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
            if let Some(word) = words.word(value as u64) {
                text.push(" (");
                text.push(word);
                text.push(")");
            }
        }
        Ret::OpenFlags => {
            text.hex(value as u64);
            text.push(" (flags ");
            file::open_flags(&mut text, value as u32);
            text.push(")");
        }
        Ret::Enum(words) => {
            text.hex(value as u64);
            if let Some(word) = words.word(value as u64) {
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
            poll::select_result(&mut text, raw, value);
        }
    }
    Outcome::Returned { value, text: text.finish().into() }
}
